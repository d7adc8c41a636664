import type { JsonDocument, PipelineRun, PipelineRunNode } from '../../domain/entities.js';
import { instantFromMillis } from '../../domain/instant.js';
import { isTerminal } from '../../domain/status.js';
import type { Quirks } from '../quirks.js';
import { mix, oneIn } from '../random.js';
import { type IdMaker, KIND } from './ids.js';
import { type StepTimes, scheduleSteps } from './schedule.js';
import type { Step } from './template.js';

/** A node as the world knows it: what both node operations tell about it, and where it is in the tree. */
export interface WorldNode extends PipelineRunNode {
  readonly parentNodeId: string | null;
  /** The logical node that this one executes; itself when it is logical. */
  readonly logicalNodeId: string;
  /** 1 for the root. */
  readonly depth: number;
  readonly inputArtifactArchived: boolean | null;
  readonly outputArtifactArchived: boolean | null;
}

/** Everything that the nodes of a run follow from. */
export interface NodeContext {
  readonly seed: number;
  readonly ids: IdMaker;
  readonly quirks: Quirks;
  readonly slot: number;
  readonly run: PipelineRun;
  readonly rootNodeId: string;
  readonly steps: readonly Step[];
  readonly attempt: number;
  /** Milliseconds since 1970; NaN before the start. */
  readonly start: number;
  readonly end: number;
  readonly outcome: string;
  /** The time for which the nodes' state is asked. */
  readonly at: number;
}

interface NodeState {
  readonly status: string;
  readonly start: number;
  readonly end: number;
}

const QUANTA = [1, 1_000, 60_000, 1];

const never = (status: string): NodeState => ({ status, start: Number.NaN, end: Number.NaN });

const instantOrNull = (millis: number): string | null => (Number.isNaN(millis) ? null : instantFromMillis(millis));

/** Steps' times in the current attempt; null before it starts. */
export function stepTimes(context: NodeContext): StepTimes[] | null {
  if (Number.isNaN(context.start)) return null;
  const { seed, slot, attempt, start, end, outcome, quirks } = context;
  const quantum = quirks.shortTimes ? (QUANTA[mix(seed, slot, 0x9a) % QUANTA.length] as number) : 1;
  return scheduleSteps(context.steps, { seed, slot, attempt, start, end, outcome, quantum });
}

function stateAt(context: NodeContext, times: StepTimes | undefined, bits: number): NodeState {
  const over = isTerminal(context.run.status);
  const waiting = context.quirks.undocumentedStatuses && oneIn(2, bits) ? 'ReadyToSchedule' : 'Initialized';
  if (!times) return never(over ? 'Skipped' : waiting);
  if (Number.isNaN(times.start)) return never(over || context.at >= times.decided ? 'Skipped' : waiting);
  if (context.at < times.start) return never(waiting);
  if (context.at < times.end) return { status: 'Running', start: times.start, end: Number.NaN };
  const succeed = times.outcome === 'Succeeded' && context.quirks.succeedNodes && oneIn(3, bits >>> 4);
  return { status: succeed ? 'Succeed' : times.outcome, start: times.start, end: times.end };
}

function runtimeInfo(seed: number, bits: number, started: boolean): JsonDocument {
  if (!started) return { json: '{}', raw: null };
  const instance = (n: number): string => `i-${mix(seed, bits, n).toString(36)}`;
  const instances = Array.from({ length: 1 + (bits % 3) }, (_, n) => instance(n)).join(',');
  return { json: JSON.stringify({ DLC_INSTANCE_IDS: instances, note: `第 ${bits % 7} "组"` }), raw: null };
}

function makeNode(
  context: NodeContext,
  place: Pick<WorldNode, 'nodeId' | 'nodeType' | 'nodeName' | 'parentNodeId' | 'logicalNodeId' | 'depth'>,
  state: NodeState,
  bits: number,
): WorldNode {
  const started = !Number.isNaN(state.start);
  const hidden = context.quirks.missingStartedAt && !Number.isNaN(state.end) && oneIn(6, bits >>> 7);
  return {
    ...place,
    pipelineRunId: context.run.pipelineRunId,
    status: state.status,
    startedAt: hidden ? null : instantOrNull(state.start),
    finishedAt: instantOrNull(state.end),
    runtimeInfo: runtimeInfo(context.seed, bits, started),
    inputArtifactArchived: started,
    outputArtifactArchived: !Number.isNaN(state.end) && oneIn(2, bits >>> 9),
    extra: context.quirks.unknownFields ? `{"RetryCount":${bits % 4}}` : null,
  };
}

function rootNode(context: NodeContext, nodeType: string): WorldNode {
  const { run } = context;
  const place = {
    nodeId: context.rootNodeId,
    nodeType,
    nodeName: run.name,
    parentNodeId: null,
    logicalNodeId: context.rootNodeId,
    depth: 1,
  };
  const base = makeNode(context, place, never(run.status ?? 'Unknown'), mix(context.seed, context.slot));
  return { ...base, startedAt: run.startedAt, finishedAt: run.finishedAt };
}

/** The id of the logical node of a step. */
export const stepNodeId = (context: NodeContext, index: number): string =>
  `node-${context.ids.body(KIND.node, context.slot, index + 1)}`;

/** The containers (one or two) in which a leaf runs, once it has started. */
function physicalNodes(context: NodeContext, logical: WorldNode, index: number, state: NodeState): WorldNode[] {
  if (Number.isNaN(state.start)) return [];
  const bits = mix(context.seed ^ 0xf15, context.slot, index);
  return Array.from({ length: 1 + (bits % 2) }, (_, copy) => {
    const nodeId = `node-${context.ids.body(KIND.node, context.slot, 1_000 * (copy + 1) + index)}`;
    const place = { ...logical, nodeId, nodeType: 'Physical', nodeName: `${logical.nodeName}-worker-${copy}` };
    return makeNode(context, place, state, mix(bits, copy));
  });
}

/**
 * The nodes of a run at a point in time, parents before children. `Physical` has the root and composite nodes under the
 * same ids, and containers instead of leaves.
 */
export function deriveNodes(context: NodeContext, nodeType: string): WorldNode[] {
  const times = stepTimes(context);
  const nodes = [rootNode(context, nodeType)];
  const depths: number[] = [];
  context.steps.forEach((step, index) => {
    const bits = mix(context.seed ^ 0x40de, context.slot, index);
    const state = stateAt(context, times?.[index], bits);
    const nodeId = stepNodeId(context, index);
    const depth = step.parent < 0 ? 2 : (depths[step.parent] as number) + 1;
    depths[index] = depth;
    const parentNodeId = step.parent < 0 ? context.rootNodeId : stepNodeId(context, step.parent);
    const place = { nodeId, nodeType, nodeName: step.name, parentNodeId, logicalNodeId: nodeId, depth };
    const node = makeNode(context, place, state, bits);
    if (nodeType !== 'Physical' || step.composite) nodes.push(node);
    else nodes.push(...physicalNodes(context, node, index, state));
  });
  return nodes;
}
