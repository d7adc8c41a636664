import { afterEach, expect, test } from 'vitest';
import type { Source } from '../../src/sync/ports.js';
import { clientOf, json, never, SCOPE, type Seen, startUpstream, type Upstream } from './support.js';

let upstream: Upstream | null = null;
afterEach(() => upstream?.close());

/** Makes one call and gives the request that it sent. */
async function requestOf(call: (source: Source) => Promise<unknown>): Promise<Seen & { path: string; query: object }> {
  upstream = await startUpstream((response) => json(response, {}));
  await call(clientOf(upstream));
  expect(upstream.seen).toHaveLength(1);
  const seen = upstream.seen[0] as Seen;
  const [path = '', query] = seen.url.split('?');
  return { ...seen, path, query: Object.fromEntries(new URLSearchParams(query)) };
}

test('ListPipelineRuns asks for a page in an order, without SourceType and Status', async () => {
  const page = { pageNumber: 3, pageSize: 50, sortBy: 'GmtCreateTime', order: 'ASC' } as const;
  const request = await requestOf((source) => source.listPipelineRuns(SCOPE, page, never()));
  expect(request).toMatchObject({ method: 'GET', path: '/api/v1/pipelineruns', body: '' });
  expect(request.query).toEqual({
    PageNumber: '3',
    PageSize: '50',
    SortBy: 'GmtCreateTime',
    Order: 'ASC',
    WorkspaceId: '15945',
  });
  expect(request.headers).toMatchObject({ 'x-acs-action': 'ListPipelineRuns', 'x-acs-version': '2021-02-02' });
});

test('ListPipelineRunsStatus asks for runs', async () => {
  const subject = { pipelineRunIds: ['flow-1', 'flow-ü'] };
  const request = await requestOf((source) => source.listPipelineRunsStatus(SCOPE, subject, never()));
  expect(request).toMatchObject({ method: 'PUT', path: '/api/v1/pipelineruns', query: {} });
  expect(JSON.parse(request.body)).toEqual({ PipelineRuns: ['flow-1', 'flow-ü'], WorkspaceId: '15945' });
  expect(request.headers['content-type']).toBe('application/json; charset=utf-8');
});

test('ListPipelineRunsStatus asks for nodes, and then not for runs', async () => {
  const subject = { nodes: [{ pipelineRunId: 'flow-1', nodeId: 'node-1' }] };
  const request = await requestOf((source) => source.listPipelineRunsStatus(SCOPE, subject, never()));
  expect(JSON.parse(request.body)).toEqual({
    Nodes: [{ PipelineRunId: 'flow-1', NodeId: 'node-1' }],
    WorkspaceId: '15945',
  });
});

test('GetPipelineRun asks for details', async () => {
  const request = await requestOf((source) => source.getPipelineRun(SCOPE, 'flow-1', never()));
  expect(request).toMatchObject({ method: 'GET', path: '/api/v1/pipelineruns/flow-1', query: { Verbose: 'true' } });
});

test('ListPipelineRunNodeStatus asks for a depth and a type', async () => {
  const node = { pipelineRunId: 'flow-1', nodeId: 'node-1', depth: 10, type: 'Physical' };
  const request = await requestOf((source) => source.listPipelineRunNodeStatus(SCOPE, node, never()));
  expect(request.path).toBe('/api/v1/pipelineruns/flow-1/nodes/node-1/status');
  expect(request.query).toEqual({ Depth: '10', Type: 'Physical' });
});

test.each([
  [null, {}],
  ['9007199254740993', { PageToken: '9007199254740993' }],
])('ListRuns with the page token %j', async (pageToken, expected) => {
  const request = await requestOf((source) => source.listRuns(SCOPE, { pageToken, maxResults: 20 }, never()));
  expect(request).toMatchObject({ method: 'GET', path: '/api/v1/runs' });
  expect(request.query).toEqual({
    WorkspaceId: '15945',
    Verbose: 'true',
    OrderBy: 'GmtCreateTime DESC',
    MaxResults: '20',
    ...expected,
  });
  expect(request.headers).toMatchObject({ 'x-acs-action': 'ListRuns', 'x-acs-version': '2021-02-04' });
});

test('ListWorkspaces asks for a page', async () => {
  const page = { pageNumber: 2, pageSize: 30 };
  const request = await requestOf((source) => source.listWorkspaces('cn-shanghai', page, never()));
  expect(request).toMatchObject({
    method: 'GET',
    path: '/api/v1/workspaces',
    query: { PageNumber: '2', PageSize: '30' },
  });
});
