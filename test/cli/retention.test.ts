/** The command `retention`, and retention inside the service. */
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { startEmulator } from '../../src/emulator/server.js';
import { environmentFor, startCli } from '../support/cli.js';
import { runCommand } from '../support/command.js';
import { createDatabase } from '../support/database.js';

/** `days` ago each in turn; every run has two nodes and details. */
async function populated(runs: number): Promise<{ url: string; client: pg.Client }> {
  const { url } = await createDatabase();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query(
    `insert into pai.pipeline_runs (pipeline_run_id, scope, region, status, name, node_id, finished_at, revision, nodes_revision, details_revision,
       observed_at, first_seen_at, updated_at)
     select 'run-' || lpad(n::text, 6, '0'), 'cn-test:' || n % 2, 'cn-test', case when n % 5 = 0 then 'Failed' else 'Succeeded' end, 'name', 'root',
       now() - n % 400 * interval '1 day', 1, 1, 1, now(), now(), now() from generate_series(1, ${runs}) n`,
  );
  await client.query(
    `insert into pai.pipeline_run_nodes (pipeline_run_id, node_id, node_type, region, scope, first_seen_at, updated_at, observed_at, revision, outputs_revision)
     select pipeline_run_id, 'n' || n, 'Logical', region, scope, now(), now(), now(), 1, 1 from pai.pipeline_runs, generate_series(1, 2) n;
     insert into pai.pipeline_run_details (pipeline_run_id, region, scope, first_seen_at, updated_at, fetched_at, options)
     select pipeline_run_id, region, scope, now(), now(), now(), '{"a": 1}' from pai.pipeline_runs`,
  );
  return { url, client };
}

const RULES = { RETENTION_RULES: '*/Failed=keep, */*=1y', RETENTION_PASSES: '30d' };

const count = async (client: pg.Client, sql: string): Promise<number> =>
  Number((await client.query(`select count(*) as n from ${sql}`)).rows[0].n);

test('without rules says that nothing goes, and ends well', async () => {
  const { url } = await createDatabase();
  for (const args of [['retention'], ['retention', '--dry-run']]) {
    const { code, stdout } = await runCommand(args, { env: { DATABASE_URL: url } });
    expect(stdout).toMatch(/everything is kept for ever/);
    expect(code).toBe(0);
  }
  const { stdout } = await runCommand(['retention', '--json'], { env: { DATABASE_URL: url } });
  expect(JSON.parse(stdout)).toMatchObject({ configured: false, runs: [] });
});

test('a dry run tells what would go, changes nothing, and the run after it does just that', async () => {
  const { url, client } = await populated(1000);
  const env = { DATABASE_URL: url, ...RULES };
  const shown = await runCommand(['retention', '--dry-run'], { env });
  expect(shown.code, shown.stderr).toBe(0);
  expect(shown.stdout).toMatch(/dry run/);
  expect(shown.stdout).toMatch(/\*\/\*=1y +pipeline runs .* cn-test:0 +\d+/);
  expect(shown.stdout).toMatch(/pai\.pipeline_run_nodes +\d+ +about/);
  const told = JSON.parse((await runCommand(['retention', '--dry-run', '--json'], { env })).stdout);
  expect(await count(client, 'pai.pipeline_runs')).toBe(1000);
  expect(await count(client, 'pai.change_events')).toBe(0);

  const done = JSON.parse((await runCommand(['retention', '--json'], { env })).stdout);
  expect(done.dryRun).toBe(false);
  expect(done.runs).toEqual(told.runs);
  expect(done.tables).toEqual(told.tables);
  expect(done.runs.length).toBe(
    await count(
      client,
      `generate_series(1, 1000) n where n % 5 <> 0 and now() - n % 400 * interval '1 day' < now() - interval '1 year'`,
    ),
  );
  expect(done.tables.pipeline_run_nodes.rows).toBe(done.runs.length * 2);
  expect(await count(client, 'pai.pipeline_runs')).toBe(1000 - done.runs.length);
  const again = await runCommand(['retention'], { env });
  expect(again.stdout).toMatch(/\*\/\*=1y +pipeline runs .* 0 /);
  const status = await runCommand(['status'], { env });
  expect(status.stdout, 'nothing was mirrored by a pass').toMatch(/Nothing has been mirrored yet/);
});

