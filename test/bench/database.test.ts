import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { activeRuns } from '../../bench/active-runs.js';
import { lastPassId, passesAfter, requireSuccess, rowVersions, writeCounts } from '../../bench/database.js';
import { createDatabase } from '../support/database.js';

let url: string;
let pool: Pool;

beforeAll(async () => {
  ({ url } = await createDatabase());
  pool = new Pool({ connectionString: url, max: 1 });
  await pool.query(`insert into pai.pipeline_runs
      (pipeline_run_id, node_id, status, region, first_seen_at, updated_at, scope, observed_at, revision)
    select 'flow-' || n, 'node-' || n, case when n = 1 then 'Succeeded' else 'Running' end, 'r', now(), now(), 's', now(), 1
    from generate_series(1, 3) n`);
});

afterAll(() => pool.end());

/** The tables whose versions differ after the work. */
async function touchedBy(sql: string): Promise<string[]> {
  const before = await rowVersions(url);
  await pool.query(sql);
  const after = await rowVersions(url);
  return Object.keys(after).filter((table) => after[table] !== before[table]);
}

describe('the proof that nothing was written', () => {
  test('notices an update to the values that a row has already, a row that is replaced by its like, and an event', async () => {
    expect(await touchedBy('select 1')).toEqual([]);
    expect(await touchedBy(`update pai.pipeline_runs set status = status where pipeline_run_id = 'flow-2'`)).toEqual([
      'pipeline_runs',
    ]);
    const replace = `with gone as (delete from pai.pipeline_runs where pipeline_run_id = 'flow-3' returning *)
      insert into pai.node_outputs (pipeline_run_id, id, region, first_seen_at, updated_at, observed_at)
      select pipeline_run_id, 'o', region, first_seen_at, updated_at, observed_at from gone`;
    expect(await touchedBy(replace)).toEqual(['pipeline_runs', 'node_outputs']);
    const event = `insert into pai.change_events (entity, entity_id, region, scope, kind, observed_at)
      values ('node', 'n', 'r', 's', 'discovered', now())`;
    expect(await touchedBy(event)).toEqual(['change_events']);
  });

  test('counts rows by what the server says of all tables, partitions included', async () => {
    const own = await createDatabase();
    const session = new Pool({ connectionString: own.url, max: 1 });
    await session.query(`insert into pai.change_events (entity, entity_id, region, scope, kind, observed_at)
      values ('node', 'n', 'r', 's', 'discovered', now())`);
    await session.query(`insert into pai.run_params (run_id, key, region, first_seen_at, updated_at)
      values ('run', 'key', 'r', now(), now())`);
    await session.query('update pai.run_params set value = value');
    await session.end();
    // A session tells its counts when it ends, which may be moments after its client's end.
    await expect.poll(() => writeCounts(own.url)).toEqual({ inserted: 2, updated: 1, deleted: 0 });
  });
});

describe('what the bench reads', () => {
  test('passes that have ended, after a given one', async () => {
    await pool.query(`insert into pai.sync_passes (scope, stream, fence, started_at, finished_at, outcome, calls, updated)
      values ('s', 'status', 1, '2026-01-01Z', '2026-01-01T00:00:01.5Z', 'succeeded', 7, 2),
             ('s', 'nodes', 1, '2026-01-01Z', '2026-01-01T00:00:02Z', 'failed', 0, 0),
             ('s', 'details', 1, '2026-01-01Z', null, null, 0, 0)`);
    const passes = await passesAfter(url);
    expect(passes).toMatchObject([
      { stream: 'status', seconds: 1.5, calls: 7, updated: 2 },
      { stream: 'nodes', seconds: 2 },
    ]);
    expect(await passesAfter(url, passes[0]?.id)).toHaveLength(1);
    expect(await lastPassId(url)).toBe(passes[1]?.id);
    expect(() => requireSuccess(passes)).toThrow('the pass of nodes ended as failed');
  });

  test('the runs that the poll asks for', async () => {
    const ids = (await activeRuns(url)).map(({ pipelineRunId, nodeId }) => `${pipelineRunId} ${nodeId}`);
    expect(ids).toEqual(['flow-2 node-2']);
  });
});
