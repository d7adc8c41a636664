/** The sums that the views answer from: brought up to date a little at a time. */
import type { Pool } from 'pg';
import { storeError } from './pg-errors.js';

/** Quarter hours in one transaction: at 30,000 runs a day a second's work, and what is lost when it is interrupted. */
const BUCKETS_AT_ONCE = 200;

/** A year of quarter hours of some workspaces; a loop that is longer leaves the rest to the next call. */
const MOST_ROUNDS = 2_000;

export interface RefreshOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which no further round begins; what is left stays due. Default: until nothing is due. */
  readonly limitMs?: number | undefined;
}

/**
 * Computes what is due, newest first, and returns how many quarter hours that were; writes nothing where nothing is due.
 * Another process may be at it: then this one leaves it to that. Until it is done the views compute by themselves what is
 * missing, so a failure costs speed and no truth. Throws StoreError.
 */
export async function refreshRollups(pool: Pool, { signal, limitMs }: RefreshOptions = {}): Promise<number> {
  const end = performance.now() + (limitMs ?? Number.POSITIVE_INFINITY);
  let total = 0;
  try {
    if (!(await isDue(pool))) return 0;
    await describeNewTables(pool);
    for (let round = 0; round < MOST_ROUNDS && performance.now() < end && !signal?.aborted; round += 1) {
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

/**
 * After a first load PostgreSQL has not looked at the tables yet, for a minute or so: it then reads far more of them than a
 * quarter hour needs (8 ms a quarter hour against 0.9). Only the owner of a table may do this; others wait for autovacuum.
 */
async function describeNewTables(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c
     where c.oid in ('pai.pipeline_runs'::regclass, 'pai.pipeline_run_nodes'::regclass) and c.reltuples < 0
       and pg_relation_size(c.oid) > 10000000 and pg_has_role(c.relowner, 'usage')`,
  );
  for (const { name } of rows) await pool.query(`analyze ${name}`);
}

/** A look without a transaction that writes: what most calls find is nothing. */
async function isDue(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ due: boolean }>(
    `select exists (select from pai.rollup_due) or exists (select from pai.node_due)
       or exists (select from pai.concurrency_due) as due`,
  );
  return rows[0]?.due ?? false;
}
