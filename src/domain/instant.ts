import type { Instant } from './entities.js';

/** Milliseconds since 1970 to the six-digit form; throws RangeError outside the years 0 to 9999. */
export function instantFromMillis(millis: number): Instant {
  const text = new Date(millis).toISOString();
  if (text.length !== 24) throw new RangeError(`year out of range: ${text}`);
  return `${text.slice(0, 23)}000Z`;
}

/** To milliseconds since 1970, fractions of a millisecond dropped. */
export const instantToMillis = (instant: Instant): number => Date.parse(`${instant.slice(0, 23)}Z`);
