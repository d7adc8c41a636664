import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { clientOf, json, never, PAGE, SCOPE, startUpstream } from './support.js';

const CALLS = 400;
const AT_ONCE = 4;
const ANSWER_BYTES = 60_000;

/** The collector's quick round, over young objects only. */
function quickCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  return () => collect({ type: 'minor' });
}

const oldBytes = (): number =>
  getHeapSpaceStatistics()
    .filter(({ space_name }) => space_name === 'old_space' || space_name === 'large_object_space')
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0);

/** The most by which the old part of the heap grows during so many calls, of which some are always under way. */
async function growthDuring(call: () => Promise<unknown>): Promise<number> {
  const collect = quickCollector();
  let started = 0;
  let most = 0;
  let first = 0;
  const caller = async (): Promise<void> => {
    while (started < CALLS) {
      started += 1;
      await call();
      if (started % 10 === 0) collect();
      if (started === CALLS / 4) first = oldBytes();
      if (started > CALLS / 4) most = Math.max(most, oldBytes() - first);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  return most;
}

// What one call leaves behind must not hold on to the next one's answer (see util/on-abort.ts): it was 90 kB a call.
test('complaint 7: an answer that was read is garbage at once, also while other calls go on', async () => {
  const padding = 'x'.repeat(ANSWER_BYTES);
  const upstream = await startUpstream((response) => json(response, { RequestId: 'R', PipelineRuns: [], padding }));
  const client = clientOf(upstream);
  const signal = never();
  const grown = await growthDuring(() => client.listPipelineRuns(SCOPE, PAGE, signal));
  expect(grown).toBeLessThan((CALLS * ANSWER_BYTES) / 4);
  await upstream.close();
});
