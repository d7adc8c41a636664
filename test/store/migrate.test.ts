import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getTableColumns } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { checkMigrated, migrate } from '../../src/store/migrate.js';
import * as bookkeeping from '../../src/store/schema/bookkeeping.js';
import { changeEvents } from '../../src/store/schema/history.js';
import * as nodes from '../../src/store/schema/nodes.js';
import * as pipelineRuns from '../../src/store/schema/pipeline-runs.js';
import * as rollups from '../../src/store/schema/rollups.js';
import * as runs from '../../src/store/schema/runs.js';
import { dumpSchema } from '../../src/store/schema-dump.js';
import { columnName, tableName } from '../../src/store/sql.js';
import { createDatabase } from '../support/database.js';
import { capturingLogger } from '../support/logger.js';

const TAGS = [
  '0000_tables',
  '0001_history',
  '0002_comments',
  '0003_budgets_quarantine',
  '0004_rollups',
  '0005_analytics',
  '0006_retention',
  '0007_workspace_sums',
];
const FOLDER = new URL('../../migrations/', import.meta.url).pathname;

let url: string;
let client: pg.Client;

beforeEach(async () => {
  url = (await createDatabase({ empty: true })).url;
  client = new pg.Client({ connectionString: url });
  await client.connect();
});
afterEach(() => client.end());

const migrated = () => migrate({ connectionString: url });
const partitions = async () =>
  (
    await client.query<{ n: string }>(
      `select relname as n from pg_class where relname ~ '^change_events_\\d{4}' and relkind = 'r' order by 1`,
    )
  ).rows.map((r) => r.n);

/** A copy of the migrations with one more file, or with one edited. */
async function otherVersion(edit: (folder: string) => Promise<void>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pai-mirror-migrations-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(FOLDER, folder, { recursive: true });
  await edit(folder);
  return folder;
}

const LEASE = `insert into pai.sync_leases (scope, stream, holder, fence, acquired_at, expires_at)
  values ('cn-test:1', 'nodes', 'x', 1, now(), now())`;

const withOneMore = (sql: string) =>
  otherVersion(async (folder) => {
    const path = join(folder, 'meta', '_journal.json');
    const journal = JSON.parse(await readFile(path, 'utf8'));
    journal.entries.push({ ...journal.entries.at(-1), idx: journal.entries.length, tag: '9999_next' });
    await writeFile(path, JSON.stringify(journal));
    await writeFile(join(folder, '9999_next.sql'), sql);
  });

