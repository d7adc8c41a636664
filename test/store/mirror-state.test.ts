import { expect, it, onTestFinished } from 'vitest';
import { scopeName } from '../../src/domain/scope.js';
import { STREAMS } from '../../src/domain/streams.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { countUpToOf, readMirrorState } from '../../src/store/mirror-state.js';
import { ReadDatabase } from '../../src/store/read-database.js';
import { startMirror, type TestMirror } from '../support/mirror.js';

async function setUp() {
  const clock = new SimulatedClock({ speed: 0 });
  const mirror = await startMirror({ emulator: { history: 30, active: 5, experimentRuns: 4, workspaces: 2, clock } });
  const database = new ReadDatabase({ connectionString: mirror.databaseUrl });
  onTestFinished(() => database.close());
  const read = (more: { readonly countUpTo?: number; readonly scopes?: readonly string[] } = {}) =>
    readMirrorState(database.pool, { scopes: mirror.scopes.map(scopeName), holder: mirror.store.holder, ...more });
  return { mirror, read };
}

const byScope = <T extends { readonly scope: string }>(rows: readonly T[]): T[] =>
  [...rows].sort((one, other) => (one.scope < other.scope ? -1 : 1));

async function expectStatusNumbers(mirror: TestMirror, state: Awaited<ReturnType<typeof readMirrorState>>) {
  const { scopes } = await mirror.store.overview();
  expect(byScope(state.scopes)).toEqual(
    byScope(scopes).map(
      ({ scope, activePipelineRuns, dueForNodes, dueForDetails, failingItems, unresolvedQuarantine }) => ({
        scope,
        activeRuns: activePipelineRuns,
        dueForNodes,
        dueForDetails,
        failingItems,
        unresolvedQuarantine,
      }),
    ),
  );
}

it('counts what `status` counts: while work is due, while items fail, and when all is done', async () => {
  const { mirror, read } = await setUp();
  mirror.emulator.faults.add({
    operation: 'GetPipelineRun',
    kind: 'error',
    status: 403,
    code: 'NoPermission',
    times: 3,
  });
  await mirror.sync(['pipeline-runs']);
  const due = await read();
  await expectStatusNumbers(mirror, due);
  expect(due.scopes.every(({ dueForDetails }) => dueForDetails > 0)).toBe(true);
  await mirror.sync();
  const failing = await read();
  await expectStatusNumbers(mirror, failing);
  expect(failing.scopes.reduce((sum, { failingItems }) => sum + failingItems, 0)).toBe(3);
  await mirror.sync();
  await mirror.pool.query(
    `insert into pai.quarantine (scope, region, stream, operation, entity, raw, fingerprint, error, observed_at, first_seen_at, resolved_at)
     select $1, 'cn-test', 'details', 'GetPipelineRun', 'pipeline_run', '{}', n::text, 'bad', now(), now(), case when n = 1 then now() end
     from generate_series(1, 3) n`,
    [scopeName(mirror.scopes[0] as (typeof mirror.scopes)[number])],
  );
  const done = await read();
  await expectStatusNumbers(mirror, done);
  expect(done.scopes.map(({ unresolvedQuarantine }) => unresolvedQuarantine).sort()).toEqual([0, 2]);
});

it('stops counting at the bound, and tells only of the scopes that are asked for', async () => {
  const { mirror, read } = await setUp();
  await mirror.sync(['pipeline-runs']);
  const [first] = mirror.scopes.map(scopeName);
  const state = await read({ countUpTo: 2, scopes: [first as string] });
  expect(state.scopes).toMatchObject([{ scope: first, activeRuns: 2, dueForDetails: 2 }]);
  expect(new Set(state.streams.map(({ scope }) => scope))).toEqual(new Set([first]));
  expect((await read({ scopes: [] })).scopes).toEqual([]);
});

it('tells the age of each stream: none before its first pass has ended, then since its last success, also while it fails', async () => {
  const { mirror, read } = await setUp();
  const [scope] = mirror.scopes.map(scopeName);
  const ageOf = async (stream: string) => {
    const { streams } = await read({ scopes: [scope as string] });
    expect(streams).toHaveLength(STREAMS.length);
    return streams.find((one) => one.stream === stream)?.ageSeconds;
  };
  const shift = (seconds: number) =>
    mirror.pool.query(
      `update pai.sync_passes set started_at = started_at - $1 * interval '1 s', finished_at = finished_at - $1 * interval '1 s'`,
      [seconds],
    );
  expect(await ageOf('details')).toBeNull();
  mirror.emulator.faults.add({ operation: 'ListPipelineRuns', kind: 'error', status: 403, code: 'NoPermission' });
  await mirror.sync(['pipeline-runs']);
  await shift(1000);
  await mirror.sync(['pipeline-runs']);
  // It has never succeeded: since the first pass ended.
  expect(await ageOf('pipeline-runs')).toBeGreaterThanOrEqual(1000);
  mirror.emulator.faults.clear();
  await mirror.sync(['pipeline-runs']);
  expect(await ageOf('pipeline-runs')).toBeLessThan(900);
  await shift(500);
  mirror.emulator.faults.add({ operation: 'ListPipelineRuns', kind: 'error', status: 403, code: 'NoPermission' });
  await mirror.sync(['pipeline-runs']);
  expect(await ageOf('pipeline-runs')).toBeGreaterThanOrEqual(500);
  // A pass under way has no end yet.
  const lease = await mirror.store.acquireLease(mirror.scopes[0] as (typeof mirror.scopes)[number], 'nodes');
  if (lease === null) throw new Error('nobody else is here');
  await mirror.store.startPass(lease);
  expect(await ageOf('nodes')).toBeNull();
  expect((await read()).leases).toContainEqual({ stream: 'nodes', held: 1 });
  await mirror.store.releaseLease(lease);
  expect((await read()).leases).toContainEqual({ stream: 'nodes', held: 0 });
});

it('tells how far a budget is behind, and at which pace it goes', async () => {
  const { mirror, read } = await setUp();
  await mirror.pool.query(`insert into pai.call_budgets (region, name, due_at, pace, paused_until) values
    ('cn-a', 'flow', now() - interval '1 hour', 1, null), ('cn-b', 'flow', now(), 0.25, now() + interval '100 s'),
    ('cn-left', 'flow', now(), 0.0625, null)`);
  const { budgets } = await read({ scopes: ['cn-a:1', 'cn-b:1', 'cn-b:2'] });
  // What is not mirrored any more is slow for ever: no call brings its pace back.
  expect(budgets.map(({ region }) => region).sort()).toEqual(['cn-a', 'cn-b']);
  expect(budgets).toContainEqual({ region: 'cn-a', name: 'flow', pace: 1, waitSeconds: 0 });
  const waits = budgets.find(({ region }) => region === 'cn-b');
  expect(waits?.pace).toBe(0.25);
  expect(waits?.waitSeconds).toBeGreaterThan(50);
});

it('shares the rows that it may count among the scopes', () => {
  expect([0, 1, 5, 10, 500, 10_000].map(countUpToOf)).toEqual([100_000, 100_000, 100_000, 50_000, 1_000, 1_000]);
});
