/**
 * Invariants 1, 2, 3 and 5 over random schedules: the source changes between any two calls, and the process crashes
 * before or after any commit or is told to stop in front of any call. `TEST_SEED` repeats one schedule, `TEST_WORLDS`
 * sets how many are tried (`npm run test:long`).
 */
import { expect, it } from 'vitest';
import { STREAMS } from '../../src/domain/streams.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { Random } from '../../src/emulator/random.js';
import type { PassDeps } from '../../src/sync/pass.js';
import type { Source, Store } from '../../src/sync/ports.js';
import { runRound } from '../../src/sync/round.js';
import { systemClock } from '../../src/util/clock.js';
import { differences } from '../support/compare.js';
import { historyFaults } from '../support/history.js';
import { rowVersions, startMirror, type TestMirror } from '../support/mirror.js';
import { Turmoil } from '../support/turmoil.js';

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000_000);
const WORLDS = Number(process.env.TEST_WORLDS ?? 1);
const ROUNDS = 4;

const PAGE_SIZES = [3, 7, 20, 60] as const;

class Crash extends Error {
  constructor(where: string) {
    super(`crashed ${where}`);
  }
}

/** Every call to `target` first goes through `before`, and afterwards through `after`. */
function interposed<T extends object>(
  target: T,
  before: (method: string) => void,
  after: (method: string) => void = () => {},
): T {
  return new Proxy(target, {
    get(object, name) {
      const member = Reflect.get(object, name, object);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        before(String(name));
        const result = await member.apply(object, args);
        after(String(name));
        return result;
      };
    },
  });
}

/** One round over a source that changes, in a process that may end anywhere. Returns how often it crashed. */
async function stormyRound(mirror: TestMirror, turmoil: Turmoil, random: Random): Promise<number> {
  const stop = new AbortController();
  let crashes = 0;
  const crash = (where: string): void => {
    crashes += 1;
    // A process that ends takes all its passes with it; one that lost a transaction goes on.
    if (random.next() < 0.5) stop.abort(new Crash(where));
    throw new Crash(where);
  };
  const source = interposed<Source>(mirror.deps.source, () => {
    if (random.next() < 0.25) turmoil.change();
    if (random.next() < 0.001) stop.abort(new Crash('in front of a call'));
  });
  const store = interposed<Store>(
    mirror.deps.store,
    (method) => method === 'commit' && random.next() < 0.01 && crash('before a commit'),
    (method) => method === 'commit' && random.next() < 0.01 && crash('after a commit'),
  );
  const deps: PassDeps = { ...mirror.deps, source, store };
  await runRound(deps, mirror.scopes, {
    streams: STREAMS,
    signal: stop.signal,
    ignoreBackoff: true,
    heartbeatMs: 5_000,
    busyWaitMs: 0,
    clock: systemClock,
  });
  return crashes;
}

const seeds = Array.from({ length: WORLDS }, (_, index) => SEED + index);

it.each(seeds)(
  'invariants 1, 2, 3 and 5: whatever crashes while the source changes, quiet rounds make the mirror equal (TEST_SEED=%i)',
  async (seed) => {
    process.stdout.write(`crash-and-change: TEST_SEED=${seed}\n`);
    const random = new Random(seed);
    const clock = new SimulatedClock({ speed: 0, startAt: Date.UTC(2026, 9, 1) });
    const pageSize = random.pick(PAGE_SIZES);
    const mirror = await startMirror({
      emulator: {
        workspaces: 2,
        history: 60,
        active: 10,
        experimentRuns: 30,
        nodesPerRun: [2, 5],
        arrivalsPerMinute: 1,
        quirks: 'all',
        clock,
        seed,
      },
      settings: { pageSize, statusBatch: random.between(2, 9), concurrency: random.between(1, 4) },
    });
    const turmoil = new Turmoil(mirror.emulator, clock, random);
    let crashes = 0;
    for (let round = 0; round < ROUNDS; round += 1) crashes += await stormyRound(mirror, turmoil, random);
    expect(crashes, 'the schedule holds a crash').toBeGreaterThan(0);

    const quiet = await mirror.sync();
    expect(quiet.filter(({ outcome }) => outcome !== 'succeeded')).toEqual([]);
    expect(await differences(mirror.emulator.world, mirror.pool)).toEqual([]);
    expect(await historyFaults(mirror.pool)).toEqual([]);
    await mirror.sync();
    const before = await rowVersions(mirror.pool);
    await mirror.sync();
    expect(await rowVersions(mirror.pool), 'a quiet round writes nothing').toEqual(before);
  },
  240_000,
);
