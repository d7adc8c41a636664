/**
 * Where the databases of tests lie: in memory when there is plenty, else in the directory for temporary files. Every test
 * clones a database, which is 360 files; an ordinary file system took four times the CPU of one in memory for that.
 */
import { chmod, mkdtemp, readdir, readFile, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const IN_MEMORY = '/dev/shm';
/** Bytes; a whole run was seen to use a fifth of it. Containers often have 64 MB there. */
const PLENTY = 4 * 1024 ** 3;

const PREFIX = 'pai-mirror-';
const OLD_MS = 24 * 3_600_000;

/** A new directory that other users can enter (mkdtemp alone keeps them out): as root the server is another user. */
export async function scratchDirectory(name: string): Promise<string> {
  const directory = await mkdtemp(join(await root(), `${PREFIX}${name}-`));
  await chmod(directory, 0o755);
  return directory;
}

/** What a run that was killed has left in memory is kept for a day, as the databases of failed tests are. */
export async function removeOldScratch(): Promise<void> {
  const names = await readdir(IN_MEMORY).catch(() => []);
  for (const name of names.filter((one) => one.startsWith(PREFIX))) {
    const path = join(IN_MEMORY, name);
    // Another run may remove it at the same moment; another user's is not ours to remove.
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > OLD_MS) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

/** `TEST_SCRATCH` sets it. */
async function root(): Promise<string> {
  if (process.env.TEST_SCRATCH) return process.env.TEST_SCRATCH;
  return (await isPlenty()) ? IN_MEMORY : tmpdir();
}

/** The memory that a container may use counts too, and the server's programs must be allowed to run from there. */
async function isPlenty(): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(IN_MEMORY);
    if (bavail * bsize < PLENTY || process.availableMemory() < PLENTY) return false;
    return mayExecute(await readFile('/proc/self/mounts', 'utf8'));
  } catch {
    // Another system, which has none.
    return false;
  }
}

/** Lines of device, mount point, type and options. */
function mayExecute(mounts: string): boolean {
  const mount = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .findLast(([, point]) => point === IN_MEMORY);
  return mount?.[2] === 'tmpfs' && !mount[3]?.split(',').includes('noexec');
}
