import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { probe } from './admin.js';
import type { Binaries } from './binaries.js';
import { explainFailure, readPostmasterPid } from './cluster.js';
import { asUser, SERVER_ENVIRONMENT } from './command.js';
import { embeddedFailure, errorCode } from './failure.js';
import type { Home } from './home.js';
import { commandLineOf } from './process-identity.js';
import { logSize, readTail } from './server-log.js';
import { choosePort } from './state-files.js';

const POLL_MS = 50;
/** A fast shutdown writes a checkpoint; one that takes longer is cut short, and recovery makes up for it. */
const FAST_STOP_MS = 5_000;
const IMMEDIATE_STOP_MS = 5_000;
const LOG_TAIL_BYTES = 2_000;
/** Ports that were free a moment ago and taken when the server wanted them. */
const PORT_ATTEMPTS = 5;

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

export const logPath = (home: Home): string => join(home.directory, 'server.log');

/**
 * The server that runs on the cluster, whoever started it. postmaster.pid alone proves nothing after a kill -9 or a
 * power cut: its pid may be another program's by now, so that program's arguments have to name our cluster. (PostgreSQL
 * itself would refuse to start then.)
 */
export async function findServer(cluster: string): Promise<(RunningServer & { stopping: boolean }) | null> {
  const noted = await readPostmasterPid(cluster);
  if (noted === null) return null;
  if (await isPostmaster(noted.pid, cluster)) {
    return { pid: noted.pid, port: noted.port, stopping: noted.status === 'stopping' };
  }
  // A server that answers although its process cannot be seen belongs to another container with the same directory.
  if (noted.port > 0 && (await probe(cluster, noted.port)) === null) {
    throw embeddedFailure(
      'EMBEDDED_BUSY',
      `a server that is not a process of this machine or container answers in ${cluster}; ` +
        'one data directory serves one machine or container at a time',
    );
  }
  return null;
}

/** The postmaster keeps the arguments it was started with; its children show a title instead. */
export async function isPostmaster(pid: number, cluster: string): Promise<boolean> {
  const commandLine = await commandLineOf(pid);
  return commandLine?.includes(` -D ${cluster} `) ?? false;
}

/**
 * Waits until the server that runs on the cluster takes queries: recovery after a crash is part of that. Its note is read
 * anew each time, because a server that has just begun has not written its port there yet.
 */
export async function waitUntilReady(home: Home, deadline: number): Promise<RunningServer> {
  let last: string | null = 'not asked yet';
  while (Date.now() < deadline) {
    const server = await findServer(home.cluster);
    if (server === null) break;
    last = server.port > 0 ? await probe(home.cluster, server.port) : 'no port yet';
    if (last === null) return { pid: server.pid, port: server.port };
    await delay(POLL_MS);
  }
  throw embeddedFailure(
    'EMBEDDED_START',
    `the server on ${home.cluster} does not take connections (${last}); ${await describeLog(home)}`,
  );
}

export interface StartOptions {
  readonly port: number | null;
  readonly settings: Readonly<Record<string, string>>;
  readonly deadline: number;
}

/** Starts a server on the cluster, on another port when someone else takes the chosen one first. */
export async function startServer(home: Home, binaries: Binaries, options: StartOptions): Promise<RunningServer> {
  const taken = new Set<number>();
  for (;;) {
    const port = await choosePort(home.directory, options.port, taken);
    const offset = await logSize(logPath(home));
    const server = await launch(home, binaries, port, options);
    if (server !== null) return server;
    // A process that was killed while it started a server may have left one that was quicker than ours.
    if ((await findServer(home.cluster)) !== null) return waitUntilReady(home, options.deadline);
    const log = await readTail(logPath(home), offset, LOG_TAIL_BYTES);
    const again = await mayTryAgain(log, port, taken);
    if (!again || Date.now() > options.deadline) throw startFailure(home, port, log);
  }
}

