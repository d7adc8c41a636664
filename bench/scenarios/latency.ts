/** The same load from a source that takes its time: the network is the floor, not the database. */
import type { Lab, Outcome } from '../lab.js';
import { firstLoad } from '../lab.js';
import { callsText, pagesOf } from '../minimum.js';
import { createDatabase } from '../server.js';

export async function latencyScenario(lab: Lab): Promise<Outcome> {
  const { latencyRuns: runs, latencyMs, concurrency, pageSize } = lab.options;
  const emulator = await lab.world(runs);
  const database = await createDatabase(lab.cleanup, lab.server);
  await emulator.setLatency(latencyMs);
  const load = await firstLoad(lab, emulator, database, runs).finally(() => emulator.setLatency(0));
  await database.drop();
  const figure = {
    scenario: 'latency',
    name: `first load of ${runs.toLocaleString('en-US')} runs at ${latencyMs} ms a page, runs/s`,
    measured: runs / load.passSeconds,
    floor: (concurrency * pageSize * 1_000) / latencyMs,
    floorName: `${concurrency} pages in flight`,
    goal: { of: 'ratio', atLeast: 0.9 },
  } as const;
  const notes = [
    `latency: ${callsText(load.calls.calls, pagesOf(runs, pageSize))}; at most ${load.calls.peak} at once`,
  ];
  return { figures: [figure], notes, raw: load };
}
