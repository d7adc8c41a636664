import { setTimeout as delay } from 'node:timers/promises';

/** Injected everywhere time matters, so that a test decides what time it is. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Ends early, by rejecting with the signal's reason, when the signal aborts. */
  sleep(millis: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (millis, signal) => {
    try {
      await delay(Math.max(0, millis), undefined, signal ? { signal } : undefined);
    } catch (error) {
      throw signal?.aborted ? (signal.reason ?? error) : error;
    }
  },
};
