import { expect, it } from 'vitest';
import type { StatusAnswer } from '../../src/domain/answers.js';
import type { PaiError } from '../../src/domain/errors.js';
import { observed, pipelineRun, runStatus, SCOPE } from '../store/fixtures.js';
import { type Harness, paiError, startHarness, statusAnswer } from './harness.js';

/** Knows runs named `r00` to `r<count-1>`, all of them running. */
async function withRuns(count: number): Promise<Harness & { readonly ids: readonly string[] }> {
  const harness = await startHarness();
  const ids = Array.from({ length: count }, (_, index) => `r${String(index).padStart(2, '0')}`);
  const lease = await harness.store.acquireLease(SCOPE, 'pipeline-runs');
  if (lease === null) throw new Error('the lease is taken');
  await harness.store.commit(lease, { pipelineRuns: observed(0, ...ids.map((id) => pipelineRun(id))) });
  return { ...harness, ids };
}

const idsIn = (subject: object): readonly string[] =>
  'pipelineRunIds' in subject ? (subject.pipelineRunIds as readonly string[]) : [];

const finished = (ids: readonly string[]): StatusAnswer =>
  statusAnswer({ pipelineRuns: ids.map((id) => runStatus(id, { status: 'Succeeded' })) });

/** Polls a source in which any batch with one of these ids fails; returns what is still running afterwards. */
async function pollAround(harness: Harness, culprits: readonly string[], error: PaiError) {
  const batches: (readonly string[])[] = [];
  const report = await harness.pass(
    'status',
    {
      listPipelineRunsStatus: async (_scope, subject) => {
        const ids = idsIn(subject);
        batches.push(ids);
        if (ids.some((id) => culprits.includes(id))) throw error;
        return finished(ids);
      },
    },
    { settings: { statusBatch: 16, concurrency: 1 } },
  );
  const rows = await harness.sql<{ id: string }>(
    `select pipeline_run_id as id from pai.pipeline_runs where status = 'Running' order by 1`,
  );
  return { report, batches, running: rows.map(({ id }) => id) };
}

it('polls around ids that PAI refuses: all others get their status, the refused ones are told as failed', async () => {
  const harness = await withRuns(40);
  const refused = paiError('PAI_INVALID_REQUEST', 'item');
  const { report, running } = await pollAround(harness, ['r03', 'r04', 'r39'], refused);
  expect(running).toEqual(['r03', 'r04', 'r39']);
  expect(report).toMatchObject({ outcome: 'failed' });
  expect(report.error).toContain('3 failed and will be tried again: r03');
});

it('invariant 6: polls around a run over which PAI breaks, and asks for the later batches too', async () => {
  const harness = await withRuns(40);
  const broken = paiError('PAI_UNAVAILABLE', 'scope');
  const { report, running } = await pollAround(harness, ['r00', 'r13'], broken);
  expect(running).toEqual(['r00', 'r13']);
  expect(report).toMatchObject({ outcome: 'failed' });
});

it('gives up after a bounded number of calls when PAI breaks over everything', async () => {
  const harness = await withRuns(40);
  const { report, batches, running } = await pollAround(harness, harness.ids, paiError('PAI_UNAVAILABLE', 'scope'));
  expect(running).toHaveLength(40);
  expect(report).toMatchObject({ outcome: 'failed', error: expect.stringContaining('calls in a row failed') });
  expect(batches.length).toBeLessThanOrEqual(13);
});

it('does not split a batch that is throttled', async () => {
  const harness = await withRuns(40);
  const { report, batches } = await pollAround(harness, harness.ids, paiError('PAI_THROTTLED', 'scope'));
  expect(report.outcome).toBe('failed');
  // The pass reads ahead a few batches, none of which is a half.
  expect(batches.map((ids) => ids.length).filter((size) => size < 8)).toEqual([]);
});

it('asks again for runs that an answer left out, before it calls any of them missing', async () => {
  const harness = await withRuns(10);
  const report = await harness.pass('status', {
    // Never more than 4 at once, and r07 is really gone.
    listPipelineRunsStatus: async (_scope, subject) =>
      finished(
        idsIn(subject)
          .filter((id) => id !== 'r07')
          .slice(0, 4),
      ),
    getPipelineRun: async () => {
      throw paiError('PAI_NOT_FOUND', 'item', { notFound: true });
    },
  });
  expect(report.outcome).toBe('succeeded');
  const missing = await harness.sql(`select pipeline_run_id from pai.pipeline_runs where missing_since is not null`);
  expect(missing).toEqual([{ pipeline_run_id: 'r07' }]);
  const events = await harness.sql(`select entity_id from pai.change_events where kind = 'missing'`);
  expect(events).toEqual([{ entity_id: 'r07' }]);
});

it('forgets that a run failed once it has an answer', async () => {
  const harness = await withRuns(3);
  await pollAround(harness, ['r01'], paiError('PAI_INVALID_REQUEST', 'item'));
  expect(await harness.sql('select entity_id from pai.sync_retries')).toEqual([{ entity_id: 'r01' }]);
  await pollAround(harness, [], paiError('PAI_INVALID_REQUEST', 'item'));
  expect(await harness.sql('select entity_id from pai.sync_retries')).toEqual([]);
});
