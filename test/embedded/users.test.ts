import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isTrusted } from '../../src/embedded/home.js';
import { scratchDirectory } from '../support/scratch.js';
import { type Checkout, isRoot, makeCheckout, type ServiceProcess } from './checkout.js';
import { query } from './postgres-helpers.js';

/** Any user that is not root; `nobody` exists wherever these tests can run as root. */
const OTHER = isRoot ? userOf('nobody') : { uid: -1, gid: -1 };

function userOf(name: string): { uid: number; gid: number } {
  const ask = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' })) | 0;
  return { uid: ask('-u'), gid: ask('-g') };
}

const ownerOf = async (path: string) => (await stat(path)).uid;
const sayOne = async (service: ServiceProcess) => query(service.answer.connectionString, 'SELECT 1 AS one');

let checkout: Checkout;
let base: string;
let place: string;
let dataDir: string;

beforeAll(async () => {
  [checkout, base] = await Promise.all([makeCheckout(), scratchDirectory('users')]);
  place = join(base, 'system');
});
afterAll(async () => {
  await checkout.remove();
  await rm(base, { recursive: true, force: true });
});
beforeEach(async ({ task }) => {
  const parent = join(base, task.id.replaceAll(/\W/g, '_'));
  await mkdir(parent);
  dataDir = join(parent, 'data');
});

const start = (user?: { uid: number; gid: number }) =>
  checkout.start({ dataDir, systemPlaces: [place], durable: false }, user);

