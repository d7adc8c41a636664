import { sql } from 'drizzle-orm';
import { doublePrecision, index, integer, jsonb, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, int64, pai } from './columns.js';

export const syncCursors = pai.table(
  'sync_cursors',
  {
    scope: text().notNull(),
    stream: text().notNull(),
    watermark: instant(),
    state: jsonb().notNull(),
    updatedAt: instant().notNull(),
  },
  (t) => [primaryKey({ columns: [t.scope, t.stream] })],
);

export const syncLeases = pai.table(
  'sync_leases',
  {
    scope: text().notNull(),
    stream: text().notNull(),
    holder: text().notNull(),
    fence: int64().notNull(),
    acquiredAt: instant().notNull(),
    expiresAt: instant().notNull(),
  },
  (t) => [primaryKey({ columns: [t.scope, t.stream] })],
);

export const syncPasses = pai.table(
  'sync_passes',
  {
    id: int64().primaryKey().generatedAlwaysAsIdentity(),
    scope: text().notNull(),
    stream: text().notNull(),
    fence: int64().notNull(),
    startedAt: instant().notNull(),
    finishedAt: instant(),
    outcome: text(),
    calls: int64().notNull().default(sql`0`),
    rowsRead: int64().notNull().default(sql`0`),
    inserted: int64().notNull().default(sql`0`),
    updated: int64().notNull().default(sql`0`),
    unchanged: int64().notNull().default(sql`0`),
    stale: int64().notNull().default(sql`0`),
    quarantined: int64().notNull().default(sql`0`),
    error: text(),
  },
  (t) => [
    index('sync_passes_latest').on(t.scope, t.stream, t.id),
    index('sync_passes_succeeded').on(t.scope, t.stream, t.id).where(sql.raw(`outcome = 'succeeded'`)),
    index('sync_passes_started').on(t.startedAt),
  ],
);

/** One row an item whose call failed: it stays due, and waits until `retry_at`. */
export const syncRetries = pai.table(
  'sync_retries',
  {
    scope: text().notNull(),
    stream: text().notNull(),
    entityId: text().notNull(),
    attempts: integer().notNull(),
    failedAt: instant().notNull(),
    retryAt: instant().notNull(),
    error: text().notNull(),
  },
  (t) => [primaryKey({ columns: [t.scope, t.stream, t.entityId] })],
);

export const quarantine = pai.table(
  'quarantine',
  {
    id: int64().primaryKey().generatedAlwaysAsIdentity(),
    scope: text().notNull(),
    region: text().notNull(),
    stream: text().notNull(),
    operation: text().notNull(),
    entity: text().notNull(),
    entityId: text(),
    /** The pipeline run that the call asked for; null for lists. */
    parentId: text(),
    /** `answer`: raw is the item as PAI sent it. `entity`: as it was decoded, and the database refused that. */
    form: text().notNull().default('answer'),
    raw: text().notNull(),
    fingerprint: text().notNull(),
    error: text().notNull(),
    requestId: text(),
    observedAt: instant().notNull(),
    firstSeenAt: instant().notNull(),
    resolvedAt: instant(),
    resolution: text(),
  },
  (t) => [index('quarantine_unresolved').on(t.scope).where(sql.raw('resolved_at is null'))],
);

/** The pace of the calls of all replicas: one row a region and budget. */
export const callBudgets = pai.table(
  'call_budgets',
  {
    region: text().notNull(),
    name: text().notNull(),
    /** When the next call is due. */
    dueAt: instant().notNull(),
    /** Of the configured rate, greater than 0 and at most 1. */
    pace: doublePrecision().notNull(),
    pausedUntil: instant(),
    slowedAt: instant(),
  },
  (t) => [primaryKey({ columns: [t.region, t.name] })],
);

/** Runs that retention took out of the mirror: what the source still shows of them is not stored again. */
export const prunedRuns = pai.table(
  'pruned_runs',
  {
    entityId: text().notNull(),
    entity: text().notNull(),
    region: text().notNull(),
    scope: text().notNull(),
    status: text(),
    gmtModifiedTime: instant(),
    prunedAt: instant().notNull(),
  },
  (t) => [primaryKey({ columns: [t.entityId, t.entity] })],
);
