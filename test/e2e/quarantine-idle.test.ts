import { expect, it } from 'vitest';
import { rowVersions, startMirror } from '../support/mirror.js';

/** One good item of each kind, and beside it one without an id and one that has an id and something wrong. */
const ANSWERS = {
  ListPipelineRuns: {
    TotalCount: 3,
    PipelineRuns: [
      { PipelineRunId: 'r1', Status: 'Running', NodeId: 'root', GmtModifiedTime: '2026-11-01T12:00:00Z' },
      { Name: 'no id' },
      { PipelineRunId: 'r2', Name: {} },
    ],
  },
  ListPipelineRunsStatus: {
    PipelineRuns: [
      { PipelineRunId: 'r1', Status: 'Running' },
      { Status: 'no id' },
      { PipelineRunId: 'r3', Status: [] },
    ],
    Nodes: [
      { PipelineRunId: 'r1', NodeId: 'n1', Status: 'Running' },
      { NodeId: 'no run' },
      { PipelineRunId: 'r1', NodeId: 'n2', Status: [] },
    ],
    Outputs: [
      { PipelineRunId: 'r1', Id: 'o1' },
      { PipelineRunId: 'r1', Name: 'no id' },
      { PipelineRunId: 'r1', Id: 'o2', Name: [] },
    ],
  },
  ListPipelineRunNodeStatus: {
    Status: [{ NodeId: 'n1', Status: 'Running' }, { NodeName: 'no id' }, { NodeId: 'n3', Status: [] }],
  },
  GetPipelineRun: { PipelineRunId: 'another than asked for' },
  ListRuns: {
    Runs: [
      { RunId: 'x1', Params: [{ Key: 'k', Value: '1' }, { Value: 'no key' }, { Key: 'bad', Value: [] }] },
      { Name: 'no id' },
      { RunId: 'x2', Name: {} },
    ],
  },
};
const BAD_ITEMS = 2 + 6 + 2 + 1 + 4;

it('invariant 3: a source full of items that nobody can read changes nothing from round to round, and none is forgotten', async () => {
  const mirror = await startMirror({ emulator: { workspaces: 1, history: 0, active: 0, experimentRuns: 0 } });
  for (const [operation, answer] of Object.entries(ANSWERS)) {
    const body = JSON.stringify({ RequestId: 'R', ...answer });
    mirror.emulator.faults.add({ operation, kind: 'replace', body });
  }
  await mirror.sync();
  await mirror.sync();
  const before = await rowVersions(mirror.pool);
  const reports = await mirror.sync();
  expect(reports.map(({ stream, outcome, error }) => ({ stream, outcome, error }))).toEqual(
    reports.map(({ stream }) => ({ stream, outcome: 'succeeded', error: null })),
  );
  expect(await rowVersions(mirror.pool)).toEqual(before);
  const { rows } = await mirror.pool.query(
    'select entity, entity_id, raw from pai.quarantine where resolved_at is null',
  );
  expect(rows.map(({ entity, entity_id, raw }) => `${entity} ${entity_id ?? raw}`).sort()).toHaveLength(BAD_ITEMS);
  const stored = await mirror.pool.query(
    `select (select string_agg(pipeline_run_id, ' ') from pai.pipeline_runs where missing_since is null) as runs,
       (select string_agg(node_id, ' ') from pai.pipeline_run_nodes where missing_since is null) as nodes,
       (select string_agg(id, ' ') from pai.node_outputs where deleted_at is null) as outputs,
       (select string_agg(run_id, ' ') from pai.runs) as experiments, (select string_agg(key, ' ') from pai.run_params) as params`,
  );
  expect(stored.rows).toEqual([{ runs: 'r1', nodes: 'n1', outputs: 'o1', experiments: 'x1', params: 'k' }]);

  // The source mends itself: every entry is settled, by a good version or because it is not sent any more.
  mirror.emulator.faults.clear();
  const good = {
    ListPipelineRuns: { TotalCount: 1, PipelineRuns: [ANSWERS.ListPipelineRuns.PipelineRuns[0]] },
    ListPipelineRunsStatus: {
      PipelineRuns: [{ PipelineRunId: 'r1', Status: 'Running' }],
      Nodes: [{ PipelineRunId: 'r1', NodeId: 'n1', Status: 'Running' }],
      Outputs: [{ PipelineRunId: 'r1', Id: 'o1' }],
    },
    ListPipelineRunNodeStatus: { Status: [{ NodeId: 'n1', Status: 'Running' }] },
    GetPipelineRun: { PipelineRunId: 'r1', Status: 'Running' },
    ListRuns: { Runs: [{ RunId: 'x1', Params: [{ Key: 'k', Value: '1' }] }] },
  };
  for (const [operation, answer] of Object.entries(good)) {
    mirror.emulator.faults.add({ operation, kind: 'replace', body: JSON.stringify({ RequestId: 'R', ...answer }) });
  }
  await mirror.sync();
  const left = await mirror.pool.query(
    'select operation, entity, entity_id, raw from pai.quarantine where resolved_at is null',
  );
  expect(left.rows).toEqual([]);
});
