import { createHash } from 'node:crypto';
import { access, chmod, constants, lstat, mkdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { describeError } from '../domain/errors.js';
import type { ServerUser } from './command.js';
import { embeddedFailure, inDirectory, isMissing } from './failure.js';
import { canEnter, chooseServerUser, isRoot } from './server-user.js';
import { writeWhole } from './state-files.js';

/** Where everything of one embedded server lies. */
export interface Home {
  /** Data, password, port, log, locks: one directory, so that whoever finds it finds a whole server. */
  readonly directory: string;
  /** `<directory>/cluster`: PostgreSQL's data directory. */
  readonly cluster: string;
  /** Null: the user of this process. */
  readonly user: ServerUser | null;
  /** Where the server binaries are installed. */
  readonly binaries: string;
}

/**
 * Where root keeps what a server user must reach and nobody else may touch. The second choice is for containers with a
 * read-only /var/lib; below the sticky /var/tmp another user could squat the name, which `isTrusted` finds out.
 */
const SYSTEM_PLACES = ['/var/lib/pai-mirror', '/var/tmp/pai-mirror'];
/** In the requested directory: the home's path, when that is somewhere else. */
const LOCATION = 'LOCATION';

/** Creates what is missing, decides where the server lives and who runs it. Changes no directory that it did not make. */
export async function findHome(dataDir: string, systemPlaces: readonly string[] = SYSTEM_PLACES): Promise<Home> {
  return inDirectory('keep a database', dataDir, async () => {
    const requested = await makeDirectory(dataDir);
    return isRoot() ? homeOfRoot(requested, systemPlaces) : homeOfUser(requested);
  });
}

async function homeOfUser(requested: string): Promise<Home> {
  await access(requested, constants.R_OK | constants.W_OK | constants.X_OK);
  const elsewhere = await readLocation(requested);
  if (elsewhere !== null) {
    throw embeddedFailure(
      'EMBEDDED_DIRECTORY',
      `${requested} belongs to a database that root started and that lies in ${elsewhere}; ` +
        'run as root again, or choose another PAI_MIRROR_DATA_DIR',
    );
  }
  return { directory: requested, cluster: join(requested, 'cluster'), user: null, binaries: requested };
}

async function homeOfRoot(requested: string, places: readonly string[]): Promise<Home> {
  const elsewhere = await readLocation(requested);
  const directory = elsewhere ?? requested;
  const cluster = join(directory, 'cluster');
  const user = (await chooseServerUser(cluster)) as ServerUser;
  const binaries = await findSystemPlace(places, user);
  if (elsewhere !== null) {
    await requireTrusted(elsewhere, join(requested, LOCATION));
    await makeDirectory(elsewhere);
    return { directory, cluster, user, binaries };
  }
  if (await canEnter(requested, user)) return { directory, cluster, user, binaries };
  await refuseUnreachableCluster(cluster, user);
  return moveOut(requested, binaries, user);
}

/** The name is derived from the directory's real path: a lost LOCATION file leads to the same place again. */
async function moveOut(requested: string, place: string, user: ServerUser): Promise<Home> {
  const hash = createHash('sha256').update(requested).digest('hex').slice(0, 16);
  const directory = await makeDirectory(join(place, 'data', hash));
  await writeWhole(join(requested, LOCATION), `${directory}\n`);
  return { directory, cluster: join(directory, 'cluster'), user, binaries: place };
}

async function refuseUnreachableCluster(cluster: string, user: ServerUser): Promise<void> {
  const exists = await lstat(cluster).catch((error: unknown) => (isMissing(error) ? null : Promise.reject(error)));
  if (exists === null) return;
  throw embeddedFailure(
    'EMBEDDED_DIRECTORY',
    `the database in ${cluster} belongs to ${user.name}, who can no longer enter that directory; ` +
      'give the directories above it execute permission for others (chmod o+x), as they had before',
  );
}

async function findSystemPlace(places: readonly string[], user: ServerUser): Promise<string> {
  const tried: string[] = [];
  for (const wanted of places) {
    try {
      const place = await makeDirectory(wanted);
      if (!(await isTrusted(place))) tried.push(`${wanted} (another user could write there)`);
      else if (!(await canEnter(place, user))) tried.push(`${wanted} (${user.name} cannot enter it)`);
      else return place;
    } catch (error) {
      tried.push(`${wanted} (${describeError(error)})`);
    }
  }
  throw embeddedFailure(
    'EMBEDDED_DIRECTORY',
    `as root the server runs as ${user.name} and needs a directory that is root's own; tried ${tried.join(', ')}`,
  );
}

/** Real path of the directory, made when missing and then enterable for everyone, whatever the umask says. */
async function makeDirectory(wanted: string): Promise<string> {
  const path = resolve(wanted);
  const created = await mkdir(path, { recursive: true, mode: 0o755 });
  if (created !== undefined && isRoot()) {
    for (let made = path; made.length >= created.length; made = dirname(made)) await chmod(made, 0o755);
  }
  return realpath(path);
}

async function requireTrusted(directory: string, namedBy: string): Promise<void> {
  if (await isTrusted(directory)) return;
  throw embeddedFailure(
    'EMBEDDED_DIRECTORY',
    `${namedBy} names ${directory}, which another user than root could have written; expected a directory of root's`,
  );
}

/**
 * Whether only root can have put things into the directory: every directory on the way is root's and writable by no one
 * else, or sticky, where nobody can replace what root has made. What does not exist yet adds no doubt.
 */
export async function isTrusted(directory: string): Promise<boolean> {
  for (let path = directory; ; path = dirname(path)) {
    const found = await lstat(path).catch((error: unknown) => (isMissing(error) ? null : Promise.reject(error)));
    if (found !== null) {
      const writable = (found.mode & 0o022) !== 0;
      const sticky = (found.mode & 0o1000) !== 0 && path !== directory;
      if (!found.isDirectory() || found.uid !== 0 || (writable && !sticky)) return false;
    }
    if (path === dirname(path)) return true;
  }
}

async function readLocation(requested: string): Promise<string | null> {
  try {
    return (await readFile(join(requested, LOCATION), 'utf8')).trim() || null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
