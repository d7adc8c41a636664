import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateLimiter } from '../../src/pai/rate-limit.js';
import { FakeClock, never } from './support.js';

/** Takes `count` permissions at once and returns when each was given, in milliseconds after the first. */
async function timesOf(limiter: RateLimiter, clock: FakeClock, count: number, onEach = () => {}): Promise<number[]> {
  const times: number[] = [];
  const takes = Array.from({ length: count }, async () => {
    await limiter.take(never());
    times.push(clock.now());
    onEach();
  });
  await clock.run(() => times.length === count);
  await Promise.all(takes);
  return times.map((time) => time - (times[0] ?? 0));
}

test('calls are spaced evenly at the rate', async () => {
  const clock = new FakeClock();
  expect(await timesOf(new RateLimiter(5, clock), clock, 6)).toEqual([0, 200, 400, 600, 800, 1000]);
});

test('in no window of three seconds more calls are let through than ListRuns allows', async () => {
  const clock = new FakeClock();
  const times = await timesOf(new RateLimiter(15, clock), clock, 200);
  for (const from of times)
    expect(times.filter((time) => time >= from && time < from + 3000).length).toBeLessThanOrEqual(50);
  expect(times.at(-1)).toBeLessThan((200 / 15) * 1000 + 1);
});

test('whatever the rate and the pauses between calls, no window holds more than rate and burst', async () => {
  const gaps = fc.array(fc.nat({ max: 2000 }), { minLength: 5, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 100 }), gaps, async (rate, waits) => {
      const clock = new FakeClock();
      const limiter = new RateLimiter(rate, clock);
      const times: number[] = [];
      for (const wait of waits) {
        clock.set(clock.now() + wait);
        let taken = false;
        const take = limiter.take(never()).then(() => {
          taken = true;
        });
        await clock.run(() => taken);
        await take;
        times.push(clock.now());
      }
      const burst = Math.max(1, Math.floor(rate * 0.2));
      for (const from of times) {
        const within = times.filter((time) => time >= from && time < from + 1000).length;
        expect(within).toBeLessThanOrEqual(rate + burst);
      }
    }),
    { numRuns: 50 },
  );
});

test('zero sets no limit, but a wait that the source asks for is kept', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(0, clock);
  expect(await timesOf(limiter, clock, 100)).toEqual(Array.from({ length: 100 }, () => 0));
  limiter.throttled(1500);
  const before = clock.now();
  await timesOf(limiter, clock, 1);
  expect(clock.now() - before).toBe(1500);
});

test('throttling halves the pace, down to a sixteenth, and successes bring it back', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(1, clock);
  const gap = async (): Promise<number> => {
    await timesOf(limiter, clock, 1);
    const [, next = 0] = await timesOf(limiter, clock, 2);
    return next;
  };
  expect(await gap()).toBe(1000);
  for (const expected of [2000, 4000, 8000, 16_000, 16_000]) {
    limiter.throttled();
    expect(await gap()).toBe(expected);
  }
  for (let success = 0; success < 30; success += 1) limiter.succeeded();
  expect(await gap()).toBe(1000);
});

test('throttling answers of calls that were under way together slow down once', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(1, clock);
  for (let answer = 0; answer < 10; answer += 1) limiter.throttled();
  expect(await timesOf(limiter, clock, 2)).toEqual([0, 2000]);
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
  expect(times).toEqual([1000, 2000]);
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
