import type { ItemFailure } from '../../domain/batch.js';
import type { CommitContext } from './context.js';

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
       retry_at = excluded.failed_at + least(interval '1 hour', interval '30 seconds' * power(2, least(r.attempts, 7))),
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
