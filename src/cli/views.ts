/** Keeps the views quick while the mirror is at work. They are right without it, and slow after a while. */
import { describeError } from '../domain/errors.js';
import type { RefreshOptions } from '../store/rollups.js';
import type { PgStore } from '../store/store.js';
import { systemClock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';

const EVERY_MS = 5_000;

/** A failure is a warning: nothing of the mirror is wrong, only slower to ask. */
export async function refreshViews(store: PgStore, logger: Logger, options: RefreshOptions = {}): Promise<void> {
  try {
    const buckets = await store.refreshRollups(options);
    if (buckets > 0) logger.debug({ buckets }, 'the sums of the views are up to date');
  } catch (error) {
    logger.warn({}, `the views are slower for now: ${describeError(error)}`);
  }
}

/** Until `stop`, which waits for what is under way. */
export function keepViewsFast(store: PgStore, logger: Logger): { stop(): Promise<void> } {
  const ending = new AbortController();
  const running = (async () => {
    while (!ending.signal.aborted) {
      await refreshViews(store, logger, { signal: ending.signal });
      await systemClock.sleep(EVERY_MS, ending.signal).catch(() => undefined);
    }
  })();
  return {
    stop: () => {
      ending.abort();
      return running;
    },
  };
}
