import { sql } from 'drizzle-orm';
import { boolean, index, jsonb, primaryKey, text } from 'drizzle-orm/pg-core';
import { evidence, instant, int64, mirror, origin, pai } from './columns.js';

/** One row a node of a run and type. Which nodes to poll is found through the run, but for the outputs not asked for yet. */
export const pipelineRunNodes = pai.table(
  'pipeline_run_nodes',
  {
    pipelineRunId: text().notNull(),
    nodeId: text().notNull(),
    nodeType: text().notNull(),
    nodeName: text(),
    status: text(),
    startedAt: instant(),
    finishedAt: instant(),
    runtimeInfo: jsonb(),
    runtimeInfoRaw: text(),
    inputArtifactArchived: boolean(),
    outputArtifactArchived: boolean(),
    ...mirror(),
    outputsRevision: int64().notNull().default(sql`0`),
  },
  (t) => [
    primaryKey({ columns: [t.pipelineRunId, t.nodeId, t.nodeType] }),
    index('pipeline_run_nodes_due_outputs')
      .on(t.scope, t.pipelineRunId, t.nodeId)
      .where(sql.raw('outputs_revision < revision and missing_since is null')),
  ],
);

export const nodeOutputs = pai.table(
  'node_outputs',
  {
    pipelineRunId: text().notNull(),
    id: text().notNull(),
    nodeId: text(),
    name: text(),
    type: text(),
    metadata: jsonb(),
    value: jsonb(),
    valueRaw: text(),
    producer: text(),
    gmtCreateTime: instant(),
    expandedArtifactIndex: int64(),
    expandableArtifactName: text(),
    ...origin(),
    ...evidence(),
    deletedAt: instant(),
    extra: jsonb(),
  },
  (t) => [primaryKey({ columns: [t.pipelineRunId, t.id] })],
);
