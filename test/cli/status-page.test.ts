/** The status page of the command as it is delivered: built, and with the files that the package has. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { startEmulator } from '../../src/emulator/server.js';
import { environmentFor, startCli } from '../support/cli.js';
import { createDatabase } from '../support/database.js';
import { addressOf, ask } from '../support/http.js';

const ROOT = resolve(import.meta.dirname, '../..');

it('start shows every page, each of its files and the page of each run that it links', async () => {
  const emulator = await startEmulator({
    history: 5,
    active: 1,
    experimentRuns: 2,
    clock: new SimulatedClock({ speed: 0 }),
  });
  onTestFinished(() => emulator.close());
  const service = startCli(['start'], { env: environmentFor(emulator, (await createDatabase()).url) });
  const url = await addressOf(service);
  const runs = async (): Promise<string[]> => [
    ...new Set(
      [...(await ask(`${url}/runs`)).text.matchAll(/href="(\/runs\/[\w-]+)"/g)].map(([, href]) => href as string),
    ),
  ];
  await expect.poll(async () => (await runs()).length, { timeout: 60_000 }).toBe(6);

  const files = new Set<string>();
  for (const path of ['/', '/runs', '/experiments', '/mirror', '/quarantine', ...(await runs())]) {
    const { status, text, headers } = await ask(`${url}${path}`);
    expect([path, status, headers['content-type']]).toEqual([path, 200, 'text/html; charset=utf-8']);
    for (const [, file] of text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)) files.add(file as string);
  }
  const kinds = new Map<string, number>();
  for (const file of files) {
    const { status, text, headers } = await ask(`${url}${file}`);
    expect([file, status]).toEqual([file, 200]);
    expect(text.length).toBeGreaterThan(200);
    const kind = String(headers['content-type']).split(';')[0] as string;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  expect(Object.fromEntries(kinds)).toEqual({ 'image/svg+xml': 1, 'text/css': 2, 'text/javascript': 4 });
  service.child.kill('SIGTERM');
  expect(await service.exited, service.stderr()).toBe(0);
});

it('the package has all that the page and the database need, and nothing of the tests', () => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const told = execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [{ files }] = JSON.parse(told) as [{ files: { path: string }[] }];
  const packed = new Set(files.map(({ path }) => path));
  const own = (folder: string): string[] =>
    readdirSync(resolve(ROOT, folder), { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath.slice(ROOT.length + 1)}/${entry.name}`);
  const needed = [
    'dist/main.js',
    ...own('migrations'),
    ...own('src/http/page/assets').map((file) => file.replace(/^src/, 'dist')),
  ];
  expect(needed.length).toBeGreaterThan(20);
  expect(needed.filter((file) => !packed.has(file))).toEqual([]);
  expect([...packed].filter((file) => /^(src|test|bench|docs)\//.test(file))).toEqual([]);
});
