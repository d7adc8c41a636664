import { invalidParameter, Refusal } from '../refusal.js';
import { jsonArray } from '../wire.js';
import type { World } from '../world/world.js';
import type { Call } from './operation.js';

interface Body {
  readonly pipelineRuns: readonly string[];
  readonly nodes: readonly { readonly pipelineRunId: string; readonly nodeId: string }[];
  readonly workspaceId: string | null;
  readonly outputType: string | null;
}

type Json = { readonly [name: string]: unknown };

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parse(body: string): Json {
  if (body.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(body);
    if (isObject(value)) return value;
  } catch {
    // Answered below, like any other body that is not an object.
  }
  throw new Refusal(400, 'InvalidParameter', 'The request body is not a JSON object.');
}

function list(body: Json, name: string): readonly unknown[] {
  const value = body[name] ?? [];
  if (Array.isArray(value)) return value;
  throw invalidParameter(name, JSON.stringify(value), 'an array');
}

function readBody(text: string): Body {
  const body = parse(text);
  const pipelineRuns = list(body, 'PipelineRuns').map((id) => {
    if (typeof id === 'string') return id;
    throw invalidParameter('PipelineRuns', JSON.stringify(id), 'strings');
  });
  const nodes = list(body, 'Nodes').map((node) => {
    const { PipelineRunId: pipelineRunId, NodeId: nodeId } = isObject(node) ? node : {};
    if (typeof pipelineRunId === 'string' && typeof nodeId === 'string') return { pipelineRunId, nodeId };
    throw invalidParameter('Nodes', JSON.stringify(node), 'objects with PipelineRunId and NodeId');
  });
  if (pipelineRuns.length === 0 && nodes.length === 0) {
    throw new Refusal(400, 'MissingParameter', 'Either PipelineRuns or Nodes is mandatory for this action.');
  }
  const optional = (name: string): string | null => (body[name] ? String(body[name]) : null);
  return { pipelineRuns, nodes, workspaceId: optional('WorkspaceId'), outputType: optional('OutputType') };
}

function isWanted(world: World, pipelineRunId: string, workspaceId: string | null): boolean {
  return workspaceId === null || world.pipelineRun(pipelineRunId)?.workspaceId === workspaceId;
}

/** Of either tree. Nothing for a node that does not exist, of a deleted run or of another workspace. */
function answerNodes(call: Call, body: Body): { nodes: string[]; outputs: string[] } {
  const { world, wire } = call;
  const nodes: string[] = [];
  const outputs: string[] = [];
  const asked = new Map<string, Set<string>>();
  for (const { pipelineRunId, nodeId } of body.nodes) {
    const ids = asked.get(pipelineRunId);
    if (ids) ids.add(nodeId);
    else asked.set(pipelineRunId, new Set([nodeId]));
  }
  for (const [pipelineRunId, nodeIds] of asked) {
    if (world.statusOf(pipelineRunId)?.isDeleted !== false || !isWanted(world, pipelineRunId, body.workspaceId))
      continue;
    const trees = [...world.nodesOf(pipelineRunId, 'Logical'), ...world.nodesOf(pipelineRunId, 'Physical')];
    for (const nodeId of nodeIds) {
      const node = trees.find((candidate) => candidate.nodeId === nodeId);
      if (node) nodes.push(wire.nodeStatus(node));
    }
    for (const output of world.outputsOf(pipelineRunId)) {
      const wanted = body.outputType === null || output.type === body.outputType;
      if (wanted && output.nodeId !== null && nodeIds.has(output.nodeId)) outputs.push(wire.output(output));
    }
  }
  return { nodes, outputs };
}

/** `PUT /api/v1/pipelineruns`. Nodes wins over PipelineRuns; ids that nobody knows are left out. */
export function listPipelineRunsStatus(call: Call): string {
  const { world, wire } = call;
  const body = readBody(call.body);
  const { nodes, outputs } = answerNodes(call, body);
  const statuses =
    body.nodes.length > 0
      ? []
      : [...new Set(body.pipelineRuns)].flatMap((id) => {
          const status = world.statusOf(id);
          return status && isWanted(world, id, body.workspaceId) ? [wire.pipelineRunStatus(status)] : [];
        });
  return `{"RequestId":"${call.requestId}","PipelineRuns":${jsonArray(statuses)},"Nodes":${jsonArray(nodes)},"Outputs":${jsonArray(outputs)}}`;
}
