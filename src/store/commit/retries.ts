import type { ItemFailure } from '../../domain/batch.js';
import type { Instant } from '../../domain/entities.js';
import { isAhead } from '../clock.js';
import { activeSql, TOLD_DELETED } from '../schema/columns.js';
import type { CommitContext } from './context.js';

/** The longest wait. SQL. */
export const LONGEST_RETRY = `interval '1 hour'`;

/**
 * Notes failed calls. The wait doubles from 30 seconds to an hour; the item stays due, so nothing is ever given up.
 * (2^7 × 30 s is past the hour, and keeps power() in bounds.)
 */
export async function recordFailures(context: CommitContext, failures: readonly ItemFailure[]): Promise<void> {
  if (failures.length === 0) return;
  const errors = new Map(failures.map(({ entityId, error }) => [entityId, error.replaceAll('\u0000', '\\u0000')]));
  await context.client.query(
    `insert into pai.sync_retries as r (scope, stream, entity_id, attempts, failed_at, retry_at, error)
     select $1, $2, f.entity_id, 1, statement_timestamp(), statement_timestamp() + interval '30 seconds', f.error
     from unnest($3::text[], $4::text[]) as f(entity_id, error) order by f.entity_id
     on conflict (scope, stream, entity_id) do update set attempts = r.attempts + 1, failed_at = excluded.failed_at,
       retry_at = excluded.failed_at + least(${LONGEST_RETRY}, interval '30 seconds' * power(2, least(r.attempts, 7))),
       error = excluded.error`,
    [context.scope.name, context.stream, [...errors.keys()], [...errors.values()]],
  );
}

/** A call succeeded (or the run is gone): its failures are over. */
export async function forgetFailures(
  context: CommitContext,
  streams: readonly string[],
  entityIds: readonly string[],
): Promise<void> {
  if (entityIds.length === 0) return;
  await context.client.query(
    'delete from pai.sync_retries where scope = $1 and stream = any($2::text[]) and entity_id = any($3::text[])',
    [context.scope.name, streams, entityIds],
  );
}

/**
 * Drops the failures, noted before that time, of runs that nobody asks for any more: deleted ones, those that another
 * scope has now, and those that the failing stream has nothing left to ask about. Nothing else would ever remove them.
 */
export async function forgetSettled(context: CommitContext, before: Instant): Promise<void> {
  await context.client.query(
    `delete from pai.sync_retries s where s.scope = $1 and (s.failed_at < $2::timestamptz or ${isAhead('s.failed_at')}) and not exists (
       select from pai.pipeline_runs r where r.pipeline_run_id = s.entity_id and r.scope = s.scope and r.deleted_at is null
         and case s.stream when ${TOLD_DELETED} then false when 'status' then r.missing_since is not null or ${activeSql('r.status')}
           when 'nodes' then r.nodes_revision < r.revision when 'details' then r.details_revision < r.revision else true end)`,
    [context.scope.name, before],
  );
}
