/** The sums behind the views, with everybody writing at once. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mix, Random } from '../../src/emulator/random.js';
import { refreshRollups } from '../../src/store/rollups.js';
import { createDatabase } from '../support/database.js';
import { dueRows, sumRows, wrongSums } from './sums.js';
import { statement, TABLES } from './turmoil.js';

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
const ROUNDS = Number(process.env.TEST_ROLLUP_ROUNDS ?? 12);
const WRITERS = 3;

async function someDatabase(): Promise<{ pool: pg.Pool; connect: () => Promise<pg.Client>; url: string }> {
  const { url } = await createDatabase();
  const pool = new pg.Pool({ connectionString: url, max: WRITERS + 3 });
  pool.on('error', () => {});
  onTestFinished(() => pool.end());
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    onTestFinished(() => client.end().catch(() => {}));
    return client;
  };
  return { pool, connect, url };
}

/** What may happen to a statement of the turmoil; anything else is the fault of a trigger. */
const EXPECTED = new Set(['23505', '40P01', '55P03', '25P02']);

/** Transactions of some statements; every third is rolled back. Returns how many statements were carried out. */
async function write(pool: pg.Pool, random: Random): Promise<number> {
  let done = 0;
  const client = await pool.connect();
  try {
    await client.query(`set lock_timeout = '80ms'`);
    for (let transactions = random.between(3, 9); transactions > 0; transactions -= 1) {
      await client.query('begin');
      try {
        for (let left = random.between(1, 4); left > 0; left -= 1) {
          const sql = statement(random);
          await client.query(sql).catch((error: Error) => {
            throw Object.assign(error, { message: `${error.message} in ${sql}` });
          });
          done += 1;
        }
        await client.query(random.between(0, 2) > 0 ? 'commit' : 'rollback');
      } catch (error) {
        await client.query('rollback');
        if (!EXPECTED.has((error as { code?: string }).code ?? '')) throw error;
      }
    }
  } finally {
    client.release();
  }
  return done;
}

/** Small batches, so that many refreshes end in the middle of what is due. */
async function refreshMeanwhile(pool: pg.Pool, random: Random, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await pool.query('select pai.refresh_rollups($1)', [random.between(1, 4)]).catch((error: { code?: string }) => {
      if (!EXPECTED.has(error.code ?? '')) throw error;
    });
    await delay(random.between(0, 5));
  }
}

const insertRuns = (ids: readonly string[], fields = ''): string =>
  `insert into pai.pipeline_runs (pipeline_run_id, scope, region, status, pipeline_id, revision, observed_at, first_seen_at, updated_at,
     gmt_create_time, started_at, finished_at)
   select id, 'cn-test:1', 'cn-test', 'Succeeded', id, 1, now(), now(), now(), timestamptz '2026-11-01 10:00:00+00' + n * interval '1 hour',
     '2026-11-01 10:00:10+00', '2026-11-01 10:01:00+00' from unnest(array['${ids.join("', '")}']) with ordinality as u(id, n) ${fields}`;
const insertNode = (runId: string): string =>
  `insert into pai.pipeline_run_nodes (pipeline_run_id, node_id, node_type, node_name, status, started_at, finished_at, region, scope,
     revision, observed_at, first_seen_at, updated_at)
   values ('${runId}', 'node-1', 'Logical', 'train', 'Succeeded', '2026-11-01 10:00:10+00', '2026-11-01 10:00:40+00', 'cn-test',
     'cn-test:1', 1, now(), now(), now())`;

test(`complaint 12: the sums are those of the tables at every quiet moment, whatever ${WRITERS} writers and a refresher did at once (TEST_SEED=${SEED})`, async () => {
  const { pool } = await someDatabase();
  let statements = 0;
  let rows = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    let isOver = false;
    const refreshing = refreshMeanwhile(pool, new Random(mix(SEED, round, 99)), () => isOver);
    const writers = Array.from({ length: WRITERS }, (_, n) => write(pool, new Random(mix(SEED, round, n))));
    const done = await Promise.all(writers).finally(() => {
      isOver = true;
    });
    await refreshing;
    statements += done.reduce((sum, n) => sum + n, 0);
    const where = `round ${round}, TEST_SEED=${SEED}`;
    expect(await wrongSums(pool), `before a refresh, ${where}`).toEqual([]);
    await refreshRollups(pool);
    expect(await dueRows(pool), where).toBe(0);
    expect(await wrongSums(pool), `after a refresh, ${where}`).toEqual([]);
    rows += await sumRows(pool);
  }
  expect(statements).toBeGreaterThan(ROUNDS * 10);
  expect(rows).toBeGreaterThan(ROUNDS * 10);
});

