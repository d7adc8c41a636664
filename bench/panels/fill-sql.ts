/**
 * A mirror that has followed PAI for 90 days, as SQL: what PAI and the engine need hours for takes minutes so. Not random
 * but hashed: equal sizes give equal rows, but for the time at which it all ends, which is now. Rows come in the order of
 * time, as the mirror writes them, so that they lie on the disk as its own do; ids are scattered, as PAI's are.
 */

export interface FillSizes {
  readonly runs: number;
  /** Of each run, the root counted. */
  readonly nodesPerRun: number;
  readonly active: number;
}

export const REGION = 'cn-bench';
export const PIPELINES = 40;
const WORKSPACES = 3;
const USERS = 12;
export const DAYS = 90;

/** A number from 0 up to 1 that is the same for the same row and seed. SQL. */
const share = (row: string, seed: number): string => `((hashint8extended(${row}, ${seed}) & 1048575) / 1048576.0)`;

const pick = (values: readonly string[], number: string): string =>
  `(array[${values.map((value) => `'${value.replaceAll("'", "''")}'`).join(', ')}])[1 + (${number})::int % ${values.length}]`;

const SOURCES = ['DESIGNER', 'SDK', 'DATA_WORKS', 'M6'];

const NODE_NAMES = [
  'Read Table',
  'Sample',
  'Split',
  'Normalize',
  'Feature Engineering',
  'Train',
  'Predict',
  'Evaluate',
  'Write Table',
];

/** In the manner of the engines behind PAI; `%1$s` is a number, `%2$s` an id. */
const MESSAGES = [
  'ODPS-0130131: Table not found - table sales_%1$s of node Train does not exist',
  'node Train ran out of memory: the container %2$s was killed (exit code 137)',
  'quota exceeded: %1$s GPUs requested, 0 free',
  'node Predict did not end within %1$s hours',
  'cannot pull image registry.cn-bench.example.com/train:%1$s: manifest unknown',
  'loss is NaN at step %1$s; "learning_rate" may be too high',
  'worker %1$s of node Train lost its heartbeat, instance %2$s',
  'No permission to read the input bucket',
  'dependency of node Split failed: Traceback (most recent call last): KeyError: label_%1$s',
  'ODPS-0420095: Access Denied - request %2$s',
  'Internal error of the service, try again; request id %2$s after %1$s ms',
  'connection to 10.0.%1$s.7:8080 timed out',
];

/** What all tables are made from; 160 MB a million runs, gone with the database. */
export const planSql = ({ runs, active }: FillSizes): string => `
  create schema bench;
  create table bench.plan as
  select i, 'flow-' || substr(md5('run' || i), 1, 18) as id, 'node-' || substr(md5('root' || i), 1, 18) as root,
    p, '${REGION}:' || (10001 + p % ${WORKSPACES}) as scope, 'pipeline-' || substr(md5('pipeline' || p), 1, 12) as pipeline_id,
    created, created + queue * interval '1 second' as started, seconds,
    case when i > ${runs} - 4 * ${active} and i % 4 = 0 then case when i % 20 = 0 then 'Initialized' else 'Running' end
      when fate < 0.88 then 'Succeeded' when fate < 0.95 then 'Failed' when fate < 0.98 then 'Terminated' else 'Skipped' end as status
  from (
    select i, p, created, floor(1 + 60 * ${share('i', 3)} ^ 2) as queue, ${share('i', 6)} as fate,
      greatest(5, round((60 + p * 1013 % 3000) * (0.5 + ${share('i', 4)}) * case when ${share('i', 5)} > 0.98 then 4 else 1 end
        * case when p = 3 and created > now() - interval '7 days' then 1.5 else 1 end))::int as seconds
    from (
      select i, floor(${PIPELINES} * ${share('i', 1)} ^ 2)::int as p,
        now() - interval '${DAYS} days' * (1 - i / ${runs}.0) as created
      from generate_series(1, ${runs}::bigint) as i
    ) base
  ) drawn;
  create unique index on bench.plan (i);
  analyze bench.plan`;

const IS_ACTIVE = `p.status in ('Initialized', 'Running')`;
const FINISHED = `case when ${IS_ACTIVE} then null else least(p.started + p.seconds * interval '1 second', now()) end`;

/** A pipeline is somebody's and is started from somewhere, by a schedule: four of five runs are that user's. */
const USER = `case when ${share('p.i', 2)} < 0.8 then p.p % ${USERS} else floor(${USERS} * ${share('p.i', 13)})::int end`;
const SOURCE = `case when ${share('p.i', 14)} < 0.95 then ${pick(SOURCES, 'p.p')} else 'SDK' end`;

