/** What happened to a run: its statuses as intervals, and the run as the mirror knew it at any time. */
import { expect, test } from 'vitest';
import { instantFromMillis, instantToMillis } from '../../src/domain/instant.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { startMirror, type TestMirror } from '../support/mirror.js';
import { type Row, rounded } from './model.js';

const HOUR = 3_600_000;
const EMPTY = { workspaces: 1, history: 0, active: 0, arrivalsPerMinute: 0, experimentRuns: 0 };

const iso = (millis: number): string => new Date(millis).toISOString();

async function statusHistory({ pool }: TestMirror, id: string, now?: number): Promise<Row[]> {
  const { rows } = await pool.query<Row>(
    `select status, from_time, to_time, seconds, is_current from analytics.status_history where pipeline_run_id = $1 order by from_time, observed_at`,
    [id],
  );
  return rows.map(({ from_time, to_time, seconds, ...row }) => ({
    ...row,
    from: iso((from_time as Date).getTime()),
    to: to_time === null ? null : iso((to_time as Date).getTime()),
    // So far, for the status that it has now: as a time, not the seconds to this moment.
    seconds: now !== undefined && to_time === null && seconds !== null ? 'so far' : rounded({ seconds }).seconds,
  }));
}

test('status_history: the statuses of a run that is followed through its life, rerun, deleted and back', async () => {
  const clock = new SimulatedClock({ speed: 0, startAt: Math.floor((Date.now() - 48 * HOUR) / 1_000) * 1_000 });
  const mirror = await startMirror({ emulator: { ...EMPTY, clock } });
  const { mutate } = mirror.emulator;
  const start = clock.now();
  mutate.addPipelineRun({ pipelineRunId: 'flow-1' });
  const lived: { status: string; at: number }[] = [{ status: 'Initialized', at: start }];
  await mirror.sync();
  for (const status of ['Running', 'Suspended', 'Running', 'Failed', 'Running', 'Succeeded']) {
    clock.advance(10 * 60_000 + lived.length * 1_000);
    mutate.updatePipelineRun('flow-1', { status });
    lived.push({ status, at: clock.now() });
    // A look in between finds nothing new.
    await mirror.sync(['pipeline-runs', 'status']);
    await mirror.sync(['pipeline-runs', 'status']);
  }
  const expected = lived.map(({ status, at }, index) => {
    const next = lived[index + 1]?.at ?? null;
    return {
      status,
      from: iso(at),
      to: next === null ? null : iso(next),
      seconds: next === null ? null : (next - at) / 1_000,
      is_current: next === null,
    };
  });
  expect(await statusHistory(mirror, 'flow-1')).toEqual(expected);

  mutate.deletePipelineRun('flow-1');
  await mirror.sync();
  await mirror.sync();
  const gone = await statusHistory(mirror, 'flow-1');
  const { rows } = await mirror.pool.query<{ at: Date }>(
    `select min(observed_at) as at from pai.change_events where kind in ('missing', 'deleted')`,
  );
  expect(gone).toEqual([
    ...expected.slice(0, -1),
    { ...expected.at(-1), to: iso(rows[0]?.at.getTime() ?? 0), seconds: expect.any(Number), is_current: false },
  ]);

  clock.advance(60_000);
  mutate.restorePipelineRun('flow-1');
  await mirror.sync();
  const back = await statusHistory(mirror, 'flow-1');
  expect(back).toHaveLength(expected.length + 1);
  expect(back.at(-1)).toMatchObject({ status: 'Succeeded', to: null, seconds: null, is_current: true });
  expect(back.filter(({ is_current }) => is_current)).toHaveLength(1);
});

test('status_history: the status of an active run lasts until now', async () => {
  const mirror = await startMirror({ emulator: EMPTY });
  mirror.emulator.mutate.addPipelineRun({ pipelineRunId: 'flow-1', status: 'Running' });
  await mirror.sync();
  const { rows } = await mirror.pool.query<Row>(
    `select h.seconds = greatest(extract(epoch from now() - h.from_time)::float8, 0) as is_so_far, is_current from analytics.status_history h`,
  );
  expect(rows).toEqual([{ is_so_far: true, is_current: true }]);
});

/** What run_as_of says, in a session of that zone. */
async function asOf({ pool }: TestMirror, id: string, at: string, zone = 'UTC'): Promise<Row | null> {
  const client = await pool.connect();
  try {
    await client.query(`set timezone = '${zone}'`);
    return (
      (await client.query<{ run: Row | null }>('select analytics.run_as_of($1, $2) as run', [id, at])).rows[0]?.run ??
      null
    );
  } finally {
    await client.query(`set timezone = 'UTC'`);
    client.release();
  }
}

const now = async ({ pool }: TestMirror): Promise<string> =>
  (
    await pool.query<{ now: string }>(
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
    )
  ).rows[0]?.now ?? '';

/** Moves the whole history, and the runs' own times of the mirror, into the past: a year of waiting. */
async function age({ pool }: TestMirror, by: string): Promise<void> {
  const client = await pool.connect();
  await client.query('set session_replication_role = replica');
  await client.query(`update pai.change_events set observed_at = observed_at - interval '${by}'`);
  await client.query(`update pai.pipeline_runs set first_seen_at = first_seen_at - interval '${by}'`);
  await client.query(`update pai.runs set first_seen_at = first_seen_at - interval '${by}'`);
  await client.query('set session_replication_role = origin');
  client.release();
}

