import type { ClientBase, Pool } from 'pg';
import { LeaseLostError } from '../domain/errors.js';
import { type Scope, scopeName } from '../domain/scope.js';
import type { Stream } from '../domain/streams.js';
import { query } from './pool.js';

/** The same shape as the engine's Lease. */
export interface HeldLease {
  readonly scope: Scope;
  readonly stream: Stream;
  readonly fence: string;
}

export interface LeaseOptions {
  readonly holder: string;
  /** Milliseconds that a lease is valid without renewal. */
  readonly ttlMs: number;
  /** Tells that the process behind a holder text is certainly gone, so that its lease need not run out first. */
  readonly isDead: (holder: string) => boolean;
}

const what = (verb: string, scope: Scope, stream: Stream): string =>
  `${verb} the lease of ${stream} in ${scopeName(scope)}`;

/** The fence of a lease that is still valid by its time, but whose holder is dead. */
async function deadFence(pool: Pool, scope: Scope, stream: Stream, options: LeaseOptions): Promise<string | null> {
  const rows = await query<{ holder: string; fence: string }>(
    pool,
    what('reading', scope, stream),
    'select holder, fence::text from pai.sync_leases where scope = $1 and stream = $2 and expires_at > clock_timestamp()',
    [scopeName(scope), stream],
  );
  const found = rows[0];
  return found && options.isDead(found.holder) ? found.fence : null;
}

/**
 * One conditional statement on the database's clock decides among any number of replicas. The fence of a dead holder is
 * part of the condition: whoever else took the lease over meanwhile has raised it.
 */
export async function acquireLease(
  pool: Pool,
  scope: Scope,
  stream: Stream,
  options: LeaseOptions,
): Promise<string | null> {
  const dead = await deadFence(pool, scope, stream, options);
  const rows = await query<{ fence: string }>(
    pool,
    what('acquiring', scope, stream),
    `insert into pai.sync_leases as l (scope, stream, holder, fence, acquired_at, expires_at)
     values ($1, $2, $3, 1, clock_timestamp(), clock_timestamp() + $4 * interval '1 millisecond')
     on conflict (scope, stream) do update set holder = excluded.holder, fence = l.fence + 1,
       acquired_at = clock_timestamp(), expires_at = clock_timestamp() + $4 * interval '1 millisecond'
     where l.expires_at <= clock_timestamp() or l.fence = $5::bigint
     returning fence::text`,
    [scopeName(scope), stream, options.holder, options.ttlMs, dead],
  );
  return rows[0]?.fence ?? null;
}

/** Extends a lease that is still ours, also one that has just run out and that nobody took. */
export async function renewLease(pool: Pool, lease: HeldLease, ttlMs: number): Promise<void> {
  const rows = await query(
    pool,
    what('renewing', lease.scope, lease.stream),
    `update pai.sync_leases set expires_at = clock_timestamp() + $4 * interval '1 millisecond'
     where scope = $1 and stream = $2 and fence = $3::bigint and expires_at > '-infinity' returning 1`,
    [scopeName(lease.scope), lease.stream, lease.fence, ttlMs],
  );
  if (rows.length === 0) throw new LeaseLostError(scopeName(lease.scope), lease.stream);
}

/** Keeps the row and its fence, so that the next owner's fence is higher. Does nothing when the lease is another's. */
export async function releaseLease(pool: Pool, lease: HeldLease): Promise<void> {
  await query(
    pool,
    what('releasing', lease.scope, lease.stream),
    `update pai.sync_leases set expires_at = '-infinity' where scope = $1 and stream = $2 and fence = $3::bigint`,
    [scopeName(lease.scope), lease.stream, lease.fence],
  );
}

/**
 * First statement of every commit. The row stays locked until the transaction ends: whoever wants to take over waits
 * for it, so a commit that passed the check is complete before the next owner begins. Returns the milliseconds that are
 * left. Throws LeaseLostError.
 */
export async function checkFence(client: ClientBase, lease: HeldLease): Promise<number> {
  const { rows } = await client.query<{ left_ms: number }>(
    `select (extract(epoch from expires_at - clock_timestamp()) * 1000)::float8 as left_ms from pai.sync_leases
     where scope = $1 and stream = $2 and fence = $3::bigint and expires_at > clock_timestamp() for share`,
    [scopeName(lease.scope), lease.stream, lease.fence],
  );
  const found = rows[0];
  if (!found) throw new LeaseLostError(scopeName(lease.scope), lease.stream);
  return found.left_ms;
}
