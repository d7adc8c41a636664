/** A world of everything that the views tell apart, mirrored: what it was made of, and what the views have to say. */

import type { RunMetric } from '../../src/domain/entities.js';
import { instantFromMillis } from '../../src/domain/instant.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { startMirror, type TestMirror } from '../support/mirror.js';
import { type ModelRun, modelRun, type Row } from './model.js';

export interface MirroredWorld {
  readonly mirror: TestMirror;
  readonly runs: readonly ModelRun[];
  /** Every point that the source has ever shown, by run. */
  readonly points: ReadonlyMap<string, readonly RunMetric[]>;
  /** Runs that the source has deleted: ended ones and active ones. */
  readonly deleted: readonly string[];
}

/** On both sides of the hours in which the clocks of New York are set forward and back. */
const ODD_HOURS = [
  '2026-03-08T06:59:59',
  '2026-03-08T07:00:00',
  '2026-10-31T16:10:00',
  '2026-11-01T03:59:59',
  '2026-11-01T04:00:00',
  '2026-11-01T05:30:00',
  '2026-11-01T05:59:59',
  '2026-11-01T06:00:00',
  '2026-11-01T06:30:00',
  '2026-11-02T04:59:59',
  '2026-11-02T05:00:00',
];

const MESSAGES = ['', '   \n', 'step 17 of 20 failed', 'step 3 of 20 failed'];

function change({ emulator }: TestMirror, now: number): void {
  const { world, mutate } = emulator;
  const [pipeline] = world.catalog.pipelines;
  const own = { pipelineId: pipeline?.pipelineId ?? '', workspaceId: pipeline?.workspaceId ?? '' };
  for (const [n, text] of ODD_HOURS.entries()) {
    const created = Date.parse(`${text}Z`);
    mutate.addPipelineRun({
      ...own,
      pipelineRunId: `flow-odd-${n}`,
      status: n % 4 === 3 ? 'Failed' : 'Succeeded',
      gmtCreateTime: instantFromMillis(created),
      startedAt: instantFromMillis(created + 5_000 * n),
      finishedAt: instantFromMillis(created + 65_000 * (n + 1)),
      message: n % 4 === 3 ? (MESSAGES[n >> 2] ?? 'step 8 of 9 failed') : null,
    });
  }
  const second = instantFromMillis(now - 90_500);
  const daysAgo = instantFromMillis(now - 172_800_000);
  mutate.addPipelineRun({
    ...own,
    pipelineRunId: 'flow-slow',
    status: 'Running',
    gmtCreateTime: daysAgo,
    startedAt: daysAgo,
  });
  mutate.addPipelineRun({ ...own, pipelineRunId: 'flow-new' });
  mutate.addPipelineRun({ ...own, pipelineRunId: 'flow-word', status: 'NobodyKnows', startedAt: second });
  mutate.addPipelineRun({ ...own, pipelineRunId: 'flow-no-word', status: null, startedAt: second });
  mutate.addPipelineRun({
    ...own,
    pipelineRunId: 'flow-no-creation',
    status: 'Running',
    gmtCreateTime: null,
    startedAt: second,
  });
  mutate.addPipelineRun({
    ...own,
    pipelineRunId: 'flow-no-times',
    status: 'Succeeded',
    gmtCreateTime: null,
    startedAt: null,
    finishedAt: null,
    duration: null,
  });
  mutate.addPipelineRun({
    ...own,
    pipelineRunId: 'flow-no-seconds',
    status: 'Succeeded',
    startedAt: null,
    finishedAt: null,
    duration: null,
  });
  mutate.addPipelineRun({
    ...own,
    pipelineRunId: 'flow-no-duration',
    status: 'Succeeded',
    startedAt: second,
    finishedAt: instantFromMillis(now - 600),
    duration: null,
  });
  const ended = world.pipelineRuns().filter(({ status }) => status === 'Succeeded');
  mutate.updatePipelineRun(ended[3]?.pipelineRunId ?? '', { status: 'Running' });
}

