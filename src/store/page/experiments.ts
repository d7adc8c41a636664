/** Experiments, their runs, and the metrics of these. */
import type pg from 'pg';
import { mergeBest } from '../../domain/best-metric.js';
import type { BestMetric, BestMetrics, Curve, Experiment, ExperimentRun, Part, RunCursor } from '../../domain/page.js';
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

/**
 * The metrics of one run by looks into the index, two a metric: the next key, and the latest point of it. Each is found
 * however many points there are. Rejected: the view's own `metrics`, which reads every point (100,000 of them in 40 ms).
 */
const LATEST = (runId: string, mostKeys: string): string => `
  with recursive keys(key, place) as (
    (select key, 1 from analytics.metric_points where run_id = ${runId} order by key limit 1)
    union all
    select n.key, k.place + 1 from keys k cross join lateral (
      select key from analytics.metric_points where run_id = ${runId} and key > k.key order by key limit 1) n
    where k.place < ${mostKeys}
  )
  select k.key, p.value from keys k cross join lateral (
    select value from analytics.metric_points where run_id = ${runId} and key = k.key order by step desc, time desc limit 1) p`;

/** Ids first, then what each of them has: the view gathers params and metrics run by run. */
const RUNS = `
  with found as materialized (
    select run_id, coalesce(created_at, '-infinity') as place from analytics.experiment_runs
    where experiment_id = $1 and ($3::text is null or (coalesce(created_at, '-infinity'), run_id) < (coalesce($2::timestamptz, '-infinity'), $3))
    order by place desc, run_id desc limit $4
  )
  select r.run_id as "runId", r.name, r.scope, ${instantSql('r.created_at')} as "createdAt", r.pipeline_run_id as "pipelineRunId",
    coalesce((select jsonb_agg(jsonb_build_array(p.key, left(p.value, 200)) order by p.key)
      from (select * from analytics.run_params where run_id = r.run_id order by key limit 12) p), '[]') as params,
    coalesce((select jsonb_object_agg(l.key, l.value) from (${LATEST('r.run_id', '$5::int')}) l), '{}') as metrics
  from found f join analytics.experiment_runs r on r.run_id = f.run_id order by f.place desc, f.run_id desc`;

type RunRow = Omit<ExperimentRun, 'metrics'> & { readonly metrics: Readonly<Record<string, unknown>> };

/** `mostKeys`: metrics of a run, the first ones by name. */
export async function experimentRuns(
  pool: pg.Pool,
  id: string,
  after: RunCursor | null,
  most: number,
  mostKeys: number,
): Promise<Part<ExperimentRun>> {
  const values = [id, after?.createdAt ?? null, after?.id ?? null, most + 1, mostKeys];
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
 * From the points of some runs, $2 of them after the first $3. Rejected: metric_summary, which cannot be asked for runs by
 * their ids without summing up the metrics of every run that there is (2 s for 10,000).
 */
const BEST = `
  with compared as materialized (
    select run_id from analytics.experiment_runs where experiment_id = $1 order by created_at desc nulls last, run_id desc limit $2 offset $3
  ), summed as (
    select run_id, key, ${LOWER_IS_BETTER} as lower_is_better,
      case when ${LOWER_IS_BETTER} then min(value) filter (where value <> 'NaN') else max(value) filter (where value <> 'NaN') end as best_value
    from analytics.metric_points where run_id = any(array(select run_id from compared))
    group by run_id, key
  )
  select (select count(*) from compared)::float8 as compared, key, count(*)::float8 as runs, lower_is_better as "lowerIsBetter",
    case when lower_is_better then min(best_value) else max(best_value) end as "bestValue",
    (array_agg(run_id order by case when lower_is_better then best_value else -best_value end, run_id)
      filter (where best_value is not null))[1] as "bestRunId"
  from (values (1)) as one left join summed on true group by key, lower_is_better order by key limit 50`;

/** Runs looked at first; each further look takes four times as many. */
const FIRST_COMPARED = 5;

/**
 * Runs may have any number of points, and each of them has to be read: so the newest runs first, in growing parts, until
 * all of `mostRuns` are compared or `mostMs` milliseconds are over. `compared` says how many it were.
 */
export async function bestMetrics(pool: pg.Pool, id: string, mostRuns: number, mostMs: number): Promise<BestMetrics> {
  type Row = { readonly compared: number; readonly key: string | null } & Omit<BestMetric, 'key'>;
  const deadline = performance.now() + mostMs;
  let metrics: readonly BestMetric[] = [];
  let compared = 0;
  for (let part = FIRST_COMPARED; compared < mostRuns; part *= 4) {
    const most = Math.min(part, mostRuns - compared);
    const rows = await query<Row>(pool, 'finding the best runs of an experiment', BEST, [id, most, compared]);
    const found = rows.flatMap(({ compared: _, key, ...row }) => (key === null ? [] : [{ ...row, key }]));
    metrics = mergeBest(metrics, found);
    compared += rows[0]?.compared ?? 0;
    if ((rows[0]?.compared ?? 0) < most || performance.now() >= deadline) break;
  }
  return { metrics, compared };
}

/**
 * By looks into the index. A metric of few points has all of them; of points at one step the latest counts. One of many has the points
 * nearest after places that divide its steps evenly, which is what a chart over steps shows, and its last one. Rejected:
 * every n-th point, for which all of them have to be counted (0.1 s for 100,000).
 */
const CURVES = `
  with recursive keys(run_id, key, place) as (
    select r.run_id, n.key, 1 from unnest($1::text[]) as r(run_id) cross join lateral (
      select key from analytics.metric_points where run_id = r.run_id order by key limit 1) n
    union all
    select k.run_id, n.key, k.place + 1 from keys k cross join lateral (
      select key from analytics.metric_points where run_id = k.run_id and key > k.key order by key limit 1) n
    where k.place < $3::int
  ), sized as (
    select k.*, least_step.step as first, greatest_step.step as last, exists (
        select from analytics.metric_points where run_id = k.run_id and key = k.key offset 2 * $2::int) as is_long
    from keys k
    cross join lateral (select step from analytics.metric_points where run_id = k.run_id and key = k.key order by step limit 1) least_step
    cross join lateral (select step from analytics.metric_points where run_id = k.run_id and key = k.key order by step desc limit 1) greatest_step
  ), points as (
    select s.run_id, s.key, p.step, p.value from sized s cross join lateral (
      select distinct on (step) step, value from analytics.metric_points where run_id = s.run_id and key = s.key order by step, time desc) p
    where not s.is_long
    union
    select s.run_id, s.key, p.step, p.value from sized s
    cross join lateral generate_series(0, $2::int - 1) as g(n)
    cross join lateral (
      select step, value from analytics.metric_points where run_id = s.run_id and key = s.key
        and step >= s.first + ((s.last::numeric - s.first) * g.n / greatest($2::int - 1, 1))::bigint
      order by step, time desc limit 1) p
    where s.is_long
  )
  select run_id as "runId", key, array_agg(step::float8 order by step) as steps,
    array_agg(case when value in ('NaN', 'Infinity', '-Infinity') then null else value end order by step) as values
  from points group by run_id, key order by key, run_id`;

/** `mostKeys`: metrics of a run, the first ones by name; twice `mostPoints` are shown as they are. */
export const curves = (
  pool: pg.Pool,
  runIds: readonly string[],
  mostPoints: number,
  mostKeys: number,
): Promise<Curve[]> => query(pool, 'reading metrics', CURVES, [runIds, mostPoints, mostKeys]);
