import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { mostInWindow } from '../../src/domain/pace.js';
import { STREAMS } from '../../src/domain/streams.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { type Emulator, startEmulator } from '../../src/emulator/server.js';
import type { Arrival } from '../../src/emulator/stats.js';
import { PaiClient } from '../../src/pai/client.js';
import { staticCredentials } from '../../src/pai/credentials.js';
import { RateLimiter } from '../../src/pai/rate-limit.js';
import { BudgetTable } from '../../src/store/budgets.js';
import { PgStore } from '../../src/store/store.js';
import type { PassDeps } from '../../src/sync/pass.js';
import { runRound } from '../../src/sync/round.js';
import { systemClock } from '../../src/util/clock.js';
import { mostWithin } from '../pai/replicas.js';
import { environmentFor, runCli } from '../support/cli.js';
import { differences } from '../support/compare.js';
import { createDatabase } from '../support/database.js';
import { REGION, startMirror, type TestMirror } from '../support/mirror.js';

/** Milliseconds; `TEST_OUTAGE_SECONDS` for the real ten minutes. */
const OUTAGE_MS = Number(process.env.TEST_OUTAGE_SECONDS ?? 3) * 1000;
const RATE = 40;

/** The four operations of PAIFlow share one budget. */
const isFlow = ({ operation }: Arrival): boolean => !['ListRuns', 'ListWorkspaces'].includes(operation);

const flowArrivals = (emulator: Emulator): readonly Arrival[] => emulator.stats.arrivals().filter(isFlow);

const timesOf = (arrivals: readonly Arrival[]): number[] => arrivals.map(({ at }) => at);

/** Another process of the service, with everything of its own but the database. */
function replica(mirror: TestMirror): PassDeps {
  const { emulator, databaseUrl: connectionString, logger } = mirror;
  const store = new PgStore({ connectionString });
  const budgets = new BudgetTable({ connectionString });
  onTestFinished(async () => {
    await store.close();
    await budgets.close();
  });
  const { accessKeyId = '', accessKeySecret = '' } = emulator.accessKeys[0] ?? {};
  const clock = { ...systemClock, now: () => performance.now() };
  const source = new PaiClient({
    credentials: staticCredentials({ accessKeyId, accessKeySecret, securityToken: null }),
    endpoints: () => emulator.url,
    clock: systemClock,
    logger,
    newBudget: (name, region) => new RateLimiter(RATE, clock, { keeper: budgets.keeper(region, name) }),
    retry: { attempts: 5, baseMs: 50, capMs: 1000 },
  });
  return { ...mirror.deps, source, store };
}

/** One round after the other, as a service whose schedules are as close as they can be. */
async function runRounds(deps: PassDeps, mirror: TestMirror, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await runRound(deps, mirror.scopes, {
      streams: STREAMS,
      signal,
      ignoreBackoff: true,
      heartbeatMs: 5000,
      busyWaitMs: 0,
      clock: systemClock,
    });
    await mirror.pool.query('update pai.pipeline_runs set nodes_revision = 0, details_revision = 0');
  }
}

it('complaint 5, invariant 8: an outage is met with few calls, and its end with a slow start instead of a storm', async () => {
  const clock = new SimulatedClock({ speed: 0 });
  const mirror = await startMirror({ emulator: { workspaces: 2, history: 40, active: 5, experimentRuns: 5, clock } });
  const { emulator, pool } = mirror;
  const paceOfFlow = async (): Promise<number> => {
    const { rows } = await pool.query<{ pace: number }>(`select pace from pai.call_budgets where name = 'flow'`);
    return rows[0]?.pace ?? 1;
  };
  const stop = new AbortController();
  const running = [1, 2, 3].map(() => runRounds(replica(mirror), mirror, stop.signal));
  await delay(2000);

  emulator.faults.add(
    { operation: '*', kind: 'error', status: 503, code: 'ServiceUnavailable', probability: 0.4 },
    { operation: '*', kind: 'html-5xx', probability: 0.4 },
    { operation: '*', kind: 'reset' },
  );
  const down = Date.now();
  await delay(OUTAGE_MS);
  emulator.faults.clear();
  const up = Date.now();
  // The last call of the outage may have failed just now, and slow down once more.
  await expect.poll(paceOfFlow, { timeout: 120_000, interval: 20 }).toBe(1);
  const back = Date.now();
  await delay(1500);
  stop.abort();
  await Promise.all(running);

  const flow = flowArrivals(emulator);
  const between = (from: number, to: number) => flow.filter(({ at }) => at >= from && at < to);
  expect(mostWithin(timesOf(flow))).toBeLessThanOrEqual(mostInWindow(RATE));
  expect(mostWithin(timesOf(emulator.stats.arrivals('ListRuns')))).toBeLessThanOrEqual(mostInWindow(RATE));
  // A pace that halves every second: two seconds' worth of calls, and the trickle of a sixteenth.
  const during = between(down, up).length;
  expect(during).toBeGreaterThan(2);
  expect(during).toBeLessThan(RATE * 2.5 + (OUTAGE_MS / 1000) * (RATE / 16));
  const [first = 0, most] = [between(up, up + 1000).length, RATE / 2];
  expect(first).toBeLessThan(most);
  // Thirty successes, and those that the three replicas had heard of and not told yet.
  expect(between(up, back).filter(({ status }) => status === 200).length).toBeLessThanOrEqual(30 + 30);

  await mirror.sync();
  expect(await differences(emulator.world, pool)).toEqual([]);
});

it('invariant 8: two `sync` of two workspaces, and one with --dry-run, share one budget', async () => {
  const emulator = await startEmulator({ workspaces: 2, history: 12, active: 4, experimentRuns: 3 });
  onTestFinished(() => emulator.close());
  const { url } = await createDatabase();
  const scopes = emulator.world.workspaces().map(({ workspaceId }) => `${REGION}:${workspaceId}`);
  const sync = (args: readonly string[], PAI_SCOPES: string) =>
    runCli(['sync', ...args], { env: { ...environmentFor(emulator, url), PAI_FLOW_QPS: '15', PAI_SCOPES } });
  const ended = await Promise.all([...scopes.map((scope) => sync([], scope)), sync(['--dry-run'], scopes.join(','))]);
  for (const { code, stderr } of ended) expect(code, stderr).toBe(0);
  const times = timesOf(flowArrivals(emulator));
  // Nodes and details of every run, at least.
  expect(times.length).toBeGreaterThan(2 * emulator.world.pipelineRuns().length);
  expect(mostWithin(times)).toBeLessThanOrEqual(mostInWindow(15));
});