/** True after the two failures that pass: a port lost to a race, and the dying children of a killed postmaster. */
async function mayTryAgain(log: string, port: number, taken: Set<number>): Promise<boolean> {
  if (/could not bind IPv4 address|could not create any TCP\/IP sockets/.test(log)) {
    taken.add(port);
    return taken.size < PORT_ATTEMPTS;
  }
  if (!/pre-existing shared memory block|is still in use/.test(log)) return false;
  await delay(500);
  return true;
}

/** One attempt; null when the process ended before it was ready. */
async function launch(
  home: Home,
  binaries: Binaries,
  port: number,
  options: StartOptions,
): Promise<RunningServer | null> {
  const { child, end } = await spawnServer(home, binaries, port, options.settings);
  while (Date.now() < options.deadline) {
    if (child.pid !== undefined && (await probe(home.cluster, port)) === null) return { pid: child.pid, port };
    const ended = await Promise.race([end, delay(POLL_MS, null)]);
    if (ended?.failure) throw startFailure(home, port, explainFailure(ended.failure));
    if (ended !== null) return null;
  }
  if (child.pid !== undefined) await stopServer(home, { pid: child.pid, port });
  throw startFailure(home, port, `not ready in time; ${await describeLog(home)}`);
}

/**
 * Detached: a session of its own, which the terminal's Ctrl-C does not reach and which outlives a killed service. The
 * socket's directory is relative to the data directory, because the path of a socket must be short.
 */
async function spawnServer(
  home: Home,
  binaries: Binaries,
  port: number,
  settings: Readonly<Record<string, string>>,
): Promise<{ child: ChildProcess; end: Promise<{ failure: string | null }> }> {
  const own = { port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: '.', ...settings };
  const args = Object.entries(own).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = await open(logPath(home), 'a', 0o600);
  try {
    const child = spawn(binaries.postgres, ['-D', home.cluster, ...args], {
      cwd: '/',
      env: SERVER_ENVIRONMENT,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      ...asUser(home.user),
    });
    const end = endOf(child);
    child.unref();
    return { child, end };
  } catch (error) {
    throw startFailure(home, port, explainFailure(errorCode(error)));
  } finally {
    await log.close();
  }
}

/** Resolves once the process has ended or could not be started (then with `failure`); never rejects. */
function endOf(child: ChildProcess): Promise<{ failure: string | null }> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ failure: errorCode(error) }));
    child.once('exit', () => resolve({ failure: null }));
  });
}

/**
 * Fast shutdown (SIGINT: sessions end, a checkpoint is written), then immediate (SIGQUIT: the next start recovers).
 * Never SIGKILL: it would leave the server's children and its shared memory behind.
 */
export async function stopServer(home: Home, server: RunningServer): Promise<void> {
  for (const [signal, patience] of [
    ['SIGINT', FAST_STOP_MS],
    ['SIGQUIT', IMMEDIATE_STOP_MS],
  ] as const) {
    if (!(await isPostmaster(server.pid, home.cluster))) return;
    signalServer(server.pid, signal);
    if (await waitUntilGone(server.pid, home.cluster, Date.now() + patience)) return;
  }
  throw embeddedFailure('EMBEDDED_STOP', `the server (pid ${server.pid}) does not stop; ${await describeLog(home)}`);
}

function signalServer(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return;
    throw embeddedFailure('EMBEDDED_STOP', `may not stop the server, pid ${pid} (${errorCode(error)})`, error);
  }
}

export async function waitUntilGone(pid: number, cluster: string, deadline: number): Promise<boolean> {
  while (await isPostmaster(pid, cluster)) {
    if (Date.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

const startFailure = (home: Home, port: number, log: string) =>
  embeddedFailure(
    'EMBEDDED_START',
    `the server on ${home.cluster} did not start on port ${port}: ${log || 'it logged nothing'}`,
  );

async function describeLog(home: Home): Promise<string> {
  return `the end of ${logPath(home)}: ${(await readTail(logPath(home), 0, LOG_TAIL_BYTES)) || '(empty)'}`;
}
