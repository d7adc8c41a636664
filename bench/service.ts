/** The service under test: the built command, told where the emulator and the database are and nothing else. */
import { resolve } from 'node:path';
import type { Stream } from '../src/domain/streams.js';
import { lastPassId, type PassRow, passesAfter, requireSuccess } from './database.js';
import type { BenchEmulator, CallStats } from './emulator.js';
import type { Lab } from './lab.js';
import { readProcess } from './process-stats.js';
import { type RunningCommand, runCommand, startCommand } from './processes.js';
import { type BenchDatabase, ROOT_WITHOUT_ENV } from './server.js';

/** One `sync`, from outside. Seconds, and MB of 1,000,000 bytes. */
export interface SyncMeasure {
  /** Of the whole process: start-up, migration check and shutdown included. */
  readonly wallSeconds: number;
  /** Of its passes, as pai.sync_passes has them. */
  readonly passSeconds: number;
  readonly passes: readonly PassRow[];
  readonly calls: CallStats;
  readonly cpuSeconds: number;
  readonly peakMb: number;
  readonly serverCpuSeconds: number | null;
  readonly emulatorCpuSeconds: number | null;
}

export interface SyncRequest {
  readonly emulator: BenchEmulator;
  readonly database: BenchDatabase;
  readonly streams: readonly Stream[];
  /** Besides where the emulator and the database are. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** No limit of calls: the budgets have a scenario of their own. */
export function environmentOf(
  lab: Lab,
  { emulator, database, environment }: Omit<SyncRequest, 'streams'>,
): Record<string, string> {
  return {
    ...emulator.environment,
    DATABASE_URL: database.url,
    PAI_FLOW_QPS: '0',
    PAI_LIST_RUNS_QPS: '0',
    HTTP_PORT: '0',
    PAI_PAGE_SIZE: String(lab.options.pageSize),
    PAI_CONCURRENCY: String(lab.options.concurrency),
    PAI_STATUS_BATCH: String(lab.options.statusBatch),
    ...environment,
  };
}

const profiling = ({ options }: Lab): string[] =>
  options.profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(options.profile)}`];

export async function measureSync(lab: Lab, request: SyncRequest): Promise<SyncMeasure> {
  const { emulator, database, streams } = request;
  const before = await lastPassId(database.url);
  await emulator.reset();
  const cpuOf = async () => [await lab.server.cpuSeconds(), (await readProcess(emulator.pid))?.cpuSeconds ?? null];
  const [serverBefore, emulatorBefore] = await cpuOf();
  const ended = await runCommand(lab.cleanup, ['sync', '--stream', streams.join(',')], {
    directory: ROOT_WITHOUT_ENV,
    env: environmentOf(lab, request),
    nodeArguments: profiling(lab),
  });
  const [serverAfter, emulatorAfter] = await cpuOf();
  const passes = await passesAfter(database.url, before);
  requireSuccess(passes);
  return {
    wallSeconds: ended.wallSeconds,
    passSeconds: passes.reduce((sum, { seconds }) => sum + seconds, 0),
    passes,
    calls: await emulator.stats(),
    cpuSeconds: ended.stats.cpuSeconds,
    peakMb: ended.stats.peakMb,
    serverCpuSeconds: difference(serverBefore, serverAfter),
    emulatorCpuSeconds: difference(emulatorBefore, emulatorAfter),
  };
}

const difference = (before: number | null | undefined, after: number | null | undefined): number | null =>
  before == null || after == null ? null : after - before;

/** `start`, until it is stopped. */
export function startService(lab: Lab, request: Omit<SyncRequest, 'streams'>): RunningCommand {
  return startCommand(lab.cleanup, ['start'], {
    directory: ROOT_WITHOUT_ENV,
    env: environmentOf(lab, request),
    nodeArguments: profiling(lab),
  });
}
