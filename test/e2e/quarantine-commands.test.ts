/** `pai-mirror quarantine`, as a user sees it. */
import { Pool } from 'pg';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { startEmulator } from '../../src/emulator/server.js';
import { PgStore } from '../../src/store/store.js';
import { environmentFor, runCli } from '../support/cli.js';
import { runCommand } from '../support/command.js';
import { createDatabase } from '../support/database.js';

const SCOPE = { region: 'cn-test', workspaceId: '15945' };

/** A database alone: neither scopes nor credentials nor a PAI to talk to. */
async function database(): Promise<{ env: Record<string, string>; store: PgStore; pool: Pool }> {
  const { url } = await createDatabase();
  const store = new PgStore({ connectionString: url });
  const pool = new Pool({ connectionString: url, max: 1 });
  onTestFinished(async () => {
    await store.close();
    await pool.end();
  });
  return { env: { DATABASE_URL: url }, store, pool };
}

async function quarantine(
  store: PgStore,
  scope: typeof SCOPE,
  items: { entityId: string | null; raw: string }[],
): Promise<void> {
  const lease = await store.acquireLease(scope, 'pipeline-runs');
  if (lease === null) throw new Error('the lease is taken');
  const evidence = { requestId: 'request-1', observedAt: '2026-11-01T12:00:00.000000Z' };
  await store.commit(lease, {
    rejected: [
      {
        evidence,
        operation: 'ListPipelineRuns',
        items: items.map((item) => ({ entity: 'pipeline_run', error: 'older\nversion', ...item })),
      },
    ],
  });
  await store.releaseLease(lease);
}

const GOOD = { entityId: 'r1', raw: '{"PipelineRunId":"r1","UserId":1557702098194904123}' };
const BAD = { entityId: 'r2', raw: '{"PipelineRunId":"r2","Name":[]}' };

it('list says so when there is nothing, and retry has nothing to do', async () => {
  const { env } = await database();
  const list = await runCommand(['quarantine', 'list'], { env });
  expect(list).toMatchObject({ code: 0, stdout: 'Quarantine is empty.\n' });
  expect(JSON.parse((await runCommand(['quarantine', 'list', '--json'], { env })).stdout)).toEqual([]);
  expect(await runCommand(['quarantine', 'retry'], { env })).toMatchObject({ code: 0, stdout: 'Nothing to retry.\n' });
});

it('list and retry work on what is there, and tell it by their exit codes', async () => {
  const { env, store, pool } = await database();
  await quarantine(store, SCOPE, [GOOD, BAD]);
  await quarantine(store, { ...SCOPE, workspaceId: '2' }, [{ entityId: null, raw: '5' }]);

  const list = await runCli(['quarantine', 'list'], { env });
  expect(list.code, list.stderr).toBe(0);
  const lines = list.stdout.trim().split('\n');
  expect(lines).toHaveLength(5);
  for (const cell of ['cn-test:15945', 'ListPipelineRuns', 'pipeline_run', 'r1', 'request-1', 'older version']) {
    expect(lines[2]).toContain(cell);
  }
  const short = await runCommand(['quarantine', 'list', '--limit', '1'], { env });
  expect(short.stdout).toContain('… and 2 more');
  const scoped = await runCommand(['quarantine', 'list', '--json', '--scope', 'cn-test:15945'], { env });
  const entries = JSON.parse(scoped.stdout);
  expect(entries).toMatchObject([
    {
      scope: 'cn-test:15945',
      entityId: 'r1',
      raw: GOOD.raw,
      error: 'older\nversion',
      form: 'answer',
      resolution: null,
    },
    { scope: 'cn-test:15945', entityId: 'r2', raw: BAD.raw, evidence: { requestId: 'request-1' } },
  ]);
  expect(
    JSON.parse((await runCommand(['quarantine', 'list', '--json', '--scope', 'cn-test:*'], { env })).stdout),
  ).toHaveLength(3);

  const [good, bad] = entries.map(({ id }: { id: string }) => id);
  const one = await runCli(['quarantine', 'retry', good], { env });
  expect(one, one.stderr).toMatchObject({ code: 0 });
  expect(one.stdout).toContain('1 settled (1 stored), 0 still bad, 0 not tried');
  const { rows } = await pool.query('select pipeline_run_id, user_id from pai.pipeline_runs');
  expect(rows).toEqual([{ pipeline_run_id: 'r1', user_id: '1557702098194904123' }]);

  const rest = await runCli(['quarantine', 'retry'], { env });
  expect(rest.code).toBe(1);
  expect(rest.stdout).toContain(
    `${bad} ListPipelineRuns pipeline_run r2: still bad: Name: found an array of 0, expected a text`,
  );
  expect(await runCommand(['quarantine', 'retry', good], { env }), 'settled before').toMatchObject({ code: 0 });
  const all = await runCommand(['quarantine', 'list', '--all'], { env });
  expect(all.stdout).toMatch(/r1 .*retried/);
  expect((await runCommand(['quarantine', 'list'], { env })).stdout).not.toContain('r1');
});

