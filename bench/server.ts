/** The PostgreSQL that everything is measured on, loads and floors alike: that of DATABASE_URL, or one of our own. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { withSuperuser } from '../src/embedded/admin.js';
import { startEmbeddedPostgres } from '../src/embedded/embedded-postgres.js';
import { silentLogger } from '../src/util/logger.js';
import type { Cleanup } from './cleanup.js';
import { readTreeCpu } from './process-stats.js';
import { ROOT, runCommand } from './processes.js';

export interface BenchServer {
  readonly kind: 'embedded' | 'DATABASE_URL';
  readonly adminUrl: string;
  /** CPU seconds of all its processes so far; null where they cannot be seen. */
  cpuSeconds(): Promise<number | null>;
}

export interface BenchDatabase {
  readonly name: string;
  readonly url: string;
  drop(): Promise<void>;
}

/** With the settings that users get: nothing is switched off to be quicker. */
export async function openServer(cleanup: Cleanup, databaseUrl: string | undefined): Promise<BenchServer> {
  if (databaseUrl !== undefined && databaseUrl !== '') {
    return { kind: 'DATABASE_URL', adminUrl: databaseUrl, cpuSeconds: async () => null };
  }
  const directory = await mkdtemp(join(tmpdir(), 'pai-mirror-bench-'));
  cleanup.add('the temporary directory', () => rm(directory, { recursive: true, force: true }));
  // As root the server is another user, who has to come in.
  await chmod(directory, 0o755);
  const starting = startEmbeddedPostgres({
    dataDir: directory,
    logger: silentLogger,
    mayCreateDatabases: true,
    restarts: false,
    systemPlaces: [join(directory, 'system')],
  });
  // One that did not start needs no end.
  cleanup.add('the embedded PostgreSQL', async () => (await starting.catch(() => null))?.stop());
  const server = await starting;
  await allowFiles(join(server.dataDirectory, 'cluster'), server.port);
  return { kind: 'embedded', adminUrl: server.connectionString, cpuSeconds: () => readTreeCpu(server.pid) };
}

/** COPY between the server and its own disk, and checkpoints between the measurements, are not an ordinary role's. */
async function allowFiles(cluster: string, port: number): Promise<void> {
  await withSuperuser(cluster, port, async (client) => {
    await client.query('GRANT pg_read_server_files, pg_write_server_files TO pai_mirror');
    const { rows } = await client.query("SELECT 1 FROM pg_roles WHERE rolname = 'pg_checkpoint'");
    if (rows.length > 0) await client.query('GRANT pg_checkpoint TO pai_mirror');
  });
}

/** A new database with all migrations, made by the command that users have for it. */
export async function createDatabase(cleanup: Cleanup, server: BenchServer): Promise<BenchDatabase> {
  const name = `pai_bench_${Math.floor(Date.now() / 1_000)}_${randomBytes(4).toString('hex')}`;
  const drop = cleanup.add(`database ${name}`, () => dropDatabase(server.adminUrl, name));
  await withClient(server.adminUrl, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE template0`));
  const url = new URL(server.adminUrl);
  url.pathname = `/${name}`;
  await runCommand(cleanup, ['migrate'], { directory: ROOT_WITHOUT_ENV, env: { DATABASE_URL: url.href } });
  return { name, url: url.href, drop };
}

/** The commands read `.env` of the working directory; here lies none. */
export const ROOT_WITHOUT_ENV = join(ROOT, 'build');

/** An autovacuum worker is the superuser's and cannot be ended by us: it goes within moments. */
async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await withClient(adminUrl, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== '42501' || attempt === 20) throw error;
      await new Promise((done) => setTimeout(done, 250));
    }
  }
}

/** One connection for one piece of work. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'pai-mirror-bench' });
  // A connection that ends between two queries fails the next one; without a listener it would end the bench.
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * Brings the server to rest: what one measurement left to be flushed or vacuumed is not to be paid by the next. Without
 * the right to a checkpoint it has to do without.
 */
export async function settleServer(adminUrl: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    await client.query('CHECKPOINT').catch((error: { code?: string }) => {
      if (error.code !== '42501') throw error;
    });
  });
}
