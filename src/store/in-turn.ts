import { setTimeout as delay } from 'node:timers/promises';

/**
 * How long a transaction that has written its rows waits for the one before it. That one may wait in turn for a third
 * that waits for the first one's rows: PostgreSQL sees no deadlock where one of them waits in this process.
 */
const PATIENCE_MS = 2000;

/** The transaction would have to wait for too long: it is rolled back, and made again when its turn has come. */
export class Overtaking extends Error {}

/** Throws what `previous` throws, or Overtaking. */
export async function inTurn(previous: Promise<unknown>, patienceMs = PATIENCE_MS): Promise<void> {
  const late = new AbortController();
  const isLate = delay(patienceMs, true, { signal: late.signal, ref: false }).catch(() => false);
  try {
    const first = await Promise.race([previous.then(() => false), isLate]);
    if (first) throw new Overtaking('the commit before this one is still under way');
  } finally {
    late.abort();
  }
}
