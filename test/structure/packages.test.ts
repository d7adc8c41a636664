import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const readJson = (file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly integrity?: string;
  readonly version?: string;
  readonly link?: boolean;
}

/** Where packages are downloaded from; put together here, so that this file does not name one itself. */
const REGISTRY_HOST = new RegExp(['registry\\.(npmjs|npmmirror|yarnpkg)', '(org|com)'].join('\\.'), 'i');

/** What a commit may hold: tracked files and new ones that are not ignored. Null without git or outside a checkout. */
function projectFiles(): string[] | null {
  try {
    const args = ['-c', `safe.directory=${ROOT}`, 'ls-files', '--cached', '--others', '--exclude-standard', '-z'];
    const list = execFileSync('git', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] });
    return list.toString().split('\0').filter(Boolean);
  } catch {
    return null;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(join(ROOT, file), 'utf8');
  } catch {
    return ''; // Deleted, and that not committed yet.
  }
}

describe('package-lock.json', () => {
  const packages = Object.entries(readJson('package-lock.json').packages as Record<string, LockedPackage>);

  test('holds no download address', () => {
    expect(packages.length).toBeGreaterThan(50);
    expect(packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
  });

  /** npm takes the archive from whichever registry a machine is told to use: the hash says that it is the same one. */
  test('has a hash of every package, and none that is found by git, a file or an address', () => {
    const installed = packages.filter(([path]) => path !== '');
    expect(installed.filter(([, { integrity = '' }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity))).toEqual([]);
    expect(installed.filter(([, entry]) => entry.link === true || !/^\d+\.\d+\.\d+/.test(entry.version ?? ''))).toEqual(
      [],
    );
    expect(installed.filter(([path]) => !/^(node_modules\/(@[\w.-]+\/)?[\w.-]+\/?)+$/.test(`${path}/`))).toEqual([]);
  });

  /** npm leaves a platform's package out when its registry lacks it, and `npm ci` then refuses the file everywhere. */
  test('names the packages of all platforms, not only those of the machine that wrote it', () => {
    const names = new Set(packages.map(([path]) => path.split('node_modules/').at(-1)));
    const wanted = packages.flatMap(([, entry]) => Object.keys(entry.optionalDependencies ?? {}));
    expect(wanted.length).toBeGreaterThan(10);
    expect(wanted.filter((name) => !names.has(name))).toEqual([]);
  });

  test('names no package with an install script that package.json does not deny', () => {
    const denied: Record<string, boolean> = readJson('package.json').allowScripts;
    const scripted = packages.filter(([, entry]) => entry.hasInstallScript);
    const names = scripted.map(([path]) => path.split('node_modules/').at(-1) as string);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => denied[name] !== false)).toEqual([]);
  });
});

/** `allowScripts` is for the npm that knows it, from 11 on; the setting is for all of them. */
test('npm runs no install script here, of which version it may be', () => {
  expect(readText('.npmrc').split('\n')).toContain('ignore-scripts=true');
  // With it npm leaves out what comes before and after a script, too.
  const names = Object.keys(readJson('package.json').scripts);
  expect(names.filter((name) => /^(pre|post)/.test(name) || name === 'prepare')).toEqual([]);
});

test('package.json pins every dependency to one version', () => {
  const { dependencies, devDependencies } = readJson('package.json') as Record<string, Record<string, string>>;
  const versions = Object.entries({ ...dependencies, ...devDependencies });
  expect(versions.length).toBeGreaterThan(10);
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version))).toEqual([]);
});

test('no file of the project names a registry', ({ skip }) => {
  const files = projectFiles() ?? skip('this copy of the project is not a git checkout');
  expect(files).toContain('package.json');
  expect(files.filter((file) => REGISTRY_HOST.test(readText(file)))).toEqual([]);
  expect(REGISTRY_HOST.test(`"https://${['registry', 'npmjs', 'org'].join('.')}/pg"`)).toBe(true);
});