/** With every quirk of PAI, what was changed by hand, and a change between two rounds. The world stands still otherwise. */
export async function mirrorWorld(
  onStarted: (close: () => Promise<void>) => void,
  { history }: { readonly history: number },
): Promise<MirroredWorld> {
  const clock = new SimulatedClock({ speed: 0 });
  const mirror = await startMirror({
    onStarted,
    emulator: {
      workspaces: 2,
      pipelines: 2,
      history,
      historyDays: 40,
      active: 14,
      experimentRuns: 24,
      nodesPerRun: [3, 6],
      quirks: 'all',
      clock,
      seed: 5,
    },
  });
  const { world, mutate } = mirror.emulator;
  change(mirror, clock.now());
  const points = new Map<string, RunMetric[]>();
  const look = (): void => {
    for (const { runId, metrics } of world.experimentRuns())
      points.set(runId, [...(points.get(runId) ?? []), ...(metrics ?? [])]);
  };
  look();
  await mirror.sync();

  const endings = ['Succeeded', 'Failed', 'Running'].map(
    (word) =>
      world.pipelineRuns().filter(({ status, pipelineRunId }) => status === word && pipelineRunId !== 'flow-slow')[1],
  );
  const deleted = endings.flatMap((run) => (run ? [run.pipelineRunId] : []));
  const nodesBefore = new Map(deleted.map((id) => [id, world.nodesOf(id)]));
  clock.advance(1_000);
  for (const id of deleted) mutate.deletePipelineRun(id);
  const [first, other, third] = world.experimentRuns();
  const at = instantFromMillis(clock.now());
  for (const [key, step, value] of [
    ['loss', '500', 'NaN'],
    ['loss', '400', '0.001'],
    ['odd', '1', 'Infinity'],
    ['odd', '2', '-1.5'],
    ['none', '0', 'NaN'],
  ] as const) {
    mutate.logMetric(first?.runId ?? '', { key, step, timestamp: at, value });
    look();
    await mirror.sync(['experiment-runs']);
  }
  mutate.updateExperimentRun(other?.runId ?? '', {
    params: [
      { key: 'lr', value: '0.1' },
      { key: '', value: null },
    ],
    labels: [],
  });
  mutate.deleteExperimentRun(third?.runId ?? '');
  await mirror.sync();
  await mirror.sync();

  const { rows } = await mirror.pool.query<{ id: string; seen: number }>(
    'select pipeline_run_id as id, (extract(epoch from first_seen_at) * 1000)::float8 as seen from pai.pipeline_runs',
  );
  const seen = new Map(rows.map(({ id, seen: at }) => [id, at]));
  const runs = [
    ...world.pipelineRuns(),
    ...world.deletedPipelineRuns().filter(({ pipelineRunId }) => seen.has(pipelineRunId)),
  ].map((run) =>
    modelRun(run, nodesBefore.get(run.pipelineRunId) ?? world.nodesOf(run.pipelineRunId), {
      isDeleted: world.statusOf(run.pipelineRunId)?.isDeleted === true,
      firstSeenAt: seen.get(run.pipelineRunId) ?? Number.NaN,
    }),
  );
  return { mirror, runs, points, deleted };
}

/** Every row of a view as JSON has it, and the time of the question in milliseconds since 1970. */
export async function rowsOf(
  mirror: TestMirror,
  view: string,
  timeZone = 'UTC',
): Promise<{ rows: Row[]; now: number }> {
  const client = await mirror.pool.connect();
  try {
    await client.query(`set timezone = '${timeZone}'`);
    const { rows } = await client.query<{ rows: Row[] | null; now: number }>(
      `select jsonb_agg(to_jsonb(t)) as rows, (extract(epoch from now()) * 1000)::float8 as now from analytics.${view} t`,
    );
    return { rows: rows[0]?.rows ?? [], now: rows[0]?.now ?? 0 };
  } finally {
    await client.query(`set timezone = 'UTC'`);
    client.release();
  }
}
