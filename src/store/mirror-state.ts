/** What operators watch, in one statement that walks small tables and partial indexes, and nothing else. */
import type { Pool } from 'pg';
import type { MirrorState } from '../domain/mirror-state.js';
import { STREAMS } from '../domain/streams.js';
import { ACTIVE, DUE } from './due.js';
import { storeError } from './pg-errors.js';
import { transaction } from './pool.js';
import { TOLD_DELETED } from './schema/columns.js';

export interface MirrorStateQuery {
  /** Those that this process mirrors now: what is left of former ones would look stale for ever. */
  readonly scopes: readonly string[];
  /** As `sync_leases` names this process. */
  readonly holder: string;
  /** Rows of a scope after which counting stops; default: `countUpToOf` the scopes. */
  readonly countUpTo?: number;
}

/** 100,000 rows take a tenth of a second, in the worst case: a first load, when everything is due. */
const MOST_COUNTED = 100_000;
const MOST_TOGETHER = 500_000;
const FEWEST_COUNTED = 1_000;

/** Shared out, so that a scrape stays cheap with any number of scopes. */
export const countUpToOf = (scopes: number): number =>
  Math.max(FEWEST_COUNTED, Math.min(MOST_COUNTED, Math.floor(MOST_TOGETHER / Math.max(1, scopes))));

/** A scrape that takes longer tells of trouble by that alone. */
const LIMIT = '3s';

/** Parameters: $1 scopes, $2 streams, $3 holder, $4 the bound of a count. */
const count = (rows: string): string => `(select count(*) from (select ${rows} limit $4) counted)::float8`;
/** Null for null, which `greatest` would pass over; 0 for a moment that is still to come. */
const secondsSince = (time: string): string =>
  `case when ${time} is not null then greatest(0, extract(epoch from clock_timestamp() - ${time})::float8) end`;

/** The last success and the first end are each the end of a walk over an index by scope, stream and id. */
const STREAM_STATES = `
  select s.scope, w.stream, ${secondsSince('coalesce(success.finished_at, first.finished_at)')} as "ageSeconds",
    ${secondsSince('c.watermark')} as "watermarkLagSeconds"
  from unnest($1::text[]) s(scope) cross join unnest($2::text[]) w(stream)
  left join pai.sync_cursors c on c.scope = s.scope and c.stream = w.stream
  left join lateral (select p.finished_at from pai.sync_passes p
    where p.scope = s.scope and p.stream = w.stream and p.outcome = 'succeeded' order by p.id desc limit 1) success on true
  left join lateral (select p.finished_at from pai.sync_passes p
    where p.scope = s.scope and p.stream = w.stream order by p.id limit 1) first on true`;

/** What is gone from the source is not asked for again, whatever its last call came to. */
const FAILING = `from pai.sync_retries f where f.scope = s.scope and f.stream <> ${TOLD_DELETED}
  and not exists (select from pai.pipeline_runs r where r.pipeline_run_id = f.entity_id and r.deleted_at is not null)`;

const SCOPE_STATES = `
  select s.scope,
    ${count(`from pai.pipeline_runs r where r.scope = s.scope and ${ACTIVE}`)} as "activeRuns",
    ${count(`from pai.pipeline_runs r where r.scope = s.scope and ${DUE.nodes}`)} as "dueForNodes",
    ${count(`from pai.pipeline_runs r where r.scope = s.scope and ${DUE.details}`)} as "dueForDetails",
    ${count(FAILING)} as "failingItems",
    ${count('from pai.quarantine q where q.scope = s.scope and q.resolved_at is null')} as "unresolvedQuarantine"
  from unnest($1::text[]) s(scope)`;

/** Of the regions that are mirrored: nobody's calls would bring the pace of another one back, ever. */
const BUDGETS = `
  select region, name, pace,
    greatest(0, extract(epoch from greatest(due_at, paused_until) - clock_timestamp())::float8) as "waitSeconds"
  from pai.call_budgets where region in (select split_part(s.scope, ':', 1) from unnest($1::text[]) s(scope))`;

const LEASES = `
  select w.stream, count(l.stream)::float8 as held from unnest($2::text[]) w(stream)
  left join pai.sync_leases l on l.stream = w.stream and l.holder = $3 and l.expires_at > clock_timestamp()
  group by w.stream`;

const ROLLUPS_DUE = ['rollup_due', 'node_due', 'concurrency_due']
  .map((table) => count(`from pai.${table}`))
  .join(' + ');

const list = (rows: string): string => `(select coalesce(json_agg(found), '[]') from (${rows}) found)`;

const STATE = `select ${list(STREAM_STATES)} as streams, ${list(SCOPE_STATES)} as scopes, ${list(BUDGETS)} as budgets,
  ${list(LEASES)} as leases, ${ROLLUPS_DUE} as "rollupsDue"`;

/**
 * Throws StoreError. While a first load is under way nearly every run is due, and one scope of many may have none: by its
 * statistics alone PostgreSQL would then read the whole table to find none, so that it is told not to.
 */
export async function readMirrorState(pool: Pool, options: MirrorStateQuery): Promise<MirrorState> {
  const { scopes, holder, countUpTo = countUpToOf(scopes.length) } = options;
  try {
    return await transaction(pool, async (client) => {
      await client.query(`set local statement_timeout = '${LIMIT}'; set local enable_seqscan = off`);
      const { rows } = await client.query<MirrorState>(STATE, [scopes, STREAMS, holder, countUpTo]);
      return rows[0] as MirrorState;
    });
  } catch (error) {
    throw storeError('reading the state of the mirror', error);
  }
}
