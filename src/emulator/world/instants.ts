import type { Instant } from '../../domain/entities.js';
import { instantFromMillis } from '../../domain/instant.js';

const DAY = 86_400_000;
const MINUTE = 60_000;

/**
 * The same text as `instantFromMillis`, five times as fast where neighbours fall on the same day: a page of 100 runs
 * has 400 times, and formatting them was a fifth of the cost of a page.
 */
export class InstantWriter {
  private day = Number.NaN;
  private date = '';
  /** `hh:mm:` of every minute of a day, and `ss.mmm000Z` of every millisecond of a minute. */
  private readonly minutes: readonly string[];
  private readonly millis: readonly string[];

  constructor() {
    const at = (millis: number): string => instantFromMillis(millis);
    this.minutes = Array.from({ length: DAY / MINUTE }, (_, minute) => at(minute * MINUTE).slice(11, 17));
    this.millis = Array.from({ length: MINUTE }, (_, milli) => at(milli).slice(17));
  }

  write(millis: number): Instant {
    const day = Math.floor(millis / DAY);
    if (day !== this.day) {
      this.date = instantFromMillis(day * DAY).slice(0, 11);
      this.day = day;
    }
    const rest = millis - day * DAY;
    const minute = Math.floor(rest / MINUTE);
    return this.date + (this.minutes[minute] as string) + (this.millis[Math.floor(rest - minute * MINUTE)] as string);
  }
}
