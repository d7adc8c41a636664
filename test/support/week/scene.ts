/** An account in which a week passes in minutes, and the built command `start` that mirrors it, each with a clock of its own. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Pool } from 'pg';
import { onTestFinished } from 'vitest';
import { type Emulator, startEmulator } from '../../../src/emulator/server.js';
import type { Rhythm } from '../../../src/emulator/world/rhythm.js';
import { migrate } from '../../../src/store/migrate.js';
import { type CliProcess, environmentFor, startCli } from '../cli.js';
import { createDatabase } from '../database.js';
import { addressOf } from '../http.js';
import { nextMonth, setDatabaseAhead, WeekClock } from './clocks.js';

/** A day in 40 seconds, so that six hours are ten: cron has whole seconds. */
export const SPEED = 2_160;
export const DAY_MS = 86_400_000;

/** Calls a second; the default of 5 would have each run of the week wait for hours of it. */
export const FLOW_QPS = 100;
export const LIST_RUNS_QPS = 20;

/** Seconds between two ticks of each stream; one of them is 36 minutes of the week. */
export const PERIODS = {
  'pipeline-runs': 1,
  status: 1,
  nodes: 2,
  details: 2,
  'experiment-runs': 5,
  reconcile: 10,
} as const;

const every = (seconds: number): string => (seconds === 1 ? '* * * * * *' : `*/${seconds} * * * * *`);

/** As real answers are; those that cost more calls have tests of their own. */
const QUIRKS = {
  trailingNewlines: true,
  numericIds: true,
  bigUserIds: true,
  emptyRootNode: true,
  missingUri: true,
  shortTimes: true,
  undocumentedStatuses: true,
  succeedNodes: true,
  doubleEscapedJson: true,
  unknownFields: true,
} as const;

export interface SceneOptions {
  readonly days: number;
  readonly seed: number;
  /** Default: that of PERIODS, six hours of the week. */
  readonly reconcileSeconds?: number;
  /** Default `daily`. */
  readonly rhythm?: Rhythm;
  /** Runs of the past; the service has stored them when the week begins. */
  readonly history: number;
  /** What the service is made to leak (leak.mjs); null: nothing. */
  readonly leak: string | null;
}

export interface Scene {
  readonly emulator: Emulator;
  readonly clock: WeekClock;
  readonly pool: Pool;
  readonly service: CliProcess;
  readonly url: string;
  /** By how much the database's clock is ahead of this machine's, milliseconds. */
  readonly aheadMs: number;
}

/** Resolves when the service is up. Everything goes away with the test. */
export async function setScene(options: SceneOptions): Promise<Scene> {
  const { days, seed, history, leak } = options;
  // By the world's clock and by the database's, the month ends in the middle of the week.
  const monthEnds = nextMonth(Date.now());
  const clock = new WeekClock(monthEnds - (days * DAY_MS) / 2, SPEED);
  const aheadMs = monthEnds - Date.now() - firstLoadMs(history) - (days * DAY_MS) / 2 / SPEED;
  const emulator = await startEmulator({
    seed,
    history,
    workspaces: 4,
    pipelines: 24,
    historyDays: 10,
    active: 20,
    experimentRuns: 120,
    nodesPerRun: [2, 6],
    arrivalsPerMinute: 0.35,
    rhythm: options.rhythm ?? 'daily',
    runMinutes: 60,
    live: true,
    quirks: QUIRKS,
    clock,
  });
  onTestFinished(() => emulator.close());
  const { pool, databaseUrl } = await makeDatabase(aheadMs);
  const workspaces = emulator.world.workspaces();
  const service = startCli(['start'], {
    env: {
      ...environmentFor(emulator, databaseUrl),
      ...settings(workspaces[0]?.workspaceId ?? ''),
      RECONCILE_CRON: every(options.reconcileSeconds ?? PERIODS.reconcile),
      ...preloaded(leak),
    },
  });
  const url = await addressOf(service);
  await service.sees('pai-mirror started');
  return { emulator, clock, pool, service, url, aheadMs };
}

