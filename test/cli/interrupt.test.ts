import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { startEmulator } from '../../src/emulator/server.js';
import { MIGRATION_LOCK } from '../../src/store/migrate.js';
import { environmentFor, startCli } from '../support/cli.js';
import { createDatabase } from '../support/database.js';

it('a service that waits for another process to migrate ends within 10 seconds of SIGTERM, with 0', async () => {
  const emulator = await startEmulator({ history: 1, active: 0 });
  onTestFinished(() => emulator.close());
  const database = await createDatabase();
  const other = new Client({ connectionString: database.url });
  await other.connect();
  onTestFinished(() => other.end());
  await other.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);

  const service = startCli(['start'], { env: environmentFor(emulator, database.url) });
  const waiting = `select from pg_locks join pg_database on pg_database.oid = database
    where datname = current_database() and locktype = 'advisory' and not granted`;
  while ((await other.query(waiting)).rows.length === 0) await delay(100);
  const stoppedAt = performance.now();
  service.child.kill('SIGTERM');
  expect(await service.exited).toBe(0);
  expect(performance.now() - stoppedAt).toBeLessThan(10_000);
  expect(service.stderr()).toContain('not down in time');
  expect(service.stderr()).not.toContain('"level":"error"');
});
