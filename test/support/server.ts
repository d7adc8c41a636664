import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PostgreSqlContainer } from '@testcontainers/postgresql';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/embedded/embedded-postgres.js';
import { silentLogger } from '../../src/util/logger.js';
import { removeOldScratch, scratchDirectory } from './scratch.js';

export interface TestServer {
  /** Connects as a role that may create databases. */
  readonly adminUrl: string;
  /** Whether a failed test's database can still be looked into after the run. */
  readonly outlivesRun: boolean;
  stop(): Promise<void>;
}

export interface ServerChoice {
  readonly TEST_DATABASE_URL?: string | undefined;
  readonly TEST_POSTGRES_IMAGE?: string | undefined;
  /** Not empty: the embedded server is left running, for a look into the databases of failed tests. */
  readonly TEST_KEEP_SERVER?: string | undefined;
}

/** A server of yours, a container, or the embedded one: always a real PostgreSQL, or an error. */
export function startTestServer(choice: ServerChoice): Promise<TestServer> {
  if (choice.TEST_DATABASE_URL) return useServer(choice.TEST_DATABASE_URL);
  if (choice.TEST_POSTGRES_IMAGE) return startContainer(choice.TEST_POSTGRES_IMAGE);
  return startEmbedded(Boolean(choice.TEST_KEEP_SERVER));
}

async function useServer(adminUrl: string): Promise<TestServer> {
  return { adminUrl, outlivesRun: true, stop: async () => {} };
}

/** With the rights that the mirror's role has in the embedded server: a superuser passes where others are stopped. */
async function startContainer(image: string): Promise<TestServer> {
  const container = await new PostgreSqlContainer(image)
    .withPassword(randomBytes(12).toString('hex'))
    .withCommand(['postgres', '-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'synchronous_commit=off'])
    .start();
  const adminUrl = new URL(container.getConnectionUri());
  // On the machine of the engine, where Testcontainers may name another address: doctor has something to say of those.
  const onLoopback = new URL(adminUrl);
  onLoopback.hostname = '127.0.0.1';
  if (await answers(onLoopback)) adminUrl.hostname = onLoopback.hostname;
  const superuser = new pg.Client({ connectionString: adminUrl.href });
  await superuser.connect();
  adminUrl.username = 'pai_mirror';
  adminUrl.password = randomBytes(12).toString('hex');
  try {
    await superuser.query(`CREATE ROLE pai_mirror LOGIN CREATEDB CREATEROLE PASSWORD '${adminUrl.password}'`);
    const { rows } = await superuser.query<{ isOld: boolean }>(
      `SELECT current_setting('server_version_num')::int < 150000 AS "isOld"`,
    );
    // Up to PostgreSQL 14 nobody else could be allowed to do what allowTruncate allows.
    await superuser.query(rows[0]?.isOld ? 'ALTER ROLE pai_mirror SUPERUSER' : ALLOW_TRUNCATE);
  } finally {
    await superuser.end();
  }
  return { adminUrl: adminUrl.href, outlivesRun: false, stop: async () => void (await container.stop()) };
}

async function answers(url: URL): Promise<boolean> {
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  return client
    .connect()
    .then(() => true)
    .catch(() => false)
    .finally(() => client.end().catch(() => {}));
}

/** In a directory of its own that goes away afterwards; the data of a test run need no durability. */
async function startEmbedded(keep: boolean): Promise<TestServer> {
  await removeOldScratch();
  const dataDir = await scratchDirectory('test');
  const server = await startEmbeddedPostgres({
    dataDir,
    logger: silentLogger,
    durable: false,
    mayCreateDatabases: true,
    // Files of its log are used again instead of becoming more: they may lie in memory.
    settings: { max_wal_size: '128MB' },
    systemPlaces: [join(dataDir, 'system')],
  });
  await allowTruncate(join(server.dataDirectory, 'cluster'), server.port);
  return {
    adminUrl: server.connectionString,
    outlivesRun: keep,
    stop: async () => {
      if (keep) {
        process.stderr.write(`left running: ${server.connectionString} (pid ${server.pid}, ${dataDir})\n`);
        return;
      }
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const ALLOW_TRUNCATE = 'GRANT SET ON PARAMETER session_replication_role TO pai_mirror';

/**
 * The tests run as an ordinary role, as the mirror does. The one thing they need beyond that is to rest the triggers
 * that keep the history from being truncated, and only the superuser can allow it (through the socket, PostgreSQL 15).
 */
async function allowTruncate(socketDirectory: string, port: number): Promise<void> {
  const client = new pg.Client({ host: socketDirectory, port, user: 'postgres', database: 'postgres' });
  await client.connect();
  try {
    await client.query(ALLOW_TRUNCATE);
  } finally {
    await client.end();
  }
}
