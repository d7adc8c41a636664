import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  JITTER_MS,
  mostInWindow,
  newBudgetState,
  planSlots,
  type SlotRequest,
  spareOf,
  stepOf,
} from '../../src/domain/pace.js';
import { Random } from '../../src/emulator/random.js';
import type { RateLimiter } from '../../src/pai/rate-limit.js';
import { OtherClock } from '../../src/util/other-clock.js';
import { CALM, mostWithin, Replicas } from './replicas.js';
import { never } from './support.js';

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000_000);
process.stdout.write(`shared-budget: TEST_SEED=${SEED}\n`);

function numbers(seed: number): () => number {
  const random = new Random(seed);
  return () => random.next();
}

const RATES = [0.5, 1, 2, 3, 4, 5, 6, 7.5, 10, 15, 20, 50, 100, 200];

test.each([
  [0.5, 2],
  [1, 3],
  [5, 16],
  [15, 49],
  [200, 660],
])('at %s calls a second at most %s may arrive in three seconds', (rate, most) => {
  expect(mostInWindow(rate)).toBe(most);
});

test.each(RATES)(
  'at %s calls a second the steps leave room for 250 ms of jitter, and 97 percent of the rate',
  (rate) => {
    expect(JITTER_MS).toBe(250);
    expect(spareOf(rate)).toBeGreaterThanOrEqual(0);
    expect(mostInWindow(rate) * stepOf(rate)).toBeGreaterThanOrEqual(3000 + JITTER_MS + spareOf(rate) - 1e-6);
    // At 1 to 3 a second ten percent above the rate is no whole call more.
    expect(1000 / stepOf(rate) / rate).toBeGreaterThan(rate >= 4 || rate < 1 ? 0.974 : 0.92);
  },
);