/** The columns of a run as the world has it, nulls left out as run_as_of leaves them out. */
function told(run: object): Row {
  const entries = Object.entries(run).map(([name, value]): [string, unknown] => {
    const column = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (value === null) return [column, null];
    if (column === 'extra') return [column, JSON.parse(value as string)];
    if (column === 'duration') return [column, Number(value)];
    return [column, /_(at|time)$/.test(column) ? instantToMillis(value as string) : value];
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

const readTimes = (run: Row | null, names: readonly string[]): Row =>
  Object.fromEntries(
    Object.entries(run ?? {})
      .filter(([name]) => names.includes(name))
      .map(([name, value]) => [name, /_(at|time)$/.test(name) ? Date.parse(value as string) : value]),
  );

test('complaint 13: run_as_of tells a pipeline run as it was at each of its changes, a year ago, in any time zone', async () => {
  const clock = new SimulatedClock({ speed: 0 });
  const mirror = await startMirror({ emulator: { ...EMPTY, clock } });
  const { mutate, world } = mirror.emulator;
  const before = await now(mirror);
  mutate.addPipelineRun({ pipelineRunId: 'flow-1', extra: '{"a":{"b":null,"c":1}}' });
  const seen: { at: string; run: Row }[] = [];
  const look = async (): Promise<void> => {
    await mirror.sync();
    seen.push({ at: await now(mirror), run: told(world.pipelineRun('flow-1') ?? {}) });
    clock.advance(60_000);
  };
  await look();
  const moves = [
    { status: 'Running' },
    { name: 'renamed', extra: '{"a":{"b":null}}' },
    { status: 'Failed', message: 'no table' },
    { status: 'Running', message: null },
    { status: 'Succeeded', userId: null },
  ];
  for (const move of moves) {
    mutate.updatePipelineRun('flow-1', move);
    await look();
  }
  await age(mirror, '1 year');
  const yearsAgo = (at: string): string => `${Number(at.slice(0, 4)) - 1}${at.slice(4)}`;
  for (const zone of ['UTC', 'Asia/Kathmandu']) {
    for (const { at, run } of seen) {
      const found = await asOf(mirror, 'flow-1', yearsAgo(at), zone);
      expect(readTimes(found, Object.keys(run)), at).toEqual(run);
      const columns = Object.keys(told(world.pipelineRun('flow-1') ?? {}));
      expect(
        Object.keys(found ?? {}).filter((name) => columns.includes(name) && !(name in run)),
        'nothing of later',
      ).toEqual([]);
    }
    expect(await asOf(mirror, 'flow-1', yearsAgo(before), zone)).toBeNull();
    expect(await asOf(mirror, 'nobody', yearsAgo(before), zone)).toBeNull();
  }
  const last = seen.at(-1)?.at ?? '';
  expect(await asOf(mirror, 'flow-1', last, 'Asia/Kathmandu')).toEqual(await asOf(mirror, 'flow-1', last));
});

test('run_as_of knows when a run was deleted, and that it is back', async () => {
  const clock = new SimulatedClock({ speed: 0 });
  const mirror = await startMirror({ emulator: { ...EMPTY, clock } });
  const { mutate } = mirror.emulator;
  mutate.addPipelineRun({ pipelineRunId: 'flow-1', status: 'Running' });
  await mirror.sync();
  const there = await now(mirror);
  clock.advance(1_000);
  mutate.deletePipelineRun('flow-1');
  await mirror.sync();
  await mirror.sync();
  const gone = await now(mirror);
  clock.advance(1_000);
  mutate.restorePipelineRun('flow-1');
  await mirror.sync();
  const back = await now(mirror);
  expect(await asOf(mirror, 'flow-1', there)).not.toHaveProperty('deleted_at');
  expect(await asOf(mirror, 'flow-1', gone)).toMatchObject({ status: 'Running', deleted_at: expect.any(String) });
  expect(await asOf(mirror, 'flow-1', back)).not.toHaveProperty('deleted_at');
});

test('run_as_of tells an experiment run with the params and labels that it had', async () => {
  const clock = new SimulatedClock({ speed: 0 });
  const mirror = await startMirror({ emulator: { ...EMPTY, clock } });
  const { mutate } = mirror.emulator;
  const label = { gmtCreateTime: instantFromMillis(clock.now()), gmtModifiedTime: instantFromMillis(clock.now()) };
  const { runId } = mutate.addExperimentRun({
    runId: 'run-1',
    params: [{ key: 'lr', value: '0.1' }],
    labels: [{ key: 'team', value: 'ads', ...label }],
  });
  await mirror.sync();
  const first = await now(mirror);
  clock.advance(1_000);
  mutate.updateExperimentRun(runId, {
    name: 'renamed',
    params: [
      { key: 'lr', value: '0.2' },
      { key: 'new', value: 'x' },
    ],
    labels: [],
  });
  await mirror.sync();
  const second = await now(mirror);
  const then = await asOf(mirror, runId, first);
  expect(then).toMatchObject({ 'params.lr': '0.1', 'labels.team': 'ads' });
  expect(then).not.toHaveProperty(['params.new']);
  const later = await asOf(mirror, runId, second);
  expect(later).toMatchObject({ name: 'renamed', 'params.lr': '0.2', 'params.new': 'x' });
  expect(later).not.toHaveProperty(['labels.team']);
});
