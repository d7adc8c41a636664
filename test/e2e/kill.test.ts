/**
 * kill -9 at random moments of the built command's life, in front of a source that moves and fails, over a PostgreSQL
 * that crashes now and then; two processes at once, so that each kill is also a takeover. After that the source stands
 * still, one quiet round follows, and the tables and the history are compared with the source field by field.
 *
 * `TEST_SEED` repeats the draws (moments, faults, changes, crashes), though not how the machine interleaves them;
 * `TEST_KILLS` sets how many moments there are (`npm run test:kill`: 200).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { resolveQuirks } from '../../src/emulator/quirks.js';
import { Random } from '../../src/emulator/random.js';
import { type Emulator, startEmulator } from '../../src/emulator/server.js';
import { environmentFor, runCli } from '../support/cli.js';
import { differences, tombstoneFaults } from '../support/compare.js';
import { CRASH_SAFE, CRASHES, crash, quietPort } from '../support/crashes.js';
import { historyFaults } from '../support/history.js';
import { rowVersions } from '../support/mirror.js';
import { type OwnServer, startOwnServer } from '../support/own-server.js';
import { Replicas } from '../support/replicas.js';
import { Turmoil } from '../support/turmoil.js';
import { drawWeather } from '../support/weather.js';

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000_000);
const KILLS = Number(process.env.TEST_KILLS ?? 5);
/** Enough moments to meet every stream at work. */
const IS_LONG = KILLS >= 100;

/**
 * The first part of the kills falls into the first load: its pages are slow, so that it needs many processes. Then it is
 * left in peace until it has come to its end: the other kills are to meet the work that follows it.
 */
const FIRST_LOAD_KILLS = Math.ceil(KILLS * 0.3);
const FIRST_LOAD_SLOWNESS_MS = 250;
const FIRST_LOAD_PATIENCE_MS = 120_000;
const SLOWNESS_MS = 40;

/** The share of the kills during which PostgreSQL crashes as well, or instead; two crashes there are in any case. */
const CRASH_SHARE = IS_LONG ? 0.1 : 0;

const HOUR = 3_600_000;

interface Scene {
  readonly emulator: Emulator;
  readonly clock: SimulatedClock;
  readonly postgres: OwnServer;
  readonly pool: Pool;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The source does not change by itself any more. */
  standStill(): void;
}

const cleanups: (() => unknown)[] = [];
const onDone = (cleanup: () => unknown): void => void cleanups.push(cleanup);

async function setScene(random: Random): Promise<Scene> {
  const cwd = mkdtempSync(join(tmpdir(), 'pai-mirror-test-'));
  onDone(() => rmSync(cwd, { recursive: true, force: true }));
  const postgres = await startOwnServer(CRASH_SAFE, { port: await quietPort(), onDone });
  const pool = new Pool({ connectionString: postgres.url, max: 2, connectionTimeoutMillis: 5_000 });
  // An idle connection breaks whenever the server crashes.
  pool.on('error', () => {});
  onDone(() => pool.end());
  let stoppedAt: number | null = null;
  // A few hours of the world's time pass; a day away from the database's clock they would be another story.
  const clock = new SimulatedClock({
    speed: 20,
    startAt: Date.now() - 6 * HOUR,
    real: () => stoppedAt ?? Date.now(),
  });
  const emulator = await startEmulator({
    workspaces: IS_LONG ? 3 : 2,
    history: IS_LONG ? 1_200 : 80,
    active: IS_LONG ? 15 : 6,
    experimentRuns: IS_LONG ? 400 : 40,
    nodesPerRun: [1, 4],
    arrivalsPerMinute: 0.5,
    live: true,
    quirks: { ...resolveQuirks('all'), clampPageSize: random.between(5, 30) },
    clock,
    seed: SEED,
  });
  onDone(() => emulator.close());
  // The short form is to spend its time on kills, not on rounds between them.
  const often = IS_LONG ? '* * * * * *' : '*/2 * * * * *';
  const env = {
    ...environmentFor(emulator, postgres.url),
    PAI_PAGE_SIZE: IS_LONG ? '12' : '6',
    PAI_STATUS_BATCH: '20',
    PAI_CONCURRENCY: '3',
    PAI_CALL_TIMEOUT_MS: '700',
    HTTP_PORT: '0',
    DISCOVER_CRON: often,
    POLL_CRON: often,
    NODES_CRON: often,
    DETAILS_CRON: often,
    EXPERIMENTS_CRON: often,
    RECONCILE_CRON: IS_LONG ? '*/3 * * * * *' : '*/5 * * * * *',
  };
  const standStill = (): void => {
    stoppedAt = Date.now();
    emulator.world.tick();
  };
  return { emulator, clock, postgres, pool, env, cwd, standStill };
}

