import { expect, it } from 'vitest';
import { firstSpacingOf, jitterOf, shortestPeriod, spacingOf } from '../../src/scheduler/timing.js';

const minutes = (...values: number[]): Date[] => values.map((value) => new Date(value * 60_000));

it('an uneven schedule has the shortest of its distances as its period', () => {
  expect(shortestPeriod(minutes(0, 5, 60, 65))).toBe(5 * 60_000);
  expect(shortestPeriod(minutes(0))).toBe(0);
  expect(shortestPeriod([])).toBe(0);
});

/** Ticks of replicas on one schedule, each with its own error of the clock; returns when passes began, in periods. */
function passesOf(offsets: readonly number[], periods: number): number[] {
  const period = 30_000;
  const ticks = offsets.flatMap((offset) => Array.from({ length: periods }, (_, tick) => (tick + offset) * period));
  const began: number[] = [];
  for (const tick of ticks.sort((a, b) => a - b)) {
    const last = began.at(-1);
    if (last === undefined || tick - last >= spacingOf(period)) began.push(tick);
  }
  return began.map((at) => at / period);
}

it('replicas whose clocks agree share one pass a tick', () => {
  const offsets = Array.from({ length: 20 }, (_, index) => index / 1_000);
  expect(passesOf(offsets, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it('replicas with any clocks make at most two passes a period, and no gap of more than one and a half periods', () => {
  for (let first = 0; first < 1; first += 0.07) {
    for (let second = 0; second < 1; second += 0.11) {
      const began = passesOf([0, first, second], 50);
      expect(began.length).toBeLessThanOrEqual(2 * 50 + 1);
      const gaps = began.slice(1).map((at, index) => at - (began[index] as number));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(1.5);
    }
  }
});

it('the first tick of a process waits for a pass of the last seconds only, and delays are short beside the period', () => {
  expect(firstSpacingOf(6 * 3_600_000)).toBe(10_000);
  expect(firstSpacingOf(1_000)).toBe(500);
  expect(jitterOf(1_000)).toBe(100);
  expect(jitterOf(3_600_000)).toBe(500);
});
