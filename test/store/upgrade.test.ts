/** Upgrades of a database that is in use: from an earlier schema, with data in it, by several processes, and killed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { migrate } from '../../src/store/migrate.js';
import { dumpSchema } from '../../src/store/schema-dump.js';
import { runCli, startCli } from '../support/cli.js';
import { createDatabase } from '../support/database.js';
import { migrationsUpTo } from '../support/migrations.js';

const FOLDER = new URL('../../migrations/', import.meta.url).pathname;

/** A few thousand rows in every table, without naming a column that a later version might know differently. */
const POPULATE = `
  insert into pai.pipeline_runs (pipeline_run_id, scope, region, status, name, node_id, revision, observed_at, first_seen_at, updated_at)
    select 'run-' || n, 'cn-test:1', 'cn-test', 'Running', 'name of ' || n, 'root-' || n, 1, now(), now(), now() from generate_series(1, 2000) n;
  insert into pai.quarantine (scope, region, stream, operation, entity, entity_id, raw, fingerprint, error, observed_at, first_seen_at)
    select 'cn-test:1', 'cn-test', 'nodes', 'GetPipelineRun', 'pipeline_run', 'run-' || n, '{"n":' || n || '}', md5(n::text), 'odd', now(), now()
    from generate_series(1, 500) n;
  insert into pai.change_events (entity, entity_id, region, scope, kind, observed_at)
    select 'pipeline_run', 'run-' || n, 'cn-test', 'cn-test:1', 'discovered', now() from generate_series(1, 2000) n;
  insert into pai.sync_cursors (scope, stream, watermark, state, updated_at) values ('cn-test:1', 'pipeline-runs', now(), '{}', now())`;

/** Every row of the tables, by the columns that the earlier version had. */
async function contents(client: pg.Client, columns: readonly { table: string; columns: string }[]): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const { table, columns: names } of columns) {
    const { rows } = await client.query(
      `select '${table}' as table, count(*)::int as rows, md5(string_agg(t::text, chr(10) order by t::text)) as digest
       from (select ${names} from pai.${table}) t`,
    );
    found.push(rows[0]);
  }
  return found;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

test('complaint 14: an upgrade of a populated database, killed with -9 in the middle and run by several processes, keeps every row', async () => {
  const { url } = await createDatabase({ empty: true });
  const client = await connect(url);
  await migrate({ connectionString: url, folder: await migrationsUpTo('0002_comments') });
  await client.query(POPULATE);
  const { rows: columns } = await client.query<{ table: string; columns: string }>(
    `select table_name as table, string_agg(quote_ident(column_name), ', ' order by ordinal_position) as columns
     from information_schema.columns where table_schema = 'pai' and table_name in
       ('pipeline_runs', 'quarantine', 'change_events', 'sync_cursors') group by 1 order by 1`,
  );
  const before = await contents(client, columns);

  // A reader holds up the migration in the middle of its transaction, and there it is killed.
  const reader = await connect(url);
  await reader.query('begin; lock table pai.quarantine in access share mode');
  const env = { DATABASE_URL: url };
  const killed = startCli(['migrate'], { env });
  const waits = async (): Promise<number> =>
    (
      await client.query(`select count(*)::int as n from pg_stat_activity where datname = current_database()
       and application_name = 'pai-mirror migrate' and wait_event_type = 'Lock'`)
    ).rows[0].n;
  await expect.poll(waits, { timeout: 30_000 }).toBe(1);
  killed.child.kill('SIGKILL');
  await killed.exited;

  const others = [runCli(['migrate'], { env }), runCli(['migrate'], { env }), runCli(['migrate'], { env })];
  await delay(300);
  await reader.query('commit');
  const answers = await Promise.all(others);
  for (const { code, stderr } of answers) expect(code, stderr).toBe(0);
  const applied = answers.filter(({ stdout }) => stdout.includes('applied 0003'));
  expect(applied, 'one of them did it').toHaveLength(1);

  expect(await contents(client, columns)).toEqual(before);
  expect(`${await dumpSchema(client)}`).toBe(await readFile(join(FOLDER, 'schema.sql'), 'utf8'));
});
