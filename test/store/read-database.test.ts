import { expect, it, onTestFinished } from 'vitest';
import { ReadDatabase } from '../../src/store/read-database.js';
import { createDatabase } from '../support/database.js';

async function open(options: { readonly empty?: boolean } = {}): Promise<ReadDatabase> {
  const database = new ReadDatabase({ connectionString: (await createDatabase(options)).url });
  onTestFinished(() => database.close());
  return database;
}

it('is refused every write by the server, and ended when it takes too long', async () => {
  const database = await open();
  await expect(database.query('writing', 'delete from pai.runs')).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
  const [settings] = await database.query<{ timeout: string; name: string }>(
    'reading settings',
    `select current_setting('statement_timeout') as timeout, current_setting('application_name') as name`,
  );
  expect(settings).toEqual({ timeout: '5s', name: 'pai-mirror http' });
});

it('takes no more than two connections, however many ask', async () => {
  const database = await open();
  const ask = () => database.query<{ pid: number }>('asking', 'select pg_backend_pid() as pid, pg_sleep(0.05)');
  const rows = (await Promise.all(Array.from({ length: 8 }, ask))).flat();
  expect(new Set(rows.map(({ pid }) => pid)).size).toBe(2);
});

it('knows a schema of this version, one that lacks a migration, and one of a newer version, which serves as well', async () => {
  const database = await open();
  expect(await database.schemaState()).toBe('current');
  const { pool: writer } = database;
  const change = async (sql: string): Promise<void> => {
    const client = await writer.connect();
    await client.query(`set transaction read write; ${sql}`).finally(() => client.release());
  };
  await change(`insert into pai.schema_migrations select '9999_later', 'x', now()`);
  expect(await database.schemaState()).toBe('current');
  await change(`delete from pai.schema_migrations where tag >= '0006'`);
  expect(await database.schemaState()).toBe('older');
});

it('counts a database without any schema as one that lacks migrations', async () => {
  const database = await open({ empty: true });
  expect(await database.schemaState()).toBe('older');
});