test('the turmoil above knows every column', async () => {
  const { pool } = await someDatabase();
  for (const [table, columns] of Object.entries(TABLES)) {
    const { rows } = await pool.query<{ name: string }>(
      `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by 1`,
      [table],
    );
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(columns).sort());
  }
});

test(`complaint 12: a change of any one column is seen at once (TEST_SEED=${SEED})`, async () => {
  const { pool, connect } = await someDatabase();
  await pool.query(insertRuns(['run-1', 'run-2', 'run-3']));
  await pool.query(insertNode('run-1'));
  await pool.query(
    `update pai.pipeline_runs set status = 'Failed', message = 'no table t1' where pipeline_run_id = 'run-2'`,
  );
  await pool.query(`update pai.pipeline_runs set gmt_create_time = null, duration = 7 where pipeline_run_id = 'run-3'`);
  await refreshRollups(pool);
  const random = new Random(SEED);
  const client = await connect();
  for (const [table, columns] of Object.entries(TABLES)) {
    for (const [column, value] of Object.entries(columns)) {
      const values = column === 'pipeline_run_id' ? [`pipeline_run_id || '-other'`] : [value(random)];
      for (const other of column === 'duration' ? ['5', ...values] : values) {
        await client.query('begin');
        await client.query(`update ${table} set ${column} = ${other}`);
        expect(await wrongSums(client), `${table} ${column} = ${other}, TEST_SEED=${SEED}`).toEqual([]);
        await client.query('rollback');
      }
    }
  }
});

describe('a quarter hour that nobody may overlook', () => {
  test('that a run moves to while another transaction, which does not see it yet, writes its nodes', async () => {
    const { pool, connect } = await someDatabase();
    await pool.query(insertRuns(['run-1']));
    await refreshRollups(pool);
    const nodes = await connect();
    await nodes.query('begin');
    await nodes.query(insertNode('run-1'));
    await pool.query(`update pai.pipeline_runs set gmt_create_time = gmt_create_time + interval '5 hours'`);
    await refreshRollups(pool);
    await nodes.query('commit');
    expect(await wrongSums(pool)).toEqual([]);
    await refreshRollups(pool);
    expect(await wrongSums(pool)).toEqual([]);
    expect((await pool.query('select bucket from analytics.node_buckets')).rows).toHaveLength(1);
  });

  test('of a run that comes after its nodes', async () => {
    const { pool, connect } = await someDatabase();
    const runs = await connect();
    await runs.query('begin');
    await runs.query(insertRuns(['run-1']));
    await pool.query(insertNode('run-1'));
    await refreshRollups(pool);
    await runs.query('commit');
    expect(await wrongSums(pool)).toEqual([]);
    await refreshRollups(pool);
    expect(await wrongSums(pool)).toEqual([]);
    expect((await pool.query('select bucket from analytics.node_buckets')).rows).toHaveLength(1);
  });
});

