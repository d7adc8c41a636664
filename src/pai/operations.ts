/** The six operations, and the shape of each request. Facts: the reference pages of PAI. */
import type { PipelineRunSortKey, SortOrder } from '../domain/answers.js';
import type { NodeKey } from '../domain/batch.js';
import { PaiError } from '../domain/errors.js';
import type { Scope } from '../domain/scope.js';
import type { Product } from './endpoints.js';

/** Calls that share one rate limit in a region. */
export type BudgetName = 'flow' | 'listRuns' | 'listWorkspaces';

export interface Operation {
  readonly name: string;
  readonly product: Product;
  /** The API version, a part of what is signed. */
  readonly version: string;
  readonly budget: BudgetName;
  /** Lists concern a whole scope: nothing smaller can be skipped when they fail. */
  readonly isList: boolean;
}

export interface PaiRequest {
  readonly operation: Operation;
  readonly method: 'GET' | 'PUT';
  readonly pathname: string;
  readonly query: { readonly [name: string]: string };
  readonly body?: object;
}

const flow = (name: string, isList: boolean): Operation => ({
  name,
  product: 'paiflow',
  version: '2021-02-02',
  budget: 'flow',
  isList,
});

const aiWorkspace = (name: string, budget: BudgetName): Operation => ({
  name,
  product: 'aiworkspace',
  version: '2021-02-04',
  budget,
  isList: true,
});

const LIST_PIPELINE_RUNS = flow('ListPipelineRuns', true);
const LIST_PIPELINE_RUNS_STATUS = flow('ListPipelineRunsStatus', false);
const GET_PIPELINE_RUN = flow('GetPipelineRun', false);
const LIST_PIPELINE_RUN_NODE_STATUS = flow('ListPipelineRunNodeStatus', false);
const LIST_RUNS = aiWorkspace('ListRuns', 'listRuns');
const LIST_WORKSPACES = aiWorkspace('ListWorkspaces', 'listWorkspaces');

const PIPELINE_RUNS = '/api/v1/pipelineruns';

/** Without SourceType and Status: the first may default to UNKNOWN, the second lacks words that answers use. */
export const listPipelineRuns = (
  scope: Scope,
  page: {
    readonly pageNumber: number;
    readonly pageSize: number;
    readonly sortBy: PipelineRunSortKey;
    readonly order: SortOrder;
    readonly sourceType?: string;
  },
): PaiRequest => ({
  operation: LIST_PIPELINE_RUNS,
  method: 'GET',
  pathname: PIPELINE_RUNS,
  query: {
    PageNumber: String(page.pageNumber),
    PageSize: String(page.pageSize),
    ...(page.sourceType === undefined ? {} : { SourceType: page.sourceType }),
    SortBy: page.sortBy,
    Order: page.order,
    WorkspaceId: scope.workspaceId,
  },
});

export const listPipelineRunsStatus = (
  scope: Scope,
  subject: { readonly pipelineRunIds: readonly string[] } | { readonly nodes: readonly NodeKey[] },
): PaiRequest => ({
  operation: LIST_PIPELINE_RUNS_STATUS,
  method: 'PUT',
  pathname: PIPELINE_RUNS,
  query: {},
  body: {
    ...('nodes' in subject
      ? { Nodes: subject.nodes.map(({ pipelineRunId, nodeId }) => ({ PipelineRunId: pipelineRunId, NodeId: nodeId })) }
      : { PipelineRuns: subject.pipelineRunIds }),
    WorkspaceId: scope.workspaceId,
  },
});

export const getPipelineRun = (pipelineRunId: string): PaiRequest => ({
  operation: GET_PIPELINE_RUN,
  method: 'GET',
  pathname: `${PIPELINE_RUNS}/${segment(GET_PIPELINE_RUN, 'PipelineRunId', pipelineRunId)}`,
  query: { Verbose: 'true' },
});

export function listPipelineRunNodeStatus(node: {
  readonly pipelineRunId: string;
  readonly nodeId: string;
  readonly depth: number;
  readonly type: string;
}): PaiRequest {
  const run = segment(LIST_PIPELINE_RUN_NODE_STATUS, 'PipelineRunId', node.pipelineRunId);
  return {
    operation: LIST_PIPELINE_RUN_NODE_STATUS,
    method: 'GET',
    pathname: `${PIPELINE_RUNS}/${run}/nodes/${segment(LIST_PIPELINE_RUN_NODE_STATUS, 'NodeId', node.nodeId)}/status`,
    query: { Depth: String(node.depth), Type: node.type },
  };
}

/** OrderBy belongs to PageToken and MaxResults, SortBy and Order to PageNumber and PageSize; never mixed. */
export const listRuns = (
  scope: Scope,
  page: { readonly pageToken: string | null; readonly maxResults: number },
): PaiRequest => ({
  operation: LIST_RUNS,
  method: 'GET',
  pathname: '/api/v1/runs',
  query: {
    WorkspaceId: scope.workspaceId,
    Verbose: 'true',
    OrderBy: 'GmtCreateTime DESC',
    MaxResults: String(page.maxResults),
    ...(page.pageToken === null ? {} : { PageToken: page.pageToken }),
  },
});

export const listWorkspaces = (page: { readonly pageNumber: number; readonly pageSize: number }): PaiRequest => ({
  operation: LIST_WORKSPACES,
  method: 'GET',
  pathname: '/api/v1/workspaces',
  query: { PageNumber: String(page.pageNumber), PageSize: String(page.pageSize) },
});

/**
 * One id as a part of the path. RFC 3986's unreserved characters only: the client signs the path after replacing the
 * first `*` alone, and its URL parser rewrites `'`, so both must not arrive there. An empty id would address the list.
 */
function segment(operation: Operation, field: string, id: string): string {
  if (id === '' || id === '.' || id === '..' || /\p{Cs}/u.test(id)) {
    throw new PaiError(`${operation.name}: ${field}: found ${JSON.stringify(id)}, expected an id`, {
      code: 'PAI_INVALID_REQUEST',
      retryable: false,
      blast: 'item',
      operation: operation.name,
      attempts: 0,
    });
  }
  return encodeURIComponent(id).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
