import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import pg from 'pg';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { StoreError } from '../../src/domain/errors.js';
import {
  mostInWindow,
  newBudgetState,
  planSlots,
  type SlotGrant,
  type SlotRequest,
  stepOf,
} from '../../src/domain/pace.js';
import { RateLimiter } from '../../src/pai/rate-limit.js';
import { BudgetTable, reserveSql } from '../../src/store/budgets.js';
import { systemClock } from '../../src/util/clock.js';
import { mostWithin } from '../pai/replicas.js';
import { createDatabase } from '../support/database.js';

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000_000);
process.stdout.write(`budgets: TEST_SEED=${SEED}\n`);

const REGION = 'cn-shanghai';
const NEVER = new AbortController().signal;
/** As the commands have it: never set. */
const monotonic = { ...systemClock, now: () => performance.now() };

let url: string;
let db: pg.Pool;
beforeAll(async () => {
  url = (await createDatabase()).url;
});
beforeEach(async () => {
  db = new pg.Pool({ connectionString: url, max: 4 });
  onTestFinished(() => db.end());
  await db.query('truncate pai.call_budgets');
});

/** One more process's connection. */
function connect(): BudgetTable {
  const table = new BudgetTable({ connectionString: url });
  onTestFinished(() => table.close());
  return table;
}

const replica = (perSecond: number, name = 'flow', table = connect()): RateLimiter =>
  new RateLimiter(perSecond, monotonic, { keeper: table.keeper(REGION, name) });

const ask = (perSecond: number, changes: Partial<SlotRequest> = {}): SlotRequest => ({
  stepMs: stepOf(perSecond),
  ...{ count: 1, leadMs: 0, successes: 0, slow: false, pauseMs: 0 },
  ...changes,
});

interface Row {
  readonly due_in: number;
  readonly pace: number;
  readonly paused_for: number | null;
}

async function row(name = 'flow'): Promise<Row | undefined> {
  const { rows } = await db.query<Row>(
    `select pace, (extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as due_in,
       (extract(epoch from paused_until - clock_timestamp()) * 1000)::float8 as paused_for
     from pai.call_budgets where region = $1 and name = $2`,
    [REGION, name],
  );
  return rows[0];
}

/** Takes as often as it may, until the time is over. Returns when, by one clock. */
async function callUntil(limiter: RateLimiter, end: number, calls: number[]): Promise<void> {
  const signal = AbortSignal.timeout(Math.max(0, end - Date.now()));
  for (;;) {
    try {
      await limiter.take(signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    calls.push(performance.now());
  }
}

describe('invariant 8: calls never exceed the budget, all replicas together', () => {
  test('the statement plans what the pure function plans, whatever was asked before', async () => {
    const request = fc.record({
      gapMs: fc.oneof(fc.nat(300), fc.integer({ min: -5000, max: 90_000 })),
      rate: fc.constantFrom(0.5, 5, 15, 200),
      count: fc.nat(20),
      leadMs: fc.oneof(fc.constant(0), fc.integer({ min: -50, max: 1000 })),
      successes: fc.nat(10),
      slow: fc.boolean(),
      pauseMs: fc.oneof(fc.constant(0), fc.nat(80_000)),
    });
    const client = await db.connect();
    const statement = { name: 'plan', text: reserveSql(`'epoch'::timestamptz + $9::float8 * interval '1 ms'`) };
    const start = Date.UTC(2026, 0, 1);
    const run = async (asked: readonly (Omit<SlotRequest, 'stepMs'> & { gapMs: number; rate: number })[]) => {
      await client.query('delete from pai.call_budgets');
      await client.query(`insert into pai.call_budgets values ($1, 'flow', $2, 1)`, [REGION, new Date(start)]);
      let state = newBudgetState(start);
      let now = start;
      for (const { gapMs, rate, ...rest } of asked) {
        now += gapMs;
        const full = { stepMs: stepOf(rate), ...rest };
        const { stepMs, count, leadMs, successes, slow, pauseMs } = full;
        const { rows } = await client.query<SlotGrant>({
          ...statement,
          values: [REGION, 'flow', stepMs, count, leadMs, successes, slow, pauseMs, now],
        });
        const [after, grant] = planSlots(state, full, now);
        state = after;
        for (const key of Object.keys(grant) as (keyof SlotGrant)[])
          expect(rows[0]?.[key], `${key} after ${JSON.stringify(full)}`).toBeCloseTo(grant[key], 1);
      }
    };
    try {
      await fc.assert(fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 30 }), run), {
        seed: SEED,
        numRuns: 40,
      });
    } finally {
      client.release();
    }
  });

  test('twenty replicas that call as often as they may keep within the rate', async () => {
    const calls: { [name: string]: number[] } = { five: [], fifteen: [], many: [] };
    const end = Date.now() + 4000;
    const rates = { five: 5, fifteen: 15, many: 200 };
    const callers = Array.from({ length: 20 }, connect).flatMap((table) =>
      Object.entries(rates).flatMap(([name, rate]) => {
        const limiter = replica(rate, name, table);
        return [1, 2, 3].map(() => callUntil(limiter, end, calls[name] as number[]));
      }),
    );
    await Promise.all(callers);
    for (const [name, rate] of Object.entries(rates)) {
      const found = calls[name] as number[];
      expect(mostWithin(found), name).toBeLessThanOrEqual(mostInWindow(rate));
      // How much of the rate is used is told in simulated time: a busy machine comes too late for many slots.
      expect(found.length, name).toBeGreaterThan(3);
    }
  });

  test('throttling of one replica slows down all, and their successes raise the pace again', async () => {
    const [one, other] = [replica(50), replica(50)];
    await one.take(NEVER);
    await other.take(NEVER);
    one.throttled();
    other.throttled();
    await expect.poll(async () => (await row())?.pace).toBe(0.5);
    const calls: number[] = [];
    await callUntil(other, Date.now() + 1000, calls);
    expect(mostWithin(calls, 500)).toBeLessThanOrEqual(17);
    for (let success = 0; success < 15; success += 1) other.succeeded();
    // Told along with the next question, which is asked when the slots in hand are used up.
    const paceAfterCall = (limiter: RateLimiter) => async () => {
      await limiter.take(NEVER);
      return (await row())?.pace;
    };
    await expect.poll(paceAfterCall(other)).toBe(0.5 + 15 / 32);
    one.succeeded();
    await expect.poll(paceAfterCall(one)).toBe(1);
  });

  test('a pause that the source asks for is kept by all replicas, and ends', async () => {
    const [one, other] = [replica(20), replica(20)];
    await one.take(NEVER);
    await other.take(NEVER);
    const from = performance.now();
    one.throttled(1200);
    await expect.poll(async () => (await row())?.paused_for ?? 0).toBeGreaterThan(500);
    await Promise.all([one.take(NEVER), other.take(NEVER)]);
    expect(performance.now() - from).toBeGreaterThanOrEqual(1190);
    one.throttled(3_600_000);
    await expect.poll(async () => (await row())?.paused_for ?? 0).toBeGreaterThan(50_000);
    expect((await row())?.paused_for).toBeLessThanOrEqual(60_000);
  });

  test('budgets of other regions and names are independent', async () => {
    const table = connect();
    await table.keeper(REGION, 'flow').reserve(ask(1, { slow: true, pauseMs: 60_000 }));
    const others = [table.keeper('cn-beijing', 'flow'), table.keeper(REGION, 'listRuns')];
    for (const keeper of others) expect(await keeper.reserve(ask(1))).toMatchObject({ count: 1, pace: 1 });
  });
});

