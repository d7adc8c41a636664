/** The demo's PAI: its time goes on where the last demo stopped, so that a second start continues the first. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SimulatedClock } from '../emulator/clock.js';
import { type Emulator, startEmulator } from '../emulator/server.js';

/** Equal seed, start and options give an equal world, so these two times are all there is to remember. */
interface DemoTimes {
  /** When the world began, milliseconds since 1970. */
  readonly startAt: number;
  /** How far it has come. */
  readonly worldNow: number;
}

export interface DemoWorld {
  readonly emulator: Emulator;
  /** Whether an earlier demo goes on. */
  readonly continued: boolean;
  close(): Promise<void>;
}

const SAVE_EVERY_MS = 2000;

/** A killed demo may have shown up to this much more than it saved. */
const LOST_MS = SAVE_EVERY_MS + 1000;

const WORLD = {
  seed: 7,
  workspaces: 2,
  pipelines: 12,
  history: 2000,
  historyDays: 30,
  active: 40,
  experimentRuns: 200,
  arrivalsPerMinute: 20,
  live: true,
} as const;

export async function startDemoWorld(directory: string): Promise<DemoWorld> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'demo.json');
  const saved = await readTimes(file);
  const startAt = saved?.startAt ?? Date.now();
  const clock = new SimulatedClock({ startAt });
  const emulator = await startEmulator({ ...WORLD, clock });
  if (saved !== null) clock.advance(Math.max(0, saved.worldNow - startAt) + LOST_MS);
  emulator.world.tick();
  // One after the other: of two at once, one would take away the other's new file before it is renamed.
  let saving: Promise<void> = Promise.resolve();
  const save = (): Promise<void> => {
    saving = saving.catch(() => {}).then(() => writeTimes(file, { startAt, worldNow: clock.now() }));
    return saving;
  };
  await save();
  const timer = setInterval(() => void save().catch(() => {}), SAVE_EVERY_MS);
  const close = async (): Promise<void> => {
    clearInterval(timer);
    // An emulator that still listens keeps the process, also after a disk was full.
    await save().finally(() => emulator.close());
  };
  return { emulator, continued: saved !== null, close };
}

async function readTimes(file: string): Promise<DemoTimes | null> {
  try {
    const times = JSON.parse(await readFile(file, 'utf8')) as DemoTimes;
    return Number.isFinite(times.startAt) && Number.isFinite(times.worldNow) ? times : null;
  } catch {
    return null;
  }
}

/** By renaming, so that a kill leaves the old file or the new one. */
async function writeTimes(file: string, times: DemoTimes): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(times));
  await rename(`${file}.new`, file);
}
