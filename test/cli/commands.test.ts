import { Pool } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/server.js';
import { emptyDirectory, environmentFor, runCli, startCli } from '../support/cli.js';
import { runCommand } from '../support/command.js';
import { differences } from '../support/compare.js';
import { createDatabase } from '../support/database.js';

async function world(options: EmulatorOptions = {}): Promise<Emulator> {
  const clock = new SimulatedClock({ speed: 0 });
  const emulator = await startEmulator({ history: 40, active: 6, experimentRuns: 10, clock, ...options });
  onTestFinished(() => emulator.close());
  return emulator;
}

function poolOf(url: string): Pool {
  const pool = new Pool({ connectionString: url, max: 2 });
  onTestFinished(() => pool.end());
  return pool;
}

/** All writes to data tables; exact, because every process that wrote has ended and reported by then. */
async function dataWrites(pool: Pool): Promise<unknown> {
  const { rows } = await pool.query(
    `select relname, n_tup_ins + n_tup_upd + n_tup_del as writes from pg_stat_user_tables where schemaname = 'pai'
       and relname not in ('sync_passes', 'sync_leases', 'call_budgets') order by relname`,
  );
  return rows;
}

describe('pai-mirror sync', () => {
  it('fills an empty database so that it equals the source, and a second one writes nothing', async () => {
    const emulator = await world({ quirks: 'all' });
    const database = await createDatabase({ empty: true });
    const env = environmentFor(emulator, database.url);
    const pool = poolOf(database.url);

    const first = await runCli(['sync'], { env });
    expect(first, first.stderr).toMatchObject({ code: 0 });
    expect(await differences(emulator.world, pool)).toEqual([]);
    const before = await dataWrites(pool);
    const second = await runCli(['sync'], { env });
    expect(second.code).toBe(0);
    expect(await dataWrites(pool)).toEqual(before);

    const status = await runCommand(['status', '--json'], { env });
    expect(status.code).toBe(0);
    const overview = JSON.parse(status.stdout);
    expect(
      overview.streams.every((stream: { lastPass: { outcome: string } }) => stream.lastPass.outcome === 'succeeded'),
    ).toBe(true);
    for (const line of first.stderr.trim().split('\n')) expect(() => JSON.parse(line), line).not.toThrow();
  });

  it('exits 1, says which stream failed and why, and stores what did not fail', async () => {
    // Few runs: each call that fails is made again until its retries are used up.
    const emulator = await world({ history: 4, active: 2 });
    const database = await createDatabase();
    emulator.faults.add({ operation: 'GetPipelineRun', kind: 'error', status: 500, code: 'InternalError' });
    const { code, stderr } = await runCli(['sync'], { env: environmentFor(emulator, database.url) });
    expect(code).toBe(1);
    expect(stderr).toMatch(/details failed: .*GetPipelineRun.*InternalError/);
    const { rows } = await poolOf(database.url).query(
      `select (select count(*) from pai.pipeline_runs)::int as runs, (select count(*) from pai.pipeline_run_nodes)::int as nodes,
         (select count(*) from pai.runs)::int as experiments, (select count(*) from pai.pipeline_run_details)::int as details`,
    );
    expect(rows[0].runs).toBe(emulator.world.pipelineRuns().length);
    expect(rows[0].nodes).toBeGreaterThan(rows[0].runs);
    expect(rows[0].experiments).toBe(emulator.world.experimentRuns().length);
    expect(rows[0].details).toBe(0);
  });

  it('with --dry-run fetches and compares, and writes nothing', async () => {
    const emulator = await world();
    const database = await createDatabase();
    const env = environmentFor(emulator, database.url);
    const { code, stderr } = await runCli(['sync', '--dry-run'], { env });
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/"inserted":[1-9]/);
    const { rows } = await poolOf(database.url).query(
      `select (select count(*) from pai.pipeline_runs)::int + (select count(*) from pai.runs)::int
         + (select count(*) from pai.sync_cursors)::int + (select count(*) from pai.change_events)::int as rows`,
    );
    expect(rows).toEqual([{ rows: 0 }]);
  });

  it('with --stream runs only the streams that are named', async () => {
    const emulator = await world();
    const database = await createDatabase();
    const env = environmentFor(emulator, database.url);
    expect((await runCli(['sync', '--stream', 'experiment-runs'], { env })).code).toBe(0);
    expect(emulator.stats.calls('ListRuns')).toBeGreaterThan(0);
    expect(emulator.stats.calls('ListPipelineRuns')).toBe(0);
  });

  it('reads credentials and settings from .env, which the environment overrules', async () => {
    const emulator = await world();
    const database = await createDatabase();
    const env = environmentFor(emulator, database.url);
    const cwd = emptyDirectory();
    const { writeFile } = await import('node:fs/promises');
    const text = Object.entries({ ...env, PAI_SCOPES: 'wrong' }).map(([name, value]) => `${name}=${value}`);
    await writeFile(`${cwd}/.env`, text.join('\n'));
    const { code, stderr } = await runCli(['sync', '--stream', 'experiment-runs'], {
      cwd,
      env: { PAI_SCOPES: 'cn-test:*' },
    });
    expect(code, stderr).toBe(0);
  });
});

