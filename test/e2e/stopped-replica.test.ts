/**
 * A process that is stopped (SIGSTOP) past its lease and then goes on. It is alive all the time, so nothing but the
 * lease's end frees what it holds: this is also how a replica on another machine is replaced. The lease is short here;
 * the long form of replicas.test.ts has one of 30 seconds.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { startEmulator } from '../../src/emulator/server.js';
import { PgStore } from '../../src/store/store.js';
import { outputOf } from '../support/cli.js';
import { createDatabase } from '../support/database.js';
import { REGION, SETTINGS } from '../support/mirror.js';
import { overlappingPasses } from '../support/passes.js';

const DIST = resolve(import.meta.dirname, '../../dist');
const LEASE_MS = 2_000;

/** One pass of the built engine; its report goes to stdout. */
const CHILD = `
  const { dist, databaseUrl, url, scope, settings, leaseMs } = JSON.parse(process.argv[1]);
  const load = (file) => import(dist + '/' + file);
  const { PgStore } = await load('store/store.js');
  const { PaiClient } = await load('pai/client.js');
  const { staticCredentials } = await load('pai/credentials.js');
  const { runPass } = await load('sync/run-pass.js');
  const { systemClock: clock } = await load('util/clock.js');
  const { silentLogger: logger } = await load('util/logger.js');
  const store = new PgStore({ connectionString: databaseUrl, leaseTtlMs: leaseMs });
  const source = new PaiClient({
    credentials: staticCredentials({ accessKeyId: 'emulator', accessKeySecret: 'emulator-secret', securityToken: null }),
    endpoints: () => url, clock, logger, limits: { flow: 0, listRuns: 0, listWorkspaces: 0 },
  });
  const deps = { source, store, settings, logger, onProgress: () => {} };
  const signal = new AbortController().signal;
  const report = await runPass(deps, scope, 'pipeline-runs', { signal, ignoreBackoff: true, heartbeatMs: leaseMs / 3 });
  process.stdout.write(JSON.stringify(report));
  await store.close();`;

it('invariant 7: a process stopped past its lease is replaced when that ends, and neither calls nor writes when it goes on', async () => {
  const clock = new SimulatedClock({ speed: 0 });
  const emulator = await startEmulator({ workspaces: 1, history: 300, active: 5, experimentRuns: 0, clock });
  onTestFinished(() => emulator.close());
  emulator.faults.add({ operation: '*', kind: 'latency', millis: 300 });
  const { url: databaseUrl } = await createDatabase();
  const other = new PgStore({ connectionString: databaseUrl, isDeadHolder: () => false });
  onTestFinished(() => other.close());
  const scope = { region: REGION, workspaceId: emulator.world.workspaces()[0]?.workspaceId ?? '' };

  const order = {
    dist: DIST,
    databaseUrl,
    url: emulator.url,
    scope,
    settings: { ...SETTINGS, pageSize: 2 },
    leaseMs: LEASE_MS,
  };
  const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD, JSON.stringify(order)]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = outputOf(child);
  await expect.poll(() => emulator.stats.calls('ListPipelineRuns'), { timeout: 60_000 }).toBeGreaterThan(20);
  child.kill('SIGSTOP');
  const stoppedAt = Date.now();
  // A while after its start the lease was renewed at least once, and a living holder keeps it while it lasts.
  expect(await other.acquireLease(scope, 'pipeline-runs')).toBeNull();
  await expect
    .poll(async () => (await other.acquireLease(scope, 'pipeline-runs'))?.fence, { timeout: 30_000, interval: 50 })
    .toBe('2');
  expect(Date.now() - stoppedAt).toBeGreaterThan(LEASE_MS / 2);
  const lease = { scope, stream: 'pipeline-runs', fence: '2', ttlMs: 30_000 } as const;
  await other.startPass(lease);
  // What it had sent before has arrived by now, and waits in its sockets.
  await delay(300);
  const calls = emulator.stats.calls();
  const rows = async () => (await other.pool.query('select count(*)::int as n from pai.pipeline_runs')).rows[0].n;
  const stored = await rows();

  child.kill('SIGCONT');
  await once(child, 'close');
  // Stopped in the middle of a transaction it finds that the server has ended that: a lease's row is not locked for ever.
  const error = expect.stringMatching(/^lost the lease of pipeline-runs in cn-test:\d+|is not queryable|terminated/);
  expect(JSON.parse(output.stdout()), output.stderr()).toMatchObject({ outcome: 'failed', error });
  expect(emulator.stats.calls(), 'calls since it goes on').toBe(calls);
  expect(await rows()).toBe(stored);
  expect(await overlappingPasses(other.pool)).toEqual([]);
  const passes = await other.pool.query('select outcome, finished_at is null as open from pai.sync_passes order by id');
  expect(passes.rows).toEqual([
    { outcome: 'abandoned', open: false },
    { outcome: null, open: true },
  ]);
});
