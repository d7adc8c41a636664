import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withSuperuser } from '../../src/embedded/admin.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/embedded-postgres.js';
import { type CapturingLogger, capturingLogger } from '../support/logger.js';
import { scratchDirectory } from '../support/scratch.js';
import { isRoot } from './checkout.js';
import { isAlive, occupyPort, query } from './postgres-helpers.js';

let base: string;
let dataDir: string;
let logger: CapturingLogger;
const running: EmbeddedPostgres[] = [];

async function start(more: object = {}): Promise<EmbeddedPostgres> {
  const systemPlaces = [join(base, 'system')];
  const server = await startEmbeddedPostgres({ dataDir, logger, durable: false, systemPlaces, ...more });
  running.push(server);
  return server;
}

beforeAll(async () => {
  base = await scratchDirectory('lifecycle');
});
afterAll(() => rm(base, { recursive: true, force: true }));
beforeEach(({ task }) => {
  dataDir = join(base, task.id.replaceAll(/\W/g, '_'), 'data');
  logger = capturingLogger();
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

describe('the first start', () => {
  test('makes a UTF-8 database with checksums and UTC that listens on the loopback address only', async () => {
    const server = await start({ durable: true });
    const [row] = await query(
      server.connectionString,
      `SELECT current_user::text AS role, current_database()::text AS database, current_setting('server_encoding') AS encoding,
         current_setting('data_checksums') AS checksums, current_setting('timezone') AS timezone,
         current_setting('listen_addresses') AS address, current_setting('fsync') AS fsync,
         (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser, host(inet_server_addr()) AS here`,
    );
    expect(row).toEqual({
      role: 'pai_mirror',
      database: 'pai_mirror',
      encoding: 'UTF8',
      checksums: 'on',
      timezone: 'UTC',
      address: '127.0.0.1',
      fsync: 'on',
      superuser: false,
      here: '127.0.0.1',
    });
  });

  describe('makes a password', () => {
    let server: EmbeddedPostgres;
    let said: CapturingLogger;
    beforeAll(async () => {
      dataDir = join(base, 'password', 'data');
      logger = capturingLogger();
      [server, said] = [await start(), logger];
      // It outlives the first of these tests.
      running.length = 0;
    });
    afterAll(() => server.stop());

    test('which the server asks for, and only the owner of the directory can read', async () => {
      const wrong = new URL(server.connectionString);
      wrong.password = 'wrong';
      await expect(query(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
      wrong.username = 'postgres';
      await expect(query(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
      for (const file of ['password', 'port', 'server.log']) {
        expect((await stat(join(server.dataDirectory, file))).mode & 0o777, file).toBe(0o600);
      }
      expect((await stat(join(server.dataDirectory, 'cluster'))).mode & 0o777).toBe(0o700);
    });

    test('and never logs it', async () => {
      const { password } = new URL(server.connectionString);
      expect(password.length).toBeGreaterThan(30);
      expect(said.entries.length).toBeGreaterThan(0);
      expect(JSON.stringify(said.entries)).not.toContain(password);
      expect(await readFile(server.logFile, 'utf8')).not.toContain(password);
    });
  });

  test('works in a directory whose path is longer than a socket address may be', async () => {
    dataDir = join(dataDir, 'a-rather-long-name-for-a-directory'.repeat(4), "with blanks and 'quotes'");
    const server = await start();
    expect(await query(server.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('throws away what an interrupted initdb has left', async () => {
    await mkdir(join(dataDir, 'cluster.new.Ab12Cd', 'base'), { recursive: true });
    await writeFile(join(dataDir, 'cluster.new.Ab12Cd', 'PG_VERSION'), '18\n');
    // A parent made under a umask of 022, as anybody's would be.
    await chmod(dataDir, 0o755);
    const server = await start();
    expect(await query(server.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await readdir(dataDir)).filter((name) => name.startsWith('cluster.'))).toEqual([]);
  });
});

describe('the next start', () => {
  test('finds the data, the port and the password of the last one', async () => {
    const first = await start();
    await query(first.connectionString, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    expect(await isAlive(first.pid)).toBe(false);
    const second = await start();
    expect(second.started).toBe(true);
    expect(second.connectionString).toBe(first.connectionString);
    expect(await query(second.connectionString, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  test('takes another port, says so and keeps that, when the old one is in use', async () => {
    const first = await start();
    await first.stop();
    const squatter = await occupyPort(first.port);
    const second = await start();
    await squatter.free();
    expect(second.port).not.toBe(first.port);
    expect(logger.entries).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: { before: first.port, now: second.port } }),
    );
    await second.stop();
    expect((await start()).port).toBe(second.port);
  });

  test('makes role, database and password anew when they are lost, and keeps the server', async () => {
    const first = await start();
    await rm(join(first.dataDirectory, 'password'));
    const second = await start();
    expect(second.started).toBe(false);
    expect(second.connectionString).not.toBe(first.connectionString);
    expect(await query(second.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('the right to make roles', () => {
  test('lets the mirror make a reader with a password of its own, and rule over nobody else', async () => {
    const { connectionString } = await start();
    await query(connectionString, "CREATE ROLE pai_reader LOGIN PASSWORD 'of-the-reader'");
    const reader = new URL(connectionString);
    [reader.username, reader.password] = ['pai_reader', 'of-the-reader'];
    expect(await query(reader.href, 'SELECT current_user::text AS role')).toEqual([{ role: 'pai_reader' }]);
    reader.password = 'wrong';
    await expect(query(reader.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    for (const statement of [
      "ALTER ROLE postgres PASSWORD 'mine'",
      'ALTER ROLE pai_reader SUPERUSER',
      'ALTER ROLE pai_mirror CREATEDB',
      'GRANT pg_execute_server_program TO pai_mirror',
    ]) {
      await expect(query(connectionString, statement), statement).rejects.toMatchObject({ code: '42501' });
    }
  });

  test('comes to a cluster that was made before there was one, with password and data untouched', async () => {
    const first = await start();
    const hasRight = async ({ connectionString }: EmbeddedPostgres) =>
      (await query(connectionString, 'SELECT rolcreaterole AS it FROM pg_roles WHERE rolname = current_user'))[0]?.it;
    await withSuperuser(join(first.dataDirectory, 'cluster'), first.port, (client) =>
      client.query('ALTER ROLE pai_mirror NOCREATEROLE'),
    );
    expect(await hasRight(first)).toBe(false);
    const second = await start();
    expect(second.connectionString).toBe(first.connectionString);
    expect(await hasRight(second)).toBe(true);
  });
});

describe('two handles in one process', () => {
  test('share the server, and only the last one to stop ends it', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    expect(one.pid).toBe(other.pid);
    expect([one.started, other.started].sort()).toEqual([false, true]);
    await one.stop();
    await one.stop();
    expect(await query(other.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await other.stop();
    expect(await isAlive(other.pid)).toBe(false);
  });
});

describe('what cannot work is refused with a reason', () => {
  test('a database of another major version', async () => {
    const first = await start();
    await first.stop();
    await writeFile(join(first.dataDirectory, 'cluster', 'PG_VERSION'), '17\n');
    await expect(start()).rejects.toMatchObject({
      code: 'EMBEDDED_VERSION',
      message: expect.stringMatching(/made by PostgreSQL 17, this version brings 18/),
    });
  });

  test('a port that was asked for and is in use', async () => {
    const squatter = await occupyPort(0);
    const { port } = squatter;
    await expect(start({ port })).rejects.toMatchObject({
      code: 'EMBEDDED_PORT',
      message: expect.stringContaining(`port ${port} of 127.0.0.1 is in use`),
    });
    await squatter.free();
  });

  test('a setting that the server does not take, with the end of its log', async () => {
    await expect(start({ settings: { work_mem: 'plenty' } })).rejects.toMatchObject({
      code: 'EMBEDDED_START',
      message: expect.stringMatching(/invalid value for parameter "work_mem": "plenty"/),
    });
    expect(await query((await start()).connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('a server that may not be executed, and that does not end this process', async () => {
    const place = { systemPlaces: [join(dataDir, '..', 'own-system')] };
    await (await start(place)).stop();
    const home = isRoot ? place.systemPlaces[0] : dataDir;
    const installed = (await readdir(home as string)).find((name) => name.startsWith('postgresql-'));
    const binary = join(home as string, installed as string, 'bin', 'postgres');
    // A new file of the same size: the old one may be a hard link to the one in node_modules.
    await copyFile(binary, `${binary}.new`);
    await chmod(`${binary}.new`, 0o644);
    await rename(`${binary}.new`, binary);
    await expect(start(place)).rejects.toMatchObject({
      code: 'EMBEDDED_START',
      message: expect.stringContaining('EACCES'),
    });
  });

  test('a file where the directory should be', async () => {
    await mkdir(join(dataDir, '..'), { recursive: true });
    await writeFile(dataDir, 'something else');
    await expect(start()).rejects.toMatchObject({
      code: 'EMBEDDED_DIRECTORY',
      message: expect.stringContaining(dataDir),
    });
  });

  test("somebody else's files where the cluster should be, which stay untouched", async () => {
    await mkdir(join(dataDir, 'cluster'), { recursive: true });
    await chmod(dataDir, 0o755);
    await writeFile(join(dataDir, 'cluster', 'thesis.txt'), 'years of work');
    await expect(start()).rejects.toMatchObject({
      code: 'EMBEDDED_DIRECTORY',
      message: expect.stringContaining('no PG_VERSION'),
    });
    expect(await readFile(join(dataDir, 'cluster', 'thesis.txt'), 'utf8')).toBe('years of work');
  });
});
