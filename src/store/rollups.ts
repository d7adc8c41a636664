/** The sums that the views answer from: brought up to date a little at a time. */
import type { Pool } from 'pg';
import { storeError } from './pg-errors.js';

/** Quarter hours in one transaction: at 30,000 runs a day a second's work, and what is lost when it is interrupted. */
const BUCKETS_AT_ONCE = 200;

/** A year of quarter hours of some workspaces; a loop that is longer leaves the rest to the next call. */
const MOST_ROUNDS = 2_000;

/**
 * Computes what is due, newest first, and returns how many quarter hours that were; writes nothing where nothing is due.
 * Another process may be at it: then this one leaves it to that. Until it is done the views compute by themselves what is
 * missing, so a failure costs speed and no truth. Throws StoreError.
 */
export async function refreshRollups(pool: Pool, signal?: AbortSignal): Promise<number> {
  let total = 0;
  try {
    if (!(await isDue(pool))) return 0;
    for (let round = 0; round < MOST_ROUNDS && !signal?.aborted; round += 1) {
      const { rows } = await pool.query<{ done: number }>('select pai.refresh_rollups($1) as done', [BUCKETS_AT_ONCE]);
      const done = rows[0]?.done ?? 0;
      total += done;
      if (done < BUCKETS_AT_ONCE) break;
    }
    return total;
  } catch (error) {
    throw storeError('bringing the sums of the views up to date', error);
  }
}

/** A look without a transaction that writes: what most calls find is nothing. */
async function isDue(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ due: boolean }>(
    `select exists (select from pai.rollup_due) or exists (select from pai.node_due)
       or exists (select from pai.concurrency_due) as due`,
  );
  return rows[0]?.due ?? false;
}
