/** What the mirror is doing, as far as the database tells. Every function throws StoreError. */
import type { Instant } from '../../domain/entities.js';
import { type Scope, scopeName } from '../../domain/scope.js';
import { type Queryable, query } from '../pool.js';
import { instantSql } from '../sql.js';

export interface LeaseFacts {
  readonly scope: string;
  readonly stream: string;
  readonly holder: string;
  readonly acquiredAt: Instant;
  /** Seconds until it runs out, by the database's clock; negative when it has. */
  readonly secondsLeft: number;
}

/** Those that are held, and those that ran out without being given back; a lease that was given back is no news. */
export const readLeases = (db: Queryable): Promise<LeaseFacts[]> =>
  query(
    db,
    'reading the leases',
    `select scope, stream, holder, ${instantSql("nullif(acquired_at, '-infinity')")} as "acquiredAt",
       extract(epoch from expires_at - clock_timestamp())::float8 as "secondsLeft"
     from pai.sync_leases where expires_at > '-infinity' order by scope, stream limit 1000`,
  );

export interface FreshnessFacts {
  readonly scope: string;
  readonly stream: string;
  /** Seconds since the start of the last pass that succeeded; null before the first one. */
  readonly ageSeconds: number | null;
  /** Seconds since the start of the last pass; null when there was none. */
  readonly lastStartedSeconds: number | null;
  readonly lastError: string | null;
  readonly failedInARow: number;
  /** Who runs it now. */
  readonly holder: string | null;
}

export const readFreshness = (db: Queryable): Promise<FreshnessFacts[]> =>
  query(
    db,
    'reading how fresh the streams are',
    `select scope, stream, age_seconds as "ageSeconds", extract(epoch from now() - last_started_at)::float8 as "lastStartedSeconds",
       last_error as "lastError", failed_in_a_row::float8 as "failedInARow", holder
     from analytics.mirror_freshness order by scope, stream limit 5000`,
  );

export interface QuarantineFacts {
  readonly entries: number;
  readonly oldest: Instant | null;
  /** `3 nodes in cn-shanghai:1`, the largest groups first, at most five. */
  readonly groups: readonly { readonly scope: string; readonly stream: string; readonly entries: number }[];
}

export async function readUnresolved(db: Queryable): Promise<QuarantineFacts> {
  const rows = await query<QuarantineFacts>(
    db,
    'counting the quarantine',
    `with groups as (select scope, stream, count(*) as entries, min(first_seen_at) as oldest from pai.quarantine
       where resolved_at is null group by scope, stream)
     select coalesce(sum(entries), 0)::float8 as entries, ${instantSql('min(oldest)')} as oldest,
       coalesce((select jsonb_agg(t) from (select scope, stream, entries from groups order by entries desc, scope, stream limit 5) t), '[]') as groups
     from groups`,
  );
  return rows[0] as QuarantineFacts;
}

/** Quarter hours and runs whose sums are to be computed anew, counted up to a hundred thousand of each kind. */
export async function countDueSums(db: Queryable): Promise<number> {
  const count = (table: string): string => `(select count(*) from (select from pai.${table} limit 100000) t)`;
  const rows = await query<{ due: number }>(
    db,
    'counting the sums that are due',
    `select (${['rollup_due', 'node_due', 'concurrency_due'].map(count).join(' + ')})::float8 as due`,
  );
  return rows[0]?.due ?? 0;
}

/** A run of the scope that is there, the one modified last, with its root node: something to try a call with. */
export async function sampleRun(
  db: Queryable,
  scope: Scope,
): Promise<{ pipelineRunId: string; nodeId: string | null } | null> {
  const rows = await query<{ pipelineRunId: string; nodeId: string | null }>(
    db,
    'looking for a run',
    `select pipeline_run_id as "pipelineRunId", node_id as "nodeId" from pai.pipeline_runs
     where scope = $1 and deleted_at is null and missing_since is null and gmt_modified_time is not null
     order by gmt_modified_time desc limit 1`,
    [scopeName(scope)],
  );
  return rows[0] ?? null;
}
