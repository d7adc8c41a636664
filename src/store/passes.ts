import type { Pool } from 'pg';
import type { Effect } from '../domain/batch.js';
import { LeaseLostError } from '../domain/errors.js';
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
 * Opens the row of a pass. Passes of a stream never overlap: the row can be opened only under a lease that holds, and
 * `acquireLease` has closed what the owner before left open. Throws LeaseLostError.
 */
export async function startPass(pool: Pool, lease: HeldLease): Promise<string> {
  const rows = await query<{ id: string }>(
    pool,
    `starting a pass of ${lease.stream} in ${scopeName(lease.scope)}`,
    `with held as materialized (
       select 1 from pai.sync_leases
       where scope = $1 and stream = $2 and fence = $3::bigint and expires_at > clock_timestamp() for share)
     insert into pai.sync_passes (scope, stream, fence, started_at) select $1, $2, $3::bigint, clock_timestamp() from held
     returning id::text`,
    [scopeName(lease.scope), lease.stream, lease.fence],
  );
  const found = rows[0];
  if (!found) throw new LeaseLostError(scopeName(lease.scope), lease.stream);
  return found.id;
}

/**
 * Closes the row of a pass. Where another replica has the lease by now, the pass ended no later than that one took it:
 * the lease's row is locked first, so that nobody takes it in between. A row that the new owner has closed already keeps
 * its end and its outcome, and only gets the counts.
 */
export async function finishPass(pool: Pool, passId: string, result: PassResult): Promise<void> {
  const { effect } = result;
  await query(
    pool,
    `finishing pass ${passId}`,
    `with lease as materialized (
       select l.fence, l.acquired_at from pai.sync_passes p join pai.sync_leases l using (scope, stream)
       where p.id = $1::bigint for share of l)
     update pai.sync_passes p set
       finished_at = coalesce(finished_at, case when l.fence = p.fence then clock_timestamp()
         else greatest(p.started_at, least(l.acquired_at, clock_timestamp())) end),
       outcome = coalesce(outcome, $2), error = coalesce(error, $10),
       calls = $3, rows_read = $4, inserted = $5, updated = $6, unchanged = $7, stale = $8, quarantined = $9
     from lease l where p.id = $1::bigint`,
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
