import type { Retried } from '../../domain/batch.js';
import type { Resolution } from '../../domain/quarantine.js';
import { storableText } from '../../domain/quarantine.js';
import type { CommitContext } from './context.js';

/** The database has refused the item itself once more: that is news of its entry, and not another entry. */
function takeRefusal(context: CommitContext, retried: Retried): string | null {
  const at = context.rejected.findIndex((item) => item.form === 'entity' && item.entity === retried.entity);
  return at === -1 ? null : (context.rejected.splice(at, 1)[0]?.error ?? null);
}

/** What became of the item, from what the batch has done: it holds nothing else. */
function outcomeOf(context: CommitContext, retried: Retried): { error: string } | { resolution: Resolution } {
  const error = retried.error ?? takeRefusal(context, retried);
  if (error !== null) return { error };
  const { inserted, updated, unchanged, stale } = context.effect;
  if (inserted + updated + unchanged > 0) return { resolution: 'retried' };
  // A newer observation is stored: the guard has kept it.
  if (stale > 0) return { resolution: 'superseded' };
  return { error: `the run that the ${retried.entity} belongs to is not stored` };
}

/**
 * Settles the entry, or writes down why it is still bad. An entry that another stream has settled meanwhile, or that
 * holds a newer version by now, stays as it is.
 */
export async function settleRetried(context: CommitContext, retried: Retried): Promise<void> {
  const outcome = outcomeOf(context, retried);
  const isBad = 'error' in outcome;
  await context.client.query(
    `update pai.quarantine set ${isBad ? 'error = $4' : 'resolved_at = statement_timestamp(), resolution = $4'}
     where id = $1::bigint and scope = $2 and fingerprint = $3 and resolved_at is null ${isBad ? 'and error <> $4' : ''}`,
    [retried.id, context.scope.name, retried.fingerprint, isBad ? storableText(outcome.error) : outcome.resolution],
  );
}
