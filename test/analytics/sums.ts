/**
 * The views that answer from sums, computed from the tables from nothing: by SQL of its own, which uses none of the
 * mirror's functions.
 */
import type { ClientBase, Pool } from 'pg';

const quarter = (time: string): string =>
  `case when ${time} in ('infinity', '-infinity') then ${time} else date_trunc('hour', ${time}, 'UTC')
     + div(extract(minute from ${time} at time zone 'UTC'), 15)::int * interval '15 minutes' end`;

const seconds = (from: string, to: string): string =>
  `case when ${from} not in ('infinity', '-infinity') and ${to} not in ('infinity', '-infinity')
     then extract(epoch from ${to}) - extract(epoch from ${from}) end`;

const RUNS = `
  select r.*, coalesce(gmt_create_time, started_at, first_seen_at) as counted_at,
    case when status in ('Succeeded', 'Failed', 'Terminated', 'Skipped') then lower(status)
      when deleted_at is not null or missing_since is not null then 'lost' else 'active' end as outcome,
    case when started_at >= gmt_create_time then ${seconds('gmt_create_time', 'started_at')} end as queued,
    case when l.length < 0 then 0 when l.length > 2147483647 then 2147483647 else l.length end as took,
    case when started_at is null then null
      when status in ('Succeeded', 'Failed', 'Terminated', 'Skipped') then greatest(started_at, coalesce(finished_at, gmt_modified_time))
      when deleted_at is not null then greatest(started_at, deleted_at)
      when missing_since is not null then greatest(started_at, missing_since) end as last_time
  from pai.pipeline_runs r
  cross join lateral (select coalesce(duration, floor(${seconds('started_at', 'finished_at')})) as length) l`;

const count = (outcome: string): string => `count(*) filter (where outcome = '${outcome}')::int as ${outcome}`;
/** Sums of the same fractions in another order differ in their last digits. */
const rounded = (sum: string): string => `to_char((${sum})::float8, '9.999999999EEEE')`;
const OUTCOMES = ['succeeded', 'failed', 'terminated', 'skipped', 'active', 'lost'];

interface Sums {
  readonly view: string;
  /** Without the columns that say the scope once more. */
  readonly asked: string;
  readonly expected: string;
}

/** What runs are told apart by in each kind of row. */
const GRAINS = {
  all: ['pipeline_id', 'user_id', 'source_type'],
  workspace: [],
  pipeline: ['pipeline_id'],
  user: ['user_id'],
  source_type: ['source_type'],
} as const;

function runSums(grain: string, by: readonly string[]): Sums {
  const dimension = (name: string): string => (by.includes(name) ? name : `null as ${name}`);
  return {
    view: grain === 'all' ? 'run_buckets' : 'current_run_rollup',
    asked: `select bucket, scope, pipeline_id, user_id, source_type, runs, ${OUTCOMES.join(', ')}, queued_runs,
      ${rounded('queue_seconds')} as queue_seconds, run_seconds, succeeded_seconds
      from ${grain === 'all' ? 'analytics.run_buckets' : `pai.current_run_rollup where grain = '${grain}'`}`,
    expected: `select ${quarter('counted_at')} as bucket, scope, ${GRAINS.all.map(dimension).join(', ')}, count(*)::int as runs,
      ${OUTCOMES.map(count).join(', ')}, count(queued)::int as queued_runs, ${rounded('coalesce(sum(queued), 0)')} as queue_seconds,
      coalesce(sum(took) filter (where outcome = 'succeeded'), 0)::bigint as run_seconds,
      array(select unnest(array_agg(took::int) filter (where outcome = 'succeeded' and took is not null)) order by 1) as succeeded_seconds
      from (${RUNS}) r group by ${['1', 'scope', ...by].join(', ')}`,
  };
}

