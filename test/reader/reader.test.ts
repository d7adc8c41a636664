import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { passwordFrom } from '../../src/cli/reader.js';
import { withSuperuser } from '../../src/embedded/admin.js';
import { migrate } from '../../src/store/migrate.js';
import { giveReaderLogin, type LoginChange } from '../../src/store/reader.js';
import { readerAddress } from '../../src/store/reader-address.js';
import { scramVerifier } from '../../src/store/scram.js';
import { runCommand } from '../support/command.js';
import { type OwnServer, startOwnServer } from '../support/own-server.js';

/**
 * A server of this file's own: the role belongs to the whole server, and other tests log in as it too. It logs every
 * statement, so that a password in one of them would be found.
 */
let server: OwnServer;
/** Of the mirror that most tests are about. */
let url: string;
const cleanups: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await startOwnServer(
    { log_statement: 'all', log_min_error_statement: 'debug1' },
    { onDone: (done) => cleanups.push(done) },
  );
  url = await mirrorDatabase('mirror');
  return async () => {
    for (const cleanup of cleanups) await cleanup();
  };
});

const asSuperuser = (...statements: string[]) =>
  withSuperuser(`${server.dataDirectory}/cluster`, server.port, async (client) => {
    for (const statement of statements) await client.query(statement);
  });

/** A migrated database of the server. */
async function mirrorDatabase(name: string): Promise<string> {
  await sql(server.url, `create database ${name}`);
  const database = new URL(server.url);
  database.pathname = `/${name}`;
  await migrate({ connectionString: database.href });
  return database.href;
}

const withoutLogin = () => asSuperuser('alter role pai_reader nologin password null');

