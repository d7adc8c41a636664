import { pipelineRunNotFound, Refusal } from '../refusal.js';
import { jsonArray } from '../wire.js';
import type { WorldNode } from '../world/nodes.js';
import type { Call } from './operation.js';

/** The node and its descendants within `depth` levels, in the order of the tree. */
function subtree(nodes: readonly WorldNode[], nodeId: string, depth: number): WorldNode[] {
  const tops = nodes.filter((node) => node.nodeId === nodeId || node.logicalNodeId === nodeId);
  const topDepth = tops[0]?.depth ?? 0;
  const inside = new Set(tops.map((node) => node.nodeId));
  return nodes.filter((node) => {
    if (node.parentNodeId !== null && inside.has(node.parentNodeId)) inside.add(node.nodeId);
    return inside.has(node.nodeId) && node.depth < topDepth + depth;
  });
}

/**
 * `GET /api/v1/pipelineruns/{PipelineRunId}/nodes/{NodeId}/status`. Depth 1, the node alone, when it is not given: the
 * reference page names no default. The physical nodes of a logical one that has not started are an empty list.
 */
export function listPipelineRunNodeStatus(call: Call): string {
  const { world, wire, parameters } = call;
  const [pipelineRunId, nodeId] = call.path as [string, string];
  const depth = parameters.integer('Depth', 1, 1);
  const type = parameters.oneOf('Type', ['Logical', 'Physical']) ?? 'Logical';
  if (world.statusOf(pipelineRunId)?.isDeleted !== false) throw pipelineRunNotFound(pipelineRunId);
  const nodes = subtree(world.nodesOf(pipelineRunId, type), nodeId, depth);
  const exists = nodes.length > 0 || world.nodesOf(pipelineRunId).some((node) => node.nodeId === nodeId);
  if (!exists) {
    throw new Refusal(
      404,
      'PipelineRunNodeNotFound',
      `Node ${nodeId} of pipeline run ${pipelineRunId} does not exist.`,
    );
  }
  const newline = world.quirks.trailingNewlines ? '\\n' : '';
  return `{"RequestId":"${call.requestId}${newline}","Status":${jsonArray(nodes.map((node) => wire.node(node)))}}`;
}
