import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createPool, whenNotFull } from '../../src/store/pool.js';
import { PgStore } from '../../src/store/store.js';
import { createDatabase } from '../support/database.js';
import { SCOPE } from './fixtures.js';

const full = Object.assign(new Error('sorry, too many clients already'), { code: '53300' });

describe('a server without a free connection', () => {
  test('is asked again until it has one', async () => {
    let tries = 0;
    const connect = async (): Promise<string> => {
      tries += 1;
      if (tries < 3) throw full;
      return 'connected';
    };
    expect(await whenNotFull(connect)).toBe('connected');
    expect(tries).toBe(3);
  });

  test('invariant 9: is not asked for ever, and no other error is taken for it', async () => {
    await expect(whenNotFull(() => Promise.reject(full), 150)).rejects.toBe(full);
    let tries = 0;
    const refused = async (): Promise<void> => {
      tries += 1;
      throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    };
    await expect(whenNotFull(refused)).rejects.toThrow('refused');
    expect(tries).toBe(1);
  });

  test('makes queries and transactions wait, not fail', async () => {
    const { url, name } = await createDatabase();
    const admin = new pg.Client({ connectionString: url });
    await admin.connect();
    const pool = createPool({ connectionString: url });
    onTestFinished(async () => {
      await pool.end();
      await admin.end();
    });
    // Over the limit of the database the server says the same as over its own.
    const limit = (connections: number) => admin.query(`alter database ${name} connection limit ${connections}`);
    await limit(1);
    const query = pool.query<{ one: number }>('select 1 as one');
    const client = pool.connect();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await limit(-1);
    expect((await query).rows).toEqual([{ one: 1 }]);
    (await client).release();
  });
});

test('invariant 9: sets of seen ids never hold so many connections that nobody could commit', async () => {
  const { url } = await createDatabase();
  const store = new PgStore({ connectionString: url, maxConnections: 4 });
  onTestFinished(() => store.close());
  const opened: string[] = [];
  const open = ['a', 'b', 'c', 'd', 'e'].map(async (workspaceId) => {
    const seen = await store.openSeenIds({ ...SCOPE, workspaceId }, 'run');
    opened.push(workspaceId);
    return seen;
  });
  const [first, second] = [await open[0], await open[1]];
  // What needs a connection meanwhile gets one.
  for (let turn = 0; turn < 3; turn += 1) await Promise.all([store.now(), store.now(), store.now()]);
  expect(opened.sort()).toEqual(['a', 'b']);
  await first?.close();
  await open[2];
  await second?.close();
  for (const seen of open.slice(2)) await (await seen).close();
  expect(opened.sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
});
