/** Peak memory of the service, and whether it grows with what it loads. */
import type { Lab, Outcome } from '../lab.js';

/** What the issue allows, MB. */
const MOST_MB = 200;
const MOST_GROWTH = 1.1;
const SMALLER = 10;

export async function memoryScenario(lab: Lab): Promise<Outcome> {
  const { runs } = lab.options;
  const small = await lab.loaded(Math.ceil(runs / SMALLER));
  const large = await lab.loaded(runs);
  const figures = [
    {
      scenario: 'memory',
      name: `peak memory, first load of ${small.runs.toLocaleString('en-US')} runs, MB`,
      measured: small.load.peakMb,
      floor: null,
      floorName: '',
      goal: { of: 'measured', atMost: MOST_MB },
    },
    {
      scenario: 'memory',
      name: `peak memory, first load of ${runs.toLocaleString('en-US')} runs, MB`,
      measured: large.load.peakMb,
      floor: null,
      floorName: '',
      goal: { of: 'measured', atMost: MOST_MB },
    },
    {
      scenario: 'memory',
      name: `its growth from ${small.runs.toLocaleString('en-US')} to ${runs.toLocaleString('en-US')} runs, MB`,
      measured: large.load.peakMb,
      floor: small.load.peakMb,
      floorName: 'the smaller load',
      goal: { of: 'ratio', atMost: MOST_GROWTH },
    },
  ] as const;
  return { figures, notes: [], raw: { small: small.load, large: large.load } };
}
