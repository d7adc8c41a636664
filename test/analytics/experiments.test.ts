/** The views on experiment runs, and the links between them and pipeline runs. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunMetric } from '../../src/domain/entities.js';
import { type MirroredWorld, mirrorWorld, rowsOf } from './mirrored-world.js';
import { comparable, groupBy, type Row } from './model.js';

let world: MirroredWorld;
let close: () => Promise<void> = async () => {};
beforeAll(async () => {
  world = await mirrorWorld(
    (how) => {
      close = how;
    },
    { history: 40 },
  );
});
afterAll(() => close());

const isLower = (key: string): boolean => key === 'loss';
/** In the order of a run's points; not a number is not a value that could be best. */
const latest = (points: readonly RunMetric[]): RunMetric | undefined =>
  [...points].sort((a, b) => Number(b.step) - Number(a.step) || (a.timestamp < b.timestamp ? 1 : -1))[0];
const values = (points: readonly RunMetric[]): number[] =>
  points.map(({ value }) => Number(value)).filter((value) => !Number.isNaN(value));
const least = (points: readonly RunMetric[]): number | null =>
  values(points).length === 0 ? null : Math.min(...values(points));
const greatest = (points: readonly RunMetric[]): number | null =>
  values(points).length === 0 ? null : Math.max(...values(points));
/** As JSON from PostgreSQL tells it. */
const told = (value: number | null): unknown => (value === null || Number.isFinite(value) ? value : String(value));

/** Different points of a run and key. */
function pointsOf(runId: string): Map<string, RunMetric[]> {
  const all = new Map(
    (world.points.get(runId) ?? []).map((point) => [JSON.stringify([point.key, point.step, point.timestamp]), point]),
  );
  return groupBy(all.values(), ({ key }) => key);
}

const present = (): string[] => world.mirror.emulator.world.experimentRuns().map(({ runId }) => runId);

test('experiment_runs: params, labels, latest, least and greatest values', async () => {
  const { rows } = await rowsOf(world.mirror, 'experiment_runs');
  expect(rows.filter(({ missing_since }) => missing_since !== null)).toHaveLength(1);
  const expected = world.mirror.emulator.world.experimentRuns().map((run) => {
    const points = [...pointsOf(run.runId)];
    const object = (value: (list: readonly RunMetric[]) => unknown): Row =>
      Object.fromEntries(points.map(([key, list]) => [key, value(list)] as const).sort());
    const stated = (value: (list: readonly RunMetric[]) => number | null): Row =>
      Object.fromEntries(Object.entries(object((list) => told(value(list)))).filter(([, found]) => found !== null));
    return {
      run_id: run.runId,
      experiment_id: run.experimentId,
      params: Object.fromEntries((run.params ?? []).map(({ key, value }) => [key, value] as const).sort()),
      labels: Object.fromEntries((run.labels ?? []).map(({ key, value }) => [key, value] as const).sort()),
      metrics: object((list) => told(Number(latest(list)?.value))),
      metrics_min: stated(least),
      metrics_max: stated(greatest),
    };
  });
  const sorted = (row: Row): Row =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        value !== null && typeof value === 'object' ? Object.fromEntries(Object.entries(value).sort()) : value,
      ]),
    );
  const columns = Object.keys(expected[0] ?? {});
  const kept = new Set(present());
  expect(comparable(rows.filter((row) => kept.has(row.run_id as string)).map(sorted), columns)).toEqual(
    comparable(expected, columns),
  );
});

test('metric_summary and experiment_metrics: best is least for a loss and greatest for everything else, and never NaN', async () => {
  const everyone = (await rowsOf(world.mirror, 'experiment_runs')).rows;
  const summaries = everyone.flatMap((run) =>
    [...pointsOf(run.run_id as string)].map(([key, points]) => {
      const best = isLower(key) ? least(points) : greatest(points);
      return {
        run_id: run.run_id,
        experiment_id: run.experiment_id,
        key,
        points: points.length,
        latest_value: told(Number(latest(points)?.value)),
        latest_step: Number(latest(points)?.step),
        min_value: told(least(points)),
        max_value: told(greatest(points)),
        lower_is_better: isLower(key),
        best_value: told(best),
      };
    }),
  );
  const { rows } = await rowsOf(world.mirror, 'metric_summary');
  expect(comparable(rows, Object.keys(summaries[0] ?? {}))).toEqual(
    comparable(summaries, Object.keys(summaries[0] ?? {})),
  );
  expect(rows.some(({ latest_value }) => latest_value === 'NaN')).toBe(true);

  const number = (value: unknown): number | null => (value === null ? null : Number(value));
  const best = [...groupBy(summaries, ({ experiment_id, key }) => JSON.stringify([experiment_id, key]))].map(
    ([name, runs]) => {
      const [experiment_id, key] = JSON.parse(name) as string[];
      const found = runs
        .filter(({ best_value }) => best_value !== null)
        .sort((a, b) => {
          const by = (number(a.best_value) ?? 0) - (number(b.best_value) ?? 0);
          return (isLower(key ?? '') ? by : -by) || ((a.run_id as string) < (b.run_id as string) ? -1 : 1);
        })[0];
      return {
        experiment_id,
        key,
        runs: runs.length,
        best_value: found?.best_value ?? null,
        best_run_id: found?.run_id ?? null,
      };
    },
  );
  const metrics = await rowsOf(world.mirror, 'experiment_metrics');
  expect(comparable(metrics.rows, Object.keys(best[0] ?? {}))).toEqual(comparable(best, Object.keys(best[0] ?? {})));
  expect(best.some(({ best_run_id }) => best_run_id === null)).toBe(true);
});

