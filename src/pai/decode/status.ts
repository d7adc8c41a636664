import type { NodeOutput, NodeStatus, PipelineRunStatus } from '../../domain/entities.js';
import type { JsonObject } from '../json.js';
import { boolean, document, extra, identifier, int64, object, requiredId, text, time } from './fields.js';
import { decodeList, idFrom, type Kind, listOf, type Page } from './page.js';
import { PIPELINE_RUN } from './pipeline-run.js';

const parentId = idFrom('PipelineRunId');
export const POLLED_NODE: Kind = { entity: 'node', id: idFrom('PipelineRunId', 'NodeId'), parentId };
export const OUTPUT: Kind = { entity: 'node_output', id: idFrom('PipelineRunId', 'Id'), parentId };

const RUN_FIELDS: ReadonlySet<string> = new Set([
  'PipelineRunId',
  'Status',
  'Name',
  'UserId',
  'ParentUserId',
  'NodeId',
  'SourceId',
  'IsDeleted',
]);

const NODE_FIELDS: ReadonlySet<string> = new Set([
  'PipelineRunId',
  'NodeId',
  'NodeName',
  'Status',
  'StartedAt',
  'FinishedAt',
  'InputArtifactArchived',
  'OutputArtifactArchived',
]);

const OUTPUT_FIELDS: ReadonlySet<string> = new Set([
  'PipelineRunId',
  'Id',
  'NodeId',
  'Name',
  'Type',
  'Metadata',
  'Value',
  'Producer',
  'GmtCreateTime',
  'ExpandedArtifactIndex',
  'ExpandableArtifactName',
]);

export const decodeRunStatus = (item: JsonObject): PipelineRunStatus => ({
  pipelineRunId: requiredId(item, 'PipelineRunId'),
  status: identifier(item, 'Status'),
  name: text(item, 'Name'),
  userId: identifier(item, 'UserId'),
  parentUserId: identifier(item, 'ParentUserId'),
  nodeId: identifier(item, 'NodeId'),
  sourceId: identifier(item, 'SourceId'),
  isDeleted: boolean(item, 'IsDeleted'),
  extra: extra(item, RUN_FIELDS),
});

export const decodeNodeStatus = (item: JsonObject): NodeStatus => ({
  pipelineRunId: requiredId(item, 'PipelineRunId'),
  nodeId: requiredId(item, 'NodeId'),
  nodeName: text(item, 'NodeName'),
  status: identifier(item, 'Status'),
  startedAt: time(item, 'StartedAt'),
  finishedAt: time(item, 'FinishedAt'),
  inputArtifactArchived: boolean(item, 'InputArtifactArchived'),
  outputArtifactArchived: boolean(item, 'OutputArtifactArchived'),
  extra: extra(item, NODE_FIELDS),
});

export const decodeOutput = (item: JsonObject): NodeOutput => ({
  pipelineRunId: requiredId(item, 'PipelineRunId'),
  id: requiredId(item, 'Id'),
  nodeId: identifier(item, 'NodeId'),
  name: text(item, 'Name'),
  type: identifier(item, 'Type'),
  metadata: object(item, 'Metadata'),
  value: document(item, 'Value'),
  producer: identifier(item, 'Producer'),
  gmtCreateTime: time(item, 'GmtCreateTime'),
  expandedArtifactIndex: int64(item, 'ExpandedArtifactIndex'),
  expandableArtifactName: text(item, 'ExpandableArtifactName'),
  extra: extra(item, OUTPUT_FIELDS),
});

/** ListPipelineRunsStatus: each of the three lists may be absent, depending on what was asked. */
export const decodeStatuses = (page: Page) => ({
  pipelineRuns: decodeList(page, listOf(page, 'PipelineRuns'), PIPELINE_RUN, decodeRunStatus),
  nodes: decodeList(page, listOf(page, 'Nodes'), POLLED_NODE, decodeNodeStatus),
  outputs: decodeList(page, listOf(page, 'Outputs'), OUTPUT, decodeOutput),
});
