import type { ClientBase } from 'pg';
import type { NodeKey, Observed, WriteBatch } from '../../domain/batch.js';
import type { NodeOutput } from '../../domain/entities.js';
import { idOfParts } from '../../domain/quarantine.js';
import { NODE_OUTPUTS, nodeOutputRow } from '../entities/nodes.js';
import { type CommitContext, write } from './context.js';
import { toEntries } from './entries.js';
import { markOutputsFetched } from './fetched.js';

const NAMING = {
  operation: 'ListPipelineRunsStatus',
  entity: 'node_output',
  id: (output: NodeOutput) => idOfParts(output.pipelineRunId, output.id),
  parentId: (output: NodeOutput) => output.pipelineRunId,
};

/** `Outputs` of ListPipelineRunsStatus, and what follows from what the answer no longer names. */
export async function writeOutputs(context: CommitContext, batch: WriteBatch): Promise<void> {
  await write(context, NODE_OUTPUTS, toEntries(batch.nodeOutputs ?? [], NAMING, nodeOutputRow));
  const polled = batch.nodesPolled ?? [];
  // An output that cannot be read may be any of those that seem to be absent.
  const unreadable = context.rejected.some(({ entity }) => entity === NAMING.entity);
  if (!unreadable) await markUnnamedOutputs(context.client, polled, batch.nodeOutputs ?? []);
  await markOutputsFetched(context.client, polled);
}

/** A rerun gives a node other outputs: the ones before it stay, under a tombstone. */
async function markUnnamedOutputs(
  client: ClientBase,
  polled: readonly Observed<NodeKey>[],
  outputs: readonly Observed<NodeOutput>[],
): Promise<void> {
  const nodes = polled.flatMap(({ evidence, items }) => items.map((item) => ({ ...item, at: evidence.observedAt })));
  if (nodes.length === 0) return;
  const named = outputs.flatMap(({ items }) => items);
  await client.query(
    `with gone as (
       select o.pipeline_run_id, o.id, max(p.observed_at) as observed_at
       from unnest($1::text[], $2::text[], $3::timestamptz[]) as p(run_id, node_id, observed_at)
       join pai.node_outputs o on o.pipeline_run_id = p.run_id and o.node_id = p.node_id
       where o.deleted_at is null and o.observed_at <= p.observed_at and not exists (
         select from unnest($4::text[], $5::text[]) as named(run_id, id)
         where named.run_id = o.pipeline_run_id and named.id = o.id)
       group by o.pipeline_run_id, o.id)
     update pai.node_outputs o set deleted_at = gone.observed_at, updated_at = clock_timestamp() from gone
     where o.pipeline_run_id = gone.pipeline_run_id and o.id = gone.id`,
    [
      nodes.map((node) => node.pipelineRunId),
      nodes.map((node) => node.nodeId),
      nodes.map((node) => node.at),
      named.map((output) => output.pipelineRunId),
      named.map((output) => output.id),
    ],
  );
}