const NUMBER = `floor(500 * ${share('p.i', 9)})::int`;

export const RUNS = `
  insert into pai.pipeline_runs (pipeline_run_id, name, status, user_id, parent_user_id, started_at, finished_at, node_id,
    duration, workspace_id, message, source_type, source_id, gmt_create_time, gmt_modified_time, pipeline_id, accessibility,
    pipeline_run_uri, region, first_seen_at, updated_at, scope, observed_at, answer_request_id, revision, nodes_revision,
    details_revision, nodes_fetched_at)
  select p.id, 'pipeline ' || p.p || ' of the bench', p.status, (200000 + ${USER})::text, '100000',
    case when p.status <> 'Initialized' then p.started end, ${FINISHED}, p.root,
    case when not ${IS_ACTIVE} then p.seconds end, split_part(p.scope, ':', 2),
    case when p.status = 'Failed' then format(${pick(MESSAGES, 'hashint8(p.i) & 1023')}, ${NUMBER}, md5('m' || p.i)) end,
    ${SOURCE}, 'task-' || p.p, p.created, coalesce(${FINISHED}, p.started), p.pipeline_id, 'PRIVATE',
    'https://pai.example.com/runs/' || p.id, '${REGION}', p.created + interval '10 seconds', coalesce(${FINISHED}, p.started),
    p.scope, coalesce(${FINISHED}, p.started), md5('request' || p.i), 3, 3, 3, coalesce(${FINISHED}, p.started)
  from bench.plan p where p.i between $1 and $2 order by p.i`;

/** Node 0 is the root; the others follow each other. Of a failed run two thirds have run, the next one is why it failed. */
export const nodesSql = ({ nodesPerRun }: FillSizes): string => {
  const steps = Math.max(1, nodesPerRun - 1);
  const turn = Math.ceil((steps * 2) / 3);
  const status = `case when k = 0 then p.status
    when p.status in ('Failed', 'Terminated') then case when k < ${turn} then 'Succeeded' when k = ${turn} then p.status else 'Skipped' end
    when ${IS_ACTIVE} then case when k < ${turn} then 'Succeeded' when k = ${turn} and p.status = 'Running' then 'Running' else 'Initialized' end
    else p.status end`;
  const start = `p.started + p.seconds * greatest(k - 1, 0) / ${steps}.0 * interval '1 second'`;
  const length = `p.seconds * case when k = 0 then 1 else (0.2 + 0.8 * ${share('p.i * 16 + k', 7)}) / ${steps}.0 end * interval '1 second'`;
  return `
  insert into pai.pipeline_run_nodes (pipeline_run_id, node_id, node_type, node_name, status, started_at, finished_at,
    input_artifact_archived, output_artifact_archived, region, first_seen_at, updated_at, scope, observed_at,
    answer_request_id, revision, outputs_revision)
  select n.id, n.node_id, 'Logical', n.node_name, n.status, case when n.status not in ('Initialized', 'Skipped') then least(n.start, now()) end,
    case when n.status not in ('Initialized', 'Skipped', 'Running') then least(n.start + n.length, now()) end,
    false, false, '${REGION}', n.created, n.created, n.scope, n.created, null, 2, 2
  from (
    select p.i, k, p.id, case when k = 0 then p.root else 'node-' || substr(md5(p.i || '/' || k), 1, 18) end as node_id,
      case when k = 0 then 'pipeline ' || p.p else ${pick(NODE_NAMES, '(p.p + k - 1)')} || ' ' || k end as node_name,
      ${status} as status, ${start} as start, ${length} as length, p.created, p.scope
    from bench.plan p cross join generate_series(0, ${steps}) as k where p.i between $1 and $2
  ) n order by n.i, n.k`;
};

export const DETAILS = `
  insert into pai.pipeline_run_details (pipeline_run_id, manifest, arguments, options, region, first_seen_at, updated_at,
    scope, fetched_at)
  select p.id,
    jsonb_build_object('apiVersion', 'core/v1', 'metadata', jsonb_build_object('name', 'pipeline ' || p.p, 'provider', '100000'),
      'spec', (select jsonb_agg(jsonb_build_object('name', 'step ' || k, 'image', 'registry/' || md5(p.i || 'i' || k), 'retries', k % 3))
        from generate_series(1, 12) as k)),
    jsonb_build_object('arguments', jsonb_build_object('table', 'sales_' || p.i, 'rate', ${share('p.i', 8)})),
    jsonb_build_object('mlflow', jsonb_build_object('experimentId', 'exp-' || p.p % 20)),
    '${REGION}', p.created, p.created, p.scope, p.created
  from bench.plan p where p.i between $1 and $2 and p.i % 20 = 0`;

