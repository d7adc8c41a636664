/** A first load without latency and without a budget, against COPY of the rows that it made. */
import { type CopyFloor, type CopySource, prepareCopy } from '../copy-floor.js';
import type { Figure } from '../figures.js';
import { firstLoad, type Lab, type Outcome } from '../lab.js';
import { callsText, pagesOf } from '../minimum.js';
import { createDatabase } from '../server.js';
import type { SyncMeasure } from '../service.js';
import { median, medianRatio, spread } from '../statistics.js';

interface Pair {
  readonly load: SyncMeasure;
  readonly floor: CopyFloor;
}

/** Load and floor take turns, so that both meet the same weather. */
export async function firstLoadScenario(lab: Lab): Promise<Outcome> {
  const { runs, repeat } = lab.options;
  const first = await lab.loaded(runs);
  const copy = await prepareCopy(lab.cleanup, lab.server, first.database.url);
  const pairs: Pair[] = [{ load: first.load, floor: await measureFloor(lab, copy) }];
  while (pairs.length < repeat) {
    const database = await createDatabase(lab.cleanup, lab.server);
    const load = await firstLoad(lab, first.emulator, database, runs);
    await database.drop();
    pairs.push({ load, floor: await measureFloor(lab, copy) });
  }
  await copy.dispose();
  return { figures: figuresOf(lab, pairs), notes: notesOf(lab, pairs), raw: pairs };
}

async function measureFloor(lab: Lab, copy: CopySource): Promise<CopyFloor> {
  const floor = await copy.measure();
  lab.tell(`  ${floor.method}: ${Math.round(lab.options.runs / floor.seconds).toLocaleString('en-US')} runs/s`);
  return floor;
}

function figuresOf({ options: { runs } }: Lab, pairs: readonly Pair[]): Figure[] {
  const floors = pairs.map(({ floor }) => runs / floor.seconds);
  const method = pairs[0]?.floor.method ?? 'COPY';
  const rates = (secondsOf: (load: SyncMeasure) => number) =>
    pairs.map(({ load, floor }) => ({ measured: runs / secondsOf(load), floor: runs / floor.seconds }));
  const figure = (name: string, secondsOf: (load: SyncMeasure) => number, goal: Figure['goal']): Figure => ({
    scenario: 'first-load',
    name,
    measured: median(rates(secondsOf).map(({ measured }) => measured)),
    floor: median(floors),
    floorName: method,
    ratio: medianRatio(rates(secondsOf)),
    goal,
  });
  const size = runs.toLocaleString('en-US');
  return [
    figure(`first load of ${size} runs (its pass), runs/s`, (load) => load.passSeconds, { of: 'ratio', atLeast: 0.6 }),
    figure(`first load of ${size} runs (whole process), runs/s`, (load) => load.wallSeconds, null),
  ];
}

function notesOf({ options }: Lab, pairs: readonly Pair[]): string[] {
  const { runs, pageSize } = options;
  const per = (seconds: number | null): string =>
    seconds === null ? 'unknown' : `${((seconds / runs) * 1e6).toFixed(1)} µs`;
  const typical = (of: (pair: Pair) => number | null): number | null => {
    const known = pairs.map(of).filter((seconds) => seconds !== null);
    return known.length === 0 ? null : median(known);
  };
  return [
    `first-load: ${callsText(pairs[0]?.load.calls.calls ?? 0, pagesOf(runs, pageSize))}: one a page of ${pageSize}`,
    `first-load: CPU a run: service ${per(typical(({ load }) => load.cpuSeconds))}, PostgreSQL ${per(typical(({ load }) => load.serverCpuSeconds))}` +
      ` (COPY ${per(typical(({ floor }) => floor.serverCpuSeconds))}), emulator ${per(typical(({ load }) => load.emulatorCpuSeconds))}`,
    `first-load: ${pairs.length} pairs; from the median the loads differ by ${percent(spread(pairs.map(({ load }) => load.passSeconds)))}, the floors by ${percent(spread(pairs.map(({ floor }) => floor.seconds)))}`,
  ];
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
