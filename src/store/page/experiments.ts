/** Experiments, their runs, and the metrics of these. */
import type pg from 'pg';
import type { BestMetric, Curve, Experiment, ExperimentRun, Part, RunCursor } from '../../domain/page.js';
import { query } from '../pool.js';
import { instantSql } from '../sql.js';
import { partOf } from './run.js';

const EXPERIMENT = `experiment_id as "experimentId", scope, runs::float8 as runs,
  ${instantSql('first_created_at')} as "firstCreatedAt", ${instantSql('last_created_at')} as "lastCreatedAt"`;

/** Experiments without an id have no page: their runs belong to none. */
const EXPERIMENTS = `
  select ${EXPERIMENT} from (
    select *, coalesce(last_created_at, '-infinity') as place from analytics.experiments where experiment_id <> ''
  ) e
  where $2::text is null or (place, experiment_id, scope) < 
    (coalesce($1::timestamptz, '-infinity'), substr($2, strpos($2, ' ') + 1), split_part($2, ' ', 1))
  order by place desc, experiment_id desc, scope desc limit $3`;

/** The newest first; the cursor's id is scope, a blank, and the experiment, whose id may hold blanks itself. */
export async function experiments(pool: pg.Pool, after: RunCursor | null, most: number): Promise<Part<Experiment>> {
  const values = [after?.createdAt ?? null, after?.id ?? null, most + 1];
  return partOf(await query<Experiment>(pool, 'listing experiments', EXPERIMENTS, values), most);
}

/** One row a scope in which it has runs. */
export const experiment = (pool: pg.Pool, id: string): Promise<Experiment[]> =>
  query(
    pool,
    'reading an experiment',
    `select ${EXPERIMENT} from analytics.experiments where experiment_id = $1 order by scope limit 100`,
    [id],
  );

/** Ids first, then what each of them has: the view gathers params and metrics run by run. */
const RUNS = `
  with found as materialized (
    select run_id, coalesce(created_at, '-infinity') as place from analytics.experiment_runs
    where experiment_id = $1 and ($3::text is null or (coalesce(created_at, '-infinity'), run_id) < (coalesce($2::timestamptz, '-infinity'), $3))
    order by place desc, run_id desc limit $4
  )
  select r.run_id as "runId", r.name, r.scope, ${instantSql('r.created_at')} as "createdAt", r.pipeline_run_id as "pipelineRunId",
    coalesce((select jsonb_agg(jsonb_build_array(p.key, left(p.value, 200)) order by p.key)
      from (select * from analytics.run_params where run_id = r.run_id order by key limit 12) p), '[]') as params, r.metrics
  from found f join analytics.experiment_runs r on r.run_id = f.run_id order by f.place desc, f.run_id desc`;

type RunRow = Omit<ExperimentRun, 'metrics'> & { readonly metrics: Readonly<Record<string, unknown>> };

export async function experimentRuns(
  pool: pg.Pool,
  id: string,
  after: RunCursor | null,
  most: number,
): Promise<Part<ExperimentRun>> {
  const values = [id, after?.createdAt ?? null, after?.id ?? null, most + 1];
  const rows = await query<RunRow>(pool, 'reading the runs of an experiment', RUNS, values);
  return partOf(
    rows.map(({ metrics, ...row }) => ({ ...row, metrics: numbersOf(metrics) })),
    most,
  );
}

/** What JSON has no number for arrives as a word: NaN, Infinity. */
const numbersOf = (metrics: Readonly<Record<string, unknown>>): Record<string, number> =>
  Object.fromEntries(Object.entries(metrics).map(([key, value]) => [key, Number(value)]));

/** The words of the view metric_summary for what is better when it is less; a test compares both. */
const LOWER_IS_BETTER = `key ~* '(loss|error|perplexity|latency|divergence|(^|[^a-z])(err|r?mse|mae|mape|wer|cer|ppl)([^a-z]|$))'`;

/**
 * From the points of some runs. Rejected: metric_summary, which cannot be asked for runs by their ids without summing up
 * the metrics of every run that there is (2 s for 10,000).
 */
const BEST = `
  with summed as (
    select run_id, key, ${LOWER_IS_BETTER} as lower_is_better,
      case when ${LOWER_IS_BETTER} then min(value) filter (where value <> 'NaN') else max(value) filter (where value <> 'NaN') end as best_value
    from analytics.metric_points where run_id = any(array(
      select run_id from analytics.experiment_runs where experiment_id = $1 order by created_at desc nulls last, run_id desc limit $2))
    group by run_id, key
  )
  select key, count(*)::float8 as runs, lower_is_better as "lowerIsBetter",
    case when lower_is_better then min(best_value) else max(best_value) end as "bestValue",
    (array_agg(run_id order by case when lower_is_better then best_value else -best_value end, run_id)
      filter (where best_value is not null))[1] as "bestRunId"
  from summed group by key, lower_is_better order by key limit 50`;

export const bestMetrics = (pool: pg.Pool, id: string, mostRuns: number): Promise<BestMetric[]> =>
  query(pool, 'finding the best runs of an experiment', BEST, [id, mostRuns]);

/** Of points at one step the latest counts. Every n-th is taken, and the last, so that a curve ends where it ends. */
const CURVES = `
  with points as (
    select distinct on (run_id, key, step) run_id, key, step, value from analytics.metric_points where run_id = any($1)
    order by run_id, key, step, time desc
  ), placed as (
    select *, row_number() over (partition by run_id, key order by step) - 1 as place, count(*) over (partition by run_id, key) as n from points
  )
  select run_id as "runId", key, array_agg(step::float8 order by step) as steps,
    array_agg(case when value in ('NaN', 'Infinity', '-Infinity') then null else value end order by step) as values
  from placed where place % greatest(1, ceil(n::float8 / $2)::int) = 0 or place = n - 1
  group by run_id, key order by key, run_id limit 200`;

export const curves = (pool: pg.Pool, runIds: readonly string[], mostPoints: number): Promise<Curve[]> =>
  query(pool, 'reading metrics', CURVES, [runIds, mostPoints]);
