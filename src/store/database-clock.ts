import type { Instant } from '../domain/entities.js';
import { instantToMillis } from '../domain/instant.js';
import { type Clock, systemClock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import { OtherClock } from '../util/other-clock.js';

/** How often this process compares its clock with the database's, and a difference that somebody must have made. */
const CLOCK_EVERY_MS = 60_000;
const CLOCK_MOVED_MS = 5_000;

export interface DatabaseClockOptions {
  /** Asks the database for its time. */
  readonly read: () => Promise<Instant>;
  readonly logger: Logger;
  /** Milliseconds of a clock of this process that nobody sets; default `performance.now`. */
  readonly local?: () => number;
}

export interface DatabaseClock {
  readonly clock: Clock;
  /** Asks once more; done by itself every minute. Rejects when the database does not answer. */
  look(): Promise<void>;
  stop(): void;
}

/**
 * Observations are ordered by when they were made, and several replicas make them: so all of them use the database's
 * clock. Between two looks at it a monotonic clock carries it on, so that setting this machine's clock reorders nothing.
 * A look may wait a minute for a connection, or the process be stopped meanwhile: such an answer says hardly anything,
 * and must not move the clock by half of that time. Throws StoreError when the first look fails.
 */
export async function databaseClock(options: DatabaseClockOptions): Promise<DatabaseClock> {
  const local = options.local ?? (() => performance.now());
  const theirs = new OtherClock();
  const look = async (): Promise<void> => {
    const sentAt = local();
    const read = await options.read();
    theirs.heard(sentAt, local(), instantToMillis(read));
  };
  const follow = async (): Promise<void> => {
    const before = theirs.fromOurs(0);
    await look();
    const movedMs = Math.round(theirs.fromOurs(0) - before);
    if (Math.abs(movedMs) > CLOCK_MOVED_MS) options.logger.warn({ movedMs }, "the database's clock was set");
  };
  await look();
  // While the database does not answer nothing can be stored either; the last look serves until it does.
  const timer = setInterval(() => void follow().catch(() => {}), CLOCK_EVERY_MS);
  timer.unref();
  return {
    clock: { ...systemClock, now: () => Math.round(theirs.fromOurs(local())) },
    look: follow,
    stop: () => clearInterval(timer),
  };
}
