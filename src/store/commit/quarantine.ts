import { createHash } from 'node:crypto';
import type { CommitContext, RejectedItem } from './context.js';

/** PostgreSQL's text has no NUL byte; JSON writes it as an escape anyway, other texts get the same one. */
const storable = (text: string): string => text.replaceAll('\u0000', '\\u0000');

const fingerprint = (raw: string): string => createHash('sha256').update(raw).digest('hex');

const identity = (entity: string, entityId: string | null, operation: string): string =>
  JSON.stringify([operation, entity, entityId]);

/**
 * Puts items into quarantine, each content once while it is unresolved: a page that is read again does not fill it.
 */
export async function quarantineRejected(context: CommitContext): Promise<void> {
  const items = new Map<string, RejectedItem & { fingerprint: string }>();
  for (const item of context.rejected) {
    const raw = storable(item.raw);
    const print = fingerprint(raw);
    items.set(JSON.stringify([item.entity, print]), { ...item, raw, fingerprint: print });
  }
  if (items.size === 0) return;
  const column = (value: (item: RejectedItem & { fingerprint: string }) => string | null) =>
    [...items.values()].map(value);
  const { rowCount } = await context.client.query(
    `insert into pai.quarantine (scope, region, stream, operation, entity, entity_id, raw, fingerprint, error, request_id,
       observed_at, first_seen_at)
     select $1, $2, $3, i.operation, i.entity, i.entity_id, i.raw, i.fingerprint, i.error, i.request_id, i.observed_at,
       statement_timestamp()
     from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[])
       as i(operation, entity, entity_id, raw, fingerprint, error, request_id, observed_at)
     where not exists (select from pai.quarantine q where q.scope = $1 and q.resolved_at is null
       and q.entity = i.entity and q.fingerprint = i.fingerprint)`,
    [
      context.scope.name,
      context.scope.region,
      context.stream,
      column((item) => item.operation),
      column((item) => item.entity),
      column((item) => (item.entityId === null ? null : storable(item.entityId))),
      column((item) => item.raw),
      column((item) => item.fingerprint),
      column((item) => storable(item.error)),
      column((item) => item.evidence.requestId),
      column((item) => item.evidence.observedAt),
    ],
  );
  context.effect.quarantined += rowCount ?? 0;
}

/**
 * A good answer of the same operation settles what it sent badly before, unless the same batch brought the item badly
 * once more. Asked only where the scope has unresolved items at all.
 */
export async function resolveSuperseded(context: CommitContext): Promise<void> {
  if (!context.hasQuarantine || context.good.length === 0) return;
  const bad = new Set(context.rejected.map((item) => identity(item.entity, item.entityId, item.operation)));
  const good = context.good.filter((entry) => !bad.has(identity(entry.entity, entry.entityId, entry.operation)));
  await context.client.query(
    `update pai.quarantine q set resolved_at = statement_timestamp(), resolution = 'superseded'
     where q.scope = $1 and q.resolved_at is null and (q.operation, q.entity, q.entity_id) in
       (select * from unnest($2::text[], $3::text[], $4::text[]))`,
    [
      context.scope.name,
      good.map((entry) => entry.operation),
      good.map((entry) => entry.entity),
      good.map((entry) => entry.entityId),
    ],
  );
}
