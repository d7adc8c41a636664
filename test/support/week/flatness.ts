/** Whether a figure that is sampled all along stays as it is, or grows. Pure. */

export interface Sample {
  /** Seconds since the beginning. */
  readonly at: number;
  readonly value: number;
}

/** What may come on top of the second quarter's median: this share of it, and this much. */
export interface Tolerance {
  readonly share: number;
  readonly most: number;
}

export interface Flatness {
  /** Medians of the second and of the last quarter of the time. */
  readonly early: number;
  readonly late: number;
  /** By how much the line through the second half (least squares) rises from its beginning to its end. */
  readonly rise: number;
  /** Growth that is still flat. */
  readonly allowed: number;
  readonly isFlat: boolean;
}

/** Fewer in a quarter, and its median is that of chance. */
const FEWEST_IN_A_QUARTER = 3;

/**
 * The first quarter is left out: caches fill, code is compiled, pools open their connections. Two looks at the rest, and
 * either of them is enough to fail: medians see what has grown, whatever happened in between; the line sees what is
 * still growing at the end. What becomes less is no fault. Throws RangeError where there are too few samples to tell.
 */
export function judgeFlatness(samples: readonly Sample[], { share, most }: Tolerance): Flatness {
  const sorted = [...samples].sort((a, b) => a.at - b.at);
  const begin = sorted[0]?.at ?? 0;
  const length = (sorted.at(-1)?.at ?? 0) - begin;
  const within = (from: number, to: number): Sample[] =>
    sorted.filter(({ at }) => at >= begin + from * length && at <= begin + to * length);
  const quarters = [within(0.25, 0.5), within(0.75, 1)] as const;
  const fewest = Math.min(...quarters.map((quarter) => quarter.length));
  if (fewest < FEWEST_IN_A_QUARTER)
    throw new RangeError(`flatness: found ${fewest} samples in a quarter, expected ${FEWEST_IN_A_QUARTER} or more`);
  const [early, late] = quarters.map((quarter) => median(quarter.map(({ value }) => value))) as [number, number];
  const allowed = share * Math.abs(early) + most;
  const rise = (slopeOf(within(0.5, 1)) * length) / 2;
  return { early, late, rise, allowed, isFlat: late - early <= allowed && rise <= allowed };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Of the line with the least squares: value by time. */
export function slopeOf(samples: readonly Sample[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [at, value] = [mean(samples.map((one) => one.at)), mean(samples.map((one) => one.value))];
  const spread = samples.reduce((sum, one) => sum + (one.at - at) ** 2, 0);
  const together = samples.reduce((sum, one) => sum + (one.at - at) * (one.value - value), 0);
  return spread === 0 ? 0 : together / spread;
}
