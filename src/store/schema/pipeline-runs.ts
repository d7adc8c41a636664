import { sql } from 'drizzle-orm';
import { boolean, index, jsonb, text } from 'drizzle-orm/pg-core';
import { activeSql, instant, int64, mirror, origin, pai } from './columns.js';

/**
 * One row a pipeline run. What a run waits for is found by partial indexes that hold only the waiting rows, so they
 * stay tiny however long the history grows; the two time indexes carry the dashboards.
 */
export const pipelineRuns = pai.table(
  'pipeline_runs',
  {
    pipelineRunId: text().primaryKey(),
    name: text(),
    status: text(),
    userId: text(),
    parentUserId: text(),
    startedAt: instant(),
    finishedAt: instant(),
    nodeId: text(),
    duration: int64(),
    workspaceId: text(),
    message: text(),
    sourceType: text(),
    sourceId: text(),
    gmtCreateTime: instant(),
    gmtModifiedTime: instant(),
    pipelineId: text(),
    accessibility: text(),
    pipelineRunUri: text(),
    ...mirror(),
    nodesRevision: int64().notNull().default(sql`0`),
    detailsRevision: int64().notNull().default(sql`0`),
    nodesOpen: boolean().notNull().default(false),
    nodesFetchedAt: instant(),
  },
  (t) => [
    index('pipeline_runs_active')
      .on(t.scope, t.pipelineRunId)
      .where(sql.raw(`deleted_at is null and ${activeSql('status')}`)),
    index('pipeline_runs_due_nodes')
      .on(t.scope, t.pipelineRunId)
      .where(sql.raw(`nodes_revision < revision and deleted_at is null and missing_since is null and node_id <> ''`)),
    index('pipeline_runs_due_details')
      .on(t.scope, t.pipelineRunId)
      .where(sql.raw('details_revision < revision and deleted_at is null and missing_since is null')),
    index('pipeline_runs_nodes_open').on(t.scope, t.pipelineRunId).where(sql.raw('nodes_open')),
    index('pipeline_runs_missing')
      .on(t.scope, t.pipelineRunId)
      .where(sql.raw('missing_since is not null and deleted_at is null')),
    index('pipeline_runs_created_at').on(t.gmtCreateTime, t.scope),
    index('pipeline_runs_modified').on(t.scope, t.gmtModifiedTime),
    index('pipeline_runs_pipeline').on(t.pipelineId, t.gmtCreateTime),
  ],
);

/** The three documents of GetPipelineRun: large and rarely read, so they are not in the table of every dashboard. */
export const pipelineRunDetails = pai.table('pipeline_run_details', {
  pipelineRunId: text().primaryKey(),
  manifest: jsonb(),
  manifestRaw: text(),
  arguments: jsonb(),
  argumentsRaw: text(),
  options: jsonb(),
  optionsRaw: text(),
  ...origin(),
  scope: text().notNull(),
  fetchedAt: instant().notNull(),
  answerRequestId: text(),
});
