/** How busy an account is at which time of the day. Pure. */
export type Rhythm = 'even' | 'daily';

const DAY_MS = 86_400_000;
const BUSIEST_MS = 14 * 3_600_000;
/** By day so much more than on average, by night so much less. */
const SWING = 0.8;

/** Arrivals as a multiple of the average over a whole day; `at` in milliseconds since 1970. */
export const paceAt = (rhythm: Rhythm, at: number): number =>
  rhythm === 'even' ? 1 : 1 + SWING * Math.cos((2 * Math.PI * (at - BUSIEST_MS)) / DAY_MS);