interface Tally {
  crashes: number;
  /** Kills that left a first load unfinished behind. */
  firstLoads: number;
}

/** Kills, crashes, faults and changes, until enough processes were killed. */
async function storm(scene: Scene, replicas: Replicas, random: Random): Promise<Tally> {
  const tally: Tally = { crashes: 0, firstLoads: 0 };
  const turmoil = new Turmoil(scene.emulator, scene.clock, new Random(SEED + 1));
  const changes = setInterval(() => turmoil.change(), 200);
  onDone(() => clearInterval(changes));
  try {
    replicas.start();
    const crashAt = new Set([Math.floor(KILLS / 3), Math.floor((2 * KILLS) / 3)]);
    let isLoaded = false;
    for (let round = 0; replicas.kills < KILLS; round += 1) {
      const isFirstLoad = replicas.kills < FIRST_LOAD_KILLS;
      if (!isFirstLoad && !isLoaded) isLoaded = await untilLoaded(scene);
      scene.emulator.faults.clear();
      scene.emulator.faults.add(...drawWeather(random, isFirstLoad ? FIRST_LOAD_SLOWNESS_MS : SLOWNESS_MS));
      const crashes = crashAt.has(round) || random.next() < CRASH_SHARE;
      const crashing = crashes ? crashPostgres(scene.postgres, random) : null;
      if (crashes) tally.crashes += 1;
      // Half of the crashes meet processes that nobody kills.
      if (crashing === null || random.next() < 0.5) await replicas.killOne();
      await crashing;
      if (await hasFirstLoad(scene.pool)) tally.firstLoads += 1;
    }
    return tally;
  } finally {
    clearInterval(changes);
    await replicas.end();
  }
}

async function crashPostgres(postgres: OwnServer, random: Random): Promise<void> {
  await delay(random.between(0, 800));
  await crash(postgres, random.pick(CRASHES), random.between(0, 1_500));
}

/** Throws when the first load has not come to its end although nobody disturbed it for a long time. */
async function untilLoaded({ emulator, pool }: Scene): Promise<boolean> {
  emulator.faults.clear();
  const expected = emulator.world.workspaces().length;
  const sql = `select count(*) = $1 as yes from pai.sync_cursors where stream = 'pipeline-runs' and state->>'phase' is null`;
  for (const deadline = Date.now() + FIRST_LOAD_PATIENCE_MS; Date.now() < deadline; await delay(200)) {
    // A connection may still be one of those that the last crash broke.
    const found = await pool.query<{ yes: boolean }>(sql, [expected]).catch(() => null);
    if (found?.rows[0]?.yes && !(await hasFirstLoad(pool))) return true;
  }
  throw new Error(`the first load has not ended ${FIRST_LOAD_PATIENCE_MS} ms after the last kill`);
}

/** No when nobody knows: the tables are not there yet. */
async function hasFirstLoad(pool: Pool): Promise<boolean> {
  const sql = `select exists (select from pai.sync_cursors where state->>'phase' = 'first-load') as yes`;
  return pool.query<{ yes: boolean }>(sql).then(
    ({ rows }) => rows[0]?.yes ?? false,
    () => false,
  );
}

async function quietRound({ env, cwd }: Scene): Promise<void> {
  const { code, stderr } = await runCli(['sync'], { env, cwd, onDone });
  if (code !== 0) throw new Error(`a quiet round failed with ${code}:\n${stderr}`);
}

