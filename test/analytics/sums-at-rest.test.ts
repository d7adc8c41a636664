/** The sums of a database that was filled before there were any, and of values that nobody expects. */
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { Random } from '../../src/emulator/random.js';
import { migrate } from '../../src/store/migrate.js';
import { refreshRollups } from '../../src/store/rollups.js';
import { createDatabase } from '../support/database.js';
import { migrationsUpTo } from '../support/migrations.js';
import { dueRows, sumRows, wrongSums } from './sums.js';
import { statement } from './turmoil.js';

function poolOf(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  onTestFinished(() => pool.end());
  return pool;
}

const fillSql = (tables: number): string => `
  insert into pai.pipeline_runs (pipeline_run_id, scope, region, status, user_id, pipeline_id, node_id, message, revision, observed_at,
      first_seen_at, updated_at, gmt_create_time, started_at, finished_at)
    select 'run-' || n, 'cn-test:' || n % 3, 'cn-test', (array['Succeeded', 'Failed', 'Running', 'Terminated', null])[1 + n % 5], 'user-' || n % 7,
      'pipeline-' || n % 11, 'root-' || n, 'no table t' || n % ${tables}, 1, now(), now(), now(), t, t + interval '7 seconds',
      case when n % 5 in (0, 1, 3) then t + n % 900 * interval '1 second' end
    from generate_series(1, 700) n cross join lateral (select timestamptz '2026-10-01 00:00+00' + n * interval '11 minutes' as t) t;
  insert into pai.pipeline_run_nodes (pipeline_run_id, node_id, node_type, node_name, status, started_at, finished_at, region, scope, revision,
      observed_at, first_seen_at, updated_at)
    select pipeline_run_id, case k when 0 then node_id else 'node-' || k end, 'Logical', 'step-' || k, status, started_at, finished_at, region,
      scope, 1, now(), now(), now() from pai.pipeline_runs cross join generate_series(0, 2) k`;

test('complaint 14: the views of a database that was filled before they existed are right at once, and after a refresh', async () => {
  const { url } = await createDatabase({ empty: true });
  await migrate({ connectionString: url, folder: await migrationsUpTo('0003_budgets_quarantine') });
  const pool = poolOf(url);
  await pool.query(fillSql(50));
  await migrate({ connectionString: url });
  expect(await sumRows(pool)).toBeGreaterThan(1_000);
  expect(await wrongSums(pool)).toEqual([]);
  await pool.query(`update pai.pipeline_runs set status = 'Failed' where pipeline_run_id like 'run-1%'`);
  expect(await wrongSums(pool)).toEqual([]);
  await refreshRollups(pool);
  expect(await dueRows(pool)).toBe(0);
  expect(await wrongSums(pool)).toEqual([]);
});

const TIMES = [
  'null',
  "'infinity'",
  "'-infinity'",
  "'294276-12-31 23:59:59.999999+00'",
  "'4714-11-24 00:00:00+00 BC'",
  'now()',
];
const VIEWS = 'pipeline_runs active_runs pipelines pipeline_trends failures nodes pipeline_nodes concurrency'.split(
  ' ',
);

test('invariant 6: no value of a run or node makes its commit fail, nor a refresh, nor a view', async () => {
  const pool = poolOf((await createDatabase()).url);
  const times = `(values ${TIMES.map((time) => `(${time}::timestamptz)`).join(', ')})`;
  await pool.query(
    `insert into pai.pipeline_runs (pipeline_run_id, scope, region, status, pipeline_id, duration, revision, observed_at, first_seen_at,
       updated_at, gmt_create_time, started_at, finished_at)
     select 'odd-' || row_number() over (), 'no colon', 'r', s, 'p', d, 1, now(), now(), now(), a, b, c
     from ${times} x(a), ${times} y(b), ${times} z(c), (values ('Succeeded'), ('Failed'), ('Running')) w(s),
       (values (null), (-5), (9223372036854775807)) v(d)`,
  );
  await pool.query(
    `insert into pai.pipeline_run_nodes (pipeline_run_id, node_id, node_type, status, started_at, finished_at, region, scope, revision,
       observed_at, first_seen_at, updated_at)
     select 'odd-' || 1 + row_number() over () % 9, 'n' || row_number() over (), '', s, a, b, 'r', '', 1, now(), now(), now()
     from ${times} x(a), ${times} y(b), (values ('Succeeded'), ('Failed'), (null)) w(s)`,
  );
  expect(await wrongSums(pool)).toEqual([]);
  await refreshRollups(pool);
  expect(await dueRows(pool)).toBe(0);
  expect(await wrongSums(pool)).toEqual([]);
  for (const view of VIEWS) {
    const { rows } = await pool.query<{ n: number }>(`select count(t::text)::int as n from analytics.${view} t`);
    expect(rows[0]?.n, view).toBeGreaterThan(0);
  }
});

test('a rollback of everything leaves nothing due', async () => {
  const pool = poolOf((await createDatabase()).url);
  const random = new Random(3);
  const client = await pool.connect();
  for (let times = 0; times < 20; times += 1) {
    await client.query('begin');
    await client.query(statement(random)).catch(() => {});
    await client.query('rollback');
  }
  client.release();
  expect(await dueRows(pool)).toBe(0);
});
