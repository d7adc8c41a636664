/** Lists that do not end: a pass over them does, says so, and the next one is none the worse. */
import { expect, test } from 'vitest';
import type { Stream } from '../../src/domain/streams.js';
import { readAhead } from '../../src/sync/read-ahead.js';
import { pipelineRun } from '../store/fixtures.js';
import { listAnswer, startHarness } from './harness.js';

/** Calls of a pass at most: twice what the list counted at first, a hundred pages, and some walks of that. */
const CALLS = 5_000;

test.each<[Stream, string]>([
  ['pipeline-runs', 'rows that are new each time, and a TotalCount that grows by a page with each call'],
  ['reconcile', 'rows that are new each time, and a TotalCount that grows by a page with each call'],
])('invariant 9: %s ends over %s', async (stream) => {
  const harness = await startHarness();
  let calls = 0;
  const listPipelineRuns = async () => {
    calls += 1;
    const rows = [pipelineRun(`r${calls}a`), pipelineRun(`r${calls}b`)];
    return listAnswer(rows, 2 * calls + 2);
  };
  const listRuns = async () => ({ ...listAnswer([], 0), items: [], nextPageToken: null });
  await harness.pass(stream, { listPipelineRuns, listRuns }, { settings: { pageSize: 2 } });
  expect(calls).toBeGreaterThan(2);
  expect(calls).toBeLessThan(CALLS);
  // What was seen is stored, whatever became of the pass.
  const [row] = await harness.sql<{ n: number }>('select count(*)::int as n from pai.pipeline_runs');
  expect(row?.n).toBeGreaterThan(0);
});

test('invariant 9: a database that is slower than the source holds the calls back: few answers wait in memory', async () => {
  const concurrency = 4;
  const groupSize = 3;
  let answered = 0;
  let stored = 0;
  let most = 0;
  const call = async (): Promise<string> => {
    answered += 1;
    most = Math.max(most, answered - stored);
    return 'x'.repeat(10);
  };
  for await (const group of readAhead(Array.from({ length: 500 }).keys(), { concurrency, groupSize }, call)) {
    // The commit takes long enough for every call that may begin to end.
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    stored += group.length;
  }
  expect(answered).toBe(500);
  expect(most).toBeLessThanOrEqual(2 * concurrency + groupSize);
});