async function report({ emulator, pool }: Scene, replicas: Replicas, tally: Tally): Promise<void> {
  const { rows } = await pool.query<{ rows: number; events: number; met: string }>(
    `select (select count(*) from pai.pipeline_runs)::int + (select count(*) from pai.pipeline_run_nodes)::int
         + (select count(*) from pai.node_outputs)::int + (select count(*) from pai.runs)::int as rows,
       (select count(*) from pai.change_events)::int as events,
       (select string_agg(stream || ' ' || n, ', ' order by stream) from
         (select stream, count(*) as n from pai.sync_passes where outcome = 'abandoned' group by stream) p) as met`,
  );
  const { rows: count, events, met } = rows[0] as { rows: number; events: number; met: string };
  process.stdout.write(
    `kill: TEST_SEED=${SEED}: ${replicas.kills} kills of ${replicas.spawned} processes (${replicas.early} before they were up, ` +
      `${tally.firstLoads} in the first load), ${tally.crashes} crashes of PostgreSQL, ${emulator.stats.calls()} calls, ` +
      `${count} rows, ${events} events; passes cut short: ${met}\n`,
  );
}

describe('kill -9 at random moments, under faults, a moving source and crashes of PostgreSQL', () => {
  let scene: Scene;
  let replicas: Replicas;

  beforeAll(
    async () => {
      process.stdout.write(`kill: TEST_SEED=${SEED} TEST_KILLS=${KILLS}\n`);
      const random = new Random(SEED);
      scene = await setScene(random);
      replicas = new Replicas({ env: scene.env, cwd: scene.cwd, random, count: 2, onDone });
      const tally = await storm(scene, replicas, random);
      scene.emulator.faults.clear();
      scene.standStill();
      await quietRound(scene);
      await report(scene, replicas, tally);
    },
    120_000 + KILLS * 30_000,
  );
  afterAll(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  it('invariant 1: after one quiet round the mirror equals the source, and holds what the source dropped', async () => {
    expect(await differences(scene.emulator.world, scene.pool)).toEqual([]);
    expect(await tombstoneFaults(scene.emulator.world, scene.pool)).toEqual([]);
  });

  it('invariant 2: the history has no duplicate and no hole (complaint 15: duplicates and lost updates)', async () => {
    expect(await historyFaults(scene.pool)).toEqual([]);
  });

  it('invariant 2: the bookkeeping is whole: no pass left open, none run under the same fence, nothing in quarantine', async () => {
    expect(await bookkeepingFaults(scene.pool)).toEqual([]);
  });

  it('invariant 3: once the source stands still, further rounds write nothing', async () => {
    await quietRound(scene);
    const before = await rowVersions(scene.pool);
    await quietRound(scene);
    expect(await rowVersions(scene.pool)).toEqual(before);
  });

  it('no process ended by itself while it was up, none without a reason, none with an error that nobody caught', () => {
    expect(replicas.faults).toEqual([]);
  });

  it.runIf(IS_LONG)('the kills met every stream at work', async () => {
    const { rows } = await scene.pool.query<{ stream: string }>(
      `select distinct stream from pai.sync_passes where outcome = 'abandoned' order by stream`,
    );
    const streams = ['details', 'experiment-runs', 'nodes', 'pipeline-runs', 'reconcile', 'status'];
    expect(rows.map(({ stream }) => stream)).toEqual(streams);
  });
});

async function bookkeepingFaults(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ fault: string }>(
    `select 'pass ' || id || ' of ' || stream || ' is still open' as fault from pai.sync_passes where finished_at is null
     union all
     select count(*) || ' passes of ' || stream || ' in ' || scope || ' under fence ' || fence from pai.sync_passes
     group by scope, stream, fence having count(*) > 1
     union all
     select 'pass ' || p.id || ' has a fence above its lease' from pai.sync_passes p join pai.sync_leases l using (scope, stream)
     where p.fence > l.fence
     union all
     select 'the lease of ' || stream || ' in ' || scope || ' is held' from pai.sync_leases where expires_at > clock_timestamp()
     union all
     select 'the last pass of ' || stream || ' in ' || scope || ' ' || outcome || ': ' || coalesce(error, '')
     from (select distinct on (scope, stream) * from pai.sync_passes order by scope, stream, id desc) last where outcome <> 'succeeded'
     union all
     select 'a first load of ' || stream || ' in ' || scope || ' is unfinished' from pai.sync_cursors where state->>'phase' = 'first-load'
     union all
     select 'in quarantine: ' || entity || ' ' || coalesce(entity_id, '') || ': ' || error from pai.quarantine where resolved_at is null
     union all
     select 'waits for a retry: ' || stream || ' ' || entity_id || ': ' || error from pai.sync_retries`,
  );
  return rows.map(({ fault }) => fault);
}
