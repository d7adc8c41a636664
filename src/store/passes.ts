import type { Pool } from 'pg';
import type { Effect } from '../domain/batch.js';
import { scopeName } from '../domain/scope.js';
import type { HeldLease } from './leases.js';
import { query } from './pool.js';

/** How a pass ended, as the engine tells it. */
export interface PassResult {
  readonly outcome: string;
  readonly calls: number;
  readonly rowsRead: number;
  readonly effect: Effect;
  readonly error: string | null;
}

/**
 * Opens the row of a pass. The lease allows one at a time, so an earlier row that is still open belongs to a process
 * that died, and is closed as abandoned.
 */
export async function startPass(pool: Pool, lease: HeldLease): Promise<string> {
  const rows = await query<{ id: string }>(
    pool,
    `starting a pass of ${lease.stream} in ${scopeName(lease.scope)}`,
    `with orphans as (
       update pai.sync_passes set finished_at = clock_timestamp(), outcome = 'abandoned', error = 'the process ended before the pass did'
       where scope = $1 and stream = $2 and finished_at is null and fence < $3::bigint)
     insert into pai.sync_passes (scope, stream, fence, started_at) values ($1, $2, $3::bigint, clock_timestamp())
     returning id::text`,
    [scopeName(lease.scope), lease.stream, lease.fence],
  );
  return (rows[0] as { id: string }).id;
}

export async function finishPass(pool: Pool, passId: string, result: PassResult): Promise<void> {
  const { effect } = result;
  await query(
    pool,
    `finishing pass ${passId}`,
    `update pai.sync_passes set finished_at = clock_timestamp(), outcome = $2, calls = $3, rows_read = $4, inserted = $5,
       updated = $6, unchanged = $7, stale = $8, quarantined = $9, error = $10
     where id = $1::bigint`,
    [
      passId,
      result.outcome,
      result.calls,
      result.rowsRead,
      effect.inserted,
      effect.updated,
      effect.unchanged,
      effect.stale,
      effect.quarantined,
      result.error?.replaceAll('\u0000', '\\u0000') ?? null,
    ],
  );
}
