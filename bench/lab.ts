/** What the scenarios share: the server, the worlds, and what was loaded from them. */
import type { Cleanup } from './cleanup.js';
import { vacuum } from './database.js';
import { type BenchEmulator, startEmulator } from './emulator.js';
import type { Figure } from './figures.js';
import type { BenchOptions } from './options.js';
import { type BenchDatabase, type BenchServer, createDatabase, ROOT_WITHOUT_ENV, settleServer } from './server.js';
import { measureSync, type SyncMeasure } from './service.js';

export interface Lab {
  readonly options: BenchOptions;
  readonly server: BenchServer;
  readonly cleanup: Cleanup;
  /** A line for whoever waits. */
  tell(line: string): void;
  /** The world of so many ended runs in which nothing moves; made once. */
  world(runs: number): Promise<BenchEmulator>;
  /** A database that holds the first load of that world; made once. */
  loaded(runs: number): Promise<Loaded>;
}

export interface Loaded {
  readonly runs: number;
  readonly emulator: BenchEmulator;
  readonly database: BenchDatabase;
  readonly load: SyncMeasure;
}

export interface OutcomeTable {
  readonly title: string;
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What one scenario found. */
export interface Outcome {
  readonly figures: readonly Figure[];
  /** Sentences below the table. */
  readonly notes: readonly string[];
  /** What is more than figures: tables below them. */
  readonly tables?: readonly OutcomeTable[];
  /** For the JSON file. */
  readonly raw: unknown;
}

export type Scenario = (lab: Lab) => Promise<Outcome>;

export function createLab(parts: Pick<Lab, 'options' | 'server' | 'cleanup' | 'tell'>): Lab {
  const worlds = new Map<number, Promise<BenchEmulator>>();
  const loads = new Map<number, Promise<Loaded>>();
  const lab: Lab = {
    ...parts,
    world: (runs) => once(worlds, runs, () => makeWorld(lab, runs)),
    loaded: (runs) => once(loads, runs, () => loadWorld(lab, runs)),
  };
  return lab;
}

function once<T>(known: Map<number, Promise<T>>, key: number, make: () => Promise<T>): Promise<T> {
  let value = known.get(key);
  if (value === undefined) known.set(key, (value = make()));
  return value;
}

function makeWorld(lab: Lab, runs: number): Promise<BenchEmulator> {
  lab.tell(`making a world of ${runs.toLocaleString('en-US')} runs`);
  return startEmulator(lab.cleanup, ROOT_WITHOUT_ENV, { history: runs, active: 0, experimentRuns: 0, life: 'frozen' });
}

async function loadWorld(lab: Lab, runs: number): Promise<Loaded> {
  const emulator = await lab.world(runs);
  const database = await createDatabase(lab.cleanup, lab.server);
  const load = await firstLoad(lab, emulator, database, runs);
  return { runs, emulator, database, load };
}

/** A first load into a new database, and the vacuum that it leaves behind for later. */
export async function firstLoad(
  lab: Lab,
  emulator: BenchEmulator,
  database: BenchDatabase,
  runs: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<SyncMeasure> {
  await settleServer(lab.server.adminUrl);
  lab.tell(`first load of ${runs.toLocaleString('en-US')} runs`);
  const load = await measureSync(lab, { emulator, database, streams: ['pipeline-runs'], environment });
  lab.tell(`  ${Math.round(runs / load.passSeconds).toLocaleString('en-US')} runs/s, ${load.passSeconds.toFixed(1)} s`);
  await vacuum(database.url);
  return load;
}