test.each([
  ['val_loss', true],
  ['Loss', true],
  ['rmse', true],
  ['eval/MAE', true],
  ['train_err', true],
  ['word_error_rate', true],
  ['perplexity', true],
  ['accuracy', false],
  ['auc', false],
  ['mAP', false],
  ['f1', false],
  ['erratic', false],
  ['bleu', false],
])('lower is better for %s: %s', async (key, lower) => {
  const { pool } = world.mirror;
  const { rows } = await pool.query<{ text: string }>(
    `select pg_get_viewdef('analytics.metric_summary'::regclass) as text`,
  );
  const rule = /s\.key ~\* '([^']+)'/.exec(rows[0]?.text ?? '')?.[1];
  expect((await pool.query<{ is: boolean }>('select $1 ~* $2 as is', [key, rule])).rows[0]?.is).toBe(lower);
});

test('run_params, run_labels and experiments: what the source still names', async () => {
  const { experimentRuns } = { experimentRuns: world.mirror.emulator.world.experimentRuns() };
  const kept = new Set(present());
  const params = experimentRuns.flatMap((run) =>
    (run.params ?? []).map(({ key, value }) => ({ run_id: run.runId, key, value })),
  );
  const labels = experimentRuns.flatMap((run) =>
    (run.labels ?? []).map(({ key, value }) => ({ run_id: run.runId, key, value })),
  );
  for (const [view, expected] of [
    ['run_params', params],
    ['run_labels', labels],
  ] as const) {
    const { rows } = await rowsOf(world.mirror, view);
    const columns = ['run_id', 'key', 'value'];
    expect(
      comparable(
        rows.filter((row) => kept.has(row.run_id as string)),
        columns,
      ),
      view,
    ).toEqual(comparable(expected, columns));
  }
  const all = (await rowsOf(world.mirror, 'experiment_runs')).rows;
  const experiments = [...groupBy(all, ({ experiment_id }) => experiment_id as string)].map(
    ([experiment_id, runs]) => ({
      experiment_id,
      runs: runs.length,
      first_created_at: runs.map(({ created_at }) => created_at as string).sort()[0],
      last_created_at: runs
        .map(({ created_at }) => created_at as string)
        .sort()
        .at(-1),
    }),
  );
  const { rows } = await rowsOf(world.mirror, 'experiments');
  expect(comparable(rows, Object.keys(experiments[0] ?? {}))).toEqual(
    comparable(experiments, Object.keys(experiments[0] ?? {})),
  );
});

test('run_experiments: by SourceId of the experiment run, and by Options of the pipeline run', async () => {
  const { world: source } = world.mirror.emulator;
  const known = new Set(world.runs.map(({ run }) => run.pipelineRunId));
  const bySource = source
    .experimentRuns()
    .filter(({ sourceId }) => sourceId !== null && known.has(sourceId))
    .map((run) => ({
      pipeline_run_id: run.sourceId,
      experiment_id: run.experimentId,
      run_id: run.runId,
      evidence: 'source_id',
    }));
  const byOptions = world.runs
    .map(({ run }) => ({ id: run.pipelineRunId, options: source.detailsOf(run.pipelineRunId)?.options.json ?? null }))
    .flatMap(({ id, options }) => {
      const experiment =
        options === null
          ? undefined
          : (JSON.parse(options) as { mlflow?: { experimentId: string } }).mlflow?.experimentId;
      return experiment === undefined
        ? []
        : [{ pipeline_run_id: id, experiment_id: experiment, run_id: null, evidence: 'options' }];
    });
  expect(byOptions.length).toBeGreaterThan(10);
  expect(bySource.length).toBeGreaterThan(0);
  const { rows } = await rowsOf(world.mirror, 'run_experiments');
  const columns = ['pipeline_run_id', 'experiment_id', 'run_id', 'evidence'];
  expect(comparable(rows, columns)).toEqual(comparable([...bySource, ...byOptions], columns));
});
