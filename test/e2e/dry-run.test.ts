import { Pool } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { startEmulator } from '../../src/emulator/server.js';
import { environmentFor, runCli } from '../support/cli.js';
import { createDatabase } from '../support/database.js';

it('a dry run writes nothing at all: it brings no schema into a database without one, and says so', async () => {
  const emulator = await startEmulator({ workspaces: 1, history: 3, active: 0, experimentRuns: 0 });
  onTestFinished(() => emulator.close());
  const { url } = await createDatabase({ empty: true });
  const { code, stderr } = await runCli(['sync', '--dry-run'], { env: environmentFor(emulator, url) });
  expect(code).toBe(1);
  expect(stderr).toContain('pai-mirror migrate');
  const pool = new Pool({ connectionString: url, max: 1 });
  onTestFinished(() => pool.end());
  const { rows } = await pool.query(`select nspname from pg_namespace where nspname in ('pai', 'analytics')`);
  expect(rows).toEqual([]);
});
