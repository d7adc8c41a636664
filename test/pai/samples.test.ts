import { afterEach, expect, test } from 'vitest';
import type { Source } from '../../src/sync/ports.js';
import { clientOf, json, never, PAGE, SCOPE, sample, startUpstream, type Upstream } from './support.js';

let upstream: Upstream | null = null;
afterEach(() => upstream?.close());

/** The sample of one reference page, served byte for byte; typed as the port, so that the client is checked to fit. */
async function serving(operation: string): Promise<Source> {
  upstream = await startUpstream((response) => json(response, sample(operation)));
  return clientOf(upstream);
}

const answer = {
  requestId: '473469C7-****-****-****-A3DC0DE3C83E',
  attempts: 1,
  rejected: [],
};

const RUN = {
  pipelineRunId: 'flow-j94y**********lf7a',
  status: 'Succeeded',
  userId: '155**********904',
  parentUserId: '155**********904',
  startedAt: '2021-01-30T12:51:33.028000Z',
  finishedAt: '2021-01-30T12:52:33.028000Z',
  nodeId: 'node-n06d**********fc53',
  duration: '60',
  workspaceId: '15945',
  message: 'error message\n',
  sourceType: 'UNKNOWN',
  sourceId: 'abcd*********hxfu',
  gmtCreateTime: '2021-01-30T12:51:33.028000Z',
  gmtModifiedTime: '2021-01-30T12:51:33.028000Z',
  pipelineId: 'pipeline-j94y**********lf7a',
  accessibility: 'PUBLIC',
  extra: null,
};

test('the sample of ListPipelineRuns is decoded: ids and times trimmed, name and message as they came', async () => {
  const source = await serving('ListPipelineRuns');
  const page = await source.listPipelineRuns(SCOPE, PAGE, never());
  expect(page).toMatchObject({ ...answer, requestId: JSON.parse(sample('ListPipelineRuns')).RequestId.trim() });
  expect({ items: page.items, received: page.received, totalCount: page.totalCount }).toEqual({
    received: 1,
    totalCount: 15,
    items: [
      {
        ...RUN,
        name: 'testName\n',
        pipelineRunUri:
          'https://pai.console.alibabacloud.com/?regionId=cn-shanghai&workspaceId=24****#/studio/task/detail/flow-dsfbjt4k07lvp1****',
      },
    ],
  });
});

test('the sample of ListPipelineRunsStatus is decoded: runs, nodes and outputs, the value unescaped once', async () => {
  const source = await serving('ListPipelineRunsStatus');
  const subject = { pipelineRunIds: ['flow-hynm2bv8wqhp5esfxq'] };
  const { pipelineRuns, nodes, outputs, rejected } = await source.listPipelineRunsStatus(SCOPE, subject, never());
  expect({ pipelineRuns, nodes, outputs, rejected }).toEqual({
    rejected: [],
    pipelineRuns: [
      {
        pipelineRunId: 'flow-hynm2bv8wqhp5esfxq',
        status: 'Running',
        name: 'myName',
        userId: '1557702098194904',
        parentUserId: '1557702098194904',
        nodeId: 'node-98odqfpcjzwdf3caq3',
        sourceId: 'lmi7d24h3kr0xczjlu',
        isDeleted: false,
        extra: null,
      },
    ],
    nodes: [
      {
        pipelineRunId: 'flow-hynm2bv8wqhp5esfxq',
        nodeId: 'node-hynm2bv8wqhp5esfx1',
        status: 'Running',
        inputArtifactArchived: true,
        outputArtifactArchived: true,
        startedAt: '2021-01-21T17:12:35.232000Z',
        finishedAt: '2021-01-21T17:12:35.232000Z',
        nodeName: 'dataSource',
        extra: null,
      },
    ],
    outputs: [
      {
        pipelineRunId: 'flow-dsjfk******jdskls',
        id: 'artifact-ty1xwv*******s8zf',
        nodeId: 'node-obpzu*******418grb7',
        name: 'model_******',
        type: 'DataSet',
        metadata: '{"test":"test","test2":1}',
        value: {
          json: '{"name": "model_flow_*********_node_**********_model", "location": {"name": "model_flow_**********_node_***********_model", "endpoint": "http://service.odps.aliyun.com/api", "project": "********"}}',
          raw: null,
        },
        producer: 'id-3d25-************-77856',
        gmtCreateTime: '2021-01-30T12:51:33.028000Z',
        expandedArtifactIndex: '0',
        expandableArtifactName: 'inputArtifact',
        extra: null,
      },
    ],
  });
});