/** A refresh that has computed the sums of runs and waits at the sums of nodes. */
async function stoppedHalfway(): Promise<{
  pool: pg.Pool;
  refresher: pg.Client;
  refreshing: Promise<unknown>;
  release: () => Promise<unknown>;
}> {
  const { pool, connect } = await someDatabase();
  await pool.query(insertRuns(['run-1', 'run-2']));
  await refreshRollups(pool);
  await pool.query(insertNode('run-2'));
  await pool.query(`update pai.pipeline_runs set status = 'Failed' where pipeline_run_id = 'run-1'`);
  const holder = await connect();
  await holder.query('begin; lock table pai.node_rollup in exclusive mode');
  const refresher = await connect();
  const refreshing = refresher.query('select pai.refresh_rollups()').catch((error: unknown) => error);
  const waits = async () =>
    (
      await pool.query<{ n: number }>(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
    ).rows[0]?.n;
  await expect.poll(waits, { timeout: 30_000 }).toBe(1);
  return { pool, refresher, refreshing, release: () => holder.query('commit') };
}

describe('complaint 12: a refresh', () => {
  test('that is under way leaves nothing to do to a second one, and the views as right as they were', async () => {
    const { pool, refreshing, release } = await stoppedHalfway();
    expect(await refreshRollups(pool)).toBe(0);
    expect(await wrongSums(pool)).toEqual([]);
    await release();
    await refreshing;
    expect(await dueRows(pool)).toBe(0);
    expect(await wrongSums(pool)).toEqual([]);
  });

  test('whose session is ended in the middle leaves everything as it was, and the next one does it', async () => {
    const { pool, refresher, refreshing, release } = await stoppedHalfway();
    const { processID } = refresher as unknown as { processID: number };
    await pool.query('select pg_terminate_backend($1)', [processID]);
    expect(await refreshing).toBeInstanceOf(Error);
    expect(await wrongSums(pool)).toEqual([]);
    await release();
    expect(await refreshRollups(pool)).toBe(2);
    expect(await dueRows(pool)).toBe(0);
    expect(await wrongSums(pool)).toEqual([]);
  });

  test('that cannot store the sums of one quarter hour stores those of all others, and goes on trying', async () => {
    const { pool } = await someDatabase();
    await pool.query(`alter table pai.run_rollup add constraint refused check (pipeline_id <> 'run-3')`);
    await pool.query(insertRuns(['run-1', 'run-2', 'run-3', 'run-4', 'run-5']));
    await pool.query(insertNode('run-3'));
    for (let times = 0; times < 2; times += 1) {
      await refreshRollups(pool);
      const { rows } = await pool.query("select pipeline_id from pai.run_rollup where grain = 'all' order by 1");
      expect(rows.map(({ pipeline_id }) => pipeline_id)).toEqual(['run-1', 'run-2', 'run-4', 'run-5']);
      expect(await wrongSums(pool)).toEqual([]);
      expect(await dueRows(pool)).toBe(1);
    }
    await pool.query('alter table pai.run_rollup drop constraint refused');
    await refreshRollups(pool);
    expect(await dueRows(pool)).toBe(0);
    expect(await wrongSums(pool)).toEqual([]);
  });

  test('is not overtaken by sums that are built anew', async () => {
    const { pool, refreshing, release } = await stoppedHalfway();
    await pool.query('delete from pai.pipeline_runs');
    const rebuilding = pool.query('select pai.rebuild_rollups()');
    await delay(50);
    await release();
    await Promise.all([refreshing, rebuilding]);
    await refreshRollups(pool);
    expect(await wrongSums(pool)).toEqual([]);
    expect((await pool.query('select from pai.run_rollup')).rowCount).toBe(0);
  });
});

test('invariant 3: bookkeeping of a run or node, and a value that stays the same, make no sum due', async () => {
  const { pool } = await someDatabase();
  await pool.query(insertRuns(['run-1', 'run-2']));
  await pool.query(insertNode('run-1'));
  await refreshRollups(pool);
  await pool.query(
    `update pai.pipeline_runs set nodes_revision = 5, details_revision = 5, nodes_open = not nodes_open, nodes_fetched_at = now(),
       observed_at = now(), updated_at = now(), revision = revision + 1, answer_request_id = 'other', name = 'other', extra = '{"a":1}',
       status = status, gmt_create_time = gmt_create_time`,
  );
  await pool.query(
    `update pai.pipeline_run_nodes set outputs_revision = 3, revision = 2, observed_at = now(), updated_at = now(), runtime_info = '{}',
       answer_request_id = 'other', status = status, extra = '{}', input_artifact_archived = true`,
  );
  await pool.query('update pai.pipeline_runs set status = null where false');
  expect(await dueRows(pool)).toBe(0);
});

// The plan of a statement in a trigger is made once a session, for as many rows as the first one has: the first statement
// of most sessions has one, and then 5,000 rows would be compared with each of 5,000 (48 seconds).
test('no trigger can be planned to compare every row of a statement with every other', async () => {
  const { pool } = await someDatabase();
  const { rows } = await pool.query<{ name: string; body: string }>(
    `select proname as name, prosrc as body from pg_proc where pronamespace = 'pai'::regnamespace and prosrc ~ 'old_rows' and prosrc ~ 'new_rows'`,
  );
  expect(rows.length).toBeGreaterThanOrEqual(2);
  for (const { name, body } of rows) {
    const joins = body.match(/\w+ JOIN (?:old_rows|new_rows)|(?:old_rows|new_rows)(?: \w+)?\s+(?!FULL)\w+ JOIN/g) ?? [];
    expect(joins, name).toEqual(joins.filter((join) => join.startsWith('FULL JOIN')));
    expect(body.match(/FULL JOIN new_rows/g), name).toHaveLength(1);
  }
});
