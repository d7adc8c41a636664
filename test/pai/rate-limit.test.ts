import { expect, test } from 'vitest';
import { type BudgetKeeper, mostInWindow } from '../../src/domain/pace.js';
import { RateLimiter } from '../../src/pai/rate-limit.js';
import { mostWithin } from './replicas.js';
import { FakeClock, never } from './support.js';

/** Takes `count` permissions at once and returns when each was given, in milliseconds after the first. */
async function timesOf(limiter: RateLimiter, clock: FakeClock, count: number): Promise<number[]> {
  const times: number[] = [];
  const takes = Array.from({ length: count }, async () => {
    await limiter.take(never());
    times.push(clock.now());
  });
  await clock.run(() => times.length === count);
  await Promise.all(takes);
  return times.map((time) => time - (times[0] ?? 0));
}

/** Timers have whole milliseconds, steps do not. */
const about = (millis: number) => expect.toSatisfy((found: number) => Math.abs(found - millis) <= 1, `about ${millis}`);

test('calls are spaced evenly, a little below the rate', async () => {
  const clock = new FakeClock();
  const step = 203.125;
  expect(await timesOf(new RateLimiter(5, clock), clock, 6)).toEqual([0, 1, 2, 3, 4, 5].map((n) => about(n * step)));
});

test('in no window of three seconds more calls are let through than ListRuns allows, and hardly fewer than the rate is', async () => {
  const clock = new FakeClock();
  const times = await timesOf(new RateLimiter(15, clock), clock, 200);
  expect(mostWithin(times)).toBeLessThanOrEqual(46);
  expect(times.at(-1)).toBeLessThan((200 / 15) * 1000 * 1.02);
});

test('zero sets no limit, but a wait that the source asks for is kept', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(0, clock);
  expect(await timesOf(limiter, clock, 100)).toEqual(Array.from({ length: 100 }, () => 0));
  limiter.throttled(1500);
  const before = clock.now();
  await timesOf(limiter, clock, 1);
  expect(clock.now() - before).toEqual(about(1500));
});

test('zero sets no limit, but throttling slows down until successes have raised the pace again', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(0, clock);
  for (let second = 0; second < 4; second += 1) {
    limiter.throttled();
    await new Promise((resolve) => setImmediate(resolve));
    clock.set(clock.now() + 1000);
  }
  await timesOf(limiter, clock, 1);
  const [from = 0, ...slow] = (await timesOf(limiter, clock, 40)).slice(-6);
  expect(slow.map((time) => time - from)).toEqual([1, 2, 3, 4, 5].map((n) => about(((n * 1005) / 256) * 16)));
  for (let success = 0; success < 30; success += 1) limiter.succeeded();
  await timesOf(limiter, clock, 1);
  expect(await timesOf(limiter, clock, 100)).toEqual(Array.from({ length: 100 }, () => 0));
});

test('without a limit nobody is asked for permission', async () => {
  const clock = new FakeClock();
  const keeper: BudgetKeeper = { reserve: () => Promise.reject(new Error('was asked')) };
  expect(await timesOf(new RateLimiter(0, clock, { keeper }), clock, 10)).toHaveLength(10);
});

/** Between two calls, once what was heard of the source is known. */
async function stepOf(limiter: RateLimiter, clock: FakeClock): Promise<number> {
  await timesOf(limiter, clock, 1);
  const [, next = 0] = await timesOf(limiter, clock, 2);
  return next;
}

test('throttling halves the pace, down to a sixteenth, and thirty successes bring it back', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(1, clock);
  expect(await stepOf(limiter, clock)).toEqual(about(1083));
  for (const expected of [2167, 4333, 8667, 17_333, 17_333]) {
    limiter.throttled();
    expect(await stepOf(limiter, clock)).toEqual(about(expected));
  }
  for (let success = 0; success < 29; success += 1) limiter.succeeded();
  expect(await stepOf(limiter, clock)).toBeGreaterThan(1115);
  limiter.succeeded();
  expect(await stepOf(limiter, clock)).toEqual(about(1083));
});

test('throttling answers of calls that were under way together slow down once', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(1, clock);
  for (let answer = 0; answer < 10; answer += 1) limiter.throttled();
  expect(await stepOf(limiter, clock)).toEqual(about(2167));
});

test('slots that were asked for before the source throttled are void', async () => {
  const clock = new FakeClock();
  const asked: { slow: boolean; answer: () => void }[] = [];
  const keeper: BudgetKeeper = {
    reserve: async ({ slow, count, stepMs }) => {
      await new Promise<void>((answer) => asked.push({ slow, answer }));
      return { now: clock.now(), firstAt: clock.now(), count, stepMs, pace: slow ? 0.5 : 1, roomInMs: 0 };
    },
  };
  const limiter = new RateLimiter(5, clock, { keeper });
  let given = 0;
  const take = limiter.take(never()).then(() => (given += 1));
  limiter.throttled();
  for (const slow of [false, true]) {
    expect(asked.at(-1)).toMatchObject({ slow });
    expect(given).toBe(0);
    asked.at(-1)?.answer();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await take;
});

test('three failures in a row slow down, a single run that always fails does not', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(1, clock);
  for (let call = 0; call < 20; call += 1) {
    limiter.failed();
    limiter.failed();
    limiter.succeeded();
    clock.set(clock.now() + 1000);
  }
  expect(await stepOf(limiter, clock)).toEqual(about(1083));
  for (let call = 0; call < 3; call += 1) limiter.failed();
  expect(await stepOf(limiter, clock)).toEqual(about(2167));
});

