import { describe, expect, test } from 'vitest';
import { budgetShare, median, medianRatio, mostWithin, percentile, spread } from '../../bench/statistics.js';

describe('percentiles', () => {
  test.each([
    [[5], 95, 5],
    [[1, 2, 3, 4], 50, 2.5],
    [[4, 1, 3, 2, 5], 50, 3],
    [[10, 20, 30], 100, 30],
    [[0, 100], 95, 95],
  ])('of %j at %i is %d', (samples, percent, expected) => {
    expect(percentile(samples, percent)).toBeCloseTo(expected);
  });

  test('of nothing are an error, not zero', () => {
    expect(() => median([])).toThrow('found no sample');
  });

  test('do not reorder the samples they are given', () => {
    const samples = [3, 1, 2];
    median(samples);
    expect(samples).toEqual([3, 1, 2]);
  });
});

test('the spread is the largest distance from the median, as a share of it', () => {
  expect(spread([90, 100, 130])).toBeCloseTo(0.3);
  expect(spread([0, 0])).toBe(0);
});

test('the ratio of pairs is the median of their ratios: a slow moment that hit one pair does not move it', () => {
  const pairs = [
    { measured: 80, floor: 100 },
    { measured: 40, floor: 50 },
    { measured: 8, floor: 100 },
  ];
  expect(medianRatio(pairs)).toBeCloseTo(0.8);
});

describe('calls in a window', () => {
  test('are counted with its beginning and without its end', () => {
    expect(mostWithin([0, 500, 999, 1_000, 1_400], 1_000)).toBe(4);
    expect(mostWithin([0, 1_000, 2_000], 1_000)).toBe(1);
    expect(mostWithin([], 1_000)).toBe(0);
  });
});

describe('the share of a budget', () => {
  test('is 1 when calls come exactly as often as allowed', () => {
    expect(budgetShare([0, 100, 200, 300, 400], 10)).toBeCloseTo(1);
  });

  test('is less when there are gaps', () => {
    expect(budgetShare([0, 100, 200, 300, 800], 10)).toBeCloseTo(0.5);
  });

  test('cannot be told from one call', () => {
    expect(budgetShare([5], 10)).toBeNull();
  });
});