describe('invariant 8: calls never exceed the budget, all replicas together', () => {
  const request = fc.record({
    gapMs: fc.oneof(fc.nat(300), fc.nat(20_000)),
    count: fc.nat(20),
    leadMs: fc.oneof(fc.constant(-50), fc.integer({ min: -50, max: 1000 })),
    successes: fc.nat(10),
    slow: fc.boolean(),
    pauseMs: fc.oneof(fc.constant(0), fc.nat(80_000)),
  });
  const requests = fc.array(request, { minLength: 5, maxLength: 60 });

  test('whatever is asked and reported, slots keep their distance and are never far ahead', () => {
    fc.assert(
      fc.property(fc.constantFrom(...RATES), requests, (rate, asked) => {
        const slots: number[] = [];
        let now = 1_000_000;
        let state = newBudgetState(now);
        for (const { gapMs, ...rest } of asked) {
          now += gapMs;
          const stepMs = stepOf(rate);
          const leadMs = Math.max(-spareOf(rate), rest.leadMs);
          const [after, grant] = planSlots(state, { stepMs, ...rest, leadMs } as SlotRequest, now);
          for (let index = 0; index < grant.count; index += 1) {
            const slot = grant.firstAt + index * grant.stepMs;
            expect(slot).toBeLessThanOrEqual(now + 2000 + 1e-6);
            expect(slot).toBeGreaterThanOrEqual((state.pausedUntil ?? 0) - 1e-6);
            slots.push(Math.max(slot, now));
          }
          expect(grant.count).toBeLessThanOrEqual(rest.count);
          expect(after.pace).toBeGreaterThanOrEqual(1 / 16);
          expect(after.pace).toBeLessThanOrEqual(1);
          expect(after.pausedUntil ?? 0).toBeLessThanOrEqual(now + 60_000);
          state = after;
        }
        expect(mostWithin(slots, 3000 + JITTER_MS - 1e-6)).toBeLessThanOrEqual(mostInWindow(rate));
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  test('a state of any other time holds nobody up for longer than the longest pause', () => {
    const time = fc.integer({ min: -1e12, max: 1e12 });
    const state = fc.record({ dueAt: time, pausedUntil: fc.option(time), slowedAt: fc.option(time) });
    fc.assert(
      fc.property(state, fc.constantFrom(...RATES), (found, rate) => {
        const asked: SlotRequest = { stepMs: stepOf(rate), count: 1, leadMs: 0, successes: 0, slow: false, pauseMs: 0 };
        const [after, grant] = planSlots({ ...found, pace: 1 }, asked, 0);
        expect(grant.firstAt).toBeLessThanOrEqual(60_000 + 2 * stepOf(rate));
        expect(planSlots({ ...after, slowedAt: found.slowedAt }, { ...asked, slow: true }, 0)[0].pace).toBeDefined();
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  test('with replicas whose clocks differ, whose questions take long and who stall, no window holds too many', async () => {
    const weather = fc.record({ wayMs: fc.nat(40), stalls: fc.constantFrom(0, 0.05, 0.3), stallMs: fc.nat(4000) });
    const rates = fc.constantFrom(0.5, 1, 3, 5, 15, 50, 200);
    const clocks = fc.array(fc.integer({ min: -3_600_000, max: 3_600_000 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(rates, weather, clocks, fc.integer(), async (rate, sky, aheads, luck) => {
        const random = numbers(luck);
        const replicas = new Replicas(rate, { ...sky, random });
        const calls: number[] = [];
        const until = replicas.clock.now() + (rate < 2 ? 60_000 : 12_000);
        const most = 600;
        const call = async (limiter: RateLimiter): Promise<void> => {
          while (replicas.clock.now() < until && calls.length < most) {
            await limiter.take(never());
            calls.push(replicas.clock.now());
            if (random() < 0.02) limiter.throttled(random() < 0.5 ? 0 : random() * 3000);
            else if (random() < 0.9) limiter.succeeded();
            else limiter.failed();
            if (random() < 0.3) await replicas.clock.sleep(Math.floor(random() * 800));
          }
        };
        let running = 0;
        const callers = aheads.map(async (ahead) => {
          const limiter = replicas.join(ahead);
          const several = 1 + Math.floor(random() * 6);
          running += several;
          await Promise.all(Array.from({ length: several }, () => call(limiter).finally(() => (running -= 1))));
        });
        await replicas.clock.run(() => running === 0);
        await Promise.all(callers);
        expect(calls.length).toBeGreaterThan(1);
        expect(mostWithin(calls)).toBeLessThanOrEqual(mostInWindow(rate));
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  test('twenty replicas that always want to call share the whole rate, fairly and without asking much', async () => {
    const random = numbers(SEED);
    const replicas = new Replicas(5, { ...CALM, random, wayMs: 3 });
    const until = replicas.clock.now() + 120_000;
    const calls: number[] = Array.from({ length: 20 }, () => 0);
    let running = 20;
    const callers = calls.map(async (_, replica) => {
      const limiter = replicas.join();
      while (replicas.clock.now() < until) {
        await limiter.take(never());
        calls[replica] = (calls[replica] ?? 0) + 1;
      }
      running -= 1;
    });
    await replicas.clock.run(() => running === 0);
    await Promise.all(callers);
    const sum = calls.reduce((all, count) => all + count, 0);
    expect(sum).toBeGreaterThan(120 * 5 * 0.97);
    // 28 each on average.
    expect(Math.min(...calls)).toBeGreaterThan(10);
    expect(Math.max(...calls)).toBeLessThan(60);
    expect(replicas.questions).toBeLessThan(120 * 40);
  });
});

test.each([5, 10, 15, 50, 100])(
  'a database a quarter of a second away costs nothing of %s calls a second',
  async (rate) => {
    const replicas = new Replicas(rate, { ...CALM, wayMs: 250 });
    const limiter = replicas.join();
    const until = replicas.clock.now() + 10_000;
    const calls: number[] = [];
    let running = 100;
    const callers = Array.from({ length: running }, async () => {
      while (replicas.clock.now() < until) {
        await limiter.take(never());
        calls.push(replicas.clock.now());
      }
      running -= 1;
    });
    await replicas.clock.run(() => running === 0);
    await Promise.all(callers);
    const settled = calls.filter((at) => at >= until - 8000 && at < until);
    expect(settled.length).toBeGreaterThan(8 * rate * 0.97);
    expect(mostWithin(calls)).toBeLessThanOrEqual(mostInWindow(rate));
  },
);

test.each([5, 10, 15, 50, 100].flatMap((rate) => [1, 4].map((count) => [rate, count])))(
  '%s calls a second are used to 97 percent by %s replicas, also when timers and questions are late',
  async (rate, count) => {
    const random = numbers(SEED + rate);
    const replicas = new Replicas(rate, { random, wayMs: 8, stalls: 0.03, stallMs: 50 });
    const from = replicas.clock.now();
    const calls: number[] = [];
    let running = 8 * count;
    const caller = async (limiter: RateLimiter): Promise<void> => {
      while (replicas.clock.now() < from + 20_000) {
        await limiter.take(never());
        calls.push(replicas.clock.now());
        // The call itself, and what is done with its answer.
        await replicas.clock.sleep(5 + Math.floor(random() * 40));
      }
      running -= 1;
    };
    const limiters = Array.from({ length: count }, () => replicas.join());
    const callers = limiters.flatMap((limiter) => Array.from({ length: 8 }, () => caller(limiter)));
    await replicas.clock.run(() => running === 0);
    await Promise.all(callers);
    const used = calls.filter((at) => at < from + 20_000).length / (20 * rate);
    expect(used).toBeGreaterThan(0.97);
    expect(mostWithin(calls)).toBeLessThanOrEqual(mostInWindow(rate));
  },
);

test('complaint 5: a source that fails for ten minutes gets a few hundred calls, and no storm when it is back', async () => {
  const replicas = new Replicas(5, { ...CALM, random: numbers(SEED), wayMs: 3 });
  const begin = replicas.clock.now();
  const [down, up, end] = [begin + 60_000, begin + 660_000, begin + 900_000];
  const calls: number[] = [];
  let running = 40;
  const call = async (limiter: RateLimiter): Promise<void> => {
    while (replicas.clock.now() < end) {
      await limiter.take(never());
      const now = replicas.clock.now();
      calls.push(now);
      if (now >= down && now < up) limiter.failed();
      else limiter.succeeded();
    }
    running -= 1;
  };
  const callers = Array.from({ length: 10 }, () => replicas.join()).flatMap((limiter) =>
    [1, 2, 3, 4].map(() => call(limiter)),
  );
  await replicas.clock.run(() => running === 0);
  await Promise.all(callers);
  const between = (from: number, to: number) => calls.filter((at) => at >= from && at < to);
  expect(mostWithin(calls)).toBeLessThanOrEqual(16);
  expect(between(begin, down).length).toBeGreaterThan(280);
  // Of 3,000 that the budget allows.
  expect(between(down, up).length).toBeLessThan(300);
  expect(mostWithin(between(up, up + 10_000))).toBeLessThanOrEqual(6);
  // Thirty successes, and what was heard but not told yet by each of the ten.
  const back = between(up, end)
    .slice(0, 30 + 40)
    .at(-1) as number;
  expect(mostWithin(between(back, end))).toBeGreaterThanOrEqual(14);
  expect(replicas.pace).toBe(1);
});

test('the clock of somebody else is known as well as the quickest answer told, and again after a jump', () => {
  const delays = fc.array(fc.tuple(fc.nat(500), fc.nat(500), fc.nat(5000)), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(delays, fc.integer({ min: -1e9, max: 1e9 }), (asked, ahead) => {
      const clock = new OtherClock();
      let now = 0;
      let quickest = Number.POSITIVE_INFINITY;
      const ask = (there: number, back: number, gap: number, difference: number): void => {
        now += gap;
        clock.heard(now, now + there + back, now + there + difference);
        now += there + back;
      };
      for (const [there, back, gap] of asked) {
        ask(there, back, gap, ahead);
        quickest = Math.min(quickest, there + back);
        expect(Math.abs(clock.toOurs(ahead))).toBeLessThanOrEqual(quickest);
      }
      ask(1, 1, 0, ahead + 3_600_000);
      expect(Math.abs(clock.toOurs(ahead + 3_600_000))).toBeLessThanOrEqual(2);
    }),
    { seed: SEED, numRuns: 200 },
  );
});
