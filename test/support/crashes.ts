/** The ways in which a PostgreSQL of a test's own can crash. */
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { OwnServer } from './own-server.js';

/**
 * `immediate`: all its processes end at once, as with `pg_ctl stop -m immediate`. `postmaster`: kill -9 of the first
 * process; the others notice and end. `backend`: kill -9 of one connection's process, after which PostgreSQL ends all
 * others and recovers by itself.
 */
export const CRASHES = ['immediate', 'postmaster', 'backend'] as const;
export type CrashKind = (typeof CRASHES)[number];

/**
 * What was committed survives the death of every process, because the operating system has it: commits are written
 * through (synchronous_commit), but not to the disk (fsync), which only a power cut would need.
 */
export const CRASH_SAFE = { fsync: 'off', synchronous_commit: 'on', full_page_writes: 'on' };

/** Tries of a connection to a server that may be recovering, and milliseconds between two of them. */
const TRIES = 100;
const TRY_EVERY_MS = 200;

/** A server that was killed stays down for `downMs`; one that lost a backend recovers by itself. Resolves when it is up. */
export async function crash(server: OwnServer, kind: CrashKind, downMs: number): Promise<void> {
  if (kind === 'backend') return killBackend(server.url);
  await server.down(kind);
  await delay(downMs);
  await server.up();
}

/** The one that has been in a transaction for the longest time, where there is one. */
async function killBackend(url: string): Promise<void> {
  const pid = await patiently(url, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
       order by xact_start is null, xact_start limit 1`,
    );
    return rows[0]?.pid ?? null;
  });
  if (pid !== null) kill(pid);
  await patiently(url, (client) => client.query('select 1'));
}

/** Until it works: connections break in the middle while the server ends all of them and recovers. */
async function patiently<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      return await work(client);
    } catch (error) {
      if (attempt === TRIES) throw error;
    } finally {
      await client.end().catch(() => {});
    }
    await delay(TRY_EVERY_MS);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * A port that stays free while the server is down: away from the range in which embedded servers look for one by
 * themselves (other tests start theirs meanwhile), and from the ports of outgoing connections.
 */
export async function quietPort(): Promise<number> {
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
