/** The best of each metric where runs are looked at in parts. */
import type { BestMetric } from './page.js';

/** Of both, by name. Of equal values the run with the lesser id counts, as within one part. */
export function mergeBest(ones: readonly BestMetric[], others: readonly BestMetric[]): BestMetric[] {
  const merged = new Map(ones.map((one) => [one.key, one]));
  for (const other of others) {
    const one = merged.get(other.key);
    merged.set(other.key, one === undefined ? other : { ...better(one, other), runs: one.runs + other.runs });
  }
  return [...merged.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
}

function better(one: BestMetric, other: BestMetric): BestMetric {
  if (one.bestValue === null || one.bestRunId === null) return other;
  if (other.bestValue === null || other.bestRunId === null) return one;
  const difference = one.lowerIsBetter ? one.bestValue - other.bestValue : other.bestValue - one.bestValue;
  // Infinite on both sides.
  const isEqual = one.bestValue === other.bestValue;
  if (isEqual) return one.bestRunId <= other.bestRunId ? one : other;
  return difference < 0 ? one : other;
}
