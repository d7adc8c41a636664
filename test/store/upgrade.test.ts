/**
 * Upgrades of a database that is in use: from every released schema to the newest, with rows in it, while a replica of
 * that time goes on writing, killed and run by two processes at once.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Random } from '../../src/emulator/random.js';
import { migrate } from '../../src/store/migrate.js';
import { refreshRollups } from '../../src/store/rollups.js';
import { dumpSchema } from '../../src/store/schema-dump.js';
import { sumRows, wrongSums } from '../analytics/sums.js';
import { startCli } from '../support/cli.js';
import { differences } from '../support/compare.js';
import { createDatabase } from '../support/database.js';
import { startMirror } from '../support/mirror.js';
import { Player } from '../support/player.js';
import { differencesOf, lostRows, type Populated, populate } from '../support/populated.js';
import { recordedWorld, visiblePart } from '../support/recorded-world.js';
import { releasedTags } from '../support/releases.js';

const FOLDER = new URL('../../migrations/', import.meta.url).pathname;
/** More of each run of the recordings: 2 make some hundred runs. `npm run test:upgrades` takes many more. */
const COPIES = Number(process.env.TEST_UPGRADE_COPIES ?? 2);
const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000);
/** Statements of a replica before the migration begins: it has prepared most of them by then. */
const SAID_BEFORE = 200;

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** Some pages and some runs with their nodes: enough for a replica that only has to be in the way. */
const FEW_STATEMENTS = 300;

/** Replicas of that time: the first says everything once, the second stops early, as if it was killed. */
class Replicas {
  readonly players: Player[] = [];
  private readonly playing: Promise<unknown>[] = [];
  failure: Error | null = null;

  constructor(
    private readonly url: string,
    private readonly populated: Populated,
  ) {}

  async start(suffix: string, most = Number.POSITIVE_INFINITY): Promise<void> {
    const { recording } = this.populated;
    if (recording === null) return;
    const player = await Player.start(this.url, recording, suffix);
    onTestFinished(() => player.end());
    this.players.push(player);
    const isEnd = ({ statement }: { statement: number }): boolean => recording.statements[statement] === 'commit';
    const end = recording.calls.findIndex((call, at) => at >= most && isEnd(call));
    const played = player.play(end < 0 ? recording.calls : recording.calls.slice(0, end + 1)).catch((error: Error) => {
      this.failure ??= error;
    });
    this.playing.push(played);
  }

  /** Until each has said so much. */
  async said(statements: number): Promise<void> {
    while (this.failure === null && this.players.some(({ played }) => played.statements < statements)) await delay(5);
  }

  async end(): Promise<void> {
    await Promise.all(this.playing);
    if (this.failure !== null) throw this.failure;
  }

  get slowest(): string {
    const worst = this.players.map(({ played }) => played).sort((a, b) => b.slowestMs - a.slowestMs)[0];
    return worst === undefined ? 'no replica' : `longest statement ${worst.slowestMs.toFixed(0)} ms: ${worst.slowest}`;
  }
}

/** `kill -9` of a migration that has begun to change something. False: it was over before. */
async function killInTheMiddle(client: pg.Client, url: string, pauseMs: number): Promise<boolean> {
  const killed = startCli(['migrate'], { env: { DATABASE_URL: url } });
  const isAtWork = async (): Promise<boolean> =>
    (
      await client.query(`select from pg_stat_activity where datname = current_database() and application_name = 'pai-mirror migrate'
        and backend_xid is not null`)
    ).rowCount !== 0;
  while (killed.child.exitCode === null && !(await isAtWork())) await delay(2);
  await delay(pauseMs);
  const wasAlive = killed.child.exitCode === null;
  killed.child.kill('SIGKILL');
  await killed.exited;
  return wasAlive;
}

/** The head's own service goes on where the replica of old stopped: the emulator has the world that the recording is of. */
async function headGoesOn(url: string, client: pg.Client, populated: Populated): Promise<string[]> {
  const { recording } = populated;
  const world = recordedWorld();
  const mirror = await startMirror({ emulator: world.options, databaseUrl: url });
  for (const step of world.steps) step(mirror.emulator);
  mirror.emulator.faults.clear();
  const reports = await mirror.sync();
  const failed = reports.filter(({ outcome }) => outcome !== 'succeeded').map((report) => JSON.stringify(report));
  if (failed.length > 0) return failed;
  const scope = recording?.scope ?? `${mirror.scopes[0]?.region}:${mirror.scopes[0]?.workspaceId}`;
  // The comparison takes all rows for those of the one world.
  for (const table of ['pipeline_runs', 'runs'])
    await client.query(`delete from pai.${table} where scope <> $1`, [scope]);
  for (const table of ['run_params', 'run_labels', 'run_metrics'])
    await client.query(`delete from pai.${table} where run_id not in (select run_id from pai.runs)`);
  return differences(visiblePart(mirror.emulator.world), mirror.pool);
}

describe(`upgrades (TEST_SEED=${SEED})`, async () => {
  const tags = await releasedTags();

  test.each(tags)(
    'complaint 14: an upgrade from %s, under replicas of its time and a kill -9, keeps every row and fails none of their statements',
    async (tag) => {
      const random = new Random(SEED);
      const { url } = await createDatabase({ empty: true });
      const client = await connect(url);
      const populated = await populate(client, url, tag, COPIES);
      const replicas = new Replicas(url, populated);
      await replicas.start('1');
      await replicas.said(SAID_BEFORE);
      await replicas.start('2', FEW_STATEMENTS);

      const started = performance.now();
      const wasKilled = await killInTheMiddle(client, url, random.between(0, 150));
      const again = performance.now();
      const both = await Promise.all([migrate({ connectionString: url }), migrate({ connectionString: url })]);
      const done = performance.now();
      await replicas.end();
      process.stderr.write(
        `from ${tag}: killed ${wasKilled} after ${(again - started).toFixed(0)} ms, then ${(done - again).toFixed(0)} ms; ${replicas.slowest}\n`,
      );
      const applied = both.flatMap((one) => one.applied);
      expect(new Set(applied).size, 'each migration is applied once').toBe(applied.length);

      expect(await lostRows(client, populated)).toEqual([]);
      const [whole] = replicas.players;
      if (populated.recording && whole) {
        const second = { scope: whole.scope, suffix: '1' };
        expect(await differencesOf(client, populated, populated.recording.scope, second)).toEqual([]);
      }
      // Not brought up to date yet: the views compute what is missing.
      expect(await wrongSums(client)).toEqual([]);
      await refresh(url);
      expect(await wrongSums(client)).toEqual([]);
      expect(await sumRows(client)).toBeGreaterThan(100);
      expect(await migrate({ connectionString: url })).toMatchObject({ applied: [] });
      expect(`${await dumpSchema(client)}`).toBe(await readFile(join(FOLDER, 'schema.sql'), 'utf8'));
      expect(await headGoesOn(url, client, populated)).toEqual([]);
    },
  );
});

async function refresh(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  await refreshRollups(pool).finally(() => pool.end());
}
