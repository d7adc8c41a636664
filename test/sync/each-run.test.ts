import { expect, it } from 'vitest';
import { PaiError } from '../../src/domain/errors.js';
import { at, observed, pipelineRun, SCOPE, treeNode } from '../store/fixtures.js';
import { answered, type Harness, paiError, startHarness, statusAnswer } from './harness.js';

const IDS = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'];

/** So many failures in a row that the source itself is taken to be ill. */
const ILL = 10;

async function withRuns(ids = IDS): Promise<Harness> {
  const harness = await startHarness();
  const lease = await harness.store.acquireLease(SCOPE, 'pipeline-runs');
  if (lease === null) throw new Error('the lease is taken');
  await harness.store.commit(lease, { pipelineRuns: observed(0, ...ids.map((id) => pipelineRun(id))) });
  return harness;
}

const document = { json: null, raw: null };
const detailsOf = (id: string) => ({
  ...answered(),
  details: { run: pipelineRun(id), manifest: document, arguments: document, options: document },
});
const treeOf = (id: string) => ({ ...answered(), nodes: [treeNode(id, `root-${id}`)] });

const withDetails = async (harness: Harness): Promise<string[]> =>
  (await harness.sql<{ id: string }>('select pipeline_run_id as id from pai.pipeline_run_details order by 1')).map(
    ({ id }) => id,
  );

it('invariant 6: a few runs that always fail stop one pass, and never again keep the others from their turn', async () => {
  const bad = new Set(Array.from({ length: ILL }, (_, index) => `bad${index}`));
  const harness = await withRuns([...bad, ...IDS]);
  const pass = () =>
    harness.pass(
      'details',
      {
        getPipelineRun: async (_scope, id) => {
          if (bad.has(id)) throw paiError('PAI_UNAVAILABLE', 'scope');
          return detailsOf(id);
        },
      },
      { settings: { concurrency: 1 } },
    );
  expect((await pass()).error).toContain('several calls in a row failed');
  const second = await pass();
  expect(await withDetails(harness)).toEqual(IDS);
  expect(second).toMatchObject({
    outcome: 'failed',
    error: expect.stringContaining(`${ILL} failed and will be tried again`),
  });
});

it('a source that answers nothing at all is given up after a few deadlines', async () => {
  const harness = await withRuns(Array.from({ length: 30 }, (_, index) => `r${index}`));
  let calls = 0;
  const report = await harness.pass(
    'details',
    {
      getPipelineRun: async () => {
        calls += 1;
        throw paiError('PAI_TIMEOUT', 'scope');
      },
    },
    { settings: { concurrency: 1 } },
  );
  expect(report).toMatchObject({ outcome: 'failed' });
  expect(calls).toBeLessThanOrEqual(8);
});

it('a run that GetPipelineRun does not know is missing, not failed', async () => {
  const harness = await withRuns();
  const report = await harness.pass('details', {
    getPipelineRun: async (_scope, id) => {
      if (id === 'r2') throw paiError('PAI_NOT_FOUND', 'item', { notFound: true });
      return detailsOf(id);
    },
  });
  expect(report.outcome).toBe('succeeded');
  const rows = await harness.sql('select pipeline_run_id as id from pai.pipeline_runs where missing_since is not null');
  expect(rows).toEqual([{ id: 'r2' }]);
});

it('invariant 4: a run that came back while an answer "not found" was waiting to be stored is not missing', async () => {
  const harness = await withRuns();
  const other = await harness.store.acquireLease(SCOPE, 'status');
  await harness.pass('details', {
    getPipelineRun: async (_scope, id) => {
      if (id !== 'r2') return detailsOf(id);
      const now = new Date().toISOString().replace('Z', '000Z');
      const back = pipelineRun('r2', { gmtModifiedTime: at(5), name: 'it is back' });
      if (other) {
        const evidence = { requestId: 'later', observedAt: now };
        await harness.store.commit(other, { pipelineRuns: [{ evidence, items: [back] }] });
      }
      throw paiError('PAI_NOT_FOUND', 'item', { notFound: true });
    },
  });
  const rows = await harness.sql(`select name, missing_since from pai.pipeline_runs where pipeline_run_id = 'r2'`);
  expect(rows).toEqual([{ name: 'it is back', missing_since: null }]);
});

it('a run whose root node is unknown is not missing as long as GetPipelineRun knows it', async () => {
  const harness = await withRuns();
  const report = await harness.pass('nodes', {
    listPipelineRunNodeStatus: async (_scope, { pipelineRunId }) => {
      if (pipelineRunId === 'r2') throw paiError('PAI_NOT_FOUND', 'item', { notFound: true });
      return treeOf(pipelineRunId);
    },
    getPipelineRun: async (_scope, id) => detailsOf(id),
    listPipelineRunsStatus: async () => statusAnswer({}),
  });
  expect(report).toMatchObject({ outcome: 'failed', error: expect.stringContaining('root node root-r2 does not') });
  expect(await harness.sql('select 1 from pai.pipeline_runs where missing_since is not null')).toEqual([]);
  expect(await harness.sql('select entity_id from pai.sync_retries')).toEqual([{ entity_id: 'r2' }]);
});

it('the outputs of a node that no answer named stay due, and the rounds of a pass have an end', async () => {
  const harness = await withRuns();
  let polls = 0;
  const source = {
    listPipelineRunNodeStatus: async (_scope: unknown, { pipelineRunId }: { pipelineRunId: string }) =>
      treeOf(pipelineRunId),
    listPipelineRunsStatus: async () => {
      polls += 1;
      return statusAnswer({});
    },
  };
  expect((await harness.pass('nodes', source)).outcome).toBe('succeeded');
  expect(polls).toBe(1);
  const due = await harness.store.nodesDueForPoll(SCOPE, { after: null, limit: 100, outputsOnly: true });
  expect(due.map(({ pipelineRunId }) => pipelineRunId)).toEqual(IDS);
});

it('stops at once when the keys are refused', async () => {
  const harness = await withRuns();
  let calls = 0;
  const report = await harness.pass(
    'details',
    {
      getPipelineRun: async () => {
        calls += 1;
        const options = { code: 'PAI_KEYS_REFUSED', blast: 'global', retryable: false, operation: 'Test' } as const;
        throw new PaiError('the keys are refused', options);
      },
    },
    { settings: { concurrency: 1 } },
  );
  expect(report).toMatchObject({ outcome: 'failed', error: 'the keys are refused' });
  expect(calls).toBeLessThanOrEqual(2);
});