export const OUTPUTS = `
  insert into pai.node_outputs (pipeline_run_id, id, node_id, name, type, metadata, value, producer, gmt_create_time, region,
    first_seen_at, updated_at, observed_at)
  select p.id, 'output-' || substr(md5(p.i || 'o' || k), 1, 16), 'node-' || substr(md5(p.i || '/' || k), 1, 18), 'output ' || k,
    'DataSet', jsonb_build_object('type', 'table'), jsonb_build_object('table', 'result_' || p.i), 'step ' || k,
    p.started, '${REGION}', p.created, p.created, p.created
  from bench.plan p cross join generate_series(1, 4) as k where p.i between $1 and $2 and p.i % 20 = 0`;

/** Discovered, started, ended; and, for the last week, the end of each node. */
export const EVENTS = `
  insert into pai.change_events (entity, entity_id, node_id, node_type, region, scope, kind, from_status, to_status, changes,
    source_time, observed_at, request_id)
  select e.entity, p.id, e.node_id, e.node_type, '${REGION}', p.scope, e.kind, e.before, e.after,
    case when e.kind = 'changed' then jsonb_build_object('status', jsonb_build_array(e.before, e.after)) end, e.at,
    least(e.at + interval '8 seconds', now()), md5('request' || p.i)
  from bench.plan p
  cross join lateral (
    values ('pipeline_run', null, null, 'discovered', null, 'Initialized', p.created),
      ('pipeline_run', null, null, 'changed', 'Initialized', 'Running', case when p.status <> 'Initialized' then p.started end),
      ('pipeline_run', null, null, 'changed', 'Running', p.status, ${FINISHED})
    union all
    select 'node', n.node_id, n.node_type, 'changed', 'Running', n.status, n.finished_at
    from pai.pipeline_run_nodes n
    where n.pipeline_run_id = p.id and p.created > now() - interval '7 days' and n.finished_at is not null
  ) as e(entity, node_id, node_type, kind, before, after, at)
  where p.i between $1 and $2 and e.at is not null
  order by p.i, e.at`;

/** An experiment run for each hundredth pipeline run: 5 params, 2 labels, 3 metrics of 30 steps. */
export const EXPERIMENT_RUNS = `
  insert into pai.runs (run_id, name, experiment_id, workspace_id, user_id, owner_id, source_type, source_id, accessibility,
    gmt_create_time, gmt_modified_time, region, first_seen_at, updated_at, scope, observed_at, revision)
  select 'run-' || substr(md5('x' || p.i), 1, 16), 'try ' || p.i, 'exp-' || p.p % 20, split_part(p.scope, ':', 2), '200001', '100000', 'PAIFLOW', p.id,
    'PRIVATE', p.created, p.started, '${REGION}', p.created, p.created, p.scope, p.created, 1
  from bench.plan p where p.i between $1 and $2 and p.i % 100 = 0`;

const OF_EXPERIMENTS = `from (select i, 'run-' || substr(md5('x' || i), 1, 16) as run_id, created from bench.plan
    where i between $1 and $2 and i % 100 = 0) r`;

export const PARAMS = `
  insert into pai.run_params (run_id, key, value, region, first_seen_at, updated_at)
  select r.run_id, key, (${share('r.i + hashtext(key)', 10)} * 10)::numeric(6, 3)::text, '${REGION}', r.created, r.created
  ${OF_EXPERIMENTS} cross join unnest(array['learning_rate', 'batch_size', 'depth', 'dropout', 'optimizer']) as key`;

export const LABELS = `
  insert into pai.run_labels (run_id, key, value, gmt_create_time, gmt_modified_time, region, first_seen_at, updated_at)
  select r.run_id, key, 'v' || r.i % 7, r.created, r.created, '${REGION}', r.created, r.created
  ${OF_EXPERIMENTS} cross join unnest(array['team', 'dataset']) as key`;

export const METRICS = `
  insert into pai.run_metrics (run_id, key, step, "timestamp", value, region, first_seen_at, updated_at)
  select r.run_id, key, step, r.created + step * interval '20 seconds',
    case key when 'loss' then 2 / (1 + step) + 0.1 * ${share('r.i * 64 + step', 11)} else 1 - 1 / (2.0 + step) - 0.1 * ${share('r.i * 64 + step', 12)} end,
    '${REGION}', r.created, r.created
  ${OF_EXPERIMENTS} cross join unnest(array['loss', 'accuracy', 'auc']) as key cross join generate_series(1, 30) as step`;
