import { UsageError } from '../../domain/errors.js';
import type { WorldClock } from '../clock.js';
import { type QuirkChoice, type Quirks, resolveQuirks } from '../quirks.js';
import type { Rhythm } from './rhythm.js';

/** What a world is made of. Equal options (seed and start time included) give equal worlds. */
export interface WorldOptions {
  /** Default 1. */
  readonly seed?: number;
  /** Default 2. The first one is the account's default workspace. */
  readonly workspaces?: number;
  /** Pipelines of all workspaces together, spread evenly. Default 20. */
  readonly pipelines?: number;
  /** Pipeline runs that ended before the world begins. Default 1,000. */
  readonly history?: number;
  /** Days over which the history is spread. Default 30. */
  readonly historyDays?: number;
  /** Pipeline runs under way when the world begins. Default 20. */
  readonly active?: number;
  /** Experiment runs when the world begins, the last ones still training. Default 200. */
  readonly experimentRuns?: number;
  /** Fewest and most logical nodes of a pipeline, root not counted. Default 3 to 12. */
  readonly nodesPerRun?: readonly [number, number];
  /** New pipeline runs a minute of the world's time, on average, as the world is moved on. Default 2. */
  readonly arrivalsPerMinute?: number;
  /** `daily`: more of them arrive by day (UTC) than by night. Default `even`. */
  readonly rhythm?: Rhythm;
  /** Typical time of a pipeline run, minutes; runs scatter widely around it, and end after six hours. Default 8. */
  readonly runMinutes?: number;
  /** Whether the world follows its clock by itself (before each request). Otherwise only `tick()` moves it. Default false. */
  readonly live?: boolean;
  /** Whether a node's start and end move GmtModifiedTime of its run. Default false. */
  readonly nodeProgressTouchesRun?: boolean;
  readonly quirks?: QuirkChoice;
  /** Default: a SimulatedClock with `speed`, starting at `startAt`. */
  readonly clock?: WorldClock;
  /** World milliseconds for a real one, when no clock is given. Default 1. */
  readonly speed?: number;
  /** Milliseconds since 1970 at which the world begins, when no clock is given. Default: now. */
  readonly startAt?: number;
}

export interface WorldSettings {
  readonly seed: number;
  readonly workspaces: number;
  readonly pipelines: number;
  readonly history: number;
  readonly historyDays: number;
  readonly active: number;
  readonly experimentRuns: number;
  readonly nodesPerRun: readonly [number, number];
  readonly arrivalsPerMinute: number;
  readonly rhythm: Rhythm;
  readonly runMinutes: number;
  readonly live: boolean;
  readonly nodeProgressTouchesRun: boolean;
  readonly quirks: Quirks;
}

function count(name: string, found: number, least: number, most: number): number {
  if (Number.isInteger(found) && found >= least && found <= most) return found;
  throw new UsageError(`emulator option ${name}: found ${found}, expected an integer from ${least} to ${most}`);
}

function positive(name: string, found: number): number {
  if (Number.isFinite(found) && found > 0) return found;
  throw new UsageError(`emulator option ${name}: found ${found}, expected a number above 0`);
}

function nodeRange(found: readonly [number, number]): readonly [number, number] {
  count('nodesPerRun', found[0], 1, 200);
  count('nodesPerRun', found[1], found[0], 200);
  return found;
}

/** Fills in defaults; throws UsageError naming the option that is out of range. */
export function resolveWorldOptions(options: WorldOptions): WorldSettings {
  const workspaces = count('workspaces', options.workspaces ?? 2, 1, 1_000);
  const arrivals = options.arrivalsPerMinute ?? 2;
  return {
    seed: count('seed', options.seed ?? 1, 0, 0xffffffff),
    workspaces,
    pipelines: count('pipelines', options.pipelines ?? Math.max(20, workspaces), workspaces, 65_000),
    history: count('history', options.history ?? 1_000, 0, 20_000_000),
    historyDays: positive('historyDays', options.historyDays ?? 30),
    active: count('active', options.active ?? 20, 0, 1_000_000),
    experimentRuns: count('experimentRuns', options.experimentRuns ?? 200, 0, 2_000_000),
    nodesPerRun: nodeRange(options.nodesPerRun ?? [3, 12]),
    arrivalsPerMinute: arrivals === 0 ? 0 : positive('arrivalsPerMinute', arrivals),
    rhythm: options.rhythm ?? 'even',
    runMinutes: positive('runMinutes', options.runMinutes ?? 8),
    live: options.live ?? false,
    nodeProgressTouchesRun: options.nodeProgressTouchesRun ?? false,
    quirks: resolveQuirks(options.quirks),
  };
}
