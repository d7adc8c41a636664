import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { otherActiveStatus, sample } from '../../bench/active-runs.js';
import { createCleanup } from '../../bench/cleanup.js';
import { timeCalls } from '../../bench/own-calls.js';
import { isTerminal } from '../../src/domain/status.js';

describe('cleaning up after the bench', () => {
  test('goes backward, once each, and a step that fails keeps no other from being done', async () => {
    const cleanup = createCleanup();
    const done: string[] = [];
    const told: string[] = [];
    cleanup.add('server', async () => void done.push('server'));
    const early = cleanup.add('database', async () => void done.push('database'));
    cleanup.add('process', () => Promise.reject(new Error('does not end')));
    await early();
    await cleanup.run((line) => told.push(line));
    expect(done).toEqual(['database', 'server']);
    expect(told).toEqual(['process: does not end']);
  });

  test('lets nothing more be made once it has begun', async () => {
    const cleanup = createCleanup();
    await cleanup.run(() => {});
    expect(() => cleanup.add('database', async () => {})).toThrow('the bench is ending');
  });
});

describe('runs to change', () => {
  test('are different ones, as many as there are at most', () => {
    const runs = [1, 2, 3, 4, 5];
    expect(new Set(sample(runs, 3)).size).toBe(3);
    expect(sample(runs, 9).sort()).toEqual(runs);
    expect(sample(runs, 2, () => 0)).toEqual([1, 5]);
  });

  test('stay active, and get another status each time', () => {
    for (const status of ['Running', 'Suspended', 'Initialized', '']) {
      expect(otherActiveStatus(status)).not.toBe(status);
      expect(isTerminal(otherActiveStatus(status))).toBe(false);
    }
  });
});

test("the calls' own time is taken with as many at once as the service makes", async () => {
  let open = 0;
  let most = 0;
  const called: number[] = [];
  const seconds = await timeCalls([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, ++open);
    await delay(5);
    called.push(item);
    open -= 1;
  });
  expect(most).toBe(2);
  expect(called.sort()).toEqual([1, 2, 3, 4, 5]);
  expect(seconds).toBeGreaterThan(0);
});