async function sql(connectionString: string, ...statements: string[]): Promise<pg.QueryResultRow[]> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => {});
  await client.connect();
  try {
    let rows: pg.QueryResultRow[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
}

const GIVEN = 'given by whoever runs it';

const reader = (databaseUrl: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
  runCommand(['reader', ...args], { env: { DATABASE_URL: databaseUrl, ...env } });

async function giveLogin(connectionString: string, password: string): Promise<LoginChange> {
  const pool = new pg.Pool({ connectionString, max: 1 });
  try {
    return await giveReaderLogin(pool, { password, rotate: false });
  } finally {
    await pool.end();
  }
}

describe('a verifier', () => {
  test('made here is, byte for byte, the one that PostgreSQL makes of the same password and salt', async () => {
    const password = 'pa$$ word with \'quotes" and \\ in it';
    await withSuperuser(`${server.dataDirectory}/cluster`, server.port, async (client) => {
      await client.query(`create role someone password ${client.escapeLiteral(password)}`);
      const { rows } = await client.query<{ stored: string }>(
        `select rolpassword as stored from pg_authid where rolname = 'someone'`,
      );
      const stored = rows[0]?.stored ?? '';
      const salt = /^SCRAM-SHA-256\$4096:([^$]+)\$/.exec(stored)?.[1] ?? '';
      expect(scramVerifier(password, Buffer.from(salt, 'base64'))).toBe(stored);
    });
  });

  test('has a salt of its own each time, and nothing of the password', () => {
    const [one, other] = [scramVerifier('correct horse'), scramVerifier('correct horse')];
    expect(one).not.toBe(other);
    expect(one).not.toContain('horse');
  });
});

describe('pai-mirror reader', () => {
  beforeEach(withoutLogin);

  test('makes a login whose password is shown once and stands in no log, and that reads every view and table', async () => {
    const { code, stdout, stderr } = await reader(url);
    expect(code, stderr).toBe(0);
    const address = /psql '([^']+)'/.exec(stdout)?.[1] ?? '';
    const { password } = new URL(address);
    expect(password).toMatch(/^[\w-]{32}$/);
    for (const told of [`host 127.0.0.1:${server.port}`, `password ${password}`, 'user pai_reader', 'mode disable']) {
      expect(stdout).toContain(told);
    }
    const relations = await sql(
      address,
      `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in ('pai', 'analytics') and c.relkind in ('r', 'p', 'v', 'm')`,
    );
    expect(relations.length).toBeGreaterThan(50);
    await sql(address, ...relations.map(({ name }) => `select * from ${name} limit 1`));
    expect(stderr).not.toContain(password);
    const log = await readFile(`${server.dataDirectory}/server.log`, 'utf8');
    expect(log).toContain('alter role pai_reader login password');
    expect(log).not.toContain(password);
  });

  test('tells programs the same', async () => {
    const { code, stdout } = await reader(url, ['--json']);
    expect(code).toBe(0);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ role: 'pai_reader', login: 'made', works: true, problem: null });
    expect(told.connectionString).toBe(readerAddress(url, told.password));
    expect(told.dataSource).toMatchObject({ user: 'pai_reader', sslMode: 'disable' });
    expect(await sql(told.connectionString, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('run again says that there is a login and changes nothing; --rotate replaces the password', async () => {
    const first = JSON.parse((await reader(url, ['--json'])).stdout);
    const again = await reader(url);
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/login already; nothing was changed.*--rotate/),
    });
    expect(again.stdout).not.toContain(first.password);
    await sql(first.connectionString, 'select');
    const rotated = JSON.parse((await reader(url, ['--json', '--rotate'])).stdout);
    expect(rotated.login).toBe('changed');
    await sql(rotated.connectionString, 'select');
    await expect(sql(first.connectionString, 'select')).rejects.toMatchObject({ code: '28P01' });
  });

  test('with READER_PASSWORD comes to the same however often it runs, and refuses to replace another password', async () => {
    const env = { READER_PASSWORD: GIVEN };
    for (const login of ['made', 'kept']) {
      const { code, stdout } = await reader(url, ['--json'], env);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ login, password: null, works: true });
      expect(stdout).not.toContain(GIVEN);
    }
    await sql(readerAddress(url, GIVEN), 'select');
    const other = await reader(url, [], { READER_PASSWORD: 'another-password-of-the-test' });
    expect(other).toMatchObject({ code: 1, stderr: expect.stringMatching(/another password than the one.*--rotate/) });
    await sql(readerAddress(url, GIVEN), 'select');
    expect((await reader(url, ['--rotate'], { READER_PASSWORD: 'another-password-of-the-test' })).code).toBe(0);
    await sql(readerAddress(url, 'another-password-of-the-test'), 'select');
  });

  test('refuses a password that is too short without repeating it', async () => {
    const { code, stderr } = await reader('postgresql://o@127.0.0.1/x', [], { READER_PASSWORD: 'hunt3r' });
    expect(code).toBe(2);
    expect(stderr).toMatch(/READER_PASSWORD: .*expected 8 to 256 printable ASCII/);
    expect(stderr).not.toContain('hunt3r');
  });

  test('takes the password from stdin, where nobody else can see it', async () => {
    const piped = (...texts: string[]) => passwordFrom(Readable.from(texts));
    expect(await piped(`${GIVEN}\n`)).toBe(GIVEN);
    expect(await piped(GIVEN.slice(0, 5), `${GIVEN.slice(5)}\r\n`)).toBe(GIVEN);
    for (const wrong of ['', 'short\n', 'one line of it\nand another', 'päßwörter-und-mehr', 'x'.repeat(10_000)]) {
      await expect(piped(wrong)).rejects.toThrow(
        /^--password-stdin: expected one line of 8 to 256 .*, found something else$/,
      );
    }
    await expect(passwordFrom(Object.assign(Readable.from([GIVEN]), { isTTY: true }))).rejects.toThrow(
      'found a terminal',
    );
  });

  test('takes one line, also of a pipe that stays open', async () => {
    const open = new Readable({ read: () => {} });
    open.push(`${GIVEN}\n`);
    expect(await passwordFrom(open)).toBe(GIVEN);
  });

  test('two of them at once, of two databases of the server, agree on one password', async () => {
    const urls = [url, await mirrorDatabase('other')];
    // What the commands call: the streams and the environment of a process are one command's at a time.
    const attempts = urls.flatMap((one) =>
      ['first', 'second'].map((name) => ({ url: one, password: `${name} of ${one.slice(-8)}` })),
    );
    const changes = await Promise.all(attempts.map((attempt) => giveLogin(attempt.url, attempt.password)));
    expect(changes.toSorted()).toEqual(['kept', 'kept', 'kept', 'made']);
    const winner = attempts[changes.indexOf('made')];
    for (const one of urls) await sql(readerAddress(one, winner?.password ?? ''), 'select');
  });

  test('a command that is not done yet keeps the next one waiting, also that of another database', async () => {
    const first = new pg.Client({ connectionString: url });
    await first.connect();
    try {
      await first.query('begin');
      await first.query(`comment on role pai_reader is 'of the first'`);
      await first.query(`alter role pai_reader login password 'of the first'`);
      const second = giveLogin(await mirrorDatabase('third'), GIVEN);
      await untilOneWaits(first);
      await first.query('commit');
      expect(await second).toBe('kept');
    } finally {
      await first.end();
    }
  });
});

/** Ten seconds at most. */
async function untilOneWaits(client: pg.Client): Promise<void> {
  for (let looks = 0; looks < 500; looks += 1) {
    const { rows } = await client.query('select from pg_locks where not granted');
    if (rows.length > 0) return;
    await delay(20);
  }
  throw new Error('nobody waits for the role');
}

