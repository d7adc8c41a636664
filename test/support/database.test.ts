import pg from 'pg';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { createDatabase } from './database.js';
import { copyDatabase, dropOldDatabases, type TestDatabase } from './test-databases.js';

const DAY_MS = 24 * 3_600_000;

async function query(url: string, sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}

const exists = async (name: string) =>
  (await query(inject('adminUrl'), 'SELECT 1 FROM pg_database WHERE datname = $1', [name])).length === 1;

describe('databases for tests', () => {
  let earlier: TestDatabase;
  let shared: TestDatabase;

  beforeAll(async () => {
    shared = await createDatabase({ empty: true });
  });

  test('each is its own, and what one test writes no other sees', async () => {
    const [one, other] = await Promise.all([createDatabase({ empty: true }), createDatabase({ empty: true })]);
    await query(one.url, 'CREATE TABLE mine (id int)');
    const tables = "SELECT count(*)::int AS n FROM pg_class WHERE relname = 'mine'";
    expect(await query(one.url, tables)).toEqual([{ n: 1 }]);
    expect(await query(other.url, tables)).toEqual([{ n: 0 }]);
    earlier = one;
  });

  test('a database of a passed test is gone when the next test begins, one made in a hook is not', async () => {
    expect(await exists(earlier.name)).toBe(false);
    expect(await exists(shared.name)).toBe(true);
  });

  test('a clone carries the schema of the migrations, an empty one does not', async () => {
    const [clone, empty] = await Promise.all([createDatabase(), createDatabase({ empty: true })]);
    const schema = "SELECT count(*)::int AS n FROM pg_namespace WHERE nspname = 'pai'";
    expect(await query(clone.url, schema)).toEqual([{ n: 1 }]);
    expect(await query(empty.url, schema)).toEqual([{ n: 0 }]);
  });

  test('leftovers are dropped after a day and not before, open sessions or not', async () => {
    const left = await copyDatabase(inject('adminUrl'), 'template0');
    const session = new pg.Client({ connectionString: left.url });
    session.on('error', () => {});
    await session.connect();
    expect(await dropOldDatabases(inject('adminUrl'), Date.now() + DAY_MS / 2)).not.toContain(left.name);
    expect(await exists(left.name)).toBe(true);
    // Only this one is looked at: the databases of tests that run beside us are younger than their own run.
    await left.drop();
    await left.drop();
    expect(await exists(left.name)).toBe(false);
    await session.end();
  });
});
