import { describeError, type MirrorError } from '../domain/errors.js';
import type { Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import { newClient } from './client.js';
import { isNotThere, storeError } from './pg-errors.js';

export interface AwaitServerOptions {
  readonly connectionString: string;
  /** Milliseconds to wait; 0 tries once. */
  readonly limitMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const CONNECT_TIMEOUT_MS = 5_000;
const TRY_EVERY_MS = 500;
const TELL_EVERY_MS = 15_000;

/**
 * Returns once the server lets us in. A container platform starts a service and its database at once, and a database
 * that recovers from a crash refuses connections for a while: that is waited for. What does not pass by itself (a wrong
 * password, no such database) is thrown at the first try. Throws StoreError, or the signal's reason.
 */
export async function awaitServer(options: AwaitServerOptions): Promise<void> {
  const { limitMs, clock, logger, signal } = options;
  const since = clock.now();
  let toldAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    const failure = await tryToConnect(options.connectionString);
    if (failure === null) return;
    const waited = clock.now() - since;
    if (!isNotThere(failure) || waited >= limitMs) throw failure;
    if (waited - toldAt >= TELL_EVERY_MS) {
      toldAt = waited;
      const seconds = Math.ceil((limitMs - waited) / 1000);
      logger.warn({}, `the database is not there yet, waiting for it up to ${seconds} s: ${describeError(failure)}`);
    }
    await clock.sleep(TRY_EVERY_MS, signal);
  }
}

/** Null when it works. */
async function tryToConnect(connectionString: string): Promise<MirrorError | null> {
  const client = newClient({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'pai-mirror',
  });
  // A connection that breaks after it was made would otherwise end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return null;
  } catch (error) {
    return storeError('connecting to the database', error);
  } finally {
    await client.end().catch(() => {});
  }
}