describe('wrong usage', () => {
  it('of the configuration gets one message with every mistake, exit code 2, no stack trace and no secret', async () => {
    const { code, stdout, stderr } = await runCli(['start'], {
      env: {
        DATABASE_URL: 'mysql://root:hunter2@db/x',
        PAI_PAGE_SIZE: '-3',
        POLL_CRON: 'often',
        ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'hunter3',
      },
    });
    expect(code).toBe(2);
    const all = stdout + stderr;
    for (const name of ['DATABASE_URL', 'PAI_PAGE_SIZE', 'POLL_CRON', 'PAI_SCOPES']) expect(all).toContain(name);
    expect(all).not.toMatch(/hunter|\n\s+at /);
    expect(all.match(/configuration:/g)).toHaveLength(1);
  });

  it.each([
    [['nonsense']],
    [['sync', '--stream', 'everything']],
    [['sync', '--frobnicate']],
    [['sync', 'extra']],
    [[]],
  ])('of the command line %j exits 2 and says what is expected', async (args) => {
    const { code, stderr } = await runCommand(args, { env: { PAI_SCOPES: 'cn-test:1' } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/--help|Usage/);
  });

  it.each(['start', 'sync', 'reconcile', 'status', 'migrate', 'demo', 'emulator'])('%s has --help', async (command) => {
    const { code, stdout } = await runCommand([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: pai-mirror ${command}`);
  });

  it('of credentials is told once a stream, without the secret', async () => {
    const emulator = await world();
    const database = await createDatabase();
    const env = { ...environmentFor(emulator, database.url), ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'not-the-secret' };
    const { code, stderr } = await runCli(['sync', '--stream', 'experiment-runs'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('SignatureDoesNotMatch');
    expect(stderr).not.toContain('not-the-secret');
  });
});

describe('pai-mirror start', () => {
  it('follows a moving source and exits 0 within 10 seconds of SIGTERM, with a call in flight that never ends', async () => {
    const emulator = await world({ live: true, arrivalsPerMinute: 0 });
    const database = await createDatabase();
    const env = { ...environmentFor(emulator, database.url), DISCOVER_CRON: '* * * * * *', LOG_LEVEL: 'debug' };
    const service = startCli(['start'], { env });
    const pool = poolOf(database.url);
    const until = async (sql: string) => {
      for (let look = 0; look < 1200; look += 1) {
        const { rows } = await pool.query<{ yes: boolean }>(sql);
        if (rows[0]?.yes) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`never true: ${sql}\n${service.stderr()}`);
    };
    await until(`select count(*) >= 46 as yes from pai.pipeline_runs`);
    emulator.mutate.addPipelineRun({ pipelineRunId: 'flow-just-now', status: 'Running' });
    await until(`select exists (select from pai.pipeline_runs where pipeline_run_id = 'flow-just-now') as yes`);

    emulator.faults.add({ operation: '*', kind: 'stall' });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const stoppedAt = Date.now();
    service.child.kill('SIGTERM');
    expect(await service.exited, service.stderr()).toBe(0);
    expect(Date.now() - stoppedAt).toBeLessThan(10_000);
  });

  it('loses nothing to kill -9: the next round goes on and ends equal to the source', async () => {
    const emulator = await world({ history: 100, quirks: 'all' });
    const database = await createDatabase();
    const env = { ...environmentFor(emulator, database.url), PAI_PAGE_SIZE: '10' };
    emulator.faults.add({ operation: '*', kind: 'latency', millis: 10 });
    for (let kill = 0; kill < 2; kill += 1) {
      const service = startCli(['start'], { env });
      await service.sees('pai-mirror started');
      await new Promise((resolve) => setTimeout(resolve, 400 + kill * 500));
      service.child.kill('SIGKILL');
      await service.exited;
    }
    emulator.faults.clear();
    const { code, stderr } = await runCli(['sync'], { env });
    expect(code, stderr).toBe(0);
    const pool = poolOf(database.url);
    expect(await differences(emulator.world, pool)).toEqual([]);
    const { rows } = await pool.query(
      `select entity_id, node_id, count(*)::int from pai.change_events where kind = 'discovered'
       group by entity, entity_id, node_id, node_type having count(*) > 1`,
    );
    expect(rows, 'nothing is discovered twice').toEqual([]);
  });
});
