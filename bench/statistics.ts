/** Pure arithmetic on samples. None of it hides a bad one: medians are told together with the spread. */

/** Of at least one sample; the mean of the middle two where their number is even. */
export function median(samples: readonly number[]): number {
  return percentile(samples, 50);
}

/** Between the two nearest samples, as PostgreSQL's percentile_cont. `percent` from 0 to 100. */
export function percentile(samples: readonly number[], percent: number): number {
  if (samples.length === 0) throw new RangeError('percentile: found no sample, expected at least one');
  const sorted = [...samples].sort((a, b) => a - b);
  const place = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}

/** Largest distance from the median, as a share of it: 0.1 for samples within 10 %. */
export function spread(samples: readonly number[]): number {
  const middle = median(samples);
  if (middle === 0) return 0;
  return Math.max(...samples.map((sample) => Math.abs(sample - middle))) / Math.abs(middle);
}

/** The median of what each pair says: what slows both halves of a pair, such as a busy machine, cancels out. */
export function medianRatio(pairs: readonly { readonly measured: number; readonly floor: number }[]): number {
  return median(pairs.map(({ measured, floor }) => measured / floor));
}

/** Most events in any `windowMs` milliseconds, its beginning included and its end not. `times` ascend. */
export function mostWithin(times: readonly number[], windowMs: number): number {
  let most = 0;
  let first = 0;
  for (const [last, time] of times.entries()) {
    while (time - (times[first] as number) >= windowMs) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/**
 * Share of a call budget that was used between the first and the last call. The first call is the beginning of the first
 * interval and uses none itself. `times` in milliseconds, ascending; null with fewer than two calls.
 */
export function budgetShare(times: readonly number[], callsPerSecond: number): number | null {
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined || last <= first) return null;
  return (times.length - 1) / ((callsPerSecond * (last - first)) / 1_000);
}
