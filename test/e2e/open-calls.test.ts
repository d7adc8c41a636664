import { expect, it } from 'vitest';
import { startMirror } from '../support/mirror.js';

it('invariant 9: no stream has more requests open at once than it may, and a first load has as many', async () => {
  const mirror = await startMirror({
    emulator: { workspaces: 1, history: 300, active: 10, experimentRuns: 20, arrivalsPerMinute: 0 },
    settings: { pageSize: 5, concurrency: 3 },
  });
  mirror.emulator.faults.add({ operation: '*', kind: 'latency', millis: 15 });
  await mirror.sync(['pipeline-runs']);
  expect(mirror.emulator.stats.peak).toBe(3);
  for (const stream of ['status', 'nodes', 'details', 'experiment-runs', 'reconcile'] as const)
    await mirror.sync([stream]);
  expect(mirror.emulator.stats.peak).toBe(3);
});