describe.skipIf(!isRoot)('as root', () => {
  describe('the server', () => {
    let service: ServiceProcess;
    beforeAll(async () => {
      service = await checkout.start({ dataDir: join(base, 'open-to-all'), systemPlaces: [place], durable: false });
    });
    afterAll(() => service.end());

    test('runs as another user, with the data in the directory when that user can enter it', async () => {
      const { dataDirectory, pid } = service.answer;
      expect(dataDirectory).toBe(join(base, 'open-to-all'));
      expect(await ownerOf(join(dataDirectory, 'cluster'))).not.toBe(0);
      expect(await ownerOf(`/proc/${pid}`)).toBe(await ownerOf(join(dataDirectory, 'cluster')));
      expect(await sayOne(service)).toEqual([{ one: 1 }]);
    });

    test('has no group of root', async () => {
      const status = await readFile(`/proc/${service.answer.pid}/status`, 'utf8');
      expect(/^Groups:(.*)$/m.exec(status)?.[1]?.trim()).toBe('');
      expect(/^Gid:(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/)).not.toContain('0');
    });
  });

  test('a directory that only root can enter gets a file that names the place of the data, found again later', async () => {
    await mkdir(dataDir, { mode: 0o700 });
    const first = await start();
    await query(first.answer.connectionString, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.end();
    expect(await readdir(dataDir)).toEqual(['LOCATION']);
    expect(await readFile(join(dataDir, 'LOCATION'), 'utf8')).toBe(`${first.answer.dataDirectory}\n`);
    expect(first.answer.dataDirectory.startsWith(join(place, 'data'))).toBe(true);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    const second = await start();
    expect(second.answer.connectionString).toBe(first.answer.connectionString);
    expect(await query(second.answer.connectionString, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await second.end();
  });

  test('a closed directory that was emptied gets a new database, and the old one is not destroyed', async () => {
    await mkdir(dataDir, { mode: 0o700 });
    const first = await start();
    await first.end();
    await rm(join(dataDir, 'LOCATION'));
    const second = await start();
    await second.end();
    expect(second.answer.dataDirectory).not.toBe(first.answer.dataDirectory);
    expect(await readFile(join(first.answer.dataDirectory, 'DATA_DIR'), 'utf8')).toBe(`${dataDir}\n`);
    expect(await readdir(join(first.answer.dataDirectory, 'cluster'))).toContain('PG_VERSION');
  });

  test('processes that start in a closed directory at the same moment agree on one place', async () => {
    await mkdir(dataDir, { mode: 0o700 });
    const all = await Promise.all([start(), start(), start()]);
    expect(new Set(all.map((service) => service.answer.connectionString)).size).toBe(1);
    await Promise.all(all.map((service) => service.end()));
    expect(await readdir(dataDir)).toEqual(['LOCATION']);
  });

  test('a checkout that only root can enter works from its first start on', async () => {
    const closed = join(base, 'closed');
    await mkdir(closed, { mode: 0o700 });
    dataDir = join(closed, 'checkout', '.pai-mirror');
    const service = await start();
    expect(await sayOne(service)).toEqual([{ one: 1 }]);
    await service.end();
  });

  test("another user's data stay that user's, and both can use the server at once", async () => {
    await chown(join(dataDir, '..'), OTHER.uid, OTHER.gid);
    const theirs = await start(OTHER);
    const ours = await start();
    expect(ours.answer).toEqual({ ...theirs.answer, started: false });
    await theirs.end();
    expect(await sayOne(ours)).toEqual([{ one: 1 }]);
    await ours.end();
    const again = await start();
    expect(again.answer.started).toBe(true);
    expect(await ownerOf(`/proc/${again.answer.pid}`)).toBe(OTHER.uid);
    await again.end();
    const back = await start(OTHER);
    expect(await sayOne(back)).toEqual([{ one: 1 }]);
    await back.end();
  });

  test('a LOCATION that names a place of another user is refused', async () => {
    await mkdir(dataDir, { mode: 0o700 });
    const planted = join(base, 'planted');
    await mkdir(planted);
    await chown(planted, OTHER.uid, OTHER.gid);
    await writeFile(join(dataDir, 'LOCATION'), `${planted}\n`);
    await expect(start()).rejects.toMatchObject({
      code: 'EMBEDDED_DIRECTORY',
      message: expect.stringContaining(planted),
    });
  });

  test('a place that another user has made or can write to is passed over', async () => {
    const squatted = join(base, 'squatted');
    await mkdir(squatted);
    await chown(squatted, OTHER.uid, OTHER.gid);
    const options = { dataDir, durable: false };
    await expect(checkout.start({ ...options, systemPlaces: [squatted] })).rejects.toMatchObject({
      code: 'EMBEDDED_DIRECTORY',
      message: expect.stringContaining(`${squatted} (another user could write there)`),
    });
    const service = await checkout.start({ ...options, systemPlaces: [squatted, place] });
    expect(await sayOne(service)).toEqual([{ one: 1 }]);
    await service.end();
    expect(await readdir(squatted)).toEqual([]);
  });

  test('only what root alone can have written is trusted, up to the top', async () => {
    const open = join(base, 'open');
    await mkdir(join(open, 'inner'), { recursive: true });
    expect(await isTrusted(join(open, 'inner'))).toBe(true);
    expect(await isTrusted(join(open, 'not-made-yet'))).toBe(true);
    await symlink(join(open, 'inner'), join(open, 'link'));
    expect(await isTrusted(join(open, 'link'))).toBe(false);
    await chmod(open, 0o777);
    expect(await isTrusted(join(open, 'inner'))).toBe(false);
    await chmod(open, 0o1777);
    expect(await isTrusted(join(open, 'inner'))).toBe(true);
    expect(await isTrusted(open)).toBe(false);
  });
});

describe.skipIf(!isRoot)('as a user without rights', () => {
  test('everything stays in the data directory', async () => {
    await chown(join(dataDir, '..'), OTHER.uid, OTHER.gid);
    const service = await start(OTHER);
    expect(service.answer.dataDirectory).toBe(dataDir);
    expect(await ownerOf(`/proc/${service.answer.pid}`)).toBe(OTHER.uid);
    expect(await sayOne(service)).toEqual([{ one: 1 }]);
    await service.end();
    expect((await readdir(dataDir)).some((name) => name.startsWith('postgresql-'))).toBe(true);
  });

  test('a directory that is not writable is refused by name', async () => {
    await expect(start(OTHER)).rejects.toMatchObject({
      code: 'EMBEDDED_DIRECTORY',
      message: expect.stringMatching(new RegExp(`${dataDir} as uid ${OTHER.uid} \\(EACCES\\)`)),
    });
  });

  test("root's database in a closed place is refused with the place's name", async () => {
    await mkdir(dataDir, { mode: 0o700 });
    const ofRoot = await start();
    await ofRoot.end();
    await chown(dataDir, OTHER.uid, OTHER.gid);
    await chmod(join(dataDir, 'LOCATION'), 0o644);
    await expect(start(OTHER)).rejects.toMatchObject({
      code: 'EMBEDDED_DIRECTORY',
      message: expect.stringContaining(ofRoot.answer.dataDirectory),
    });
  });
});
