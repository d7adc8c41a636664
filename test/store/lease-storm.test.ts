/**
 * Invariant 7 at random: many replicas with short leases, some of which stand still in the middle of a pass for longer
 * than their lease and then go on as if nothing had happened. `TEST_SEED` repeats the random choices (not the timing).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { noEffect } from '../../src/domain/batch.js';
import { LeaseLostError } from '../../src/domain/errors.js';
import type { Stream } from '../../src/domain/streams.js';
import { Random } from '../../src/emulator/random.js';
import { PgStore } from '../../src/store/store.js';
import type { Lease } from '../../src/sync/ports.js';
import { createDatabase } from '../support/database.js';
import { overlappingPasses } from '../support/passes.js';
import { SCOPE } from './fixtures.js';

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000_000);
const REPLICAS = 20;
const TTL_MS = 300;
/** It goes on until so much has happened, however slow the machine is; and no longer than this. */
const ENOUGH = { passes: 60, stalls: 8, lost: 4 };
const MOST_MS = 30_000;
const STREAMS: readonly Stream[] = ['status', 'nodes'];

/** What the database saw: every commit, in the order in which it got the cursor's row. */
const WATCH = `
  create table pai.seen_commits (id bigserial, stream text, fence bigint, at timestamptz default clock_timestamp());
  create function pai.see_commit() returns trigger language plpgsql as $$ begin
    insert into pai.seen_commits (stream, fence) values (new.stream, (new.state ->> 'fence')::bigint);
    return null;
  end $$;
  create trigger see_commit after insert or update on pai.sync_cursors for each row execute function pai.see_commit()`;

class Tally {
  passes = 0;
  commits = 0;
  /** Times that a replica stood still past its lease. */
  stalls = 0;
  lost = 0;

  get isEnough(): boolean {
    return this.passes >= ENOUGH.passes && this.stalls >= ENOUGH.stalls && this.lost >= ENOUGH.lost;
  }
}

let marks = 0;

/** The fence travels in the cursor, and a number that makes every commit a change. */
const commit = (store: PgStore, lease: Lease) => {
  marks += 1;
  return store.commit(lease, { cursor: { watermark: null, state: { fence: lease.fence, mark: marks } } });
};

/** One pass as the engine makes it, but for a random standstill, after which it goes on. */
async function pass(store: PgStore, lease: Lease, random: Random, tally: Tally): Promise<void> {
  const id = await store.startPass(lease);
  tally.passes += 1;
  let error: string | null = null;
  try {
    for (let step = random.between(1, 6); step > 0; step -= 1) {
      await delay(random.between(0, 20));
      if (random.next() < 0.1) {
        tally.stalls += 1;
        await delay(TTL_MS * (0.9 + random.next()));
      }
      await commit(store, lease);
      tally.commits += 1;
    }
  } catch (failure) {
    if (!(failure instanceof LeaseLostError)) throw failure;
    tally.lost += 1;
    error = failure.message;
  }
  await store.finishPass(id, {
    outcome: error ? 'failed' : 'succeeded',
    calls: 0,
    rowsRead: 0,
    effect: noEffect(),
    error,
  });
  if (random.next() < 0.9) await store.releaseLease(lease);
}

async function replica(url: string, random: Random, tally: Tally, until: number): Promise<void> {
  const store = new PgStore({
    connectionString: url,
    maxConnections: 1,
    leaseTtlMs: TTL_MS,
    isDeadHolder: () => false,
  });
  try {
    while (performance.now() < until && !tally.isEnough) {
      const lease = await store.acquireLease(SCOPE, random.pick(STREAMS), random.next() < 0.5 ? 20 : 0);
      // The engine tells such a pass as one that could not be started.
      if (lease !== null) await pass(store, lease, random, tally).catch(ignoreLost);
      await delay(random.between(5, 60));
    }
  } finally {
    await store.close();
  }
}

const ignoreLost = (error: unknown): void => {
  if (!(error instanceof LeaseLostError)) throw error;
};

test(`invariant 7: twenty replicas, some standing still past their lease, never overlap and never commit late (TEST_SEED=${SEED})`, async () => {
  const { url } = await createDatabase();
  const watcher = new PgStore({ connectionString: url, maxConnections: 1 });
  await watcher.pool.query(WATCH);
  const tally = new Tally();
  const until = performance.now() + MOST_MS;
  const random = new Random(SEED);
  await Promise.all(
    Array.from({ length: REPLICAS }, () => replica(url, new Random(random.between(1, 2 ** 31)), tally, until)),
  );

  expect(tally, 'so much happened').toMatchObject({ isEnough: true });
  expect(await overlappingPasses(watcher.pool)).toEqual([]);
  const { rows } = await watcher.pool.query<{ total: number; late: number }>(
    `select count(*)::int as total, (count(*) filter (where fence < highest))::int as late
     from (select fence, max(fence) over (partition by stream order by id) as highest from pai.seen_commits) c`,
  );
  await watcher.close();
  expect(rows).toEqual([{ total: tally.commits, late: 0 }]);
});
