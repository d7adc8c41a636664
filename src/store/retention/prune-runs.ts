/**
 * One batch of runs in one transaction: what stays of them is written (the last state of each into the history, and a row
 * that keeps it from coming back), then they go with everything below them. A crash leaves all of a batch or nothing.
 */
import type { ClientBase } from 'pg';
import { holdOffCommits } from '../pruning-lock.js';
import { instantSql } from '../sql.js';
import { dueAmongSql, type PrunableEntity } from './due-runs.js';

/** A run that goes. */
export interface PrunedRun {
  readonly entity: PrunableEntity;
  readonly id: string;
  readonly scope: string;
  readonly status: string | null;
  /** Place of the rule that let it go, from 1 on. */
  readonly rule: number;
  readonly endedAt: string;
}

export interface PrunedBatch {
  readonly runs: readonly PrunedRun[];
  /** Rows that go, by table. */
  readonly rows: { readonly [table: string]: number };
}

/** Tables with rows of a run, the run's own last: [table, key column]. */
const TABLES: { readonly [entity in PrunableEntity]: readonly (readonly [table: string, key: string])[] } = {
  pipeline_run: [
    ['node_outputs', 'pipeline_run_id'],
    ['pipeline_run_nodes', 'pipeline_run_id'],
    ['pipeline_run_details', 'pipeline_run_id'],
    ['pipeline_runs', 'pipeline_run_id'],
  ],
  run: [
    ['run_metrics', 'run_id'],
    ['run_labels', 'run_id'],
    ['run_params', 'run_id'],
    ['runs', 'run_id'],
  ],
};

export const tablesOf = (entity: PrunableEntity): string[] => TABLES[entity].map(([table]) => table);

/** Column → [value, null] of every column that has one. (jsonb_strip_nulls would also strip what is inside of them.) */
const COLUMNS_OF_ROW = `coalesce((select jsonb_object_agg(c.key, jsonb_build_array(c.value, null))
    from jsonb_each(to_jsonb(r)) c where c.value <> 'null'), '{}')`;

const valueOr = (name: string, value: string): string =>
  `case when ${value} is null then '{}' else jsonb_build_object('${name}', jsonb_build_array(${value}, null)) end`;

/** Of the nodes what a Gantt chart needs; the manifest is the pipeline's and by far the largest, and goes. */
const BELOW_PIPELINE_RUN = `
  (select ${valueOr('details.arguments', 'coalesce(d.arguments, to_jsonb(d.arguments_raw))')}
     || ${valueOr('details.options', 'coalesce(d.options, to_jsonb(d.options_raw))')}
   from (select) one left join pai.pipeline_run_details d on d.pipeline_run_id = r.pipeline_run_id)
  || (select ${valueOr('nodes', 'n.list')} from (
       select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('node_id', n.node_id, 'node_type', n.node_type,
         'node_name', n.node_name, 'status', n.status, 'started_at', n.started_at, 'finished_at', n.finished_at,
         'missing_since', n.missing_since)) order by n.started_at, n.node_id, n.node_type) as list
       from pai.pipeline_run_nodes n where n.pipeline_run_id = r.pipeline_run_id) n)`;

const fieldsOf = (table: string, prefix: string): string => `
  coalesce((select jsonb_object_agg('${prefix}.' || f.key, jsonb_build_array(f.value, null))
    from pai.${table} f where f.run_id = r.run_id and f.deleted_at is null), '{}')`;

/** Of each metric the last point, and how many there were. */
const BELOW_RUN = `${fieldsOf('run_params', 'params')} || ${fieldsOf('run_labels', 'labels')}
  || coalesce((select jsonb_object_agg('metrics.' || m.key, jsonb_build_array(jsonb_build_object(
         'value', m.value, 'step', m.step, 'timestamp', m."timestamp", 'points', m.points), null))
       from (select distinct on (m.key) m.key, m.value, m.step, m."timestamp", count(*) over (partition by m.key) as points
         from pai.run_metrics m where m.run_id = r.run_id
         order by m.key, m.step desc, m."timestamp" desc) m), '{}')`;