describe('the reader', () => {
  let address: string;
  beforeAll(async () => {
    await withoutLogin();
    expect(await giveLogin(url, GIVEN)).toBe('made');
    address = readerAddress(url, GIVEN);
    await sql(url, 'create schema private', 'create table private.secrets (it text)');
  });

  test.each([
    `insert into pai.run_params values ('r', 'k', 'v', 'cn-x', now(), now())`,
    `update pai.pipeline_runs set name = 'mine'`,
    'delete from pai.pipeline_runs',
    'truncate pai.pipeline_runs',
    'drop view analytics.pipeline_runs',
    'create table pai.mine (id int)',
    'create view analytics.mine as select 1',
    'create schema mine',
    'alter role pai_reader createrole',
    'select pai.refresh_rollups()',
    'select pai.rebuild_rollups()',
    `select nextval('pai.change_events_event_id_seq')`,
    'select * from private.secrets',
  ])('may not: %s', async (statement) => {
    // Also not in a session that calls itself writable: the grants decide.
    await expect(sql(address, 'set default_transaction_read_only = off', statement)).rejects.toMatchObject({
      code: '42501',
    });
  });

  test('is in read-only transactions with a time limit, from the start of every session', async () => {
    await expect(sql(address, 'create temp table mine (id int)')).rejects.toMatchObject({ code: '25006' });
    const [settings] = await sql(
      address,
      `select current_setting('statement_timeout') as timeout, current_setting('idle_in_transaction_session_timeout') as idle,
         current_setting('jit') as jit, current_setting('work_mem') as memory, current_setting('search_path') as path`,
    );
    expect(settings).toEqual({ timeout: '30s', idle: '1min', jit: 'off', memory: '32MB', path: 'analytics, pai' });
  });

  test('has the same settings whether a migration or an administrator made the role', async () => {
    const settings = async () =>
      (await sql(url, `select unnest(rolconfig) as it from pg_roles where rolname = 'pai_reader' order by 1`)).map(
        (row) => row.it,
      );
    const made = await settings();
    expect(made.length).toBeGreaterThan(5);
    await asSuperuser('alter role pai_reader reset all', 'alter role pai_reader nologin');
    expect(await giveLogin(url, GIVEN)).toBe('made');
    expect(await settings()).toEqual(made);
  });

  test('finds the views before the tables of the same name', async () => {
    const [row] = await sql(
      address,
      `select 'pipeline_runs'::regclass::oid = 'analytics.pipeline_runs'::regclass::oid as it`,
    );
    expect(row).toEqual({ it: true });
  });

  test('loses a statement that runs too long', async () => {
    await sql(url, `alter role pai_reader set statement_timeout = '200ms'`);
    onTestFinished(async () => void (await sql(url, `alter role pai_reader set statement_timeout = '30s'`)));
    await expect(sql(address, 'select pg_sleep(20)')).rejects.toMatchObject({ code: '57014' });
    // Chosen by an administrator, so a new password leaves it alone.
    expect((await reader(url, ['--rotate'], { READER_PASSWORD: GIVEN })).code).toBe(0);
    expect(await sql(address, 'show statement_timeout')).toEqual([{ statement_timeout: '200ms' }]);
  });
});

describe('what keeps the command from its work is told with what to do', () => {
  test('a database that was not migrated', async () => {
    await sql(server.url, 'create database bare');
    const bare = new URL(server.url);
    bare.pathname = '/bare';
    const { code, stderr } = await reader(bare.href);
    expect(code).toBe(1);
    expect(stderr).toContain('pai-mirror migrate');
  });

  test('a role without the right: the statements that it names for an administrator are enough', async () => {
    await asSuperuser(
      'drop owned by pai_reader',
      'alter role pai_mirror nocreaterole',
      'revoke pai_reader from pai_mirror',
    );
    onTestFinished(() =>
      asSuperuser('alter role pai_mirror createrole', 'grant pai_reader to pai_mirror with admin option'),
    );
    const { code, stdout, stderr } = await reader(url, [], { READER_PASSWORD: GIVEN });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('the role pai_mirror may not change pai_reader');
    expect(stderr).not.toContain(GIVEN);
    const allow = stderr.split('\n').filter((line) => /^ {2}(ALTER ROLE "pai_mirror"|GRANT)/.test(line));
    expect(allow).toHaveLength(2);
    await asSuperuser(...allow);
    expect((await reader(url, [], { READER_PASSWORD: GIVEN })).code).toBe(0);
    await sql(readerAddress(url, GIVEN), 'select from analytics.scopes');
  });
});
