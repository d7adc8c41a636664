import { Pool } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { startEmulator } from '../../src/emulator/server.js';
import { environmentFor, runCli } from '../support/cli.js';
import { createDatabase } from '../support/database.js';

it('a dry run on an empty database tells what a round would bring, makes the tables and leaves them empty', async () => {
  const emulator = await startEmulator({ workspaces: 1, history: 3, active: 0, experimentRuns: 0 });
  onTestFinished(() => emulator.close());
  const { url } = await createDatabase({ empty: true });
  const { code, stderr } = await runCli(['sync', '--dry-run'], { env: environmentFor(emulator, url) });
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/"stream":"pipeline-runs".*"inserted":3/);
  const pool = new Pool({ connectionString: url, max: 1 });
  onTestFinished(() => pool.end());
  const { rows } = await pool.query(
    `select (select count(*) from pai.pipeline_runs) + (select count(*) from pai.change_events)
       + (select count(*) from pai.sync_cursors) + (select count(*) from pai.sync_passes) + (select count(*) from pai.sync_leases) as rows`,
  );
  expect(rows).toEqual([{ rows: '0' }]);
});
