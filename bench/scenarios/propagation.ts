/** How long a change of status in the source takes until a reader of the database sees it, while everything runs. */
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { type ActiveRun, activeRuns, changeStatus, sample } from '../active-runs.js';
import { type BenchEmulator, startEmulator } from '../emulator.js';
import { BenchError } from '../failure.js';
import type { Figure } from '../figures.js';
import type { Lab, Outcome } from '../lab.js';
import { createDatabase, ROOT_WITHOUT_ENV, withClient } from '../server.js';
import { measureSync, startService } from '../service.js';
import { percentile } from '../statistics.js';

const POLL_SECONDS = 5;
const CALLS_PER_SECOND = 10;
const CHANGES_PER_SECOND = 2;
/** Of the changes that end their run. */
const ENDING_SHARE = 0.3;
const LOOK_EVERY_MS = 25;
/** For the first passes of a service that has just started. */
const SETTLE_MS = 10_000;
/** For the last changes to arrive. */
const PATIENCE_MS = 60_000;

interface Awaited {
  readonly status: string;
  /** `performance.now()` when the source had it. */
  readonly since: number;
}

export async function propagationScenario(lab: Lab): Promise<Outcome> {
  const { watchedActive: active, watchSeconds } = lab.options;
  lab.tell(`making a world of ${active} active runs, and loading it whole`);
  const size = { history: 0, active, experimentRuns: 0, life: 'still' } as const;
  const emulator = await startEmulator(lab.cleanup, ROOT_WITHOUT_ENV, size);
  const database = await createDatabase(lab.cleanup, lab.server);
  // All that is due but the changes was fetched before.
  await measureSync(lab, { emulator, database, streams: ['pipeline-runs', 'status', 'nodes', 'details'] });
  const runs = await activeRuns(database.url);
  const service = startService(lab, {
    emulator,
    database,
    environment: { PAI_FLOW_QPS: String(CALLS_PER_SECOND), POLL_CRON: `*/${POLL_SECONDS} * * * * *` },
  });
  await Promise.race([delay(SETTLE_MS), service.ended]);
  await emulator.reset();
  lab.tell(`changing ${CHANGES_PER_SECOND} statuses a second for ${watchSeconds} s`);
  const seen = await withClient(database.url, (client) => watchChanges(lab, emulator, client, runs)).catch((error) => {
    throw new BenchError(`${error instanceof Error ? error.message : String(error)}\n${service.output()}`);
  });
  const calls = await emulator.stats();
  const ended = await service.stop();
  await database.drop();
  await emulator.stop();
  const made = Object.entries(calls.operations).map(([name, count]) => `${name} ${count.calls}`);
  const notes = [
    `propagation: ${seen.length} changes, ${ENDING_SHARE * 100} % of them the end of a run; a poll every ${POLL_SECONDS} s, ` +
      `every other stream at its default schedule, ${CALLS_PER_SECOND} calls a second for all`,
    `propagation: calls: ${made.join(', ')}; CPU of the service ${ended.stats.cpuSeconds.toFixed(1)} s, peak memory ${ended.stats.peakMb.toFixed(0)} MB`,
  ];
  return { figures: figuresOf(active, seen), notes, raw: { seen, calls, ended } };
}

/** Each run once, so that a row says without doubt which change it shows. Returns milliseconds. */
async function watchChanges(
  lab: Lab,
  emulator: BenchEmulator,
  client: pg.Client,
  runs: readonly ActiveRun[],
): Promise<number[]> {
  const waiting = new Map<string, Awaited>();
  const seen: number[] = [];
  const until = Date.now() + lab.options.watchSeconds * 1_000;
  const changes = changeSome(emulator, runs, waiting, until);
  for (const deadline = until + PATIENCE_MS; Date.now() < until || waiting.size > 0; await delay(LOOK_EVERY_MS)) {
    if (Date.now() > deadline) throw new BenchError(`${waiting.size} changes did not arrive`);
    seen.push(...(await arrivedOf(client, waiting)));
  }
  await changes;
  return seen;
}

/** At random moments: the distances are exponential, as of things that have nothing to do with each other. */
async function changeSome(
  emulator: BenchEmulator,
  runs: readonly ActiveRun[],
  waiting: Map<string, Awaited>,
  until: number,
): Promise<void> {
  for (const run of sample(runs, runs.length)) {
    await delay((-Math.log(1 - Math.random()) * 1_000) / CHANGES_PER_SECOND);
    if (Date.now() >= until) return;
    const ends = Math.random() < ENDING_SHARE;
    const changed = await changeStatus(emulator, [run], ends ? () => 'Succeeded' : undefined);
    const status = changed.get(run.pipelineRunId) as string;
    waiting.set(run.pipelineRunId, { status, since: performance.now() });
  }
}

async function arrivedOf(client: pg.Client, waiting: Map<string, Awaited>): Promise<number[]> {
  if (waiting.size === 0) return [];
  const { rows } = await client.query<{ id: string; status: string }>(
    'select pipeline_run_id as id, status from pai.pipeline_runs where pipeline_run_id = any($1)',
    [[...waiting.keys()]],
  );
  const now = performance.now();
  const arrived: number[] = [];
  for (const { id, status } of rows) {
    const awaited = waiting.get(id);
    if (awaited?.status !== status) continue;
    arrived.push(now - awaited.since);
    waiting.delete(id);
  }
  return arrived;
}

function figuresOf(active: number, seen: readonly number[]): Figure[] {
  const atMost = (POLL_SECONDS + 1) / POLL_SECONDS;
  const figure = (what: string, millis: number, goal: Figure['goal']): Figure => ({
    scenario: 'propagation',
    name: `status change to its row among ${active.toLocaleString('en-US')} active runs, ${what}, s`,
    measured: millis / 1_000,
    floor: POLL_SECONDS,
    floorName: 'poll interval',
    goal,
  });
  return [
    figure('median', percentile(seen, 50), null),
    figure('p95', percentile(seen, 95), { of: 'ratio', atMost }),
    figure('slowest', Math.max(...seen), null),
  ];
}
