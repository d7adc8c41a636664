import { createHash, randomBytes } from 'node:crypto';
import { access, chmod, constants, link, lstat, mkdir, readFile, realpath, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { describeError, StoreError } from '../domain/errors.js';
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

/**
 * A place of its own for every LOCATION file: whoever deletes the data directory gets a new database, and the old one
 * is not destroyed. The hash, and DATA_DIR in the place, tell people to which directory it belongs.
 */
async function moveOut(requested: string, place: string, user: ServerUser): Promise<Home> {
  const hash = createHash('sha256').update(requested).digest('hex').slice(0, 12);
  const proposed = join(place, 'data', `${hash}-${randomBytes(4).toString('hex')}`);
  const directory = await claimLocation(requested, proposed);
  await makeDirectory(directory);
  await writeWhole(join(directory, 'DATA_DIR'), `${requested}\n`);
  return { directory, cluster: join(directory, 'cluster'), user, binaries: place };
}

/** Of several processes that start for the first time at once, one decides: link(2) never replaces a file. */
async function claimLocation(requested: string, proposed: string): Promise<string> {
  const path = join(requested, LOCATION);
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeWhole(draft, `${proposed}\n`);
  try {
    await link(draft, path);
    return proposed;
  } catch (error) {
    const decided = await readLocation(requested);
    if (decided === null) throw error;
    return decided;
  } finally {
    await rm(draft, { force: true });
  }
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
      // That root cannot switch users is no fault of the place.
      if (error instanceof StoreError) throw error;
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
  const created = await mkdir(path, { recursive: true, mode: 0o755 }).catch((error) => explainMkdir(path, error));
  if (created !== undefined && isRoot()) {
    for (let made = path; made.length >= created.length; made = dirname(made)) await chmod(made, 0o755);
  }
  return realpath(path);
}

/** On a read-only file system Node's recursive mkdir says ENOENT; the nearest directory that exists tells the truth. */
async function explainMkdir(path: string, error: unknown): Promise<never> {
  for (let parent = dirname(path); isMissing(error) && parent !== dirname(parent); parent = dirname(parent)) {
    const found = await lstat(parent).catch(() => null);
    if (found !== null) {
      await access(parent, constants.W_OK);
      break;
    }
  }
  throw error;
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

/** Where the home of a data directory is, when it is not in it. */
export async function readLocation(requested: string): Promise<string | null> {
  try {
    return (await readFile(join(requested, LOCATION), 'utf8')).trim() || null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
