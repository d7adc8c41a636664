import { describe, expect, test } from 'vitest';
import { instantFromMillis } from '../../src/domain/instant.js';
import { type DatabaseClock, databaseClock } from '../../src/store/database-clock.js';
import { capturingLogger } from '../support/logger.js';

const NOON = Date.parse('2026-11-01T12:00:00Z');

/** A database whose clock runs as ours does; a question takes `before` milliseconds to reach it, its answer `after`. */
async function setUp() {
  let elapsed = 1_000;
  let set = 0;
  const way = { before: 1, after: 1 };
  const log = capturingLogger();
  const followed: DatabaseClock = await databaseClock({
    read: async () => {
      elapsed += way.before;
      const read = instantFromMillis(NOON + elapsed + set);
      elapsed += way.after;
      return read;
    },
    logger: log,
    local: () => elapsed,
  });
  followed.stop();
  return {
    log,
    followed,
    way,
    set: (millis: number) => {
      set = millis;
    },
    /** Milliseconds by which the process is ahead of the database. */
    error: () => followed.clock.now() - (NOON + elapsed + set),
  };
}

describe('the clock of the database, as this process knows it', () => {
  test('invariant 4: is not moved by an answer that waited for a connection, or that a stopped process read late', async () => {
    const { followed, way, error, log } = await setUp();
    for (const [before, after] of [
      [60_000, 1],
      [1, 60_000],
      [30_000, 30_000],
    ] as const) {
      Object.assign(way, { before, after });
      await followed.look();
      expect(Math.abs(error())).toBeLessThanOrEqual(2);
    }
    expect(log.entries).toEqual([]);
  });

  test('is right at once although the first answer waited for its connection', async () => {
    let elapsed = 0;
    const late = await databaseClock({
      read: async () => {
        elapsed += 5_000;
        return instantFromMillis(NOON + elapsed++);
      },
      logger: capturingLogger(),
      local: () => elapsed,
    });
    late.stop();
    expect(Math.abs(late.clock.now() - (NOON + elapsed))).toBeLessThanOrEqual(2);
  });

  test('follows where somebody sets it, forwards and back, and says so', async () => {
    const { followed, set, error, log } = await setUp();
    for (const millis of [3_600_000, -3_600_000]) {
      set(millis);
      await followed.look();
      expect(Math.abs(error())).toBeLessThanOrEqual(2);
    }
    const moved = log.entries.map(({ fields }) => (fields as { movedMs: number }).movedMs);
    expect(moved.map((millis) => Math.round(millis / 1000))).toEqual([3_600, -7_200]);
  });
});
