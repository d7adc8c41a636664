import { sql } from 'drizzle-orm';
import { index, jsonb, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, int64, pai } from './columns.js';

/**
 * `event_id` of the history. A sequence of its own, because a partitioned table takes identity columns only from
 * PostgreSQL 17 on. A cache of 1 keeps the ids of one entity ascending in commit order: writers hold the entity's row
 * lock when they draw an id.
 */
export const changeEventIds = pai.sequence('change_events_event_id_seq');

/** Append-only (triggers refuse everything else), partitioned by month; drizzle cannot say that, the migration does. */
export const changeEvents = pai.table(
  'change_events',
  {
    eventId: int64().notNull().default(sql`nextval('pai.change_events_event_id_seq')`),
    entity: text().notNull(),
    entityId: text().notNull(),
    nodeId: text(),
    nodeType: text(),
    region: text().notNull(),
    scope: text().notNull(),
    kind: text().notNull(),
    fromStatus: text(),
    toStatus: text(),
    changes: jsonb(),
    sourceTime: instant(),
    observedAt: instant().notNull(),
    requestId: text(),
  },
  (t) => [
    primaryKey({ columns: [t.entityId, t.eventId, t.observedAt] }),
    index('change_events_observed').on(t.scope, t.observedAt),
    index('change_events_changed').on(t.scope, t.observedAt).where(sql.raw(`kind <> 'discovered'`)),
  ],
);
