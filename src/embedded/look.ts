/** What there is of the embedded PostgreSQL, for `doctor`: reads only, starts and repairs nothing. */
import { access, constants, readFile, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { MIRROR_NAME } from './admin.js';
import { readPostmasterPid } from './cluster.js';
import { errorCode, isMissing } from './failure.js';
import { readLocation } from './home.js';
import { isPostmaster } from './server.js';

export interface EmbeddedLook {
  /** The data directory as configured, absolute. */
  readonly requested: string;
  /** Where everything lies: the same, or, as root, the place that its file LOCATION names. */
  readonly directory: string;
  /** `absent`: no database was made yet. */
  readonly state: 'absent' | 'stopped' | 'running';
  /** Holds the password; null unless it runs and the password can be read. */
  readonly connectionString: string | null;
  /** Why this user cannot keep a database there; null when nothing speaks against it. */
  readonly problem: string | null;
  /** The password file, when others than its owner may read it. */
  readonly openPasswordFile: string | null;
  /** Bytes on the file system of `directory`; null when it cannot be told. */
  readonly freeBytes: number | null;
  readonly totalBytes: number | null;
}

/** Never throws for what is wrong with the directory: that is the answer. */
export async function lookAtEmbedded(dataDir: string): Promise<EmbeddedLook> {
  const requested = resolve(dataDir);
  const problem = await problemOf(requested);
  const directory = problem === null ? ((await readLocation(requested)) ?? requested) : requested;
  const cluster = join(directory, 'cluster');
  const exists = problem === null && (await stat(join(cluster, 'PG_VERSION')).catch(() => null)) !== null;
  const noted = exists ? await readPostmasterPid(cluster).catch(() => null) : null;
  const runs = noted !== null && noted.port > 0 && (await isPostmaster(noted.pid, cluster));
  const password = join(directory, 'password');
  const space = await spaceOf(directory);
  return {
    requested,
    directory,
    state: runs ? 'running' : exists ? 'stopped' : 'absent',
    connectionString: runs ? await addressOf(password, noted.port) : null,
    problem,
    openPasswordFile: (await isOpen(password)) ? password : null,
    freeBytes: space?.free ?? null,
    totalBytes: space?.total ?? null,
  };
}

/** The directory, or the nearest one above it that exists: there it would be made. */
async function problemOf(requested: string): Promise<string | null> {
  for (let path = requested; ; path = dirname(path)) {
    try {
      const found = await stat(path);
      if (!found.isDirectory()) return `${path} is not a directory`;
      await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
      return null;
    } catch (error) {
      if (errorCode(error) === 'ENOTDIR' || (isMissing(error) && path !== dirname(path))) continue;
      const who = process.getuid === undefined ? 'this user' : `uid ${process.getuid()}`;
      return `${who} may not write in ${path} (${errorCode(error)})`;
    }
  }
}

async function addressOf(passwordFile: string, port: number): Promise<string | null> {
  const password = await readFile(passwordFile, 'utf8').catch(() => null);
  return password === null ? null : `postgresql://${MIRROR_NAME}:${password.trim()}@127.0.0.1:${port}/${MIRROR_NAME}`;
}

async function isOpen(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  return found !== null && (found.mode & 0o077) !== 0;
}

async function spaceOf(directory: string): Promise<{ free: number; total: number } | null> {
  for (let path = directory; ; path = dirname(path)) {
    const found = await statfs(path).catch(() => null);
    if (found !== null) return { free: found.bavail * found.bsize, total: found.blocks * found.bsize };
    if (path === dirname(path)) return null;
  }
}
