import type { Clock } from '../util/clock.js';
import { orAborted } from './abort.js';

/** Permission to call. Behind an interface because all replicas of an account share one quota. */
export interface Budget {
  /** Resolves when one call may be made; rejects with the signal's reason when that aborts first. */
  take(signal: AbortSignal): Promise<void>;
  /** The source said that calls come too fast, and perhaps for how many milliseconds to stop. */
  throttled(hintMs?: number): void;
  succeeded(): void;
}

/** Calls that may follow each other without a pause after idle time, in seconds of the rate. */
const BURST_SECONDS = 0.2;
const SLOWEST = 1 / 16;
/** Throttling answers of calls that were under way together count once. Milliseconds. */
const SLOWER_EVERY_MS = 1000;
/** Successes that bring the pace from the slowest back to the whole rate: 30. */
const FASTER_BY = 1 / 32;
const MAX_PAUSE_MS = 60_000;

/**
 * A token bucket, kept as the time at which the next call is due. Calls are spaced evenly: a bucket that saves up a
 * whole second would let twice the rate through within one, and PAI counts within windows (ListRuns: 50 in 3 s, so
 * 15 a second with a burst of 3 stays below). Callers are served in the order in which they came.
 */
export class RateLimiter implements Budget {
  private dueAt = Number.NEGATIVE_INFINITY;
  private pausedUntil = Number.NEGATIVE_INFINITY;
  private slowedAt = Number.NEGATIVE_INFINITY;
  private pace = 1;
  private lastInLine: Promise<void> = Promise.resolve();

  /** `perSecond` 0 sets no limit. */
  constructor(
    private readonly perSecond: number,
    private readonly clock: Clock,
  ) {}

  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const before = this.lastInLine;
    let leave = (): void => {};
    this.lastInLine = new Promise((resolve) => {
      leave = resolve;
    });
    try {
      await orAborted(before, signal);
      await this.waitUntilDue(signal);
    } finally {
      // Who gives up while waiting lets the next one in only when its own turn would have come.
      void before.then(leave);
    }
  }

  throttled(hintMs = 0): void {
    const now = this.clock.now();
    this.pausedUntil = Math.max(this.pausedUntil, now + Math.min(hintMs, MAX_PAUSE_MS));
    // A clock that was set back must not keep the pace up.
    if (now - this.slowedAt >= SLOWER_EVERY_MS || now < this.slowedAt) {
      this.slowedAt = now;
      this.pace = Math.max(SLOWEST, this.pace / 2);
    }
  }

  succeeded(): void {
    this.pace = Math.min(1, this.pace + FASTER_BY);
  }

  private async waitUntilDue(signal: AbortSignal): Promise<void> {
    for (let wait = this.waitMs(); wait > 0; wait = this.waitMs()) await this.clock.sleep(Math.ceil(wait), signal);
    this.dueAt = Math.max(this.dueAt, this.clock.now()) + this.intervalMs();
  }

  private waitMs(): number {
    const now = this.clock.now();
    const saved = (Math.max(1, Math.floor(this.perSecond * BURST_SECONDS)) - 1) * this.intervalMs();
    // Further away than one call and the longest pause can put them, both are of a clock that was set back.
    this.dueAt = Math.min(this.dueAt, now + saved + this.intervalMs());
    this.pausedUntil = Math.min(this.pausedUntil, now + MAX_PAUSE_MS);
    return Math.max(this.dueAt - saved, this.pausedUntil) - now;
  }

  private intervalMs(): number {
    return this.perSecond === 0 ? 0 : 1000 / (this.perSecond * this.pace);
  }
}
