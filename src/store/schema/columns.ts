import { bigint, jsonb, pgSchema, text, timestamp } from 'drizzle-orm/pg-core';
import { NODE_TERMINAL_STATUSES, TERMINAL_STATUSES } from '../../domain/status.js';

/** Everything that the mirror stores; the views for people are in schema `analytics`. */
export const pai = pgSchema('pai');

/**
 * `timestamptz`, read and written as text: a JavaScript Date would cut PostgreSQL's microseconds to milliseconds.
 * Queries that hand an Instant out convert in SQL (see sql.ts).
 */
export const instant = () => timestamp({ withTimezone: true, mode: 'string' });

/** int64, exact: JavaScript numbers end at 2^53. */
export const int64 = () => bigint({ mode: 'bigint' });

/** Where a row was seen first and when the mirror wrote it. */
export const origin = () => ({
  region: text().notNull(),
  firstSeenAt: instant().notNull(),
  updatedAt: instant().notNull(),
});

/** The answer that the row is from: what a later write compares itself with. */
export const evidence = () => ({
  observedAt: instant().notNull(),
  answerRequestId: text(),
});

/** The columns that the mirror adds to the entities of the source. */
export const mirror = () => ({
  ...origin(),
  /** `region:workspaceId` under which the row was listed; the row's own workspace_id stays as PAI sent it. */
  scope: text().notNull(),
  ...evidence(),
  revision: int64().notNull(),
  deletedAt: instant(),
  missingSince: instant(),
  extra: jsonb(),
});

const list = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(', ');

/**
 * The condition "not at a known end" on a status column, as SQL text: for queries, and for the partial indexes, which
 * PostgreSQL uses only where both say the same. A status that nobody knows, or none at all, is active.
 */
export const activeSql = (column: string): string =>
  `(${column} is null or ${column} not in (${list(TERMINAL_STATUSES)}))`;

/** The same for nodes, which have one more word for success. */
export const activeNodeSql = (column: string): string =>
  `(${column} is null or ${column} not in (${list(NODE_TERMINAL_STATUSES)}))`;

/** SQL: the stream under which sync_retries notes that the poll calls a run deleted (see commit/told-deleted.ts). */
export const TOLD_DELETED = `'told-deleted'`;

/** SQL: the poll has called this run deleted. */
export const wasToldDeleted = (scope: string, id: string): string =>
  `exists (select from pai.sync_retries s where s.scope = ${scope} and s.stream = ${TOLD_DELETED} and s.entity_id = ${id})`;