describe('migrate', () => {
  test('brings an empty database to the present schema, and the second time does nothing', async () => {
    const logger = capturingLogger();
    expect(await migrate({ connectionString: url, logger })).toEqual({ applied: TAGS, version: TAGS.at(-1) });
    expect(logger.messages('info')).toHaveLength(TAGS.length);
    expect(await migrated()).toEqual({ applied: [], version: TAGS.at(-1) });
    await checkMigrated(client);
  });

  test('started several times at once applies everything once', async () => {
    const results = await Promise.all([migrated(), migrated(), migrated()]);
    expect(results.flatMap((result) => result.applied).sort()).toEqual(TAGS);
    const { rows } = await client.query('select tag from pai.schema_migrations order by tag');
    expect(rows.map((row) => row.tag)).toEqual(TAGS);
  });

  test('refuses a database that is newer than the code, and says what to do', async () => {
    const folder = await withOneMore('create table pai.next (id int)');
    await migrate({ connectionString: url, folder });
    const refusal = {
      code: 'STORE_NEWER',
      retryable: false,
      message: expect.stringMatching(new RegExp(`at 9999_next.*up to ${TAGS.at(-1)}; upgrade pai-mirror`)),
    };
    await expect(migrated()).rejects.toMatchObject(refusal);
    await expect(checkMigrated(client)).rejects.toMatchObject(refusal);
  });

  test('told to accept a newer database leaves it as it is, says so, and still refuses one that lacks what it needs', async () => {
    const folder = await withOneMore('create table pai.next (id int)');
    await migrate({ connectionString: url, folder });
    const logger = capturingLogger();
    const accepted = () => migrate({ connectionString: url, acceptNewer: true, logger });
    expect(await accepted()).toEqual({ applied: [], version: '9999_next' });
    expect(logger.messages('warn')).toEqual([expect.stringContaining(`last migration is ${TAGS.at(-1)}`)]);

    await client.query('delete from pai.schema_migrations where tag = $1', [TAGS.at(-1)]);
    await expect(accepted()).rejects.toMatchObject({
      code: 'STORE_EDITED',
      message: expect.stringContaining('has 9999_next but not'),
    });
    await client.query(`update pai.schema_migrations set hash = 'x' where tag = $1`, [TAGS[0]]);
    await expect(accepted()).rejects.toMatchObject({
      code: 'STORE_EDITED',
      message: expect.stringContaining(TAGS[0] as string),
    });
  });

  test('refuses a migration that was edited after it was applied', async () => {
    await migrated();
    const folder = await otherVersion((path) => writeFile(join(path, '0001_history.sql'), 'select 1'));
    await expect(migrate({ connectionString: url, folder })).rejects.toMatchObject({
      code: 'STORE_EDITED',
      message: expect.stringContaining('0001_history'),
    });
  });

  test('leaves nothing of a migration that fails, names it, and goes on from there when it is right', async () => {
    const folder = await withOneMore('create table pai.next (id int);\n--> statement-breakpoint\nselect 1 / 0');
    await expect(migrate({ connectionString: url, folder })).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(/migration 9999_next: division by zero/),
    });
    const { rows } = await client.query(`select to_regclass('pai.next') as next`);
    expect(rows).toEqual([{ next: null }]);
    expect(await migrated()).toEqual({ applied: [], version: TAGS.at(-1) });
  });

  test('is asked for when it was not run', async () => {
    await expect(checkMigrated(client)).rejects.toMatchObject({
      code: 'STORE_SCHEMA',
      message: expect.stringContaining('pai-mirror migrate'),
    });
  });

  test('without its files says that the installation is broken', async () => {
    await expect(migrate({ connectionString: url, folder: '/nowhere' })).rejects.toMatchObject({
      code: 'STORE_MIGRATIONS',
    });
  });

  describe('beside somebody who holds a table', () => {
    const patience = { lockTimeoutMs: 150, pauseMs: 30, attempts: 4 };
    const LONGER =
      'create table pai.next (id int);\n--> statement-breakpoint\nalter table pai.pipeline_runs add column next text';

    /** A query that goes on and on, as dashboards ask them. */
    async function holdTable(): Promise<pg.Client> {
      await migrated();
      const reader = new pg.Client({ connectionString: url });
      await reader.connect();
      onTestFinished(() => reader.end());
      await reader.query('begin; select count(*) from pai.pipeline_runs');
      return reader;
    }

    test('waits in pieces: replicas write in between, and all is applied when the table is free', async () => {
      const reader = await holdTable();
      const logger = capturingLogger();
      const folder = await withOneMore(LONGER);
      const migrating = migrate({ connectionString: url, folder, logger, patience: { ...patience, attempts: 100 } });
      await expect.poll(() => logger.messages('warn').length, { timeout: 20_000 }).toBeGreaterThan(1);
      await client.query(`set lock_timeout = '20s'`);
      await client.query(LEASE);
      await client.query(`update pai.sync_leases set expires_at = now()`);
      await reader.query('commit');
      expect(await migrating).toMatchObject({ applied: ['9999_next'] });
      expect(logger.messages('warn')[0]).toMatch(
        /migration 9999_next is tried again, others use its tables: .*lock timeout/,
      );
    });

    test('gives up at last, and says that somebody uses its tables; nothing was changed', async () => {
      await holdTable();
      const folder = await withOneMore(LONGER);
      await expect(migrate({ connectionString: url, folder, patience })).rejects.toMatchObject({
        code: 'STORE_TIMEOUT',
        message: expect.stringMatching(/migration 9999_next: .*lock timeout/),
      });
      expect((await client.query(`select to_regclass('pai.next') as next`)).rows).toEqual([{ next: null }]);
      expect(await migrated()).toMatchObject({ applied: [] });
    });

    test('waits for commits that are under way before it holds any table that they may want', async () => {
      await migrated();
      await client.query(LEASE);
      const commit = new pg.Client({ connectionString: url });
      await commit.connect();
      onTestFinished(() => commit.end());
      await commit.query('begin; select from pai.sync_leases for share');
      const folder = await withOneMore(LONGER);
      const migrating = migrate({ connectionString: url, folder });
      const waits = async () =>
        (
          await client.query(`select wait_event_type as type from pg_stat_activity
            where datname = current_database() and application_name = 'pai-mirror migrate'`)
        ).rows[0]?.type;
      await expect.poll(waits, { timeout: 20_000 }).toBe('Lock');
      // Every table is free for the commit.
      await commit.query(`set local lock_timeout = '1s'; lock table pai.pipeline_runs in row exclusive mode`);
      await commit.query('commit');
      expect(await migrating).toMatchObject({ applied: ['9999_next'] });
    });
  });

  test('creates the partitions of this month and the next ones, again and again without harm', async () => {
    await migrate({ connectionString: url, partitionsAhead: 1 });
    expect(await partitions()).toHaveLength(2);
    await migrate({ connectionString: url, partitionsAhead: 4 });
    const names = await partitions();
    expect(names).toHaveLength(5);
    const month = new Date().toISOString().slice(0, 7).replace('-', '_');
    expect(names[0]).toBe(`change_events_${month}`);
  });
});

describe('the schema', () => {
  beforeEach(migrated);

  test('is the one in migrations/schema.sql (write it anew with vitest -u)', async () => {
    await expect(await dumpSchema(client)).toMatchFileSnapshot('../../migrations/schema.sql');
  });

  test('has a comment on every table and column, partitions included', async () => {
    const { rows } = await client.query(
      `select c.relname as table, a.attname as column from pg_class c
       left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = 'pai'::regnamespace and c.relkind in ('r', 'p')
         and (obj_description(c.oid, 'pg_class') is null or col_description(c.oid, a.attnum) is null)`,
    );
    expect(rows).toEqual([]);
  });

  test('has exactly the tables and columns that the code knows, of the same types', async () => {
    const tables: PgTable[] = [
      ...Object.values(pipelineRuns),
      ...Object.values(nodes),
      ...Object.values(runs),
      ...Object.values(bookkeeping),
      ...Object.values(rollups),
      changeEvents,
    ];
    const known = tables.flatMap((table) =>
      Object.entries(getTableColumns(table)).map(
        ([property, column]) => `${tableName(table)}.${columnName(property)} ${column.getSQLType()} ${column.notNull}`,
      ),
    );
    const { rows } = await client.query(
      `select format('%s.%s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'true' else 'false' end) as text
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
       where c.relnamespace = 'pai'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'schema_migrations'`,
    );
    expect(rows.map((row) => row.text).sort()).toEqual(known.sort());
  });

  test('has no foreign keys and nothing unique but primary keys that begin with the run', async () => {
    const { rows } = await client.query(
      `select conname from pg_constraint where connamespace = 'pai'::regnamespace and contype in ('f', 'u', 'x')
       union all select indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid
         where c.relnamespace = 'pai'::regnamespace and i.indisunique and not i.indisprimary`,
    );
    expect(rows).toEqual([]);
  });
});
