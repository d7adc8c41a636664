/** PostgreSQL comes late, crashes and restarts under the commands, as a user runs them. */
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { type Emulator, startEmulator } from '../../src/emulator/server.js';
import { environmentFor, runCli, startCli } from '../support/cli.js';
import { differences } from '../support/compare.js';
import { CRASH_SAFE, quietPort } from '../support/crashes.js';
import { type OwnServer, startOwnServer } from '../support/own-server.js';
import { copyDatabase } from '../support/test-databases.js';

const EVERY_SECOND = Object.fromEntries(
  ['DISCOVER', 'POLL', 'NODES', 'DETAILS', 'EXPERIMENTS'].map((name) => [`${name}_CRON`, '* * * * * *']),
);

async function world(): Promise<{ emulator: Emulator; clock: SimulatedClock }> {
  const clock = new SimulatedClock({ speed: 0 });
  const emulator = await startEmulator({ workspaces: 2, history: 40, active: 4, experimentRuns: 4, clock, seed: 8 });
  onTestFinished(() => emulator.close());
  emulator.faults.add({ operation: '*', kind: 'latency', millis: 10 });
  return { emulator, clock };
}

/** One for the file: to make one takes longer than to crash it. */
let server: OwnServer;
let removeServer = async (): Promise<void> => {};
beforeAll(async () => {
  const onDone = (cleanup: () => Promise<void>): void => {
    removeServer = cleanup;
  };
  server = await startOwnServer(CRASH_SAFE, { port: await quietPort(), onDone });
});
// A test that failed may have left it down.
afterEach(() => server.up());
afterAll(() => removeServer());

const emptyDatabase = async (): Promise<string> => (await copyDatabase(server.url, 'template0')).url;

/** Connections of the test, which its own crashes break. */
function poolOf(url: string): Pool {
  const pool = new Pool({ connectionString: url, max: 2 });
  pool.on('error', () => {});
  onTestFinished(() => pool.end());
  return pool;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await delay(100))
    if (await holds().catch(() => false)) return;
  throw new Error(`not so after a minute: ${what}`);
}

const count = async (pool: Pool, from: string): Promise<number> =>
  (await pool.query<{ n: number }>(`select count(*)::int as n from ${from}`)).rows[0]?.n ?? 0;

/** Passes of several streams that began after this one and went well. (A lease of a broken one has to run out first.) */
async function recovered(pool: Pool, after: number): Promise<void> {
  const passed = `(select distinct stream from pai.sync_passes where id > ${after} and outcome = 'succeeded') p`;
  await until('streams go well again', async () => (await count(pool, passed)) >= 3);
}

const lastPass = async (pool: Pool): Promise<number> =>
  (await pool.query<{ id: number }>('select max(id)::int as id from pai.sync_passes')).rows[0]?.id ?? 0;

/** Lines of warnings and errors, each a JSON document. */
const complaints = (stderr: string): string[] =>
  stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; msg: string })
    .filter(({ level }) => level === 'error' || level === 'warn')
    .map(({ msg }) => msg);

async function expectWhole(pool: Pool, emulator: Emulator): Promise<void> {
  expect(await differences(emulator.world, pool)).toEqual([]);
  expect(await count(pool, 'pai.sync_passes where finished_at is null'), 'no pass is left open').toBe(0);
  const twice = `(select 1 from pai.change_events where kind = 'discovered'
    group by entity, entity_id, node_id, node_type having count(*) > 1) d`;
  expect(await count(pool, twice), 'nothing is discovered twice').toBe(0);
}

describe('invariant 1, when PostgreSQL fails under the service', () => {
  it('start waits for it, outlives its crash and its absence, and goes on by itself', async () => {
    const url = await emptyDatabase();
    const { emulator, clock } = await world();
    const pool = poolOf(url);
    await server.down('fast');
    const env = { ...environmentFor(emulator, url), ...EVERY_SECOND };
    const service = startCli(['start'], { env });
    await service.sees(/not there yet, waiting for it up to 60 s: .*ECONNREFUSED/);
    await server.up();
    await service.sees('pai-mirror started');

    await until('a first load is under way', async () => (await count(pool, 'pai.pipeline_runs')) > 0);
    await server.down('immediate');
    const crashed = await server.up().then(() => lastPass(pool));
    clock.advance(600_000);
    emulator.world.tick();
    await recovered(pool, crashed);

    const restart = await lastPass(pool);
    await server.down('fast');
    await delay(3_000);
    expect(service.child.exitCode, 'it stays while the database is away').toBeNull();
    await server.up();
    await recovered(pool, restart);
    service.child.kill('SIGTERM');
    expect(await service.exited, service.stderr()).toBe(0);

    const said = complaints(service.stderr());
    expect(said.length, said.join('\n')).toBeLessThan(90);
    for (const message of said) expect(message, 'one line, no stack').not.toMatch(/\n|\bat .*:\d+:\d+/);
    expect(said.join('\n')).toMatch(/pass could not be started: .*ECONNREFUSED.*tries again by itself/);
    expect(service.stderr()).not.toContain(new URL(url).password);
    const { code, stderr } = await runCli(['sync'], { env });
    expect(code, stderr).toBe(0);
    await expectWhole(pool, emulator);
  });

  it('sync ends with exit code 1 and the reason, keeps what was committed, and the next one makes it whole', async () => {
    const url = await emptyDatabase();
    const { emulator } = await world();
    const pool = poolOf(url);
    const env = environmentFor(emulator, url);
    const first = startCli(['sync'], { env });
    await until('details are under way', async () => (await count(pool, 'pai.pipeline_run_details')) > 5);
    await server.down('immediate');
    expect(await first.exited).toBe(1);
    expect(first.stderr()).toMatch(/details failed: .*(ECONNRE|terminated)/);
    expect(first.stderr()).not.toMatch(/\n\s+at |pai_mirror:[0-9a-f]{8}/);

    const away = await runCli(['sync'], { env });
    expect(away).toMatchObject({ code: 1, stdout: '' });
    expect(away.stderr).toMatch(/^pai-mirror: .*ECONNREFUSED.*\n$/);
    await server.up();
    expect(await count(pool, 'pai.pipeline_run_details')).toBeGreaterThan(5);
    const again = await runCli(['sync'], { env });
    expect(again.code, again.stderr).toBe(0);
    await expectWhole(pool, emulator);
  });

  it('migrate ends with exit code 1 and the reason, and works the next time', async () => {
    const url = await emptyDatabase();
    const blocker = poolOf(url);
    // The lock of all migrations: migrate waits for it, and is met by the crash there.
    const holder = await blocker.connect();
    holder.on('error', () => {});
    await holder.query('select pg_advisory_lock(7305148210)');
    const env = { DATABASE_URL: url };
    const migrating = startCli(['migrate'], { env });
    await until(
      'migrate waits',
      async () => (await count(blocker, `pg_locks where locktype = 'advisory' and not granted`)) === 1,
    );
    await server.down('immediate');
    holder.release(true);
    expect(await migrating.exited).toBe(1);
    expect(migrating.stderr()).toMatch(/^pai-mirror: migrating the database: .*(terminat|ECONNRESET)[^\n]*\n$/);
    await server.up();
    expect(await runCli(['migrate'], { env })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('applied 0000'),
    });
  });
});