/** About; the month has to end while the week lasts, and need not in the very middle of it. */
const firstLoadMs = (history: number): number => 6_000 + history * 30;

async function makeDatabase(aheadMs: number): Promise<{ pool: Pool; databaseUrl: string }> {
  const { url, name } = await createDatabase({ empty: true });
  const setup = new Pool({ connectionString: url, max: 1 });
  await setDatabaseAhead(setup, name, aheadMs);
  await setup.end();
  await migrate({ connectionString: url });
  const pool = new Pool({ connectionString: url, max: 3, options: '-c timezone=UTC' });
  pool.on('error', () => {});
  onTestFinished(() => pool.end());
  return { pool, databaseUrl: url };
}

/** Retention by the database's clock: it takes runs of one workspace while the week is two days and more behind that. */
const settings = (workspaceId: string): Record<string, string> => ({
  PAI_FLOW_QPS: String(FLOW_QPS),
  PAI_LIST_RUNS_QPS: String(LIST_RUNS_QPS),
  // A call that nobody answers is given up after six hours of the week.
  PAI_CALL_TIMEOUT_MS: '10000',
  PAI_HOT_WINDOW_HOURS: '48',
  DISCOVER_CRON: every(PERIODS['pipeline-runs']),
  POLL_CRON: every(PERIODS.status),
  NODES_CRON: every(PERIODS.nodes),
  DETAILS_CRON: every(PERIODS.details),
  EXPERIMENTS_CRON: every(PERIODS['experiment-runs']),
  RETENTION_CRON: every(20),
  RETENTION_RULES: `cn-test:${workspaceId}/*=2d`,
  RETENTION_EXPERIMENTS: `cn-test:${workspaceId}=9d`,
  RETENTION_HISTORY: '90d',
  RETENTION_PASSES: '30d',
  RETENTION_QUARANTINE: '30d',
});

function preloaded(leak: string | null): Record<string, string> {
  const here = (file: string): string => pathToFileURL(fileURLToPath(new URL(file, import.meta.url))).href;
  const files = [here('./probe.mjs'), ...(leak === null ? [] : [here('./leak.mjs')])];
  return {
    NODE_OPTIONS: files.map((file) => `--import ${file}`).join(' '),
    ...(leak === null ? {} : { TEST_LEAK: leak }),
  };
}

/**
 * Waits until every stream of every scope has a whole pass that began after now, and nothing waits for a call. `except`:
 * a stream that is not waited for.
 */
export async function untilCaughtUp(
  { pool, emulator, service }: Scene,
  { except = '', limitMs = 240_000 }: { readonly except?: string; readonly limitMs?: number } = {},
): Promise<void> {
  const streams = Object.keys(PERIODS).filter((stream) => stream !== except);
  const expected = streams.length * emulator.world.workspaces().length;
  const since = (await pool.query<{ now: string }>('select clock_timestamp()::text as now')).rows[0]?.now;
  const deadline = Date.now() + limitMs;
  for (;;) {
    const { rows } = await pool.query<{ ran: number; due: number }>(
      `select (select count(distinct (scope, stream))::int from pai.sync_passes where outcome = 'succeeded' and started_at > $1 and stream = any($2)) as ran,
         (select count(*)::int from pai.pipeline_runs r where r.deleted_at is null and r.missing_since is null
           and (r.details_revision < r.revision or r.nodes_revision < r.revision and r.node_id <> '')) as due`,
      [since, streams],
    );
    const { ran = 0, due = -1 } = rows[0] ?? {};
    if (ran === expected && due === 0) return;
    if (Date.now() > deadline) {
      const log = service.stderr().slice(-3_000);
      throw new Error(`not caught up: ${ran} of ${expected} streams ran since ${since}, ${due} runs wait\n${log}`);
    }
    await delay(500);
  }
}
