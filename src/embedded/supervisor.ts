import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '../domain/errors.js';
import type { Logger } from '../util/logger.js';

const CHECK_EVERY_MS = 1_000;
/** A server that has run that long has recovered: its next end counts as the first. */
const STEADY_MS = 60_000;
const LONGEST_PAUSE_MS = 60_000;

export interface Supervised {
  isUp(): Promise<boolean>;
  /** Finds or starts the server; throws why it cannot. */
  restart(): Promise<void>;
}

/** Milliseconds before the next start, by how many there were lately: at once, then 1, 2, 4 … 60 seconds. */
export const pauseBeforeRestart = (restarts: number): number =>
  restarts === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** (restarts - 1));

/**
 * Starts the server again when its postmaster has gone without our doing: killed for memory, by hand, or ended by
 * itself because its disk was full. Goes on for ever, ever more slowly, and says each time why it did not work: whoever
 * mends the cause need not restart the service, too.
 */
export function superviseServer(server: Supervised, logger: Logger): { stop(): void } {
  const stopped = new AbortController();
  void supervise(server, logger, stopped.signal).catch((error: unknown) => {
    if (!stopped.signal.aborted) logger.error({}, `the embedded PostgreSQL is not watched: ${describeError(error)}`);
  });
  return { stop: () => stopped.abort() };
}

async function supervise(server: Supervised, logger: Logger, signal: AbortSignal): Promise<void> {
  let restarts = 0;
  let steadySince = Date.now();
  for (;;) {
    // Watching alone keeps no process alive.
    await delay(CHECK_EVERY_MS, undefined, { signal, ref: false });
    if (Date.now() - steadySince > STEADY_MS) restarts = 0;
    if (await server.isUp().catch(() => true)) continue;
    const pauseMs = pauseBeforeRestart(restarts);
    logger.error({ pauseMs }, 'the embedded PostgreSQL has ended: starting it again');
    await delay(pauseMs, undefined, { signal, ref: false });
    restarts += 1;
    await server.restart().catch((error: unknown) => {
      if (!signal.aborted) logger.error({}, `cannot start it again: ${describeError(error)}`);
    });
    steadySince = Date.now();
  }
}
