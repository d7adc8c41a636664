import { expect, test } from 'vitest';
import { RateLimiter } from '../../src/pai/rate-limit.js';
import { WaitingLine } from '../../src/pai/waiting-line.js';
import { setUrgent } from '../../src/util/urgency.js';
import { CALM, Replicas } from './replicas.js';
import { FakeClock, never } from './support.js';

interface Guest {
  readonly isUrgent: boolean;
  readonly name: string;
}

function lineOf(urgent: number, others: number): WaitingLine<Guest> {
  const line = new WaitingLine<Guest>();
  for (let n = 1; n <= others; n += 1) line.add({ isUrgent: false, name: `o${n}` });
  for (let n = 1; n <= urgent; n += 1) line.add({ isUrgent: true, name: `u${n}` });
  return line;
}

function order(line: WaitingLine<Guest>): string {
  const names: string[] = [];
  for (let next = line.next(); next !== undefined; next = line.next()) names.push(next.name);
  return names.join(' ');
}

test('urgent ones go first, and every fourth turn is for the others', () => {
  expect(order(lineOf(7, 3))).toBe('u1 u2 u3 o1 u4 u5 u6 o2 u7 o3');
  expect(order(lineOf(0, 2))).toBe('o1 o2');
  expect(order(lineOf(5, 0))).toBe('u1 u2 u3 u4 u5');
});

test('urgent turns count only while somebody else waits', () => {
  const line = lineOf(4, 0);
  for (let turn = 0; turn < 3; turn += 1) line.next();
  line.add({ isUrgent: false, name: 'o1' });
  expect(order(line)).toBe('u4 o1');
});

test('who leaves the line is passed over, and who has left already is no error', () => {
  const line = lineOf(1, 0);
  const guest = { isUrgent: false, name: 'gone' };
  line.add(guest);
  line.remove(guest);
  line.remove(guest);
  expect([line.length, line.urgentLength]).toEqual([1, 1]);
  expect(line.takeAll().map(({ name }) => name)).toEqual(['u1']);
  expect(line.next()).toBeUndefined();
});

const urgentSignal = (): AbortSignal => {
  const { signal } = new AbortController();
  setUrgent(signal, true);
  return signal;
};

test('calls of an urgent signal overtake those that wait already', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter(10, clock);
  const given: string[] = [];
  const take = async (name: string, signal: AbortSignal): Promise<void> => {
    await limiter.take(signal);
    given.push(name);
  };
  const others = [1, 2, 3].map((n) => take(`o${n}`, never()));
  const noLonger = urgentSignal();
  setUrgent(noLonger, false);
  others.push(take('o4', noLonger));
  const urgent = [1, 2, 3, 4, 5].map((n) => take(`u${n}`, urgentSignal()));
  await clock.run(() => given.length === 9);
  await Promise.all([...others, ...urgent]);
  expect(given.join(' ')).toBe('u1 u2 u3 o1 u4 u5 o2 o3 o4');
});

test('a replica with urgent calls gets most of the slots that it shares, and the others are never without', async () => {
  const replicas = new Replicas(10, { ...CALM, wayMs: 3 });
  const until = replicas.clock.now() + 30_000;
  const given = [0, 0, 0];
  let running = 12;
  const call = async (limiter: RateLimiter, replica: number): Promise<void> => {
    const signal = replica === 0 ? urgentSignal() : never();
    while (replicas.clock.now() < until) {
      await limiter.take(signal);
      given[replica] = (given[replica] as number) + 1;
      await replicas.clock.sleep(10);
    }
    running -= 1;
  };
  const callers = given.flatMap((_, replica) => {
    const limiter = replicas.join();
    return [1, 2, 3, 4].map(() => call(limiter, replica));
  });
  await replicas.clock.run(() => running === 0);
  await Promise.all(callers);
  const all = given.reduce((sum, count) => sum + count, 0);
  expect((given[0] as number) / all).toBeGreaterThan(0.55);
  expect(Math.min(...given) / all).toBeGreaterThan(0.12);
});
