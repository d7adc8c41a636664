import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantFromMillis } from '../../src/domain/instant.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { FragmentCache, PageWriter } from '../../src/emulator/fragments.js';
import { EventQueue } from '../../src/emulator/world/event-queue.js';
import { IdMaker, KIND } from '../../src/emulator/world/ids.js';
import { InstantWriter } from '../../src/emulator/world/instants.js';
import { SortedIndex } from '../../src/emulator/world/sorted-index.js';

describe('the sorted index', () => {
  it('equals a sorted array after any inserts, removals and moves', () => {
    const steps = fc.array(fc.tuple(fc.nat(60), fc.nat(20)), { maxLength: 200 });
    fc.assert(
      fc.property(fc.nat(1_500), steps, fc.nat(1_600), fc.nat(50), (initial, moves, offset, limit) => {
        const keys = Array.from({ length: initial }, (_, slot) => Math.floor(slot / 3));
        const index = new SortedIndex(
          (slot) => keys[slot] as number,
          keys.map((_, slot) => slot),
        );
        const inside = new Set(keys.keys());
        for (const [slot, key] of moves) {
          if (inside.delete(slot)) index.remove(slot);
          if (key < 15) {
            keys[slot] = key * 20;
            inside.add(slot);
            index.insert(slot);
          }
        }
        const expected = [...inside].sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
        expect([...index]).toEqual(expected);
        expect(index.size).toBe(expected.length);
        expect(index.slice(offset, limit, false)).toEqual(expected.slice(offset, offset + limit));
        expect(index.slice(offset, limit, true)).toEqual(expected.toReversed().slice(offset, offset + limit));
      }),
    );
  });

  it('stays right when thousands of slots pour into one place', () => {
    const index = new SortedIndex(() => 7);
    const slots = Array.from({ length: 5_000 }, (_, n) => (n * 3_571) % 5_000);
    for (const slot of slots) index.insert(slot);
    expect([...index]).toEqual(slots.toSorted((a, b) => a - b));
  });

  it('says so when a slot is removed that is not there', () => {
    const index = new SortedIndex(() => 1, [1, 2]);
    expect(() => index.remove(3)).toThrow('slot 3 is not in the index');
  });
});

describe('ids', () => {
  it('can be read back, for every slot and seed', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.nat(0x7fffffff), (seed, slot) => {
        const ids = makers.get(seed % 3) as IdMaker;
        const body = ids.body(KIND.run, slot);
        expect(body).toMatch(/^[0-9a-z]{18}$/);
        expect(ids.slotOf(KIND.run, body)).toBe(slot);
        expect(ids.slotOf(KIND.node, body)).toBeNull();
      }),
    );
  });

  it('are refused when any character is changed', () => {
    const ids = makers.get(1) as IdMaker;
    const body = ids.body(KIND.run, 4_711);
    for (let at = 0; at < body.length; at += 1) {
      const changed = body.slice(0, at) + (body[at] === 'a' ? 'b' : 'a') + body.slice(at + 1);
      expect(ids.slotOf(KIND.run, changed)).toBeNull();
    }
    expect(ids.slotOf(KIND.run, 'short')).toBeNull();
  });
});

const makers = new Map([0, 1, 2].map((seed) => [seed, new IdMaker(seed)]));

describe('the parts of the world', () => {
  it('takes events in the order of their times, and of insertion where times are equal', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9)), fc.nat(12), (times, now) => {
        const queue = new EventQueue<{ at: number; n: number }>();
        for (const [n, at] of times.entries()) queue.push({ at, n });
        const taken: { at: number; n: number }[] = [];
        for (let event = queue.takeDue(now); event; event = queue.takeDue(now)) taken.push(event);
        const expected = times.map((at, n) => ({ at, n })).filter(({ at }) => at <= now);
        expect(taken).toEqual(expected.sort((a, b) => a.at - b.at || a.n - b.n));
        expect(queue.size).toBe(times.length - taken.length);
      }),
    );
  });

  it('writes instants as the domain does', () => {
    const writer = new InstantWriter();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (millis) => {
        expect(writer.write(millis)).toBe(instantFromMillis(millis));
      }),
    );
  });

  it('keeps a clock that runs faster, jumps, and never goes back', () => {
    let real = 1_000;
    const clock = new SimulatedClock({ startAt: 50, speed: 10, real: () => real });
    expect(clock.now()).toBe(50);
    real += 7;
    clock.advance(100);
    expect(clock.now()).toBe(220);
    real -= 500;
    expect(clock.now()).toBe(220);
    expect(() => clock.advance(-1)).toThrow('found -1');
    expect(() => new SimulatedClock({ speed: Number.NaN })).toThrow('found NaN');
  });

  it('serves fragments of the right revision, from cache or not, through any number of overflows', () => {
    const calls = fc.array(fc.tuple(fc.nat(30), fc.nat(3)), { maxLength: 60 });
    fc.assert(
      fc.property(calls, fc.constantFrom(0, 4, 8), (pages, mebibytes) => {
        const cache = new FragmentCache(mebibytes * 1024 * 1024);
        const writer = new PageWriter();
        const text = (slot: number, revision: number): string => `"${slot}é${revision}${'x'.repeat(slot * 40_000)}"`;
        for (const [slot, revision] of pages) {
          const source = { cache, revisionOf: () => revision, render: (n: number) => text(n, revision) };
          const page = writer.write('[', [slot, slot + 1], ']', source).toString('utf8');
          expect(page === `[${text(slot, revision)},${text(slot + 1, revision)}]`).toBe(true);
        }
      }),
      { numRuns: 15 },
    );
  });
});
