/**
 * `reader`: gives the role `pai_reader` a login, and says where to put it. The password is never on the command line,
 * which every user of the machine can see.
 */
import { randomBytes } from 'node:crypto';
import { openStore } from '../app.js';
import { isReaderPassword, READER_PASSWORD_EXPECTED } from '../config/kinds.js';
import { StoreError, UsageError } from '../domain/errors.js';
import { checkMigrated } from '../store/migrate.js';
import { giveReaderLogin, type LoginChange, type LoginTrial, tryReaderLogin } from '../store/reader.js';
import { dataSourceOf, readerAddress } from '../store/reader-address.js';
import { READER } from '../store/reader-role.js';
import { createContext, type ExitCode } from './context.js';
import type { Output } from './output.js';

export interface ReaderOptions {
  readonly rotate: boolean;
  readonly passwordStdin: boolean;
  readonly json: boolean;
}

export async function readerCommand(options: ReaderOptions): Promise<ExitCode> {
  const { config, logger, output } = createContext({ scopes: false }, { LOG_LEVEL: 'warn' });
  const given = options.passwordStdin ? await passwordFrom(process.stdin) : config.readerPassword;
  const password = given ?? makePassword();
  const opened = await openStore({ config, logger, migrate: false });
  try {
    await checkMigrated(opened.store.pool);
    const { connectionString } = opened.database;
    const change = await giveReaderLogin(opened.store.pool, { password, rotate: options.rotate });
    // What nobody knows cannot be tried.
    const trial = change === 'kept' && given === null ? null : await tryReaderLogin(connectionString, password);
    if (change === 'kept' && trial?.outcome === 'wrong-password') throw otherPassword();
    const { embedded } = opened.database;
    const told = {
      change,
      connectionString,
      embedded,
      trial,
      made: given === null && change !== 'kept' ? password : null,
    };
    if (options.json) output.print(JSON.stringify(forPrograms(told), null, 2));
    else tellPeople(told, output);
    return 0;
  } finally {
    await opened.close();
  }
}

/** 192 bits, and nothing in it that an address or a shell would have to quote. */
const makePassword = (): string => randomBytes(24).toString('base64url');

/** Most bytes to read: whatever is piped in, the command ends. */
const MOST_BYTES = 4096;

/** One line. Throws UsageError, which never repeats what was found. */
export async function passwordFrom(stdin: AsyncIterable<Buffer | string> & { isTTY?: boolean }): Promise<string> {
  const expected = `--password-stdin: expected one line of ${READER_PASSWORD_EXPECTED}`;
  if (stdin.isTTY === true) throw new UsageError(`${expected}, found a terminal: pipe it in`);
  let text = '';
  for await (const chunk of stdin) {
    text += chunk.toString('utf8');
    // Whoever writes may keep the pipe open.
    if (text.includes('\n') || text.length > MOST_BYTES) break;
  }
  const password = text.replace(/\r?\n$/, '');
  if (!isReaderPassword(password)) throw new UsageError(`${expected}, found something else`);
  return password;
}

const otherPassword = (): StoreError =>
  new StoreError(
    `${READER} has a login already, with another password than the one that was given. --rotate replaces it, for all ` +
      'databases of this server.',
    { code: 'READER_PASSWORD', retryable: false, blast: 'global' },
  );

interface Told {
  readonly change: LoginChange;
  /** The mirror's own. */
  readonly connectionString: string;
  /** Whether it is the PostgreSQL that runs as long as pai-mirror does. */
  readonly embedded: boolean;
  readonly trial: LoginTrial | null;
  /** The password that was made now; one that was given is known to whoever gave it, and never repeated. */
  readonly made: string | null;
}

function forPrograms({ change, connectionString, trial, made }: Told): unknown {
  return {
    role: READER,
    login: change,
    password: made,
    connectionString: readerAddress(connectionString, made),
    dataSource: dataSourceOf(connectionString),
    // Null: not tried, since nobody told the password.
    works: trial === null ? null : trial.outcome === 'ok',
    problem: trial === null || trial.outcome === 'ok' ? null : trial.reason,
  };
}

const CHANGES: Readonly<Record<LoginChange, string>> = {
  made: `${READER} can log in now.`,
  changed: `${READER} has a new password; the old one is not valid any more, in any database of this server.`,
  kept: `${READER} has a login already; nothing was changed. --rotate gives it a new password, for all databases of this server.`,
};

function tellPeople({ change, connectionString, embedded, trial, made }: Told, output: Output): void {
  const { host, database, user, sslMode } = dataSourceOf(connectionString);
  const password = made === null ? 'the one that you know' : made;
  output.print(CHANGES[change]);
  if (trial !== null && trial.outcome !== 'ok') {
    output.print(`But logging in from here failed (${trial.reason}): see pg_hba.conf, or the users of the pooler.`);
  }
  if (made !== null) output.print('This is the only time that the password is shown:');
  output.print(`
  PostgreSQL  psql '${readerAddress(connectionString, made)}'
  Grafana     data source PostgreSQL: host ${host}, database ${database}, user ${user}, TLS/SSL mode ${sslMode},
              password ${password}

It reads the schemas analytics and pai and writes nothing. Roles belong to the server: every database of it that holds a
mirror has the same ${READER}.`);
  if (embedded) output.print('This PostgreSQL is up while `pai-mirror start` runs.');
}
