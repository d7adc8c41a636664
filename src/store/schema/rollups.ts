/**
 * Sums that the views of schema `analytics` answer from. Nothing here says more than the tables do: triggers note which
 * quarter hours have changed, `pai.refresh_rollups()` computes those anew, and until then the views compute them.
 */
import { sql } from 'drizzle-orm';
import { boolean, doublePrecision, index, integer, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, int64, pai } from './columns.js';

/**
 * Counts of runs, one row a quarter hour and combination; and once more by each dimension alone, which are far fewer rows
 * where few runs share a combination. No key: texts of the source may be longer than an index takes.
 */
export const runRollup = pai.table(
  'run_rollup',
  {
    grain: text().notNull(),
    bucket: instant().notNull(),
    scope: text().notNull(),
    pipelineId: text(),
    userId: text(),
    sourceType: text(),
    runs: int64().notNull(),
    succeeded: int64().notNull(),
    failed: int64().notNull(),
    terminated: int64().notNull(),
    skipped: int64().notNull(),
    active: int64().notNull(),
    lost: int64().notNull(),
    queuedRuns: int64().notNull(),
    queueSeconds: doublePrecision().notNull(),
    runSeconds: int64().notNull(),
    succeededSeconds: integer().array().notNull(),
  },
  (t) => [
    index('run_rollup_grain').on(t.grain, t.bucket),
    index('run_rollup_bucket').on(t.bucket, t.scope),
    index('run_rollup_pipeline').on(t.pipelineId, t.bucket),
    // Holds all that counts over time need: the rows of one grain lie scattered among the forty of the others.
    index('run_rollup_workspace')
      .on(t.bucket, t.scope, t.runs, t.succeeded, t.failed, t.terminated, t.skipped, t.active, t.lost)
      .where(sql.raw(`grain = 'workspace'`)),
  ],
);

export const failureRollup = pai.table(
  'failure_rollup',
  {
    bucket: instant().notNull(),
    scope: text().notNull(),
    pipelineId: text(),
    pattern: text().notNull(),
    runs: int64().notNull(),
    lastPipelineRunId: text().notNull(),
    lastAt: instant().notNull(),
  },
  (t) => [
    index('failure_rollup_bucket').on(t.bucket, t.scope),
    index('failure_rollup_pipeline').on(t.pipelineId, t.bucket),
  ],
);

export const nodeRollup = pai.table(
  'node_rollup',
  {
    pipelineId: text(),
    nodeName: text(),
    nodeType: text().notNull(),
    scope: text().notNull(),
    bucket: instant().notNull(),
    nodes: int64().notNull(),
    succeeded: int64().notNull(),
    failed: int64().notNull(),
    seconds: doublePrecision().notNull(),
    succeededSeconds: doublePrecision().array().notNull(),
  },
  (t) => [index('node_rollup_pipeline').on(t.pipelineId, t.bucket), index('node_rollup_bucket').on(t.bucket, t.scope)],
);

export const concurrencyRollup = pai.table(
  'concurrency_rollup',
  {
    scope: text().notNull(),
    bucket: instant().notNull(),
    started: int64().notNull(),
    ended: int64().notNull(),
  },
  (t) => [primaryKey({ columns: [t.scope, t.bucket] })],
);

/** Quarter hours whose sums are not those of the tables any more. */
export const rollupDue = pai.table('rollup_due', {
  id: int64().primaryKey().generatedAlwaysAsIdentity(),
  scope: text().notNull(),
  bucket: instant().notNull(),
  runs: boolean().notNull(),
  nodes: boolean().notNull(),
});

/** Runs whose nodes have changed: the quarter hour is looked up when it is needed, another transaction may be moving the run. */
export const nodeDue = pai.table('node_due', {
  id: int64().primaryKey().generatedAlwaysAsIdentity(),
  pipelineRunId: text().notNull(),
});

/** Starts and ends to be added to concurrency_rollup; negative where a run was changed or pruned. */
export const concurrencyDue = pai.table('concurrency_due', {
  id: int64().primaryKey().generatedAlwaysAsIdentity(),
  scope: text().notNull(),
  bucket: instant().notNull(),
  started: int64().notNull(),
  ended: int64().notNull(),
});
