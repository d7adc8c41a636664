import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isLower, livingOwners, withLock } from '../../src/embedded/lock.js';
import { isNamedProcessAlive, nameThisProcess } from '../../src/embedded/process-identity.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pai-mirror-lock-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** The name of a process that lived a moment ago. */
async function nameOfTheDead(): Promise<string> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return `${child.pid}.12345678-1.0123456789ab`;
}

describe('the lock', () => {
  test('lets one caller work at a time, however many come and however long each takes', async () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 2, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(lengths, async (millis) => {
        let inside = 0;
        let most = 0;
        const work = (length: number) => async () => {
          most = Math.max(most, ++inside);
          await delay(length);
          inside -= 1;
          return length;
        };
        const done = await Promise.all(millis.map((length) => withLock(directory, 20_000, work(length))));
        expect(done).toEqual(millis);
        expect(most).toBe(1);
      }),
      { numRuns: 8 },
    );
    expect(await readdir(directory)).toEqual([]);
  });

  test('is free again when the work has failed', async () => {
    await expect(withLock(directory, 1_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withLock(directory, 1_000, async () => 'yes')).toBe('yes');
  });

  test('passes over the tickets of dead processes, chosen or half chosen, and sweeps them up', async () => {
    const dead = await nameOfTheDead();
    await writeFile(join(directory, `ticket.1.${dead}`), '');
    await writeFile(join(directory, `choosing.${dead}`), '');
    expect(await withLock(directory, 1_000, async () => 'mine')).toBe('mine');
    expect(await readdir(directory)).toEqual([]);
  });

  test('gives up in the end and names the holder', async () => {
    const holder = await nameThisProcess();
    await writeFile(join(directory, `ticket.1.${holder}`), '');
    await expect(withLock(directory, 100, async () => 'mine')).rejects.toMatchObject({
      code: 'EMBEDDED_BUSY',
      message: expect.stringContaining(`ticket.1.${holder}`),
    });
    expect(await readdir(directory)).toEqual([`ticket.1.${holder}`]);
  });

  test('orders any two tickets the same way for both of their owners', () => {
    const ticket = fc.record({ number: fc.integer({ min: 1, max: 3 }), owner: fc.string({ maxLength: 2 }) });
    fc.assert(
      fc.property(ticket, ticket, (one, other) => {
        const same = one.number === other.number && one.owner === other.owner;
        expect(Number(isLower(one, other)) + Number(isLower(other, one))).toBe(same ? 0 : 1);
      }),
    );
  });
});

describe('the name of a process', () => {
  test('is alive as long as the process, and is never the same twice', async () => {
    const [one, other] = await Promise.all([nameThisProcess(), nameThisProcess()]);
    expect(one).not.toBe(other);
    expect(await isNamedProcessAlive(one)).toBe(true);
    expect(await isNamedProcessAlive(await nameOfTheDead())).toBe(false);
  });

  test('is dead when its pid was given to a process that started at another time', async () => {
    const [pid] = (await nameThisProcess()).split('.');
    expect(await isNamedProcessAlive(`${pid}.00000000-1.0123456789ab`)).toBe(false);
  });

  test.each(['', 'x', '.', '1', '-1.a.b', '1.a.b.c/..', '99999999999.a.0f'])('%j names nobody', async (name) => {
    expect(await isNamedProcessAlive(name)).toBe(false);
  });
});

test('the living are listed, and the files of the dead are removed', async () => {
  const [alive, dead] = await Promise.all([nameThisProcess(), nameOfTheDead()]);
  await Promise.all([alive, dead].map((name) => writeFile(join(directory, name), '')));
  expect(await livingOwners(directory)).toEqual([alive]);
  expect(await readdir(directory)).toEqual([alive]);
  expect(await livingOwners(join(directory, 'not-made-yet'))).toEqual([]);
});
