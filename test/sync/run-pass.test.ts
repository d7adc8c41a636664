import { expect, it } from 'vitest';
import { StoreError } from '../../src/domain/errors.js';
import { startHarness, statusAnswer } from './harness.js';

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
