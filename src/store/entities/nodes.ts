/** How node trees and node polls are merged into `pipeline_run_nodes`, and outputs into `node_outputs`. */
import type { NodeOutput, NodeStatus, PipelineRunNode } from '../../domain/entities.js';
import { nodeOutputs, pipelineRunNodes } from '../schema/nodes.js';
import * as rules from '../upsert/rules.js';
import type { History, Row, UpsertSpec } from '../upsert/spec.js';
import { documentRow } from './pipeline-runs.js';

const HISTORY: History = {
  kind: 'row',
  entity: 'node',
  entityId: 'pipelineRunId',
  nodeId: 'nodeId',
  nodeType: 'nodeType',
  status: 'status',
  sourceTime: ['finishedAt', 'startedAt'],
};

const KEYS = ['pipelineRunId', 'nodeId', 'nodeType'];
const MOVED = 'i.status is distinct from k.status';

/** ListPipelineRunNodeStatus, the authority on which nodes a run has. */
export const TREE_NODES: UpsertSpec = {
  table: pipelineRunNodes,
  keys: KEYS,
  merge: {
    nodeName: rules.versioned,
    status: rules.versioned,
    startedAt: rules.nodeTime,
    finishedAt: rules.nodeTime,
    ...rules.versionedDocument('runtimeInfo'),
    extra: rules.versioned,
    missingSince: rules.present.missingSince,
  },
  moved: MOVED,
  observed: 'observedAt',
  history: HISTORY,
};

/**
 * `Nodes` of ListPipelineRunsStatus. The answer does not say which type it speaks of: it is applied to the logical
 * node where there is one.
 */
export const POLLED_NODES: UpsertSpec = {
  table: pipelineRunNodes,
  keys: KEYS,
  resolve: {
    nodeType: `coalesce((select n.node_type from pai.pipeline_run_nodes n
      where n.pipeline_run_id = a.pipeline_run_id and n.node_id = a.node_id
      order by n.node_type <> 'Logical', n.node_type limit 1), 'Logical')`,
  },
  merge: {
    nodeName: rules.fill,
    status: rules.versioned,
    startedAt: rules.nodeTime,
    finishedAt: rules.nodeTime,
    inputArtifactArchived: rules.latest,
    outputArtifactArchived: rules.latest,
    extra: rules.initial,
  },
  moved: MOVED,
  observed: 'observedAt',
  history: { ...HISTORY, completes: ['inputArtifactArchived', 'outputArtifactArchived'] },
};

/** A complete tree that does not name the node any more. */
export const MISSING_NODES: UpsertSpec = {
  table: pipelineRunNodes,
  keys: KEYS,
  insertNew: false,
  merge: {
    status: rules.always('k.status'),
    missingSince: rules.always('coalesce(k.missing_since, i.observed_at)'),
  },
  computed: ['status'],
  observed: 'observedAt',
  history: { ...HISTORY, sourceTime: [] },
};

export const NODE_OUTPUTS: UpsertSpec = {
  table: nodeOutputs,
  keys: ['pipelineRunId', 'id'],
  merge: {
    nodeId: rules.take,
    name: rules.take,
    type: rules.take,
    metadata: rules.take,
    value: rules.take,
    valueRaw: rules.take,
    producer: rules.take,
    gmtCreateTime: rules.take,
    expandedArtifactIndex: rules.take,
    expandableArtifactName: rules.take,
    extra: rules.take,
    deletedAt: rules.always('null::timestamptz'),
  },
  observed: 'observedAt',
};

export function treeNodeRow(node: PipelineRunNode): Row {
  const { runtimeInfo, ...fields } = node;
  return { ...fields, ...documentRow('runtimeInfo', runtimeInfo) };
}

export const nodeStatusRow = (node: NodeStatus): Row => ({ ...node });

export function nodeOutputRow(output: NodeOutput): Row {
  const { value, ...fields } = output;
  return { ...fields, ...documentRow('value', value) };
}