/** What is refused for its words changes no database. */
let untouched: string;
beforeAll(async () => {
  untouched = (await createDatabase()).url;
});

it.each([
  [['quarantine'], /Usage: pai-mirror quarantine/],
  [['quarantine', 'nonsense'], /unknown command 'nonsense'/],
  [['quarantine', 'list', 'extra'], /too many arguments/],
  [['quarantine', 'list', '--scope', 'x'], /found x, expected region:workspaceId/],
  [['quarantine', 'list', '--limit', '-1'], /found -1, expected a whole number/],
  [['quarantine', 'retry', '4x'], /found 4x, expected ids/],
  [['quarantine', 'retry', '4711'], /there is no entry 4711/],
])('%j is wrong usage: exit code 2', async (args, message) => {
  const { code, stdout, stderr } = await runCommand(args, { env: { DATABASE_URL: untouched } });
  expect(code).toBe(2);
  expect(stdout + stderr).toMatch(message);
});

it.each([['quarantine'], ['quarantine', 'list'], ['quarantine', 'retry']])('%s %s has --help', async (...args) => {
  const { code, stdout } = await runCommand([...args, '--help']);
  expect(code).toBe(0);
  expect(stdout).toContain(`Usage: pai-mirror ${args.join(' ')}`);
});

it('invariant 6: an item that the source spoils goes into quarantine, is named in the log, and is settled once it is good', async () => {
  const emulator = await startEmulator({ workspaces: 1, history: 0, active: 0, experimentRuns: 0 });
  onTestFinished(() => emulator.close());
  const { url } = await createDatabase();
  const env = environmentFor(emulator, url);
  const page = (name: string) => ({
    operation: 'ListPipelineRuns',
    kind: 'replace' as const,
    body: `{"RequestId":"R","TotalCount":2,"PipelineRuns":[{"PipelineRunId":"r1","Name":${name}},{"PipelineRunId":"r2"}]}`,
  });
  emulator.faults.add(page('["not a text"]'));
  const sync = () => runCli(['sync', '--stream', 'pipeline-runs'], { env });
  const first = await sync();
  expect(first.code, 'it fails nothing').toBe(0);
  expect(first.stderr).toContain('put into quarantine: ListPipelineRuns pipeline_run r1; Name: found an array of 1');
  const waiting = await runCommand(['quarantine', 'list', '--json'], { env });
  expect(JSON.parse(waiting.stdout)).toMatchObject([
    { entityId: 'r1', raw: '{"PipelineRunId":"r1","Name":["not a text"]}' },
  ]);

  emulator.faults.clear();
  emulator.faults.add(page('"a text"'));
  expect((await sync()).code).toBe(0);
  const settled = await runCommand(['quarantine', 'list', '--all', '--json'], { env });
  expect(JSON.parse(settled.stdout)).toMatchObject([{ entityId: 'r1', resolution: 'superseded' }]);
});
