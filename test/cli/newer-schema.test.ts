/** A rollback of the deployment: the version before finds the schema that the newer one has made. */
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { startEmulator } from '../../src/emulator/server.js';
import { environmentFor, runCli, startCli } from '../support/cli.js';
import { createDatabase } from '../support/database.js';

test('complaint 14: after a rollback no command guesses; told to, the service goes on with the newer schema', async () => {
  const emulator = await startEmulator({ workspaces: 1, history: 20, active: 2, experimentRuns: 2 });
  const { url } = await createDatabase();
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(async () => {
    await client.end();
    await emulator.close();
  });
  // What a next version might do: a column that this one does not know, on a table that it writes.
  await client.query(`alter table pai.pipeline_runs add column next text default 'x' not null;
    insert into pai.schema_migrations (tag, hash) values ('9999_next', 'hash')`);
  const env = { ...environmentFor(emulator, url), LOG_LEVEL: 'info' };

  for (const args of [['start'], ['migrate'], ['status']]) {
    const refused = await runCli(args, { env });
    expect(refused.code, args[0]).toBe(1);
    expect(refused.stderr, args[0]).toMatch(
      /the database is at 9999_next, this version knows up to \d{4}_\w+; upgrade pai-mirror/,
    );
    expect(refused.stderr).toContain('start --newer-schema');
  }

  const service = startCli(['start', '--newer-schema'], { env });
  const stored = async () => (await client.query('select count(*)::int as n from pai.pipeline_runs')).rows[0].n;
  await expect.poll(stored, { timeout: 60_000 }).toBeGreaterThanOrEqual(20);
  service.child.kill('SIGTERM');
  expect(await service.exited, service.stderr()).toBe(0);
  expect(service.stdout() + service.stderr()).toMatch(/the schema of the database is newer than this version/);
  expect((await client.query(`select count(*)::int as n from pai.pipeline_runs where next = 'x'`)).rows[0].n).toBe(
    await stored(),
  );
});
