import type { NodeKey, ObservedTree, WriteBatch } from '../../domain/batch.js';
import { idOfParts } from '../../domain/quarantine.js';
import { MISSING_NODES, nodeStatusRow, POLLED_NODES, TREE_NODES, treeNodeRow } from '../entities/nodes.js';
import { type CommitContext, write } from './context.js';
import { toEntries } from './entries.js';
import { markNodesDue, markNodesFetched } from './fetched.js';
import { writeOutputs } from './outputs.js';

interface NodeRowKey {
  readonly pipeline_run_id: string;
  readonly node_id: string;
  readonly node_type: string;
}

const parentId = (item: { readonly pipelineRunId: string }): string => item.pipelineRunId;

/** How quarantine names a node, here and in what the client could not decode: a poll does not tell the type. */
const polledName = (node: NodeKey): string => idOfParts(node.pipelineRunId, node.nodeId);
const treeName = (node: NodeKey & { readonly nodeType: string }): string =>
  idOfParts(node.pipelineRunId, node.nodeId, node.nodeType);

const treeKey = (pipelineRunId: string, nodeType: string): string => JSON.stringify([pipelineRunId, nodeType]);

/** The newest tree of each run and type. */
function newestTrees(trees: readonly ObservedTree[]): Map<string, ObservedTree> {
  const newest = new Map<string, ObservedTree>();
  for (const tree of trees) {
    const key = treeKey(tree.pipelineRunId, tree.nodeType);
    const known = newest.get(key);
    if (!known || known.evidence.observedAt <= tree.evidence.observedAt) newest.set(key, tree);
  }
  return newest;
}

/** Known nodes that a complete tree of their run and type does not name. */
async function unnamedNodes(context: CommitContext, trees: readonly ObservedTree[]): Promise<NodeRowKey[]> {
  const named = trees.flatMap((tree) =>
    tree.nodes.map((node) => [tree.pipelineRunId, node.nodeId, tree.nodeType] as const),
  );
  const { rows } = await context.client.query<NodeRowKey>(
    `select n.pipeline_run_id, n.node_id, n.node_type
     from unnest($1::text[], $2::text[]) as t(run_id, node_type)
     join pai.pipeline_run_nodes n on n.pipeline_run_id = t.run_id and n.node_type = t.node_type
     left join unnest($3::text[], $4::text[], $5::text[]) as named(run_id, node_id, node_type)
       on named.run_id = n.pipeline_run_id and named.node_id = n.node_id and named.node_type = n.node_type
     where n.missing_since is null and named.run_id is null`,
    [
      trees.map((tree) => tree.pipelineRunId),
      trees.map((tree) => tree.nodeType),
      ...[0, 1, 2].map((part) => named.map((key) => key[part as 0 | 1 | 2])),
    ],
  );
  return rows;
}

/**
 * ListPipelineRunNodeStatus. Returns the runs of which a node was refused, since a poll knows it from a later moment:
 * their trees have to be asked for again, no poll tells what is in them.
 */
async function writeTrees(context: CommitContext, trees: readonly ObservedTree[]): Promise<Set<string>> {
  const newest = newestTrees(trees);
  const groups = [...newest.values()].map(({ evidence, nodes }) => ({ evidence, items: nodes }));
  const naming = { operation: 'ListPipelineRunNodeStatus', entity: 'node' };
  const { stale } = await write(
    context,
    TREE_NODES,
    toEntries(groups, { ...naming, id: treeName, parentId }, treeNodeRow),
  );
  const refused = new Set(stale.map(({ row }) => row.pipelineRunId as string));

  const complete = [...newest.values()].filter((tree) => tree.complete);
  if (complete.length === 0) return refused;
  const unnamed = (await unnamedNodes(context, complete)).map((key) => {
    const tree = newest.get(treeKey(key.pipeline_run_id, key.node_type)) as ObservedTree;
    const row = { pipelineRunId: key.pipeline_run_id, nodeId: key.node_id, nodeType: key.node_type };
    return { ...naming, entity: 'node_id', entityId: treeName(row), item: row, row, evidence: tree.evidence };
  });
  await write(context, MISSING_NODES, unnamed);
  return refused;
}

/** `Nodes` of ListPipelineRunsStatus. */
async function writePolled(context: CommitContext, batch: WriteBatch): Promise<void> {
  const naming = { operation: 'ListPipelineRunsStatus', entity: 'node' };
  const entries = toEntries(batch.nodeStatuses ?? [], { ...naming, id: polledName, parentId }, nodeStatusRow);
  const { changes } = await write(context, POLLED_NODES, entries);
  const moved = changes.filter((change) => change.statusMoved).map(({ entry }) => entry.row.pipelineRunId as string);
  await markNodesDue(context.client, [...new Set(moved)]);
}

export async function writeNodes(context: CommitContext, batch: WriteBatch): Promise<void> {
  await writePolled(context, batch);
  const refused = await writeTrees(context, batch.nodeTrees ?? []);
  const fetched = (batch.nodesFetched ?? []).filter(({ pipelineRunId }) => !refused.has(pipelineRunId));
  await markNodesFetched(context.client, fetched);
  await writeOutputs(context, batch);
}
