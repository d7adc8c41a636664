import { afterEach, expect, test } from 'vitest';
import { UsageError } from '../../src/domain/errors.js';
import { endpointTable, publicEndpoint } from '../../src/pai/endpoints.js';
import { clientOf, json, never, SCOPE, startUpstream, type Upstream } from './support.js';

let upstream: Upstream | null = null;
afterEach(() => upstream?.close());

const strict = { allowHttp: false };

test('the public endpoint of a region is spoken to over https', () => {
  const endpointOf = endpointTable(publicEndpoint, strict);
  expect(endpointOf('paiflow', 'cn-shanghai')).toEqual({ protocol: 'https', host: 'paiflow.cn-shanghai.aliyuncs.com' });
  expect(endpointOf('aiworkspace', 'new-region-7')).toEqual({
    protocol: 'https',
    host: 'aiworkspace.new-region-7.aliyuncs.com',
  });
});

test('an endpoint with a trailing tab, as published metadata has it, is read', () => {
  expect(endpointTable(() => ' paiflow.x.aliyuncs.com\t', strict)('paiflow', 'x').host).toBe('paiflow.x.aliyuncs.com');
});

test.each(['http://paiflow.example.com', 'https://host/path', 'ftp://host', 'a b', ''])('%j is refused', (text) => {
  expect(() => endpointTable(() => text, strict)('paiflow', 'x')).toThrow(UsageError);
});

test('plain http to other machines takes a decision', () => {
  const endpointOf = endpointTable(() => 'http://paiflow.example.com', { allowHttp: true });
  expect(endpointOf('paiflow', 'x')).toEqual({ protocol: 'http', host: 'paiflow.example.com' });
});

test('the endpoint of the right product and region is called', async () => {
  upstream = await startUpstream((response) => json(response, {}));
  const asked: string[] = [];
  const endpoints = (product: string, region: string) => {
    asked.push(`${product} ${region}`);
    return upstream?.url ?? '';
  };
  const client = clientOf(upstream, { endpoints });
  await client.listPipelineRunsStatus(SCOPE, { pipelineRunIds: ['flow-1'] }, never());
  await client.listRuns(SCOPE, { pageToken: null, maxResults: 10 }, never());
  await client.listWorkspaces('eu-central-1', { pageNumber: 1, pageSize: 10 }, never());
  expect(asked).toEqual(['paiflow cn-shanghai', 'aiworkspace cn-shanghai', 'aiworkspace eu-central-1']);
});
