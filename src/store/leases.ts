/**
 * Which replica may run a stream in a scope. Everything is decided by the database, on its clock, one statement each.
 *
 * What a former owner could still write, and why it cannot:
 * - rows, history, retries, quarantine and cursors are written by commits alone, and `checkFence` is their first statement;
 * - `startPass` (passes.ts) checks the fence in its statement; `finishPass` touches only the pass's own row, and never
 *   moves its end once the next owner has closed it;
 * - renewal and release are bound to the fence.
 * No lease is needed for what all replicas share: call budgets, the history's partitions (one at a time, by an advisory
 * lock) and migrations.
 */
import type { ClientBase, Pool } from 'pg';
import { LeaseLostError } from '../domain/errors.js';
import { type Scope, scopeName } from '../domain/scope.js';
import type { Stream } from '../domain/streams.js';
import { isAhead, isBeyond } from './clock.js';
import { query } from './pool.js';

/** The same shape as the engine's Lease. */
export interface HeldLease {
  readonly scope: Scope;
  readonly stream: Stream;
  readonly fence: string;
  readonly ttlMs: number;
}

export interface LeaseOptions {
  readonly holder: string;
  /** Milliseconds that a lease is valid without renewal. */
  readonly ttlMs: number;
  /** Tells that the process behind a holder text is certainly gone, so that its lease need not run out first. */
  readonly isDead: (holder: string) => boolean;
  /** The fence of a lease that this process could not give back: nobody here uses it any more. */
  readonly leftBehind?: string | undefined;
  /** Not when the last pass came to its end and began so few milliseconds ago; default 0. */
  readonly spacingMs?: number | undefined;
}

const what = (verb: string, scope: Scope, stream: Stream): string =>
  `${verb} the lease of ${stream} in ${scopeName(scope)}`;

interface LeaseState {
  readonly holder: string;
  readonly fence: string;
  readonly held: boolean;
  readonly recent: boolean;
}

/** A lease that ends later than one can is of a clock that was ahead, and counts as run out. */
const heldSql = (expiresAt: string, ttlMs: string): string =>
  `(${expiresAt} > clock_timestamp() and not ${isBeyond(expiresAt, `${ttlMs} * interval '1 millisecond'`)})`;

/** An earlier pass that began in the future did so by a clock that was ahead. */
const recentSql = (acquiredAt: string, spacingMs: string): string =>
  `(${acquiredAt} > clock_timestamp() - ${spacingMs} * interval '1 millisecond' and not ${isAhead(acquiredAt)})`;

/** `recent`: its last pass came to its end (a broken-off one leaves -infinity) and began within `spacingMs`. */
async function readLease(
  pool: Pool,
  scope: Scope,
  stream: Stream,
  options: LeaseOptions,
): Promise<LeaseState | undefined> {
  const rows = await query<LeaseState>(
    pool,
    what('reading', scope, stream),
    `select holder, fence::text, ${heldSql('expires_at', '$4')} as held,
       expires_at = '-infinity' and ${recentSql('acquired_at', '$3')} as recent
     from pai.sync_leases where scope = $1 and stream = $2`,
    [scopeName(scope), stream, options.spacingMs ?? 0, options.ttlMs],
  );
  return rows[0];
}

/** Passes of a stream among which one may be open. There is at most one, the last; older versions may have left some. */
const LAST_PASSES = 5;

/**
 * A new owner also closes what a former one left open: at the time when its lease ended, as far as that is known, and
 * never after the new owner's start.
 */
const ACQUIRE = `
  with before as materialized (select expires_at from pai.sync_leases where scope = $1 and stream = $2),
  taken as (
    insert into pai.sync_leases as l (scope, stream, holder, fence, acquired_at, expires_at)
    values ($1, $2, $3, 1, clock_timestamp(), clock_timestamp() + $4 * interval '1 millisecond')
    on conflict (scope, stream) do update set holder = excluded.holder, fence = l.fence + 1,
      acquired_at = clock_timestamp(), expires_at = clock_timestamp() + $4 * interval '1 millisecond'
    where l.fence = $5::bigint or not ${heldSql('l.expires_at', '$4')}
      and not (l.expires_at = '-infinity' and ${recentSql('l.acquired_at', '$6')})
    returning fence, acquired_at),
  closed as (
    update pai.sync_passes p set outcome = 'abandoned', error = 'its process ended, or lost the lease, before the pass did',
      finished_at = case when b.expires_at = '-infinity' then t.acquired_at
        else least(t.acquired_at, greatest(p.started_at, b.expires_at)) end
    from taken t, before b
    where p.id in (select id from pai.sync_passes where scope = $1 and stream = $2 order by id desc limit ${LAST_PASSES})
      and p.finished_at is null and p.fence < t.fence)
  select fence::text from taken`;

/**
 * One conditional statement decides among any number of replicas. The fence of a dead holder is part of its condition:
 * whoever else took the lease over meanwhile has raised it. Looking first spares the statement, which locks the row, to
 * the many that come in vain: with 20 replicas 19 do at every tick.
 */
export async function acquireLease(
  pool: Pool,
  scope: Scope,
  stream: Stream,
  options: LeaseOptions,
): Promise<string | null> {
  const spacingMs = options.spacingMs ?? 0;
  const found = await readLease(pool, scope, stream, options);
  const isOver = found?.held && (found.fence === options.leftBehind || options.isDead(found.holder));
  const dead = isOver ? found.fence : null;
  if (found && dead === null && (found.held || found.recent)) return null;
  const rows = await query<{ fence: string }>(pool, what('acquiring', scope, stream), ACQUIRE, [
    scopeName(scope),
    stream,
    options.holder,
    options.ttlMs,
    dead,
    spacingMs,
  ]);
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

/**
 * Keeps the row and its fence, so that the next owner's fence is higher. Does nothing when the lease is another's. After
 * a pass that was broken off nobody has to keep a distance from its beginning.
 */
export async function releaseLease(pool: Pool, lease: HeldLease, ranToEnd: boolean): Promise<void> {
  await query(
    pool,
    what('releasing', lease.scope, lease.stream),
    `update pai.sync_leases set expires_at = '-infinity', acquired_at = case when $4 then acquired_at else '-infinity' end
     where scope = $1 and stream = $2 and fence = $3::bigint`,
    [scopeName(lease.scope), lease.stream, lease.fence, ranToEnd],
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
