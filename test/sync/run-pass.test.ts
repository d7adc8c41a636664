import { expect, it, onTestFinished } from 'vitest';
import { StoreError } from '../../src/domain/errors.js';
import { PgStore } from '../../src/store/store.js';
import { pipelineRun, SCOPE } from '../store/fixtures.js';
import { listAnswer, startHarness, statusAnswer } from './harness.js';

const down = async (): Promise<never> => {
  throw new StoreError('the database is down', { code: 'STORE_DOWN', retryable: true, blast: 'global' });
};
const quiet = { listPipelineRunsStatus: async () => statusAnswer({}) };

it('a pass that cannot even begin is told in the log and in its report', async () => {
  const harness = await startHarness();
  const report = await harness.pass('status', quiet, { store: { acquireLease: down } });
  expect(report).toMatchObject({ outcome: 'failed', error: 'the database is down' });
  expect(harness.logger.messages('error')).toEqual(['pass could not be started: the database is down']);
});

it('a pass whose outcome cannot be written down has failed, and what it failed with before is not hidden', async () => {
  const harness = await startHarness();
  const unwritten = await harness.pass('status', quiet, { store: { finishPass: down } });
  expect(unwritten).toMatchObject({ outcome: 'failed', error: expect.stringContaining('could not be written down') });
  const listPipelineRuns = async (): Promise<never> => {
    throw new Error('the list is broken');
  };
  const failed = await harness.pass('pipeline-runs', { listPipelineRuns }, { store: { finishPass: down } });
  expect(failed).toMatchObject({ outcome: 'failed', error: 'the list is broken' });
});

it('a pass that is told to stop ends as stopped, gives its lease back and leaves nothing on the signal', async () => {
  const harness = await startHarness();
  const stop = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = stop.signal;
  stop.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners += 1;
    addEventListener.apply(stop.signal, args);
  };
  stop.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners -= 1;
    removeEventListener.apply(stop.signal, args);
  };
  expect((await harness.pass('status', quiet, { signal: stop.signal })).outcome).toBe('succeeded');
  expect(listeners).toBe(0);
  const report = await harness.pass(
    'pipeline-runs',
    {
      listPipelineRuns: async (_scope, _page, signal) => {
        stop.abort(new Error('enough'));
        expect(signal.aborted).toBe(true);
        throw signal.reason;
      },
    },
    { signal: stop.signal },
  );
  expect(report).toMatchObject({ outcome: 'stopped', error: 'enough' });
  const leases = await harness.sql(`select 1 from pai.sync_leases where expires_at > now()`);
  expect(leases).toEqual([]);
});

it('invariant 7: a replica that stood still past its lease makes no call and writes nothing when it goes on', async () => {
  const harness = await startHarness();
  const other = new PgStore({ connectionString: harness.url, maxConnections: 1 });
  onTestFinished(() => other.close());
  let stoodStillMs = 0;
  const readTime = () => ({ monotonic: performance.now() + stoodStillMs, wall: Date.now() + stoodStillMs });
  const asked: number[] = [];
  const listPipelineRuns = async (_scope: unknown, { pageNumber }: { pageNumber: number }) => {
    asked.push(pageNumber);
    // Its first call is under way when it is stopped; another replica takes over meanwhile.
    stoodStillMs = 60_000;
    await harness.sql(`update pai.sync_leases set expires_at = clock_timestamp() - interval '1 second'`);
    const lease = await other.acquireLease(SCOPE, 'pipeline-runs');
    if (lease !== null) await other.startPass(lease);
    return listAnswer([pipelineRun(`r${pageNumber}`)], 300);
  };
  const report = await harness.pass('pipeline-runs', { listPipelineRuns }, { readTime });
  expect(asked).toEqual([1]);
  expect(report).toMatchObject({ outcome: 'failed', calls: 1, error: expect.stringContaining('another process took') });
  expect(await harness.sql('select 1 from pai.pipeline_runs')).toEqual([]);
  expect(await harness.sql('select outcome, calls::int from pai.sync_passes order by id')).toEqual([
    { outcome: 'abandoned', calls: 1 },
    { outcome: null, calls: 0 },
  ]);
  expect(harness.logger.messages('warn')).toEqual([expect.stringMatching(/^pass given up: lost the lease/)]);
});

it('a replica that stood still past a lease that nobody took renews it and goes on', async () => {
  const harness = await startHarness();
  let stoodStillMs = 0;
  const readTime = () => ({ monotonic: performance.now() + stoodStillMs, wall: Date.now() + stoodStillMs });
  const listPipelineRuns = async () => {
    stoodStillMs += 60_000;
    return listAnswer([pipelineRun('r1')], 1);
  };
  const report = await harness.pass('pipeline-runs', { listPipelineRuns }, { readTime });
  expect(report).toMatchObject({ outcome: 'succeeded', error: null });
});

it('another replica need not wait after a pass that was broken off, and does after one that failed', async () => {
  const harness = await startHarness();
  const acquire = () => harness.store.acquireLease(SCOPE, 'pipeline-runs', 60_000);
  const listPipelineRuns = async (): Promise<never> => {
    throw new Error('the list is broken');
  };
  expect((await harness.pass('pipeline-runs', { listPipelineRuns })).outcome).toBe('failed');
  expect(await acquire()).toBeNull();
  const signal = AbortSignal.abort(new Error('enough'));
  expect((await harness.pass('pipeline-runs', { listPipelineRuns }, { signal })).outcome).toBe('stopped');
  expect(await acquire()).not.toBeNull();
});
