/** The first page's questions: is the mirror fresh, what runs now, what became of the runs. */
import type pg from 'pg';
import type {
  ActiveRun,
  ActiveRuns,
  Budget,
  FailurePattern,
  OutcomeCounts,
  Step,
  StreamFreshness,
  Troubles,
} from '../../domain/page.js';
import { query } from '../pool.js';
import { instantSql } from '../sql.js';

/** Scopes and streams shown at most: nobody reads further, and an account has fewer workspaces. */
const MOST_SCOPES = 500;
const MOST_STREAMS = 6 * MOST_SCOPES;

export async function scopes(pool: pg.Pool): Promise<string[]> {
  const sql = `select scope from analytics.scopes order by scope limit ${MOST_SCOPES}`;
  return (await query<{ scope: string }>(pool, 'listing the scopes', sql)).map(({ scope }) => scope);
}

const FRESHNESS = `
  select scope, stream, ${instantSql('watermark')} as watermark, ${instantSql('last_succeeded_at')} as "lastSucceededAt",
    age_seconds as "ageSeconds", extract(epoch from now() - last_started_at)::float8 as "startedSecondsAgo",
    running_since is not null as "isRunning", last_outcome as "lastOutcome", left(last_error, 500) as "lastError",
    failed_in_a_row::float8 as "failedInARow"
  from analytics.mirror_freshness where scope not like '%:*' order by scope, stream limit ${MOST_STREAMS}`;

export const freshness = (pool: pg.Pool): Promise<StreamFreshness[]> =>
  query(pool, 'reading how fresh the mirror is', FRESHNESS);

const TROUBLES = `
  select (select count(*) from analytics.mirror_quarantine where resolved_at is null)::float8 as quarantined,
    (select count(*) from analytics.mirror_retries where attempts >= 3)::float8 as "failingItems"`;

const THROTTLED = `
  select region, name, pace::float8 as pace, ${instantSql('paused_until')} as "pausedUntil"
  from analytics.mirror_budgets where is_throttled order by region, name limit 20`;

export async function troubles(pool: pg.Pool): Promise<Troubles> {
  const counts = await query<Omit<Troubles, 'throttled'>>(pool, 'counting what waits', TROUBLES);
  const throttled = await query<Budget>(pool, 'reading the budgets', THROTTLED);
  return { ...(counts[0] ?? { quarantined: 0, failingItems: 0 }), throttled };
}

/**
 * One look at the view for both: what is usual for each pipeline is the dear part of it. `elapsed_seconds` and `is_stuck`
 * are computed here, and shown from the view for the few: its functions took 100 ms for 5,000 active runs.
 */
const ACTIVE = `
  with active as materialized (
    select pipeline_run_id, started_at, p50_seconds, p95_seconds, compared_runs,
      coalesce(floor(extract(epoch from now() - started_at)) > p95_seconds and compared_runs >= 5, false) as is_stuck
    from analytics.active_runs
  ), shown as (
    select *, count(*) over () as total, count(*) filter (where is_stuck) over () as stuck from active
    order by is_stuck desc, started_at nulls last, pipeline_run_id limit $1
  )
  select s.total::float8 as total, s.stuck::float8 as stuck, r.pipeline_run_id as id, r.name, r.scope, r.pipeline_id as "pipelineId", r.status,
    ${instantSql('r.created_at')} as "createdAt", ${instantSql('r.started_at')} as "startedAt",
    r.run_seconds::float8 as "elapsedSeconds", s.p50_seconds::float8 as "p50Seconds", s.p95_seconds::float8 as "p95Seconds",
    s.compared_runs::float8 as "comparedRuns", s.is_stuck as "isStuck",
    (select string_agg(n.node_name, ', ' order by n.started_at, n.node_name) from analytics.nodes n
      where n.pipeline_run_id = s.pipeline_run_id and not n.is_root and n.outcome = 'active' and n.started_at is not null) as "runningNodes"
  from shown s join analytics.pipeline_runs r on r.pipeline_run_id = s.pipeline_run_id
  order by s.is_stuck desc, s.started_at nulls last, s.pipeline_run_id`;

export async function activeRuns(pool: pg.Pool, most: number): Promise<ActiveRuns> {
  type Row = ActiveRun & { readonly total: number; readonly stuck: number };
  const rows = await query<Row>(pool, 'reading what runs now', ACTIVE, [most]);
  return { total: rows[0]?.total ?? 0, stuck: rows[0]?.stuck ?? 0, runs: rows };
}

const COUNTS = ['succeeded', 'failed', 'terminated', 'skipped', 'active', 'lost'];

/**
 * From quarter hours, whose range an index bounds; hours and days of the other views are computed, and nothing bounds those.
 * Half a microsecond a quarter hour and workspace. Rejected: run_buckets, with a row for each combination of pipeline, user
 * and source type, half a million of them for a million runs; date_trunc, which asks for the session's zone row by row (it
 * is UTC, see pool.ts) and took a quarter of the time.
 */
const overTimeSql = (step: Step, count: number): string => {
  const first = `date_trunc('${step}', now()) - interval '${count - 1} ${step}s'`;
  return `
  select ${instantSql('t.at')} as at, ${COUNTS.map((name) => `coalesce(s.${name}, 0)::float8 as ${name}`).join(', ')}
  from generate_series(${first}, date_trunc('${step}', now()), interval '1 ${step}') as t(at)
  left join (
    select date_bin('1 ${step}', bucket, '2000-01-01 00:00:00Z') as at, ${COUNTS.map((name) => `sum(${name}) as ${name}`).join(', ')}
    from analytics.run_buckets_by_workspace where bucket >= ${first} group by 1
  ) s on s.at = t.at
  order by t.at`;
};

export const runsOverTime = (pool: pg.Pool, step: Step, count: number): Promise<OutcomeCounts[]> =>
  query(pool, 'counting the runs over time', overTimeSql(step, Math.trunc(count)));

const FAILURES = `
  select pattern, sum(runs)::float8 as runs, (array_agg(last_pipeline_run_id order by last_at desc))[1] as "lastRunId"
  from analytics.failure_buckets where bucket >= now() - $1 * interval '1 day'
  group by pattern order by 2 desc, pattern limit $2`;

export const failures = (pool: pg.Pool, days: number, most: number): Promise<FailurePattern[]> =>
  query(pool, 'counting the failures', FAILURES, [days, most]);
