import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { errorCode } from './failure.js';

/** Role and database of the mirror. */
export const MIRROR_NAME = 'pai_mirror';

/** Bytes of a socket's path that every system takes (Linux 107, macOS 103), the file's own name `.s.PGSQL.65535` included. */
const SOCKET_PATH_LIMIT = 103;
const CONNECT_TIMEOUT_MS = 5_000;

/** Opens a connection as superuser through the socket inside the data directory; always ends it. */
export async function withSuperuser<T>(
  cluster: string,
  port: number,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  return withShortPath(cluster, port, async (host) => {
    const client = new pg.Client({
      host,
      port,
      user: 'postgres',
      database: 'postgres',
      ssl: false,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: 30_000,
    });
    // Without a listener a server that dies between two queries would end the process.
    client.on('error', () => {});
    try {
      await client.connect();
      return await work(client);
    } finally {
      await client.end().catch(() => {});
    }
  });
}

/** The system limits a socket's path to about 100 bytes; a link in a private temporary directory makes any path short. */
async function withShortPath<T>(cluster: string, port: number, work: (host: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(join(cluster, `.s.PGSQL.${port}`)) <= SOCKET_PATH_LIMIT) return work(cluster);
  const directory = await mkdtemp(join(tmpdir(), 'pai-'));
  try {
    await symlink(cluster, join(directory, 'c'));
    return await work(join(directory, 'c'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Null when the server takes queries, else why not (`57P03` while it starts or recovers, `ENOENT` without a socket). */
export async function probe(cluster: string, port: number): Promise<string | null> {
  try {
    await withSuperuser(cluster, port, (client) => client.query('SELECT 1'));
    return null;
  } catch (error) {
    return errorCode(error);
  }
}

/** What the mirror's role may do beyond its own database; the second word is for tests only. */
const rightsOf = (mayCreateDatabases: boolean): string =>
  `CREATEROLE ${mayCreateDatabases ? 'CREATEDB' : 'NOCREATEDB'}`;

/**
 * Creates what is missing of role, password, rights and database; a kill between two steps is repaired by the next call,
 * and a cluster of an earlier version gets what that did not give. CREATEROLE is for `pai_reader`: migrations make it,
 * `pai-mirror reader` gives it a login. It is no way to become superuser: since PostgreSQL 16, and the embedded server is
 * newer, such a role rules over the roles that it made itself and no others.
 */
export async function ensureDatabase(
  cluster: string,
  port: number,
  connectionString: string,
  password: string,
  mayCreateDatabases: boolean,
): Promise<void> {
  if (!mayCreateDatabases && (await isComplete(connectionString))) return;
  await withSuperuser(cluster, port, async (client) => {
    // A statement that fails is logged with its text, and one of these holds the password.
    await client.query("SET log_min_error_statement = 'panic'");
    const role = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [MIRROR_NAME]);
    const verb = role.rowCount === 0 ? 'CREATE' : 'ALTER';
    const rights = rightsOf(mayCreateDatabases);
    await client.query(`${verb} ROLE ${MIRROR_NAME} LOGIN ${rights} PASSWORD ${client.escapeLiteral(password)}`);
    const database = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [MIRROR_NAME]);
    if (database.rowCount === 0) await client.query(`CREATE DATABASE ${MIRROR_NAME} OWNER ${MIRROR_NAME}`);
  });
}

/** Whether the role can log in and has its right: the usual start, for which no superuser is needed. */
async function isComplete(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, ssl: false, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ complete: boolean }>(
      'SELECT rolcreaterole AS complete FROM pg_roles WHERE rolname = current_user',
    );
    return rows[0]?.complete === true;
  } catch (error) {
    // Wrong password, no such role, no such database: what `ensureDatabase` can mend. (No such role is 28P01, too.)
    if (['28P01', '28000', '3D000'].includes(errorCode(error))) return false;
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}
