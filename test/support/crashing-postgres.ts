/** A PostgreSQL of one test's own, which that test may crash. Always the embedded binaries: a server of yours is not ours to kill. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/embedded/embedded-postgres.js';
import { silentLogger } from '../../src/util/logger.js';

/**
 * `immediate`: all its processes end at once, as with `pg_ctl stop -m immediate`. `postmaster`: kill -9 of the first
 * process; the others notice and end. `backend`: kill -9 of one connection's process, after which PostgreSQL ends all
 * others and recovers by itself.
 */
export const CRASHES = ['immediate', 'postmaster', 'backend'] as const;
export type CrashKind = (typeof CRASHES)[number];

export interface CrashingPostgres {
  readonly url: string;
  crash(kind: CrashKind): Promise<void>;
  /** Starts it again where it is down; recovery is part of that. Resolves when it takes queries. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * What was committed survives the death of every process, because the operating system has it: commits are written
 * through (synchronous_commit), but not to the disk (fsync), which only a power cut would need.
 */
const SETTINGS = { synchronous_commit: 'on', full_page_writes: 'on' };

export async function startCrashingPostgres(): Promise<CrashingPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pai-mirror-test-'));
  // mkdtemp keeps everyone else out; as root the server is another user.
  await chmod(dataDir, 0o755);
  const port = await freePort();
  const start = () =>
    startEmbeddedPostgres({
      dataDir,
      logger: silentLogger,
      port,
      durable: false,
      settings: SETTINGS,
      systemPlaces: [join(dataDir, 'system')],
    });
  let server = await start();
  return {
    url: server.connectionString,
    crash: async (kind) => {
      if (kind === 'backend') return killBackend(server.connectionString);
      kill(server.pid, kind === 'immediate' ? 'SIGQUIT' : 'SIGKILL');
      await gone(server.pid);
    },
    restart: async () => {
      server = await start();
    },
    stop: async () => {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/**
 * Of our own choice and kept for ever, so that the URL stays the same. Away from the range in which the embedded server
 * looks for one by itself (other tests start theirs meanwhile), and from the ports of outgoing connections.
 */
async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port of 127.0.0.1 among 20000 to 29999 after 100 tries');
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function gone(pid: number): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await delay(10)) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
  }
  throw new Error(`the server (pid ${pid}) is still there 20 seconds after it was told to die`);
}

/** One that is in the middle of a transaction, where there is one. */
async function killBackend(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // It goes down with the others.
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database()
       order by pid = pg_backend_pid(), xact_start is null, xact_start limit 1`,
    );
    for (const { pid } of rows) kill(pid, 'SIGKILL');
  } finally {
    await client.end().catch(() => {});
  }
}