test('an abort while waiting rejects with its reason, delays nobody and lets nobody in early', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(1, clock);
  await limiter.take(never());
  const start = clock.now();
  const abort = new AbortController();
  const times: number[] = [];
  const stay = () => limiter.take(never()).then(() => times.push(clock.now() - start));
  const leave = () => limiter.take(abort.signal);
  const first = stay();
  const leaving = [leave(), leave()];
  const last = stay();
  abort.abort('gone');
  const gone = { status: 'rejected', reason: 'gone' };
  expect(await Promise.allSettled(leaving)).toEqual([gone, gone]);
  await clock.run(() => times.length === 2);
  await Promise.all([first, last]);
  expect(times).toEqual([about(1083), about(2167)]);
});

test('a line that everybody has left leaves no timer behind', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(0.1, clock);
  await limiter.take(never());
  const abort = new AbortController();
  let wakes: AbortSignal | undefined;
  const sleep = clock.sleep.bind(clock);
  clock.sleep = (millis, signal) => {
    wakes = signal;
    return sleep(millis, signal);
  };
  const leaving = limiter.take(abort.signal);
  await new Promise((resolve) => setImmediate(resolve));
  abort.abort('gone');
  await expect(leaving).rejects.toBe('gone');
  expect(wakes?.aborted).toBe(true);
});

test('a clock that is set back by an hour holds nobody up for an hour', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(2, clock);
  limiter.throttled(100);
  await timesOf(limiter, clock, 3);
  clock.set(clock.now() - 3_600_000);
  const from = clock.now();
  await timesOf(limiter, clock, 1);
  expect(clock.now() - from).toBeLessThanOrEqual(60_000);
});

test('a keeper that cannot be reached fails every call that waits, and serves the next ones when it is back', async () => {
  const clock = new FakeClock();
  const gone = new Error('the database is gone');
  const sound = new RateLimiter(5, clock);
  let broken = true;
  const keeper: BudgetKeeper = {
    reserve: async (request) => {
      if (broken) throw gone;
      return { now: clock.now(), firstAt: clock.now(), count: request.count, stepMs: 200, pace: 1, roomInMs: 0 };
    },
  };
  const limiter = new RateLimiter(5, clock, { keeper });
  const failed = { status: 'rejected', reason: gone };
  expect(await Promise.allSettled([1, 2, 3].map(() => limiter.take(never())))).toEqual([failed, failed, failed]);
  // Nobody waits, so nobody hears of this one; it is told with the next question.
  limiter.throttled();
  await new Promise((resolve) => setImmediate(resolve));
  broken = false;
  await limiter.take(never());
  await sound.take(never());
});

test('without a slot for a quarter of an hour calls fail instead of waiting for ever', async () => {
  const clock = new FakeClock();
  const keeper: BudgetKeeper = {
    reserve: async ({ stepMs }) => ({ now: clock.now(), firstAt: 0, count: 0, stepMs, pace: 1, roomInMs: 10_000 }),
  };
  const from = clock.now();
  const take = expect(new RateLimiter(5, clock, { keeper }).take(never())).rejects.toThrow('no room for a call in 15');
  await clock.run(() => false);
  await take;
  expect(clock.now() - from).toBeLessThan(910_000);
});

test('a process that is always too late for its slots uses none of them and fails its calls in the end', async () => {
  const clock = new FakeClock();
  let asked = 0;
  const keeper: BudgetKeeper = {
    reserve: async ({ count, stepMs }) => {
      const now = clock.now();
      // The first answer is quick, and tells what time it is there; the others come late, whatever lead is asked for.
      if (asked++ > 0) clock.set(now + 500);
      return { now, firstAt: now, count: asked === 1 ? 0 : count, stepMs, pace: 1, roomInMs: 0 };
    },
  };
  const take = expect(new RateLimiter(5, clock, { keeper }).take(never())).rejects.toThrow('too late for its turn');
  await clock.run(() => false);
  await take;
  expect(asked).toBe(22);
});

test('a permission is good for a moment only, and says the same whenever it is asked', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(5, clock);
  const [first, second] = [limiter.take(never()), limiter.take(never())];
  const early = await first;
  clock.set(clock.now() + 100);
  expect(early.use()).toBe(true);
  clock.set(clock.now() + 5000);
  expect(early.use()).toBe(true);
  await clock.run(() => false);
  const late = await second;
  clock.set(clock.now() + 101);
  expect(late.use()).toBe(false);
  clock.set(clock.now() - 101);
  expect(late.use()).toBe(false);
});

test('after a stall the slots that are past are not used up at once', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(200, clock);
  const times: number[] = [];
  const takes = Array.from({ length: 400 }, () => limiter.take(never()).then(() => times.push(clock.now())));
  await clock.run(() => times.length === 200);
  // The process stands still while it holds slots; the sleepers wake afterwards.
  clock.set(clock.now() + 5000);
  await clock.run(() => times.length === 400);
  await Promise.all(takes);
  // Of one tenth of a second, and those that may leave late: 150 ms' worth at this rate.
  expect(mostWithin(times, 100)).toBeLessThanOrEqual(20 + 30);
  expect(mostWithin(times)).toBeLessThanOrEqual(mostInWindow(200));
});