test('a due time far ahead, of a clock that was set back, is forgotten within seconds', async () => {
  const limiter = replica(20);
  await limiter.take(NEVER);
  await db.query(
    `update pai.call_budgets set due_at = due_at + interval '1 hour', slowed_at = now() + interval '1 hour'`,
  );
  const from = performance.now();
  await limiter.take(NEVER);
  expect(performance.now() - from).toBeLessThan(10_000);
  limiter.throttled();
  await expect.poll(async () => (await row())?.pace).toBe(0.5);
});

test('a table that a crash has emptied is filled again, behind the slots that may still be in use', async () => {
  const limiter = replica(20);
  await limiter.take(NEVER);
  await db.query('truncate pai.call_budgets');
  const from = performance.now();
  await limiter.take(NEVER);
  expect(performance.now() - from).toBeGreaterThan(1900);
  // Who comes to a table without the row for the first time need not wait.
  await db.query('truncate pai.call_budgets');
  expect(await connect().keeper(REGION, 'flow').reserve(ask(5))).toMatchObject({ count: 1 });
});

test('broken connections fail the calls that wait with a StoreError, and the next ones work', async () => {
  const limiter = replica(2);
  await limiter.take(NEVER);
  const closed = new BudgetTable({ connectionString: 'postgresql://nobody@127.0.0.1:1/none' });
  onTestFinished(() => closed.close());
  await expect(replica(5, 'flow', closed).take(NEVER)).rejects.toBeInstanceOf(StoreError);
  // Killed while it waits for the row's lock, as by a server that stops.
  const blocker = await db.connect();
  await blocker.query('begin; select * from pai.call_budgets for update');
  const waiting = [1, 2, 3].map(() => limiter.take(NEVER));
  const settled = Promise.allSettled(waiting);
  const waits = `select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
  await expect.poll(async () => (await db.query(waits)).rowCount).toBe(1);
  await db.query(`select pg_terminate_backend(pid) from (${waits}) w`);
  for (const outcome of await settled)
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE', retryable: true } });
  await blocker.query('rollback');
  blocker.release();
  await limiter.take(NEVER);
});

test('an abort ends the wait at once, also while the database does not answer', async () => {
  const limiter = replica(5);
  await limiter.take(NEVER);
  const blocker = await db.connect();
  await blocker.query('begin; select * from pai.call_budgets for update');
  const abort = new AbortController();
  const take = limiter.take(abort.signal);
  await delay(50);
  abort.abort('stop');
  await expect(take).rejects.toBe('stop');
  await blocker.query('rollback');
  blocker.release();
  await limiter.take(NEVER);
});
