/** What the mirror says of itself. */
import { expect, test } from 'vitest';
import { instantFromMillis } from '../../src/domain/instant.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { refreshRollups } from '../../src/store/rollups.js';
import { startMirror, type TestMirror } from '../support/mirror.js';
import type { Row } from './model.js';
import { dueRows, wrongSums } from './sums.js';

const SMALL = { workspaces: 1, history: 30, active: 3, experimentRuns: 4 };

async function freshness({ pool }: TestMirror, stream: string): Promise<Row> {
  const { rows } = await pool.query<Row>(
    `select f.*, now() as asked_at, failed_in_a_row::int as failures from analytics.mirror_freshness f where stream = $1`,
    [stream],
  );
  expect(rows).toHaveLength(1);
  return rows[0] as Row;
}

test('complaint 4: mirror_freshness tells a stream that has never succeeded, one that has, and failures since', async () => {
  const mirror = await startMirror({ emulator: SMALL });
  const { faults } = mirror.emulator;
  const stream = ['pipeline-runs'] as const;
  expect((await mirror.pool.query('select from analytics.mirror_freshness')).rowCount).toBe(0);
  const fault = { operation: 'ListPipelineRuns', kind: 'error', code: 'Forbidden', status: 403 } as never;
  faults.add(fault);
  await mirror.sync(stream);
  await mirror.sync(stream);
  expect(await freshness(mirror, 'pipeline-runs')).toMatchObject({
    ...{
      age_seconds: null,
      last_succeeded_at: null,
      last_outcome: 'failed',
      failures: 2,
      running_since: null,
      holder: null,
      watermark: null,
    },
    last_error: expect.stringContaining('Forbidden'),
  });
  faults.clear();
  await mirror.sync(stream);
  const good = await freshness(mirror, 'pipeline-runs');
  expect(good).toMatchObject({ last_outcome: 'succeeded', failures: 0, last_error: null, watermark: expect.any(Date) });
  const age = ((good.asked_at as Date).getTime() - (good.last_started_at as Date).getTime()) / 1_000;
  expect(Math.abs((good.age_seconds as number) - age)).toBeLessThan(0.01);
  faults.add(fault);
  for (let times = 1; times <= 3; times += 1) {
    await mirror.sync(stream);
    const bad = await freshness(mirror, 'pipeline-runs');
    expect(bad).toMatchObject({ last_outcome: 'failed', failures: times, last_succeeded_at: good.last_succeeded_at });
    expect(bad.age_seconds).toBeGreaterThan(good.age_seconds as number);
  }
  const { rows } = await mirror.pool.query('select outcome from analytics.mirror_passes order by id');
  expect(rows.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'succeeded', 'failed', 'failed', 'failed']);
});

test('mirror_freshness tells who is running a stream, and no more when that process is gone', async () => {
  const mirror = await startMirror({ emulator: SMALL });
  await mirror.sync(['pipeline-runs']);
  expect(await mirror.store.acquireLease(mirror.scopes[0] as never, 'pipeline-runs')).not.toBeNull();
  expect(await freshness(mirror, 'pipeline-runs')).toMatchObject({ holder: expect.any(String) });
  await mirror.pool.query(`update pai.sync_leases set expires_at = now() - interval '1 second'`);
  expect(await freshness(mirror, 'pipeline-runs')).toMatchObject({ holder: null, running_since: null });
});

test('mirror_lag: from each change at the source to its observation', async () => {
  const clock = new SimulatedClock({ speed: 0, startAt: Date.now() - 90_000 });
  const mirror = await startMirror({ emulator: { ...SMALL, clock } });
  await mirror.sync();
  expect((await mirror.pool.query('select from analytics.mirror_lag')).rowCount, 'what is new says nothing').toBe(0);
  clock.advance(30_000);
  const changed = mirror.emulator.world.pipelineRuns()[3]?.pipelineRunId ?? '';
  mirror.emulator.mutate.updatePipelineRun(changed, { name: 'renamed' });
  const at = instantFromMillis(clock.now());
  const before = Date.now();
  await mirror.sync();
  const { rows } = await mirror.pool.query<{ lag: number; entity: string; at: string }>(
    `select lag_seconds as lag, entity, to_char(source_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
     from analytics.mirror_lag where entity = 'pipeline_run'`,
  );
  expect(rows).toEqual([{ lag: expect.any(Number), entity: 'pipeline_run', at }]);
  const least = (before - clock.now()) / 1_000;
  expect(rows[0]?.lag).toBeGreaterThan(least - 5);
  expect(rows[0]?.lag).toBeLessThan(least + 60);
});

test('invariant 3: an idle round makes no sum due, and a refresh after it writes nothing', async () => {
  const clock = new SimulatedClock({ speed: 0 });
  const mirror = await startMirror({ emulator: { ...SMALL, quirks: 'all', clock } });
  await mirror.sync();
  await mirror.sync();
  expect(await refreshRollups(mirror.pool)).toBeGreaterThan(0);
  const versions = async (): Promise<unknown> => {
    const tables = [
      'run_rollup',
      'failure_rollup',
      'node_rollup',
      'concurrency_rollup',
      'rollup_due',
      'node_due',
      'concurrency_due',
    ];
    const parts = tables.map(
      (name) => `select '${name}' as name, ctid::text as place, xmin::text as writer from pai.${name}`,
    );
    return (await mirror.pool.query(`${parts.join(' union all ')} order by 1, 2`)).rows;
  };
  const before = await versions();
  for (let round = 0; round < 2; round += 1) {
    await mirror.sync();
    expect(await dueRows(mirror.pool)).toBe(0);
    expect(await refreshRollups(mirror.pool)).toBe(0);
    expect(await versions()).toEqual(before);
  }
  expect(await wrongSums(mirror.pool)).toEqual([]);
});
