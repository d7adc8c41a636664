/** Gives `pai_reader` a login. What the role may read is granted by the migrations (`pai.ensure_reader()`). */
import pg from 'pg';
import { StoreError } from '../domain/errors.js';
import { MIGRATION_LOCK } from './migrate.js';
import { errorCode, storeError } from './pg-errors.js';
import { transaction } from './pool.js';
import { readerAddress } from './reader-address.js';
import { adviceForAdministrator, READER, READER_SETTINGS, settingStatement } from './reader-role.js';
import { scramVerifier } from './scram.js';

/** `made`: there was no login; `changed`: it has another password now; `kept`: it had a login, nothing was changed. */
export type LoginChange = 'made' | 'changed' | 'kept';

export interface LoginOptions {
  /** Printable ASCII. */
  readonly password: string;
  /** Replaces the password of a login that is there. */
  readonly rotate: boolean;
}

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * One transaction: all of it or nothing. Roles are shared by all databases of a server, so the login of a mirror in
 * another database is found here too, and kept unless `rotate`. Throws StoreError.
 */
export async function giveReaderLogin(pool: pg.Pool, { password, rotate }: LoginOptions): Promise<LoginChange> {
  try {
    return await transaction(pool, async (client) => {
      await client.query(`set local lock_timeout = '15s'`);
      // Grants of two sessions on one table fail ("tuple concurrently updated"); migrate makes the same ones.
      await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
      await client.query('select pai.ensure_reader()');
      const { hasLogin, hasSettings } = await lockRole(client);
      if (hasLogin && !rotate) return 'kept';
      await client.query(`alter role ${READER} login password ${client.escapeLiteral(scramVerifier(password))}`);
      // A role that an administrator has made by hand. Any settings that are there are somebody's choice.
      if (!hasSettings) for (const one of Object.entries(READER_SETTINGS)) await client.query(settingStatement(one));
      return hasLogin ? 'changed' : 'made';
    });
  } catch (error) {
    throw errorCode(error) === '42501' ? await refusal(pool, error) : storeError(`giving ${READER} a login`, error);
  }
}

/**
 * What the role is like, known for the rest of the transaction. An advisory lock is one database's, and the
 * mirrors of two databases of a server share the role. COMMENT is the one statement that locks a role itself, in all
 * databases, until the transaction ends: of two commands that would both find no login, the second waits here.
 */
async function lockRole(client: pg.ClientBase): Promise<{ hasLogin: boolean; hasSettings: boolean }> {
  const { rows } = await client.query<{ comment: string | null }>(
    `select shobj_description(oid, 'pg_authid') as comment from pg_roles where rolname = $1`,
    [READER],
  );
  if (rows.length === 0) throw Object.assign(new Error(`there is no role ${READER}`), { code: '42501' });
  const comment = rows[0]?.comment ?? 'Reads the mirror of pai-mirror: schemas analytics and pai.';
  await client.query(`comment on role ${READER} is ${client.escapeLiteral(comment)}`);
  const found = await client.query<{ login: boolean; settings: boolean }>(
    'select rolcanlogin as login, rolconfig is not null as settings from pg_roles where rolname = $1',
    [READER],
  );
  return { hasLogin: found.rows[0]?.login === true, hasSettings: found.rows[0]?.settings === true };
}

async function refusal(pool: pg.Pool, cause: unknown): Promise<StoreError> {
  const { rows } = await pool.query<{ owner: string; exists: boolean; version: number }>(
    `select current_user::text as owner, exists(select from pg_roles where rolname = $1) as exists,
       current_setting('server_version_num')::int as version`,
    [READER],
  );
  const { owner, exists, version } = rows[0] ?? { owner: '?', exists: false, version: 0 };
  const advice = adviceForAdministrator({ owner, roleExists: exists, serverVersion: version });
  const reason = exists ? 'change' : 'make';
  return new StoreError(`the role ${owner} may not ${reason} ${READER}.\n${advice}`, {
    code: 'STORE_PERMISSION',
    retryable: false,
    blast: 'global',
    cause,
  });
}

/** `wrong-password`, or the server's reason for anything else. */
export type LoginTrial = { readonly outcome: 'ok' | 'wrong-password' | 'failed'; readonly reason: string };

/**
 * Logs in as the reader at the mirror's own address. (A server that trusts its clients lets everybody in: there the
 * password makes no difference anyway.) Never throws; at most about 10 s.
 */
export async function tryReaderLogin(connectionString: string, password: string): Promise<LoginTrial> {
  const client = new pg.Client({
    connectionString: readerAddress(connectionString, password),
    application_name: 'pai-mirror reader',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select from analytics.scopes limit 1');
    return { outcome: 'ok', reason: '' };
  } catch (error) {
    const outcome = errorCode(error) === '28P01' ? 'wrong-password' : 'failed';
    return { outcome, reason: (error as Error).message };
  } finally {
    await client.end().catch(() => {});
  }
}