const SUMS: readonly Sums[] = [
  ...Object.entries(GRAINS).map(([grain, columns]) => runSums(grain, columns)),
  {
    view: 'run_buckets_by_workspace',
    asked: `select bucket, scope, runs, ${OUTCOMES.join(', ')} from analytics.run_buckets_by_workspace`,
    expected: `select ${quarter('counted_at')} as bucket, scope, count(*)::int as runs, ${OUTCOMES.map(count).join(', ')}
      from (${RUNS}) r group by 1, 2`,
  },
  {
    view: 'failure_buckets',
    asked:
      'select bucket, scope, pipeline_id, pattern, runs, last_pipeline_run_id, last_at from analytics.failure_buckets',
    // The patterns have a test of their own.
    expected: `select ${quarter('counted_at')} as bucket, scope, pipeline_id, pai.error_pattern(message) as pattern, count(*)::int as runs,
      (array_agg(pipeline_run_id order by counted_at desc, pipeline_run_id desc))[1] as last_pipeline_run_id, max(counted_at) as last_at
      from (${RUNS}) r where status = 'Failed' group by 1, 2, 3, 4`,
  },
  {
    view: 'node_buckets',
    asked: `select bucket, scope, pipeline_id, node_name, node_type, nodes, succeeded, failed, ${rounded('seconds')} as seconds,
      succeeded_seconds
      from analytics.node_buckets`,
    expected: `select ${quarter('counted_at')} as bucket, r.scope, pipeline_id, node_name, node_type, count(*)::int as nodes,
      count(*) filter (where well)::int as succeeded, count(*) filter (where n.status = 'Failed')::int as failed,
      ${rounded('coalesce(sum(took) filter (where well), 0)')} as seconds,
      array(select unnest(array_agg(took::float8) filter (where well and took is not null)) order by 1) as succeeded_seconds
      from (${RUNS.replace(' as took', ' as run_took')}) r
      join (select n.pipeline_run_id, n.node_id, n.node_name, n.node_type, n.status, n.missing_since, coalesce(status in ('Succeeded', 'Succeed'), false) as well, 
          case when l.length < 0 then 0 else l.length end as took
        from pai.pipeline_run_nodes n cross join lateral (select ${seconds('started_at', 'finished_at')} as length) l) n using (pipeline_run_id)
      where (r.node_id is null or n.node_id <> r.node_id)
        and (n.missing_since is null or n.status in ('Succeeded', 'Succeed', 'Failed', 'Terminated', 'Skipped'))
      group by 1, 2, 3, 4, 5`,
  },
  {
    view: 'concurrency',
    asked: 'select bucket, scope, started, ended, running from analytics.concurrency',
    // Who is under way at the end of a quarter hour, asked of every run for every quarter hour.
    expected: `with runs as (select scope, ${quarter('started_at')} as first, ${quarter('last_time')} as last from (${RUNS}) r
        where started_at is not null),
      moments as (select scope, first as bucket from runs union select scope, last from runs where last is not null)
      select bucket, scope,
        (select count(*)::int from runs r where r.scope = m.scope and r.first = m.bucket) as started,
        (select count(*)::int from runs r where r.scope = m.scope and r.last = m.bucket) as ended,
        (select count(*)::int from runs r where r.scope = m.scope and r.first <= m.bucket
          and (r.last is null or r.last > m.bucket)) as running
      from moments m`,
  },
];

/** Rows that only one side has, in words; empty when every view says what the tables say. */
export async function wrongSums(db: Pool | ClientBase): Promise<string[]> {
  const wrong: string[] = [];
  for (const { view, asked, expected } of SUMS) {
    const { rows } = await db.query<{ row: string; side: string }>(
      `with a as (select to_jsonb(t)::text as row, count(*) as times from (${asked}) t group by 1),
         e as (select to_jsonb(t)::text as row, count(*) as times from (${expected}) t group by 1)
       select coalesce(a.row, e.row) as row, case when a.row is null then 'missing' when e.row is null then 'wrong' else 'twice' end as side
       from a full join e on a.row = e.row where a.times is distinct from e.times`,
    );
    wrong.push(...rows.map(({ row, side }) => `${view}: ${side} ${row}`));
  }
  return wrong.slice(0, 12);
}

/** How many rows the views have in all: a comparison of nothing with nothing shows nothing. */
export async function sumRows(db: Pool | ClientBase): Promise<number> {
  const counts = SUMS.map(({ asked }) => `(select count(*) from (${asked}) t)`).join(' + ');
  const { rows } = await db.query<{ n: number }>(`select (${counts})::int as n`);
  return rows[0]?.n ?? 0;
}

/** What is noted and not computed yet. */
export async function dueRows(db: Pool | ClientBase): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `select ((select count(*) from pai.rollup_due) + (select count(*) from pai.node_due)
       + (select count(*) from pai.concurrency_due))::int as n`,
  );
  return rows[0]?.n ?? 0;
}
