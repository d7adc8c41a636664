/** Polling many active runs of which few have changed, in a service that has run for a while. */
import { setTimeout as delay } from 'node:timers/promises';
import { activeRuns, changeStatus, sample } from '../active-runs.js';
import { lastPassId, type PassRow, passesAfter, settleHistory } from '../database.js';
import { type BenchEmulator, startEmulator } from '../emulator.js';
import { BenchError } from '../failure.js';
import type { Figure } from '../figures.js';
import type { Lab, Outcome } from '../lab.js';
import { callsText, pagesOf } from '../minimum.js';
import { timeStatusCalls } from '../own-calls.js';
import { type BenchDatabase, createDatabase, ROOT_WITHOUT_ENV } from '../server.js';
import { measureSync, type SyncMeasure, startService } from '../service.js';
import { median, medianRatio } from '../statistics.js';

const EVERY_SECONDS = 3;
const CHANGED_SHARE = 0.01;
const LATENCIES_MS = [0, 20];
const WARM_UP = 2;
const PATIENCE_MS = 60_000;

/** The other streams start with the service once, and then not again. */
const ONLY_POLL = {
  POLL_CRON: `*/${EVERY_SECONDS} * * * * *`,
  DISCOVER_CRON: '0 0 1 1 *',
  NODES_CRON: '0 0 1 1 *',
  DETAILS_CRON: '0 0 1 1 *',
  EXPERIMENTS_CRON: '0 0 1 1 *',
  RECONCILE_CRON: '0 0 1 1 *',
};

interface Round {
  readonly pass: PassRow;
  /** The calls' own time, seconds. */
  readonly ownSeconds: number;
}

interface Bench {
  readonly lab: Lab;
  readonly emulator: BenchEmulator;
  readonly database: BenchDatabase;
}

export async function pollScenario(lab: Lab): Promise<Outcome> {
  const { active } = lab.options;
  lab.tell(`making a world of ${active} active runs`);
  const size = { history: 0, active, experimentRuns: 0, life: 'still' } as const;
  const emulator = await startEmulator(lab.cleanup, ROOT_WITHOUT_ENV, size);
  const database = await createDatabase(lab.cleanup, lab.server);
  await measureSync(lab, { emulator, database, streams: ['pipeline-runs'] });
  // What the poll writes makes trees and details due, and only those.
  await settleHistory(database.url);
  const bench = { lab, emulator, database };
  const service = startService(lab, { emulator, database, environment: ONLY_POLL });
  const byLatency: { latencyMs: number; rounds: readonly Round[] }[] = [];
  for (const latencyMs of LATENCIES_MS) {
    byLatency.push({ latencyMs, rounds: await pollRounds(bench, latencyMs).catch(explained(service)) });
  }
  await service.stop();
  const exact = await exactCalls(bench);
  await database.drop();
  await emulator.stop();
  const figures = [...byLatency.map((found) => timeFigure(lab, found)), callsFigure(lab, exact)];
  const calls = callsText(exact.calls.calls, pagesOf(active, lab.options.statusBatch));
  const notes = [
    `poll: ${calls}: active runs ÷ batch of ${lab.options.statusBatch}`,
    `poll: ${changedOf(active)} of ${active} runs changed before every poll; each pass against the same calls made right after it`,
  ];
  return { figures, notes, raw: { byLatency, exact } };
}

const changedOf = (active: number): number => Math.max(1, Math.round(active * CHANGED_SHARE));

const explained =
  (service: { output(): string }) =>
  (error: unknown): never => {
    throw new BenchError(`${error instanceof Error ? error.message : String(error)}\n${service.output()}`);
  };

async function pollRounds(bench: Bench, latencyMs: number): Promise<Round[]> {
  const { lab, emulator, database } = bench;
  const client = emulator.client();
  const { concurrency, statusBatch, rounds: count } = lab.options;
  const rounds: Round[] = [];
  await emulator.setLatency(latencyMs);
  // The first ones find cold caches and code that was not compiled yet, on both sides.
  for (let number = -Math.min(WARM_UP, count - 1); number < count; number += 1) {
    lab.tell(`poll round ${number + 1} of ${count} at ${latencyMs} ms a call`);
    const pass = await nextPoll(bench);
    await delay(300);
    const ids = (await activeRuns(database.url)).map(({ pipelineRunId }) => pipelineRunId);
    const ownSeconds = await timeStatusCalls(client, emulator.scope, ids, { concurrency, statusBatch });
    if (number >= 0) rounds.push({ pass, ownSeconds });
  }
  await emulator.setLatency(0);
  return rounds;
}

/** Changes some runs, and returns the pass that finds all of them changed. */
async function nextPoll({ lab, emulator, database }: Bench): Promise<PassRow> {
  const changed = changedOf(lab.options.active);
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
    let pass: PassRow;
    let after = await lastPassId(database.url);
    // As they are now: after a try that missed some, what was read before it would be changed to what it is already.
    await changeStatus(emulator, sample(await activeRuns(database.url), changed));
    do {
      pass = await pollAfter(database.url, after, deadline);
      after = pass.id;
      // One that was under way already has found none of them, or some: then others are changed for the next.
    } while (pass.updated === 0);
    if (pass.updated === changed) return pass;
  }
  throw new BenchError(`found no poll of ${changed} changes within ${PATIENCE_MS / 1_000} s`);
}

async function pollAfter(url: string, id: number, deadline: number): Promise<PassRow> {
  for (; Date.now() < deadline; await delay(50)) {
    const pass = (await passesAfter(url, id)).find(({ stream }) => stream === 'status');
    if (pass !== undefined) return pass;
  }
  throw new BenchError('found no pass of status');
}

/** Without the service, whose `nodes` makes calls of the same name: as the emulator counts them. */
async function exactCalls({ lab, emulator, database }: Bench): Promise<SyncMeasure> {
  const runs = await activeRuns(database.url);
  await changeStatus(emulator, sample(runs, changedOf(lab.options.active)));
  return measureSync(lab, { emulator, database, streams: ['status'] });
}

function timeFigure(lab: Lab, found: { latencyMs: number; rounds: readonly Round[] }): Figure {
  const pairs = found.rounds.map(({ pass, ownSeconds }) => ({ measured: pass.seconds, floor: ownSeconds }));
  return {
    scenario: 'poll',
    name: `poll of ${lab.options.active.toLocaleString('en-US')} active runs at ${found.latencyMs} ms a call, ms`,
    measured: median(pairs.map(({ measured }) => measured)) * 1_000,
    floor: median(pairs.map(({ floor }) => floor)) * 1_000,
    floorName: "the calls' own",
    ratio: medianRatio(pairs),
    goal: { of: 'ratio', atMost: 1.5 },
  };
}

function callsFigure({ options }: Lab, { calls }: SyncMeasure): Figure {
  return {
    scenario: 'poll',
    name: `poll of ${options.active.toLocaleString('en-US')} active runs, calls`,
    measured: calls.calls,
    floor: pagesOf(options.active, options.statusBatch),
    floorName: 'the minimum',
    goal: { of: 'ratio', atMost: 1 },
  };
}
