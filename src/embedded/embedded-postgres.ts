import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../util/logger.js';
import { ensureDatabase, MIRROR_NAME } from './admin.js';
import { findPlatformPackage, installBinaries, removeOtherVersions } from './binaries.js';
import { disarmStaleLocks, ensureCluster } from './cluster.js';
import { embeddedFailure } from './failure.js';
import { findHome, type Home } from './home.js';
import { livingOwners, withLock } from './lock.js';
import { nameThisProcess } from './process-identity.js';
import {
  findServer,
  isPostmaster,
  logPath,
  type RunningServer,
  startServer,
  stopServer,
  waitUntilGone,
  waitUntilReady,
} from './server.js';
import { boundLog, keepLogBounded } from './server-log.js';
import { readOrMakePassword, readPort, writePort } from './state-files.js';
import { superviseServer } from './supervisor.js';

/** A start may have to recover from a crash, and may wait for another process that does. */
const START_TIMEOUT_MS = 60_000;
const LOCK_TIMEOUT_MS = 200_000;

export interface EmbeddedPostgresOptions {
  /** Where the database lives; made when missing. Several processes may name the same one. */
  readonly dataDir: string;
  readonly logger: Logger;
  /** A port of 127.0.0.1 that must be used. Default: the one of the last start, or else a free one, which is then kept. */
  readonly port?: number;
  /** Server settings for this run, name to value, `{ work_mem: '32MB' }`. They matter only to the process that starts the server. */
  readonly settings?: Readonly<Record<string, string>>;
  /** False trades durability for speed (fsync off): for tests only. Default true. */
  readonly durable?: boolean;
  /** Lets the mirror's role create databases: for tests only. Default false. */
  readonly mayCreateDatabases?: boolean;
  /** False lets a server that ended by itself stay down: for tests that crash it. Default true. */
  readonly restarts?: boolean;
  /** As root: directories of root's, the first usable of which holds what the server user must reach. */
  readonly systemPlaces?: readonly string[];
}

export interface EmbeddedPostgres {
  /** `postgresql://pai_mirror:<password>@127.0.0.1:<port>/pai_mirror`. Holds a secret: for people's eyes, not for logs. */
  readonly connectionString: string;
  readonly port: number;
  /** Where everything lies: `dataDir`, or, as root, the place that `dataDir`/LOCATION names. */
  readonly dataDirectory: string;
  /** The postmaster's; another one after it ended by itself and was started again. */
  readonly pid: number;
  /** How often it was found or started again after it had ended by itself. */
  readonly restarts: number;
  /** False when this process attached to a server that ran already. */
  readonly started: boolean;
  /** The server's log; at most 10 MB, and 1 MB of what went before in `<log>.1`. */
  readonly logFile: string;
  /** Takes this process off the server; the last one stops it. At most about 10 s. May be called again. */
  stop(): Promise<void>;
}

