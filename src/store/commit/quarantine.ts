/**
 * What a commit puts into quarantine, and what it settles there. The table holds the newest bad version of each item: a
 * source that sends another one every minute costs one row. Items whose id cannot be read are told apart by content.
 */
import { noteQuarantined } from '../../domain/batch.js';
import { fingerprintOf, storableText } from '../../domain/quarantine.js';
import type { CommitContext, RejectedItem } from './context.js';

type Fingerprinted = RejectedItem & { readonly fingerprint: string };

const identity = (item: { entity: string; entityId: string | null; operation: string }): string =>
  JSON.stringify([item.operation, item.entity, item.entityId]);

/** Of several bad versions of one item the newest, else the last of the batch: one statement cannot write a row twice. */
function newestOfEach(rejected: readonly RejectedItem[]): Fingerprinted[] {
  const newest = new Map<string, Fingerprinted>();
  for (const item of rejected) {
    const raw = storableText(item.raw);
    const fingerprint = fingerprintOf(raw);
    const key = item.entityId === null ? JSON.stringify([identity(item), item.parentId, fingerprint]) : identity(item);
    const known = newest.get(key);
    if (known && known.evidence.observedAt > item.evidence.observedAt) continue;
    newest.set(key, { ...item, raw, fingerprint });
  }
  return [...newest.values()];
}

/**
 * Commits of other streams of the scope wait here for each other: two that quarantine one item at the same time would
 * both find no row of it. Taken before anything of the table is written, and only where something will be.
 */
export async function lockQuarantine(context: CommitContext): Promise<void> {
  if (!context.hasQuarantine && context.rejected.length === 0) return;
  await context.client.query(`select pg_advisory_xact_lock(hashtextextended('pai.quarantine ' || $1, 0))`, [
    context.scope.name,
  ]);
}

/** Two versions of one item, or one content of items without an id. Equality only, so that the join can be hashed. */
const SAME_ITEM = `q.operation = i.operation and q.entity = i.entity
  and coalesce(q.entity_id, q.fingerprint) = coalesce(i.entity_id, i.fingerprint)
  and (q.entity_id is null) = (i.entity_id is null) and (i.entity_id is not null or q.parent_id is not distinct from i.parent_id)`;

/** Returns the items that are news: new ones, and other versions of known ones. */
const QUARANTINE = `
  with input as materialized (
    select * from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
      $12::text[], $13::timestamptz[]) with ordinality
      as i(operation, entity, entity_id, parent_id, form, raw, fingerprint, error, request_id, observed_at, ord)),
  known as materialized (
    select i.ord, q.id, q.fingerprint <> i.fingerprint and q.observed_at <= i.observed_at as is_news
    from input i join pai.quarantine q on q.scope = $1 and q.resolved_at is null and ${SAME_ITEM}),
  replaced as (
    update pai.quarantine q set stream = $3, parent_id = i.parent_id, form = i.form, raw = i.raw, fingerprint = i.fingerprint,
      error = i.error, request_id = i.request_id, observed_at = i.observed_at
    from known k join input i using (ord) where q.id = k.id and k.is_news returning k.ord),
  added as (
    insert into pai.quarantine (scope, region, stream, operation, entity, entity_id, parent_id, form, raw, fingerprint, error,
      request_id, observed_at, first_seen_at)
    select $1, $2, $3, i.operation, i.entity, i.entity_id, i.parent_id, i.form, i.raw, i.fingerprint, i.error, i.request_id,
      i.observed_at, statement_timestamp()
    from input i where not exists (select from known k where k.ord = i.ord) order by i.ord returning 1)
  select ord::int as ord from replaced union
  select i.ord::int from input i where not exists (select from known k where k.ord = i.ord) order by 1`;

/** Puts items into quarantine. What is there already, in the same version, is not written again. */
export async function quarantineRejected(context: CommitContext): Promise<void> {
  const items = newestOfEach(context.rejected);
  if (items.length === 0) return;
  const column = (value: (item: Fingerprinted) => string | null | undefined) =>
    items.map((item) => {
      const text = value(item) ?? null;
      return text === null ? null : storableText(text);
    });
  const { rows } = await context.client.query<{ ord: number }>(QUARANTINE, [
    context.scope.name,
    context.scope.region,
    context.stream,
    column((item) => item.operation),
    column((item) => item.entity),
    column((item) => item.entityId),
    column((item) => item.parentId),
    column((item) => item.form ?? 'answer'),
    column((item) => item.raw),
    column((item) => item.fingerprint),
    column((item) => item.error),
    column((item) => item.evidence.requestId),
    column((item) => item.evidence.observedAt),
  ]);
  noteQuarantined(
    context.effect,
    rows.map(({ ord }) => items[ord - 1] as Fingerprinted),
  );
}

/**
 * A good answer of the same operation settles what it sent badly before, unless the same batch brought the item badly
 * once more. An answer to an older question settles nothing. Asked only where the scope has unresolved items at all.
 */
export async function resolveSuperseded(context: CommitContext): Promise<void> {
  if (!context.hasQuarantine || context.good.length === 0) return;
  const bad = new Set(context.rejected.map(identity));
  const good = context.good.filter((entry) => !bad.has(identity(entry)));
  await context.client.query(
    `update pai.quarantine q set resolved_at = statement_timestamp(), resolution = 'superseded'
     from (select operation, entity, entity_id, max(observed_at) as observed_at
       from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) as i(operation, entity, entity_id, observed_at)
       group by 1, 2, 3) good
     where q.scope = $1 and q.resolved_at is null and q.operation = good.operation and q.entity = good.entity
       and q.entity_id = good.entity_id and q.observed_at <= good.observed_at`,
    [
      context.scope.name,
      good.map((entry) => entry.operation),
      good.map((entry) => entry.entity),
      good.map((entry) => entry.entityId),
      good.map((entry) => entry.evidence.observedAt),
    ],
  );
}