test('the sample of GetPipelineRun is decoded: the run beside the RequestId, three documents', async () => {
  const source = await serving('GetPipelineRun');
  const details = await source.getPipelineRun(SCOPE, 'flow-j94y**********lf7a', never());
  expect(details).toMatchObject({ ...answer, requestId: 'DA869D1B-035A-43B2-ACC1-C56681BD9FAA' });
  const text = JSON.parse(sample('GetPipelineRun'));
  expect(details.details).toEqual({
    run: {
      ...RUN,
      name: 'testName',
      pipelineRunUri:
        'https://pai.console.aliyun.com/?regionId=cn-shanghai&workspaceId=24****#/studio/task/detail/flow-dsfbjt4k07lvp1****',
    },
    manifest: { json: text.Manifest, raw: null },
    arguments: { json: text.Arguments, raw: null },
    options: { json: '{"mlflow":{"experimentId":"exp-**********"}}', raw: null },
  });
});

test('the sample of ListPipelineRunNodeStatus is decoded: run and type from the request', async () => {
  const source = await serving('ListPipelineRunNodeStatus');
  const node = { pipelineRunId: 'flow-1', nodeId: 'node-root', depth: 10, type: 'Logical' };
  const tree = await source.listPipelineRunNodeStatus(SCOPE, node, never());
  expect(tree).toMatchObject(answer);
  expect(tree.nodes).toEqual([
    {
      pipelineRunId: 'flow-1',
      nodeId: 'node-1jlzg7ncv0j6i3****',
      nodeType: 'Logical',
      nodeName: 'sql',
      status: 'Succeeded',
      startedAt: '2021-01-21T17:12:35.232000Z',
      finishedAt: '2021-01-21T17:12:40.232000Z',
      runtimeInfo: {
        json: '{"DLC_INSTANCE_IDS": "i-12224afdfsaf,i-22224afdfsaf,i-13224afdfsaf"}',
        raw: null,
      },
      extra: null,
    },
  ]);
});

test('the sample of ListRuns is decoded: empty keys are keys, empty times are none, token 0 is the end', async () => {
  const source = await serving('ListRuns');
  const { observedAt, serverTime, ...page } = await source.listRuns(
    SCOPE,
    { pageToken: null, maxResults: 100 },
    never(),
  );
  expect(observedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  expect(serverTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z$/);
  expect(page).toEqual({
    requestId: 'ADF6D849-*****-7E7030F0CE53',
    attempts: 1,
    size: 985,
    rejected: [],
    received: 1,
    totalCount: 1,
    nextPageToken: null,
    items: [
      {
        runId: 'run-1qJhzJ2YXgX****',
        name: 'testrun',
        experimentId: 'exp-1zpfthdx******',
        workspaceId: '145883',
        userId: '',
        ownerId: '1631044****3440',
        sourceType: 'TrainingService',
        sourceId: 'train9s0afvjkf',
        accessibility: 'PRIVATE',
        gmtCreateTime: '2021-01-30T12:51:33.028000Z',
        gmtModifiedTime: '2021-01-30T12:51:33.028000Z',
        requestId: '5A14FA81-DD4E-******-6343FE44B941',
        params: [{ key: '', value: '' }],
        labels: [{ key: '', value: '', gmtCreateTime: null, gmtModifiedTime: null }],
        metrics: [{ key: '', value: '0', step: '0', timestamp: '1970-01-01T00:00:00.000000Z' }],
        extra: null,
      },
    ],
  });
});
