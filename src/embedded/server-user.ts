import { stat } from 'node:fs/promises';
import { runCommand, type ServerUser } from './command.js';
import { embeddedFailure, isMissing } from './failure.js';

/** Never the name of a user that this program creates: it takes what the machine has. */
const CANDIDATES = ['postgres', 'nobody'];
/** The kernel's overflow uid, good enough where not even `nobody` has a name. */
const ANONYMOUS: ServerUser = { name: 'uid 65534', uid: 65_534, gid: 65_534 };

export const isRoot = (): boolean => process.geteuid?.() === 0;

/**
 * Who is to run the server. PostgreSQL refuses to run as root, so root hands over to another user: the owner of the
 * data when there are some, else the first of the candidates that exists. Everyone else runs it themselves: null.
 */
export async function chooseServerUser(cluster: string): Promise<ServerUser | null> {
  if (!isRoot()) return null;
  const owner = await ownerOf(cluster);
  if (owner !== null && owner.uid !== 0) return owner;
  for (const name of CANDIDATES) {
    const user = await lookUp(name);
    if (user !== null && user.uid !== 0) return user;
  }
  return ANONYMOUS;
}

/** Asks the kernel, not the mode bits: access lists and mounts count too. Hence a shell as that user. */
export async function canEnter(directory: string, user: ServerUser): Promise<boolean> {
  const result = await runCommand('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], { user, timeoutMs: 10_000 });
  if (result.failure === null) return result.code === 0;
  throw embeddedFailure(
    'EMBEDDED_USER',
    `PostgreSQL does not run as root, and root cannot switch to ${user.name} here (${result.failure}); ` +
      'run as another user, or set DATABASE_URL',
  );
}

async function ownerOf(path: string): Promise<ServerUser | null> {
  try {
    const { uid, gid } = await stat(path);
    return { name: `uid ${uid}`, uid, gid };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Through id(1), because users need not be in /etc/passwd. */
async function lookUp(name: string): Promise<ServerUser | null> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map((flag) => runCommand('id', [flag, name], { timeoutMs: 10_000 })),
  );
  if (uid?.code !== 0 || gid?.code !== 0) return null;
  // spawn takes signed 32-bit ids, and `nobody` of macOS is -2, printed as 4294967294.
  return { name, uid: Number(uid.output) | 0, gid: Number(gid.output) | 0 };
}
