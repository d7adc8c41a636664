/** How the ticks of several replicas become one pass: pure arithmetic over a schedule. Everything in milliseconds. */

/** Upcoming runs of a schedule that are looked at: enough to see the shortest distance of an uneven one. */
export const RUNS_SEEN = 20;

/** A process that starts wants to see results; those that start together still share one pass. */
const FIRST_SPACING_MS = 10_000;

const MOST_JITTER_MS = 500;

/** The shortest time between two runs of a schedule; `0,5 * * * *` has 5 minutes. */
export function shortestPeriod(runs: readonly Date[]): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (let index = 1; index < runs.length; index += 1) {
    const distance = (runs[index] as Date).getTime() - (runs[index - 1] as Date).getTime();
    if (distance > 0) shortest = Math.min(shortest, distance);
  }
  // A schedule that never comes again: its only run need not be spaced from anything.
  return Number.isFinite(shortest) ? shortest : 0;
}

/**
 * A pass that began within this time does for a tick, whichever replica ran it. Half a period keeps both promises
 * whatever the replicas' clocks say: with clocks in step one pass a tick, since they tick within moments of each other
 * and the next tick is a whole period away; with clocks at odds at most two a period, and never more than one and a half
 * periods without any.
 */
export const spacingOf = (periodMs: number): number => periodMs / 2;

export const firstSpacingOf = (periodMs: number): number => Math.min(spacingOf(periodMs), FIRST_SPACING_MS);

/** A random part of this delays a tick, so that not all replicas come to the database in the same millisecond. */
export const jitterOf = (periodMs: number): number => Math.min(MOST_JITTER_MS, periodMs / 10);
