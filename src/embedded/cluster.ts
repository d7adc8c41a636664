import { chown, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.js';
import { runCommand, type ServerUser } from './command.js';
import { embeddedFailure, inDirectory, isMissing } from './failure.js';
import type { Home } from './home.js';

const INITDB_TIMEOUT_MS = 120_000;
const UNFINISHED = 'cluster.new.';

/**
 * What initdb writes into postgresql.conf, where people may change it later. What the mirror must be sure of (address,
 * port, sockets) is given on the server's command line instead.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  max_connections: '100',
  shared_buffers: '128MB',
  max_wal_size: '512MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %u@%d ',
};

/**
 * Locale and encoding do not depend on the machine (the builtin provider needs no locale of the system). Over TCP a
 * password is asked for (SCRAM). The socket asks for none: it lies inside the data directory, which the system lets
 * only the server's user and root enter, and these two could read the files anyway. The superuser has no password, so
 * the socket is his only way in.
 */
const INITDB_ARGUMENTS = [
  '--username=postgres',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--data-checksums',
  '--auth-local=trust',
  '--auth-host=scram-sha-256',
  '--no-instructions',
];

/** Makes sure that there is a cluster of this major version; call it under the home's lock. Returns whether it is new. */
export async function ensureCluster(home: Home, binaries: Binaries, durable: boolean): Promise<boolean> {
  await removeUnfinished(home.directory);
  const major = await majorOf(home.cluster);
  if (major === String(binaries.major)) return false;
  if (major !== null) {
    throw embeddedFailure(
      'EMBEDDED_VERSION',
      `the database in ${home.cluster} was made by PostgreSQL ${major}, this version brings ${binaries.major}; ` +
        'dump it with the version that made it, or choose another PAI_MIRROR_DATA_DIR',
    );
  }
  await inDirectory('create the database', home.directory, () => createCluster(home, binaries, durable));
  return true;
}

/** Null when there is no cluster; PG_VERSION is the file by which PostgreSQL itself tells. */
async function majorOf(cluster: string): Promise<string | null> {
  try {
    return (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (!isMissing(error)) throw error;
    await refuseForeignDirectory(cluster);
    return null;
  }
}

/** A cluster appears complete, by a rename; so what is there without PG_VERSION is not ours to replace. */
async function refuseForeignDirectory(cluster: string): Promise<void> {
  const found = await readdir(cluster).catch((error: unknown) => (isMissing(error) ? [] : Promise.reject(error)));
  if (found.length === 0) return;
  throw embeddedFailure(
    'EMBEDDED_DIRECTORY',
    `${cluster} holds ${found.length} files but no PG_VERSION: expected a PostgreSQL data directory, or nothing`,
  );
}

/**
 * initdb works aside: a kill in the middle leaves a directory that is thrown away later, never half a cluster. Every
 * attempt has a directory of its own, because the initdb of a killed process may still be at work in the last one.
 */
async function createCluster(home: Home, binaries: Binaries, durable: boolean): Promise<void> {
  const fresh = await mkdtemp(join(home.directory, UNFINISHED));
  try {
    if (home.user !== null) await chown(fresh, home.user.uid, home.user.gid);
    await runInitdb(fresh, binaries, home.user, durable);
    await rename(fresh, home.cluster);
  } catch (error) {
    await removeUnfinished(home.directory);
    throw error;
  }
}

/** What cannot be removed now, because someone still writes there, is left to the next start. */
async function removeUnfinished(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(UNFINISHED)) continue;
    await rm(join(directory, name), { recursive: true, force: true }).catch(() => {});
  }
}

async function runInitdb(target: string, binaries: Binaries, user: ServerUser | null, durable: boolean): Promise<void> {
  const settings = Object.entries(SETTINGS).map(([name, value]) => `--set=${name}=${value}`);
  const args = [...INITDB_ARGUMENTS, ...(durable ? [] : ['--no-sync']), ...settings, `--pgdata=${target}`];
  const result = await runCommand(binaries.initdb, args, { user, timeoutMs: INITDB_TIMEOUT_MS });
  if (result.code === 0) return;
  const who = user === null ? '' : ` as ${user.name}`;
  const why = result.failure === null ? `exit code ${result.code}` : explainFailure(result.failure);
  throw embeddedFailure(
    'EMBEDDED_INITDB',
    `${binaries.initdb}${who} did not finish (${why}): ${result.output.slice(-2_000)}`,
  );
}

/** What it means when a program that is there cannot be started. */
export function explainFailure(failure: string): string {
  if (failure === 'ENOENT') return 'ENOENT: the server binaries need a system with glibc, Alpine has none';
  if (failure === 'EACCES') return 'EACCES: programs may not be run from that directory; is it mounted noexec?';
  return failure;
}

/** PostgreSQL's own note about a server that runs, or ran, on the cluster. */
export interface PostmasterPid {
  readonly pid: number;
  readonly port: number;
  /** `starting`, `ready`, `stopping` … */
  readonly status: string;
}

/** The lines of postmaster.pid: pid, data directory, start time, port, socket directory, address, memory key, status. */
export async function readPostmasterPid(cluster: string): Promise<PostmasterPid | null> {
  try {
    const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n').map((line) => line.trim());
    const pid = Number(lines[0]);
    return Number.isInteger(pid) && pid > 0 ? { pid, port: Number(lines[3]), status: lines[7] ?? 'starting' } : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/**
 * Disarms the note of a server that is gone. PostgreSQL refuses to start while the noted pid exists in any form: as a
 * zombie that nobody has waited for (under a container's first process that is the rule), or as another program of the
 * same user. A pid that is the new server's own parent it takes as stale, so that is what is noted: ours. The rest of
 * the note stays, because PostgreSQL finds there the shared memory by which it tells whether children of the dead
 * server are still writing; removing the file would switch that check off. The socket's lock file guards nothing but the socket
 * and is made anew.
 */
export async function disarmStaleLocks(home: Home): Promise<void> {
  for (const name of await readdir(home.cluster)) {
    if (name.startsWith('.s.PGSQL.')) await rm(join(home.cluster, name), { force: true });
  }
  if ((await readPostmasterPid(home.cluster)) === null) return;
  const path = join(home.cluster, 'postmaster.pid');
  const [, ...rest] = (await readFile(path, 'utf8')).split('\n');
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  await writeFile(fresh, [process.pid, ...rest].join('\n'), { mode: 0o600, flag: 'wx' });
  if (home.user !== null) await chown(fresh, home.user.uid, home.user.gid);
  await rename(fresh, path);
}
