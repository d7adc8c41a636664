/** What the mirror did, and what it could not take in. */
import type pg from 'pg';
import type { Part, Pass, QuarantinedItem } from '../../domain/page.js';
import { query } from '../pool.js';
import { instantSql } from '../sql.js';
import { partOf } from './run.js';

/** `id` alone would be the text of the answer, in whose order 10 comes before 9. */
const QUARANTINE = `
  select id::text, scope, stream, operation, entity, entity_id as "entityId", left(error, 1000) as error,
    request_id as "requestId", ${instantSql('first_seen_at')} as "firstSeenAt", ${instantSql('resolved_at')} as "resolvedAt", resolution
  from analytics.mirror_quarantine q
  where ($1::boolean or resolved_at is null) and ($2::bigint is null or id < $2) order by q.id desc limit $3`;

/** Newest first; `all`: also what was resolved. */
export async function quarantine(
  pool: pg.Pool,
  all: boolean,
  before: string | null,
  most: number,
): Promise<Part<QuarantinedItem>> {
  const rows = await query<QuarantinedItem>(pool, 'reading the quarantine', QUARANTINE, [all, before, most + 1]);
  return partOf(rows, most);
}

const PASS = `id::text, scope, stream, ${instantSql('started_at')} as "startedAt", seconds, outcome, calls::float8 as calls,
    rows_read::float8 as "rowsRead", (inserted + updated)::float8 as written, left(error, 500) as error`;

const LATEST = `select ${PASS} from analytics.mirror_passes p where $1::bigint is null or id < $1 order by p.id desc limit $2`;

/** Of a day: that is found by an index, while a search for the rare ones would read years of passes. */
const FAILED = `
  with failed as materialized (
    select * from analytics.mirror_passes where started_at > now() - interval '1 day' and outcome = 'failed'
  )
  select ${PASS} from failed p where $1::bigint is null or id < $1 order by p.id desc limit $2`;

/** Newest first. `failedOnly`: those of the last 24 hours. */
export async function passes(
  pool: pg.Pool,
  failedOnly: boolean,
  before: string | null,
  most: number,
): Promise<Part<Pass>> {
  return partOf(await query<Pass>(pool, 'reading the passes', failedOnly ? FAILED : LATEST, [before, most + 1]), most);
}
