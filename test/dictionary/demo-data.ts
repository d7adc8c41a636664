/**
 * The data that the examples of the data dictionary are answered from: a small PAI that lives for an hour and the
 * mirror that follows it, equal to the last digit every time. World and database share one clock, which only this file
 * moves; calls are made one after the other, so that also what is numbered is numbered alike.
 */
import { Pool } from 'pg';
import type { Scope } from '../../src/domain/scope.js';
import { STREAMS, type Stream } from '../../src/domain/streams.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { type Emulator, startEmulator } from '../../src/emulator/server.js';
import { PaiClient } from '../../src/pai/client.js';
import { staticCredentials } from '../../src/pai/credentials.js';
import { RateLimiter } from '../../src/pai/rate-limit.js';
import { BudgetTable } from '../../src/store/budgets.js';
import { migrate } from '../../src/store/migrate.js';
import { PgStore } from '../../src/store/store.js';
import type { PassDeps } from '../../src/sync/pass.js';
import { runRound } from '../../src/sync/round.js';
import { type Clock, systemClock } from '../../src/util/clock.js';
import { silentLogger } from '../../src/util/logger.js';
import { createDatabase } from '../support/database.js';
import { SETTINGS } from '../support/mirror.js';
import { fixClock, setTime } from './fixed-clock.js';

const REGION = 'cn-demo';
/** A Monday morning. */
const START = Date.UTC(2026, 2, 16, 9);
const STEP_MS = 10 * 60_000;
const STEPS = 6;

const WORLD = {
  seed: 3,
  workspaces: 2,
  pipelines: 6,
  history: 120,
  historyDays: 35,
  active: 6,
  experimentRuns: 12,
  nodesPerRun: [3, 6],
  arrivalsPerMinute: 0.2,
} as const;

export interface DemoData {
  /** The mirror's own role; every session sees the fixed time. */
  readonly pool: Pool;
  close(): Promise<void>;
}

interface Demo {
  readonly emulator: Emulator;
  readonly clock: SimulatedClock;
  readonly pool: Pool;
  readonly scopes: readonly Scope[];
  sync(streams?: readonly Stream[]): Promise<void>;
}

/** About 3 s. The database goes away with the file. */
export async function makeDemoData(): Promise<DemoData> {
  const { pool, url } = await makeDatabase();
  const clock = new SimulatedClock({ startAt: START, speed: 0 });
  const emulator = await startEmulator({ ...WORLD, clock, verifySignature: false });
  const mirror = openMirror(emulator, clock, url);
  const scopes = emulator.world.workspaces().map(({ workspaceId }) => ({ region: REGION, workspaceId }));
  const sync = (streams: readonly Stream[] = STREAMS): Promise<void> => syncScopes(mirror.deps, scopes, streams, clock);
  try {
    await live({ emulator, clock, pool, scopes, sync });
    await pool.query('select pai.refresh_rollups(1000000)');
    await pool.query('analyze');
  } finally {
    await mirror.close();
    await emulator.close();
  }
  return { pool, close: () => pool.end() };
}

async function makeDatabase(): Promise<{ pool: Pool; url: string }> {
  const { url, name } = await createDatabase({ empty: true });
  const setup = new Pool({ connectionString: url, max: 1 });
  await fixClock(setup, name);
  await setup.end();
  await migrate({ connectionString: url });
  // Answers hold texts of times.
  const pool = new Pool({ connectionString: url, max: 2, options: '-c timezone=UTC' });
  pool.on('error', () => {});
  await setTime(pool, START);
  return { pool, url };
}

function openMirror(emulator: Emulator, clock: SimulatedClock, connectionString: string) {
  const store = new PgStore({ connectionString });
  const budgets = new BudgetTable({ connectionString });
  const source = new PaiClient({
    credentials: staticCredentials({ accessKeyId: 'demo', accessKeySecret: 'demo', securityToken: null }),
    endpoints: () => emulator.url,
    clock: { ...systemClock, now: () => clock.now() },
    logger: silentLogger,
    // ListRuns alone is on a budget, so that there is one to show: with a clock that stands still every call waits longer.
    newBudget: (name, region) =>
      name === 'listRuns'
        ? new RateLimiter(15, monotonicClock, { keeper: budgets.keeper(region, name) })
        : new RateLimiter(0, monotonicClock),
    retry: { attempts: 2, baseMs: 1, capMs: 1 },
  });
  const deps: PassDeps = {
    source,
    store,
    settings: { ...SETTINGS, concurrency: 1 },
    logger: silentLogger,
    onProgress: () => {},
  };
  return { deps, close: () => budgets.close().finally(() => store.close()) };
}

const monotonicClock: Clock = { ...systemClock, now: () => performance.now() };

async function syncScopes(
  deps: PassDeps,
  scopes: readonly Scope[],
  streams: readonly Stream[],
  clock: SimulatedClock,
): Promise<void> {
  const options = {
    streams,
    signal: new AbortController().signal,
    ignoreBackoff: true,
    heartbeatMs: 60_000,
    busyWaitMs: 0,
  };
  for (const scope of scopes) {
    await runRound(deps, [scope], { ...options, clock: { ...systemClock, now: () => clock.now() } });
  }
}

/** A first load, an hour of life, and one of each thing that goes wrong. */
async function live(demo: Demo): Promise<void> {
  await demo.sync();
  for (let step = 1; step <= STEPS; step += 1) {
    demo.clock.advance(STEP_MS);
    demo.emulator.world.tick();
    if (step === STEPS) misfortunes(demo.emulator, demo.clock.now());
    await setTime(demo.pool, demo.clock.now());
    await demo.sync(step === STEPS ? STREAMS : STREAMS.filter((stream) => stream !== 'reconcile'));
  }
}

/** A run is deleted at the source, one that has changed cannot be read, one call fails, and one run does not end. */
function misfortunes({ world, mutate, faults }: Emulator, now: number): void {
  const ended = world.pipelineRuns().filter(({ status }) => status === 'Succeeded');
  const [deleted, changed] = [ended.at(-1), ended.at(-2)];
  if (!deleted || !changed) throw new Error('the world has too few runs for the demo');
  mutate.deletePipelineRun(deleted.pipelineRunId);
  mutate.updatePipelineRun(changed.pipelineRunId, { name: `${changed.name} (renamed)` });
  for (const minutes of [300, 1]) {
    const startedAt = new Date(now - minutes * 60_000).toISOString();
    const { name, workspaceId, pipelineId, userId } = changed;
    mutate.addPipelineRun({
      name,
      workspaceId,
      pipelineId,
      userId,
      status: 'Running',
      startedAt,
      gmtCreateTime: startedAt,
    });
  }
  const match = changed.pipelineRunId;
  faults.add({ operation: 'GetPipelineRun', match, kind: 'error', status: 500, code: 'InternalError' });
  faults.add({ operation: 'ListPipelineRunNodeStatus', match, kind: 'replace', body: UNREADABLE });
}

const UNREADABLE = JSON.stringify({ RequestId: 'demo', Status: [{ NodeId: 'n-1', NodeName: ['not', 'a', 'text'] }] });
