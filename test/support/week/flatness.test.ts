import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/emulator/random.js';
import { judgeFlatness, type Sample } from './flatness.js';

const series = (valueAt: (second: number) => number, seconds = 280): Sample[] =>
  Array.from({ length: seconds }, (_, at) => ({ at, value: valueAt(at) }));

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000_000);

describe(`a figure over time (TEST_SEED=${SEED})`, () => {
  const random = new Random(SEED);
  const noise = (most: number): number => most * (2 * random.next() - 1);
  const memory = { share: 0.05, most: 2 };

  it('is flat when it only scatters, warms up at first, or becomes less', () => {
    expect(
      judgeFlatness(
        series(() => 60 + noise(8)),
        memory,
      ).isFlat,
    ).toBe(true);
    expect(
      judgeFlatness(
        series((at) => 60 - 20 * Math.exp(-at / 15) + noise(3)),
        memory,
      ).isFlat,
    ).toBe(true);
    expect(
      judgeFlatness(
        series((at) => 60 - at / 20),
        memory,
      ).isFlat,
    ).toBe(true);
  });

  it('is flat when single samples stand out', () => {
    expect(
      judgeFlatness(
        series((at) => (at % 50 === 49 ? 120 : 60)),
        memory,
      ).isFlat,
    ).toBe(true);
  });

  it('is not flat when it grows by more than is allowed, below any scatter', () => {
    const leak = judgeFlatness(
      series((at) => 60 + at / 25 + noise(5)),
      memory,
    );
    expect(leak).toMatchObject({ isFlat: false, allowed: expect.closeTo(5, 0) });
    expect(leak.late - leak.early).toBeGreaterThan(5);
  });

  it('is not flat when it begins to grow late, or has made one step', () => {
    expect(
      judgeFlatness(
        series((at) => 60 + Math.max(0, at - 200) / 8),
        memory,
      ).isFlat,
    ).toBe(false);
    expect(
      judgeFlatness(
        series((at) => (at < 150 ? 6 : 8)),
        { share: 0, most: 1 },
      ).isFlat,
    ).toBe(false);
  });

  it('is judged with enough samples only', () => {
    expect(() =>
      judgeFlatness(
        series(() => 1, 8),
        memory,
      ),
    ).toThrow('found 2 samples in a quarter');
    expect(() => judgeFlatness([], memory)).toThrow(RangeError);
  });
});
