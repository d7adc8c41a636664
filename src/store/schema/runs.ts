import { doublePrecision, index, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, int64, mirror, origin, pai } from './columns.js';

/** One row an experiment run. `request_id` is a field of the run itself; the answer's is `answer_request_id`. */
export const runs = pai.table(
  'runs',
  {
    runId: text().primaryKey(),
    name: text(),
    experimentId: text(),
    workspaceId: text(),
    userId: text(),
    ownerId: text(),
    sourceType: text(),
    sourceId: text(),
    accessibility: text(),
    gmtCreateTime: instant(),
    gmtModifiedTime: instant(),
    requestId: text(),
    ...mirror(),
  },
  (t) => [
    index('runs_created').on(t.scope, t.gmtCreateTime),
    index('runs_experiment').on(t.experimentId, t.gmtCreateTime),
  ],
);

export const runParams = pai.table(
  'run_params',
  { runId: text().notNull(), key: text().notNull(), value: text(), ...origin(), deletedAt: instant() },
  (t) => [primaryKey({ columns: [t.runId, t.key] })],
);

export const runLabels = pai.table(
  'run_labels',
  {
    runId: text().notNull(),
    key: text().notNull(),
    value: text(),
    gmtCreateTime: instant(),
    gmtModifiedTime: instant(),
    ...origin(),
    deletedAt: instant(),
  },
  (t) => [primaryKey({ columns: [t.runId, t.key] })],
);

export const runMetrics = pai.table(
  'run_metrics',
  {
    runId: text().notNull(),
    key: text().notNull(),
    step: int64().notNull(),
    timestamp: instant().notNull(),
    value: doublePrecision(),
    ...origin(),
    deletedAt: instant(),
  },
  (t) => [primaryKey({ columns: [t.runId, t.key, t.step, t.timestamp] })],
);
