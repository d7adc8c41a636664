import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startMirror, type TestMirror } from '../support/mirror.js';

const sample = (operation: string): string =>
  readFileSync(new URL(`../fixtures/samples/${operation}.json`, import.meta.url), 'utf8');

/** An empty world of one workspace in which some operations answer with their sample page, byte for byte. */
async function serveSamples(...operations: string[]): Promise<TestMirror> {
  const mirror = await startMirror({
    emulator: { workspaces: 1, history: 0, active: 0, experimentRuns: 0 },
  });
  for (const operation of operations) {
    // A list shows its sample once: repeated on every page it would be a list without an end.
    const firstPage = operation === 'ListPipelineRuns' ? { match: 'PageNumber=1&' } : {};
    mirror.emulator.faults.add({ operation, kind: 'replace', body: sample(operation), ...firstPage });
  }
  return mirror;
}

const instant = (column: string) =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${column}`;

it('mirrors the sample page of ListPipelineRuns exactly', async () => {
  const mirror = await serveSamples('ListPipelineRuns');
  const reports = await mirror.sync(['pipeline-runs']);
  expect(reports[0]).toMatchObject({ outcome: 'succeeded', error: null });
  const { rows } = await mirror.pool.query(
    `select pipeline_run_id, name, status, user_id, parent_user_id, ${instant('started_at')}, ${instant('finished_at')},
       node_id, duration, workspace_id, message, source_type, source_id, ${instant('gmt_create_time')},
       ${instant('gmt_modified_time')}, pipeline_id, accessibility, pipeline_run_uri, extra, deleted_at, missing_since,
       answer_request_id from pai.pipeline_runs`,
  );
  expect(rows).toEqual([
    {
      pipeline_run_id: 'flow-j94y**********lf7a',
      name: 'testName\n',
      status: 'Succeeded',
      user_id: '155**********904',
      parent_user_id: '155**********904',
      started_at: '2021-01-30T12:51:33.028Z',
      finished_at: '2021-01-30T12:52:33.028Z',
      node_id: 'node-n06d**********fc53',
      duration: '60',
      workspace_id: '15945',
      message: 'error message\n',
      source_type: 'UNKNOWN',
      source_id: 'abcd*********hxfu',
      gmt_create_time: '2021-01-30T12:51:33.028Z',
      gmt_modified_time: '2021-01-30T12:51:33.028Z',
      pipeline_id: 'pipeline-j94y**********lf7a',
      accessibility: 'PUBLIC',
      pipeline_run_uri:
        'https://pai.console.alibabacloud.com/?regionId=cn-shanghai&workspaceId=24****#/studio/task/detail/flow-dsfbjt4k07lvp1****',
      extra: null,
      deleted_at: null,
      missing_since: null,
      answer_request_id: '473469C7-****-****-****-A3DC0DE3C83E',
    },
  ]);
});

it('mirrors the sample page of ListPipelineRunsStatus exactly', async () => {
  const mirror = await serveSamples('ListPipelineRunsStatus');
  mirror.emulator.mutate.addPipelineRun({ pipelineRunId: 'flow-hynm2bv8wqhp5esfxq', status: 'Running' });
  // The world's own tree of that run would hide what the sample says of its nodes.
  mirror.emulator.faults.add({ operation: 'ListPipelineRunNodeStatus', kind: 'replace', body: '{"Status": []}' });
  await mirror.pool.query('delete from pai.pipeline_runs');
  const reports = await mirror.sync(['pipeline-runs', 'status']);
  expect(reports.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);

  const runs = await mirror.pool.query(
    'select pipeline_run_id, status, deleted_at, missing_since from pai.pipeline_runs',
  );
  expect(runs.rows).toEqual([
    { pipeline_run_id: 'flow-hynm2bv8wqhp5esfxq', status: 'Running', deleted_at: null, missing_since: null },
  ]);
  const nodes = await mirror.pool.query(
    `select pipeline_run_id, node_id, node_type, node_name, status, input_artifact_archived, output_artifact_archived,
       ${instant('started_at')}, ${instant('finished_at')} from pai.pipeline_run_nodes`,
  );
  expect(nodes.rows).toEqual([
    {
      pipeline_run_id: 'flow-hynm2bv8wqhp5esfxq',
      node_id: 'node-hynm2bv8wqhp5esfx1',
      node_type: 'Logical',
      node_name: 'dataSource',
      status: 'Running',
      input_artifact_archived: true,
      output_artifact_archived: true,
      started_at: '2021-01-21T17:12:35.232Z',
      finished_at: '2021-01-21T17:12:35.232Z',
    },
  ]);
  const outputs = await mirror.pool.query(
    `select pipeline_run_id, id, node_id, name, type, metadata, value, value_raw, producer, ${instant('gmt_create_time')},
       expanded_artifact_index, expandable_artifact_name from pai.node_outputs`,
  );
  expect(outputs.rows).toEqual([
    {
      pipeline_run_id: 'flow-dsjfk******jdskls',
      id: 'artifact-ty1xwv*******s8zf',
      node_id: 'node-obpzu*******418grb7',
      name: 'model_******',
      type: 'DataSet',
      metadata: { test: 'test', test2: 1 },
      value: {
        name: 'model_flow_*********_node_**********_model',
        location: {
          name: 'model_flow_**********_node_***********_model',
          endpoint: 'http://service.odps.aliyun.com/api',
          project: '********',
        },
      },
      value_raw: null,
      producer: 'id-3d25-************-77856',
      gmt_create_time: '2021-01-30T12:51:33.028Z',
      expanded_artifact_index: '0',
      expandable_artifact_name: 'inputArtifact',
    },
  ]);
});

it('mirrors a run of the sample page of ListPipelineRunsStatus that the list never showed', async () => {
  const mirror = await serveSamples('ListPipelineRunsStatus');
  mirror.emulator.mutate.addPipelineRun({ pipelineRunId: 'flow-another', status: 'Running' });
  await mirror.sync(['pipeline-runs', 'status']);
  const { rows } = await mirror.pool.query(
    `select name, status, user_id, parent_user_id, node_id, source_id, deleted_at from pai.pipeline_runs
     where pipeline_run_id = 'flow-hynm2bv8wqhp5esfxq'`,
  );
  expect(rows).toEqual([
    {
      name: 'myName',
      status: 'Running',
      user_id: '1557702098194904',
      parent_user_id: '1557702098194904',
      node_id: 'node-98odqfpcjzwdf3caq3',
      source_id: 'lmi7d24h3kr0xczjlu',
      deleted_at: null,
    },
  ]);
  const missing = await mirror.pool.query(
    `select entity_id, kind from pai.change_events where entity = 'pipeline_run' and kind in ('missing', 'restored') order by event_id`,
  );
  expect(missing.rows, 'the run that was asked for and not answered, although it exists').toEqual([
    { entity_id: 'flow-another', kind: 'missing' },
    { entity_id: 'flow-another', kind: 'restored' },
  ]);
});

it('mirrors the sample page of ListPipelineRunNodeStatus exactly', async () => {
  const mirror = await serveSamples('ListPipelineRuns', 'ListPipelineRunNodeStatus');
  mirror.emulator.faults.add({ operation: 'ListPipelineRunsStatus', kind: 'replace', body: '{}' });
  const reports = await mirror.sync(['pipeline-runs', 'nodes']);
  expect(reports.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
  const { rows } = await mirror.pool.query(
    `select pipeline_run_id, node_id, node_type, node_name, status, ${instant('started_at')}, ${instant('finished_at')},
       runtime_info, runtime_info_raw, extra from pai.pipeline_run_nodes`,
  );
  expect(rows).toEqual([
    {
      pipeline_run_id: 'flow-j94y**********lf7a',
      node_id: 'node-1jlzg7ncv0j6i3****',
      node_type: 'Logical',
      node_name: 'sql',
      status: 'Succeeded',
      started_at: '2021-01-21T17:12:35.232Z',
      finished_at: '2021-01-21T17:12:40.232Z',
      runtime_info: { DLC_INSTANCE_IDS: 'i-12224afdfsaf,i-22224afdfsaf,i-13224afdfsaf' },
      runtime_info_raw: null,
      extra: null,
    },
  ]);
});

it('mirrors the sample page of GetPipelineRun exactly', async () => {
  const mirror = await serveSamples('ListPipelineRuns', 'GetPipelineRun');
  const reports = await mirror.sync(['pipeline-runs', 'details']);
  expect(reports.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
  const { rows } = await mirror.pool.query(
    `select pipeline_run_id, manifest, arguments, options, coalesce(manifest_raw, arguments_raw, options_raw) as raw
     from pai.pipeline_run_details`,
  );
  const page = JSON.parse(sample('GetPipelineRun'));
  expect(rows).toEqual([
    {
      pipeline_run_id: 'flow-j94y**********lf7a',
      manifest: JSON.parse(page.Manifest),
      arguments: JSON.parse(page.Arguments),
      options: { mlflow: { experimentId: 'exp-**********' } },
      raw: null,
    },
  ]);
});

it('mirrors the sample page of ListRuns exactly', async () => {
  const mirror = await serveSamples('ListRuns');
  const reports = await mirror.sync(['experiment-runs']);
  expect(reports[0]).toMatchObject({ outcome: 'succeeded', error: null });
  const runs = await mirror.pool.query(
    `select run_id, name, experiment_id, workspace_id, user_id, owner_id, source_type, source_id, accessibility, request_id,
       ${instant('gmt_create_time')}, ${instant('gmt_modified_time')}, extra, answer_request_id from pai.runs`,
  );
  expect(runs.rows).toEqual([
    {
      run_id: 'run-1qJhzJ2YXgX****',
      name: 'testrun',
      experiment_id: 'exp-1zpfthdx******',
      workspace_id: '145883',
      user_id: '',
      owner_id: '1631044****3440',
      source_type: 'TrainingService',
      source_id: 'train9s0afvjkf',
      accessibility: 'PRIVATE',
      request_id: '5A14FA81-DD4E-******-6343FE44B941',
      gmt_create_time: '2021-01-30T12:51:33.028Z',
      gmt_modified_time: '2021-01-30T12:51:33.028Z',
      extra: null,
      answer_request_id: 'ADF6D849-*****-7E7030F0CE53',
    },
  ]);
  const params = await mirror.pool.query('select run_id, key, value from pai.run_params');
  expect(params.rows).toEqual([{ run_id: 'run-1qJhzJ2YXgX****', key: '', value: '' }]);
  const labels = await mirror.pool.query('select key, value, gmt_create_time, gmt_modified_time from pai.run_labels');
  expect(labels.rows).toEqual([{ key: '', value: '', gmt_create_time: null, gmt_modified_time: null }]);
  const metrics = await mirror.pool.query(
    `select key, step, ${instant('timestamp').replace(' as timestamp', ' as at')}, value from pai.run_metrics`,
  );
  expect(metrics.rows).toEqual([{ key: '', step: '0', at: '1970-01-01T00:00:00.000Z', value: 0 }]);
});

it('mirrors all sample pages at once, and a second round writes nothing new', async () => {
  const operations = [
    'ListPipelineRuns',
    'ListPipelineRunsStatus',
    'ListPipelineRunNodeStatus',
    'GetPipelineRun',
    'ListRuns',
  ];
  const mirror = await serveSamples(...operations);
  await mirror.sync();
  await mirror.sync();
  const before = await mirror.pool.query('select count(*)::int as events from pai.change_events');
  const reports = await mirror.sync();
  const after = await mirror.pool.query('select count(*)::int as events from pai.change_events');
  expect(after.rows).toEqual(before.rows);
  for (const { stream, effect } of reports) {
    expect({ stream, inserted: effect.inserted, updated: effect.updated }).toEqual({ stream, inserted: 0, updated: 0 });
  }
  const { rows } = await mirror.pool.query(
    `select name, pipeline_run_uri from pai.pipeline_runs where pipeline_run_id = 'flow-j94y**********lf7a'`,
  );
  expect(rows[0]?.name, 'the list, not GetPipelineRun, is the authority for the name').toBe('testName\n');
});
