/** How much of a call budget is used while there is work, and whether more than it is ever used. */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchError } from '../failure.js';
import type { Figure } from '../figures.js';
import type { Lab, Outcome } from '../lab.js';
import { startCommand } from '../processes.js';
import { createDatabase, ROOT_WITHOUT_ENV } from '../server.js';
import { environmentOf } from '../service.js';
import { budgetShare, mostWithin } from '../statistics.js';

const BUDGETS = [5, 10, 50];

/** The database is migrated and the first call is made by then. */
const START_PATIENCE_MS = 60_000;

interface Used {
  readonly callsPerSecond: number;
  readonly calls: number;
  readonly seconds: number;
  readonly share: number;
  readonly mostInASecond: number;
}

export async function budgetScenario(lab: Lab): Promise<Outcome> {
  const results: Used[] = [];
  for (const callsPerSecond of BUDGETS) results.push(await useBudget(lab, callsPerSecond));
  const notes = results.map(
    ({ callsPerSecond, calls, seconds, mostInASecond }) =>
      `budget: ${calls} calls in ${seconds.toFixed(1)} s at ${callsPerSecond} a second; at most ${mostInASecond} arrived within any second`,
  );
  return { figures: results.map(figureOf), notes, raw: results };
}

/** A first load, which always has more work than the budget allows, stopped after a while. */
async function useBudget(lab: Lab, callsPerSecond: number): Promise<Used> {
  const emulator = await lab.world(lab.options.latencyRuns);
  const database = await createDatabase(lab.cleanup, lab.server);
  await emulator.reset();
  lab.tell(`${callsPerSecond} calls a second for ${lab.options.budgetSeconds} s`);
  const environment = { PAI_FLOW_QPS: String(callsPerSecond) };
  const service = startCommand(lab.cleanup, ['sync', '--stream', 'pipeline-runs'], {
    directory: ROOT_WITHOUT_ENV,
    env: environmentOf(lab, { emulator, database, environment }),
  });
  for (const deadline = Date.now() + START_PATIENCE_MS; (await emulator.stats()).calls === 0; await delay(50)) {
    if (Date.now() > deadline) throw new BenchError(`no call was made:\n${service.output()}`);
  }
  // Ends by itself when there is less to do.
  await Promise.race([service.ended, delay(lab.options.budgetSeconds * 1_000)]);
  const times = await emulator.arrivals();
  await service.stop();
  await database.drop();
  const share = budgetShare(times, callsPerSecond);
  if (share === null) throw new BenchError(`found ${times.length} calls, expected some:\n${service.output()}`);
  const seconds = ((times.at(-1) as number) - (times[0] as number)) / 1_000;
  return { callsPerSecond, calls: times.length, seconds, share, mostInASecond: mostWithin(times, 1_000) };
}

function figureOf({ callsPerSecond, calls, seconds, share }: Used): Figure {
  return {
    scenario: 'budget',
    name: `calls under a budget of ${callsPerSecond} a second, calls/s`,
    measured: (calls - 1) / seconds,
    floor: callsPerSecond,
    floorName: 'the budget',
    ratio: share,
    goal: { of: 'ratio', atLeast: 0.97 },
  };
}