const events = (entity: PrunableEntity): string => {
  const [table, id, status, below] =
    entity === 'pipeline_run'
      ? ['pipeline_runs', 'pipeline_run_id', 'r.status', BELOW_PIPELINE_RUN]
      : ['runs', 'run_id', 'null', BELOW_RUN];
  return `insert into pai.change_events (entity, entity_id, region, scope, kind, from_status, to_status, changes, observed_at)
    select '${entity}', r.${id}, r.region, r.scope, 'pruned', ${status}, ${status}, ${COLUMNS_OF_ROW} || ${below}, statement_timestamp()
    from pai.${table} r where r.${id} = any($1::text[]) order by r.${id} collate "C"`;
};

const markers = (entity: PrunableEntity): string => {
  const [table, id, status] =
    entity === 'pipeline_run' ? ['pipeline_runs', 'pipeline_run_id', 'status'] : ['runs', 'run_id', 'null'];
  return `insert into pai.pruned_runs (entity_id, entity, region, scope, status, gmt_modified_time, pruned_at)
    select ${id}, '${entity}', region, scope, ${status}, gmt_modified_time, statement_timestamp()
    from pai.${table} where ${id} = any($1::text[]) order by ${id} collate "C"
    on conflict (entity_id, entity) do update set region = excluded.region, scope = excluded.scope,
      status = excluded.status, gmt_modified_time = excluded.gmt_modified_time, pruned_at = excluded.pruned_at`;
};

/** Bookkeeping about them. One of these streams is never of experiment runs, whose ids are others. */
const FORGET_RETRIES = 'delete from pai.sync_retries where scope = any($1::text[]) and entity_id = any($2::text[])';

async function dueAmong(
  client: ClientBase,
  entity: PrunableEntity,
  rules: readonly unknown[],
  ids: readonly string[],
  lock: boolean,
): Promise<PrunedRun[]> {
  const { rows } = await client.query<PrunedRun>(
    `select '${entity}' as entity, id, scope, status, rule, ${instantSql('ended_at')} as "endedAt"
     from (${dueAmongSql(entity, lock)}) due`,
    [...rules, ids],
  );
  return rows;
}

/** What of the ids would go now, and how much hangs on it; changes nothing. */
export async function countBatch(
  client: ClientBase,
  entity: PrunableEntity,
  rules: readonly unknown[],
  ids: readonly string[],
): Promise<PrunedBatch> {
  const runs = await dueAmong(client, entity, rules, ids, false);
  const due = runs.map(({ id }) => id);
  const rows: { [table: string]: number } = {};
  for (const [table, key] of TABLES[entity]) {
    const counted = await client.query<{ rows: number }>(
      `select count(*)::float8 as rows from pai.${table} where ${key} = any($1::text[])`,
      [due],
    );
    rows[table] = counted.rows[0]?.rows ?? 0;
  }
  return { runs, rows };
}

/** Inside a transaction. Runs that changed since the plan was made, and those that somebody is writing, stay. */
export async function pruneBatch(
  client: ClientBase,
  entity: PrunableEntity,
  rules: readonly unknown[],
  ids: readonly string[],
): Promise<PrunedBatch> {
  await holdOffCommits(client);
  const runs = await dueAmong(client, entity, rules, ids, true);
  const due = runs.map(({ id }) => id);
  const rows: { [table: string]: number } = {};
  if (due.length > 0) {
    await client.query(events(entity), [due]);
    await client.query(markers(entity), [due]);
    await client.query(FORGET_RETRIES, [[...new Set(runs.map(({ scope }) => scope))], due]);
  }
  for (const [table, key] of TABLES[entity]) {
    const gone = await client.query(`delete from pai.${table} where ${key} = any($1::text[])`, [due]);
    rows[table] = gone.rowCount ?? 0;
  }
  return { runs, rows };
}
