/** Metrics of experiments as the page asks for them, by looks into the index, beside what the views say of every point. */
import type pg from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { mergeBest } from '../../../src/domain/best-metric.js';
import type { BestMetric, PageData } from '../../../src/domain/page.js';
import { pageData } from '../../../src/store/page/page-data.js';
import { DEFAULT_BOUNDS } from '../../../src/store/page/search.js';
import { createPool } from '../../../src/store/pool.js';
import { createDatabase } from '../../support/database.js';

const MOST_POINTS = 100;
/** More than twice as many are thinned out. */
const LENGTHS = { short: 7, twice: Math.floor((2 * MOST_POINTS * 5) / 6), long: 1_234 };
const RUNS = 30;

let pool: pg.Pool;
let data: PageData;

/** Runs with metrics of each length; steps with gaps, some seen twice, and values that no JSON has. */
beforeAll(async () => {
  pool = createPool({ connectionString: (await createDatabase()).url });
  data = pageData(() => pool, { ...DEFAULT_BOUNDS, mostMs: 60_000 });
  await pool.query(
    `insert into pai.runs (run_id, name, experiment_id, gmt_create_time, region, scope, revision, observed_at, updated_at, first_seen_at)
     select 'run-' || n, 'try ' || n, 'exp', now() - n * interval '1 hour', 'cn-test', 'cn-test:1', 1, now(), now(), now()
     from generate_series(1, $1::int) n`,
    [RUNS],
  );
  for (const [key, length] of Object.entries(LENGTHS))
    await pool.query(
      `insert into pai.run_metrics (run_id, key, step, "timestamp", value, region, first_seen_at, updated_at)
       select 'run-' || n, k.key, p * p - 500, now() + again * interval '1 second',
         case when p % 97 = 3 then 'NaN' when p % 89 = 5 then 'Infinity' else sin(p * n) + again end, 'cn-test', now(), now()
       from generate_series(1, $3::int) n, (values ($1), ($1 || '_loss')) as k(key), generate_series(1, $2::int) p,
         generate_series(0, case when p % 5 = 0 then 1 else 0 end) as again
       where n % 7 <> 0`,
      [key, length, RUNS],
    );
  await pool.query('analyze pai.run_metrics');
  return () => pool.end();
});

it('tells the latest value of each metric of a run as the view does', async () => {
  const { rows } = await data.experimentRuns('exp', null, RUNS, 50);
  const view = await pool.query<{ id: string; metrics: Record<string, unknown> }>(
    'select run_id as id, metrics from analytics.experiment_runs order by created_at desc',
  );
  expect(rows.map(({ runId, metrics }) => ({ id: runId, metrics }))).toEqual(
    view.rows.map(({ id, metrics }) => ({
      id,
      metrics: Object.fromEntries(Object.entries(metrics).map(([key, value]) => [key, Number(value)])),
    })),
  );
  const few = await data.experimentRuns('exp', null, RUNS, 2);
  expect(new Set(few.rows.flatMap(({ metrics }) => Object.keys(metrics)))).toEqual(new Set(['long', 'long_loss']));
});

it('draws every point of a short metric, and of a long one points of it that divide its steps, the first and the last too', async () => {
  const curves = await data.curves(['run-1', 'run-2', 'run-7', 'nobody'], MOST_POINTS, 50);
  expect(curves.map(({ runId, key }) => `${key} ${runId}`)).toEqual(
    ['long', 'long_loss', 'short', 'short_loss', 'twice', 'twice_loss'].flatMap((key) => [
      `${key} run-1`,
      `${key} run-2`,
    ]),
  );
  for (const { runId, key, steps, values } of curves) {
    const { rows } = await pool.query<{ step: number; value: number | null }>(
      `select distinct on (step) step::float8 as step, case when value not in ('NaN', 'Infinity') then value end as value
       from analytics.metric_points where run_id = $1 and key = $2 order by step, time desc`,
      [runId, key],
    );
    const all = new Map(rows.map(({ step, value }) => [step, value]));
    expect(values).toEqual(steps.map((step) => all.get(step)));
    if (!key.startsWith('long')) {
      expect(steps).toEqual([...all.keys()]);
      continue;
    }
    expect([steps[0], steps.at(-1)]).toEqual([rows[0]?.step, rows.at(-1)?.step]);
    expect(steps).toEqual([...new Set(steps)].sort((one, other) => one - other));
    expect(steps.length).toBeLessThanOrEqual(MOST_POINTS);
    expect(steps.length).toBeGreaterThan(MOST_POINTS / 2);
    // No gap is much wider than an even share, or than the metric's own.
    const [first, last] = [steps[0] as number, steps.at(-1) as number];
    const share = (last - first) / (MOST_POINTS - 1);
    const own = rows.reduce((most, { step }, i) => Math.max(most, step - (rows[i - 1]?.step ?? step)), 0);
    for (const [i, step] of steps.entries()) expect(step - (steps[i - 1] ?? step)).toBeLessThanOrEqual(share + own);
  }
  expect(new Set((await data.curves(['run-1'], MOST_POINTS, 3)).map(({ key }) => key))).toEqual(
    new Set(['long', 'long_loss', 'short']),
  );
});

it('finds the best run of each metric as the view does, though it looks at the newest runs first, a few at a time', async () => {
  const { metrics, compared } = await data.bestMetrics('exp', RUNS);
  expect(compared).toBe(RUNS);
  const { rows } = await pool.query(
    `select key, runs::float8 as runs, lower_is_better as "lowerIsBetter", best_value as "bestValue", best_run_id as "bestRunId"
     from analytics.experiment_metrics where experiment_id = 'exp'`,
  );
  const byKey = (list: readonly { key: string }[]) => [...list].sort((one, other) => (one.key < other.key ? -1 : 1));
  expect(byKey(metrics)).toEqual(byKey(rows));
  const newest = await data.bestMetrics('exp', 3);
  expect(newest.compared).toBe(3);
  expect(newest.metrics.every(({ runs }) => runs === 3)).toBe(true);
  expect(await data.bestMetrics('nowhere', 10)).toEqual({ metrics: [], compared: 0 });
  const hurried = pageData(() => pool, { ...DEFAULT_BOUNDS, mostMs: 0 });
  expect((await hurried.bestMetrics('exp', RUNS)).compared).toBe(5);
});

it('puts parts together whatever they lack: the better value counts, of equal ones the lesser id', () => {
  const of = (bestValue: number | null, bestRunId: string | null, lowerIsBetter = true): BestMetric => ({
    key: 'k',
    runs: 2,
    lowerIsBetter,
    bestValue,
    bestRunId,
  });
  for (const [one, other, best] of [
    [of(1, 'b'), of(2, 'a'), of(1, 'b')],
    [of(1, 'b', false), of(2, 'a', false), of(2, 'a', false)],
    [of(1, 'b'), of(1, 'a'), of(1, 'a')],
    [of(null, null), of(1, 'a'), of(1, 'a')],
    [
      of(Number.POSITIVE_INFINITY, 'b', false),
      of(Number.POSITIVE_INFINITY, 'c', false),
      of(Number.POSITIVE_INFINITY, 'b', false),
    ],
  ] as const) {
    expect(mergeBest([one], [other])).toEqual([{ ...best, runs: 4 }]);
    expect(mergeBest([other], [one])).toEqual([{ ...best, runs: 4 }]);
  }
  expect(mergeBest([of(1, 'a')], [{ ...of(1, 'a'), key: 'a' }]).map(({ key }) => key)).toEqual(['a', 'k']);
});