/**
 * A PostgreSQL on this machine for whoever calls: attaches to the server that runs on the data directory, else starts
 * one, else creates it; and starts it again when it ends by itself, as long as it is used. Throws StoreError, whose code
 * begins with `EMBEDDED_`.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  if (process.platform === 'win32') {
    throw embeddedFailure('EMBEDDED_UNSUPPORTED_PLATFORM', 'does not run on Windows; set DATABASE_URL');
  }
  const home = await findHome(options.dataDir, options.systemPlaces);
  return underLock(home, async () => {
    const { server, started } = await findOrStart(home, options);
    const leave = await register(home);
    try {
      const connectionString = await prepareDatabase(home, server, options.mayCreateDatabases ?? false);
      return handle(home, server, options, { connectionString, started, leave });
    } catch (error) {
      await leaveServer(home, leave, options.logger);
      throw error;
    }
  });
}

async function prepareDatabase(home: Home, server: RunningServer, mayCreateDatabases: boolean): Promise<string> {
  const password = await readOrMakePassword(home.directory);
  const connectionString = `postgresql://${MIRROR_NAME}:${password}@127.0.0.1:${server.port}/${MIRROR_NAME}`;
  await ensureDatabase(home.cluster, server.port, connectionString, password, mayCreateDatabases);
  return connectionString;
}

async function findOrStart(
  home: Home,
  options: EmbeddedPostgresOptions,
): Promise<{ server: RunningServer; started: boolean }> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  const running = await findServer(home.cluster);
  if (running !== null && !running.stopping) {
    const server = await waitUntilReady(home, deadline);
    options.logger.info({ port: server.port, pid: server.pid }, 'attached to the embedded PostgreSQL');
    return { server, started: false };
  }
  if (running !== null && !(await waitUntilGone(running.pid, home.cluster, deadline))) {
    throw embeddedFailure('EMBEDDED_STOP', `the server (pid ${running.pid}) began to stop and does not end`);
  }
  return { server: await createAndStart(home, options, deadline), started: true };
}

async function createAndStart(home: Home, options: EmbeddedPostgresOptions, deadline: number): Promise<RunningServer> {
  const { logger, durable = true } = options;
  const binaries = await installBinaries(await findPlatformPackage(), home.binaries, home.user !== null);
  const created = await ensureCluster(home, binaries, durable);
  if (created) logger.info({ dataDirectory: home.directory }, 'created the embedded PostgreSQL');
  if (home.binaries === home.directory) await removeOtherVersions(home.binaries, binaries);
  await boundLog(logPath(home));
  await disarmStaleLocks(home);
  const fast = durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
  const settings = { ...fast, ...options.settings };
  const last = await readPort(home.directory);
  const server = await startServer(home, binaries, { port: options.port ?? null, settings, deadline });
  if (last !== null && last !== server.port) {
    logger.warn({ before: last, now: server.port }, 'the embedded PostgreSQL has another port: the old one is in use');
  }
  if (last !== server.port) await writePort(home.directory, server.port);
  logger.info({ port: server.port, pid: server.pid }, 'started the embedded PostgreSQL');
  return server;
}

const underLock = <T>(home: Home, work: () => Promise<T>): Promise<T> =>
  withLock(join(home.directory, 'lock'), LOCK_TIMEOUT_MS, work);

const clientsOf = (home: Home): string => join(home.directory, 'clients');

/** Leaves a file that says that this process uses the server; returns how to take it away again. */
async function register(home: Home): Promise<() => Promise<void>> {
  const file = join(clientsOf(home), await nameThisProcess());
  await mkdir(clientsOf(home), { recursive: true, mode: 0o700 });
  await writeFile(file, '', { mode: 0o600 });
  return () => rm(file, { force: true });
}

function handle(
  home: Home,
  first: RunningServer,
  options: EmbeddedPostgresOptions,
  own: { connectionString: string; started: boolean; leave: () => Promise<void> },
): EmbeddedPostgres {
  const { logger } = options;
  const log = keepLogBounded(logPath(home));
  let server = first;
  let stopping: Promise<void> | null = null;
  let restarts = 0;
  const restart = async (): Promise<void> => {
    if (stopping !== null) return;
    // The port is part of the address that everyone has by now.
    server = (await findOrStart(home, { ...options, port: first.port })).server;
    restarts += 1;
  };
  const supervised = { isUp: () => isPostmaster(server.pid, home.cluster), restart: () => underLock(home, restart) };
  const watch = options.restarts === false ? null : superviseServer(supervised, logger);
  const stop = async () => {
    watch?.stop();
    log.stop();
    await underLock(home, () => leaveServer(home, own.leave, logger));
  };
  return {
    connectionString: own.connectionString,
    port: first.port,
    dataDirectory: home.directory,
    get pid() {
      return server.pid;
    },
    get restarts() {
      return restarts;
    },
    started: own.started,
    logFile: logPath(home),
    stop: () => (stopping ??= stop()),
  };
}

/** Files of processes that were killed do not count: only the living keep the server up. */
async function leaveServer(home: Home, leave: () => Promise<void>, logger: Logger): Promise<void> {
  await leave();
  const others = await livingOwners(clientsOf(home));
  if (others.length > 0) {
    logger.info({ users: others.length }, 'left the embedded PostgreSQL running: other processes use it');
    return;
  }
  const server = await findServer(home.cluster);
  if (server === null) return;
  await stopServer(home, server);
  logger.info({ pid: server.pid }, 'stopped the embedded PostgreSQL');
}