test('a mistake in a rule is usage, and names it', async () => {
  const { code, stderr } = await runCommand(['retention'], { env: { RETENTION_RULES: '*/Done=1d' } });
  expect(code).toBe(2);
  expect(stderr).toContain('found outcome "Done"');
});

test('invariant 2: killed with -9 in the middle it loses nothing, and the next run goes on', async () => {
  const { url, client } = await populated(6000);
  const env = { DATABASE_URL: url, RETENTION_RULES: '*/*=1d' };
  const due = await count(client, `pai.pipeline_runs where finished_at < now() - interval '1 day'`);
  const killed = startCli(['retention', '--json'], { env });
  await killed.sees('"entity":"pipeline_run"');
  killed.child.kill('SIGKILL');
  await killed.exited;
  const gone = await count(client, 'pai.pruned_runs');
  expect(gone, 'after the first batch, and before the last').toBeGreaterThan(0);
  expect(gone).toBeLessThan(due);
  const isWhole = async () => {
    expect(await count(client, 'pai.pipeline_runs')).toBe(6000 - (await count(client, 'pai.pruned_runs')));
    const faults = await client.query(
      `select p.entity_id from pai.pruned_runs p
       where (select count(*) from pai.change_events e where e.entity_id = p.entity_id and e.kind = 'pruned') <> 1
         or exists (select from pai.pipeline_run_nodes n where n.pipeline_run_id = p.entity_id)
         or exists (select from pai.pipeline_run_details d where d.pipeline_run_id = p.entity_id)
         or exists (select from pai.pipeline_runs r where r.pipeline_run_id = p.entity_id)
       union all select r.pipeline_run_id from pai.pipeline_runs r
       where (select count(*) from pai.pipeline_run_nodes n where n.pipeline_run_id = r.pipeline_run_id) <> 2`,
    );
    expect(faults.rows).toEqual([]);
  };
  await expect
    .poll(() =>
      count(
        client,
        `pg_stat_activity where application_name = 'pai-mirror retention' and datname = current_database()`,
      ),
    )
    .toBe(0);
  await isWhole();
  const next = await runCommand(['retention'], { env });
  expect(next.code, next.stderr).toBe(0);
  expect(await count(client, 'pai.pruned_runs')).toBe(due);
  await isWhole();
});

test('the service prunes on its schedule, beside passes that write, and says so', async () => {
  const emulator = await startEmulator({
    workspaces: 1,
    history: 60,
    historyDays: 60,
    active: 2,
    arrivalsPerMinute: 60,
    experimentRuns: 5,
  });
  onTestFinished(() => emulator.close());
  const { url } = await createDatabase();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  const service = startCli(['start'], {
    env: {
      ...environmentFor(emulator, url),
      RETENTION_CRON: '* * * * * *',
      RETENTION_RULES: '*/*=10d',
      DISCOVER_CRON: '* * * * * *',
      HTTP_PORT: '0',
    },
  });
  await expect.poll(() => count(client, 'pai.pruned_runs'), { timeout: 60_000 }).toBeGreaterThan(20);
  await service.sees('retention succeeded');
  service.child.kill('SIGTERM');
  expect(await service.exited).toBe(0);
  expect(service.stderr()).not.toMatch(/"level":"?(error|50)/);
  expect(await count(client, 'pai.pipeline_runs r join pai.pruned_runs p on p.entity_id = r.pipeline_run_id')).toBe(0);
  expect(
    await count(client, 'pai.pipeline_run_nodes n join pai.pruned_runs p on p.entity_id = n.pipeline_run_id'),
  ).toBe(0);
});
