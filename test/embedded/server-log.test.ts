import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { boundLog, logSize, readTail } from '../../src/embedded/server-log.js';

let directory: string;
let log: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pai-mirror-log-'));
  log = join(directory, 'server.log');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("the server's log", () => {
  test('is left alone up to its limit', async () => {
    await writeFile(log, 'x'.repeat(100));
    await boundLog(log, 100, 10);
    expect(await logSize(log)).toBe(100);
    await boundLog(join(directory, 'not-there.log'), 100, 10);
  });

  test('is cut beyond it, with its end kept, while the server goes on writing', async () => {
    const server = await open(log, 'a');
    await server.write(`${'x'.repeat(100)}the end`);
    await boundLog(log, 100, 7);
    await server.write('and on');
    await server.close();
    expect(await readFile(log, 'utf8')).toBe('and on');
    expect(await readFile(`${log}.1`, 'utf8')).toBe('the end\n');
  });

  test('is read from a mark on, its last bytes at most, also when it was cut behind the mark', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(text, fc.nat(40), fc.integer({ min: 1, max: 40 }), async (logged, offset, limit) => {
        await writeFile(log, logged);
        expect(await readTail(log, offset, limit)).toBe(logged.slice(offset).slice(-limit));
      }),
      { numRuns: 50 },
    );
    expect(await readTail(join(directory, 'not-there.log'), 0, 10)).toBe('');
  });
});
