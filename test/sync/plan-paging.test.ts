import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anchorFrom,
  anchorHolds,
  anchorPage,
  effectivePageSize,
  isBehind,
  nextForwardPage,
  overlapFloor,
  walkBound,
  watermarkCandidate,
} from '../../src/sync/plan-paging.js';

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000Z`;

describe('the page size that the server really uses', () => {
  it('is what it sent when there is more than that', () => {
    expect(effectivePageSize(100, { received: 20, totalCount: 1000 })).toBe(20);
    expect(effectivePageSize(100, { received: 20, totalCount: null })).toBe(20);
  });

  it('is what was asked for when the page is full or holds everything', () => {
    expect(effectivePageSize(100, { received: 100, totalCount: 1000 })).toBe(100);
    expect(effectivePageSize(100, { received: 20, totalCount: 20 })).toBe(100);
    expect(effectivePageSize(100, { received: 0, totalCount: 0 })).toBe(100);
  });
});

describe('walking forward', () => {
  it('ends where TotalCount says, not at a short page', () => {
    expect(nextForwardPage(1, 10, { received: 3, totalCount: 25 }, null)).toBe(2);
    expect(nextForwardPage(3, 10, { received: 5, totalCount: 25 }, 25)).toBeNull();
    expect(nextForwardPage(1, 10, { received: 0, totalCount: 0 }, null)).toBeNull();
  });

  it('ends at an empty page when nothing is counted', () => {
    expect(nextForwardPage(1, 10, { received: 3, totalCount: null }, null)).toBe(2);
    expect(nextForwardPage(2, 10, { received: 0, totalCount: null }, null)).toBeNull();
  });

  it('steps back by as many rows as TotalCount fell', () => {
    expect(nextForwardPage(4, 10, { received: 10, totalCount: 88 }, 100)).toBe(2);
    expect(nextForwardPage(1, 10, { received: 10, totalCount: 95 }, 100)).toBe(1);
  });

  it('misses no row that exists throughout, whatever is inserted in front and deleted anywhere between two calls', () => {
    const change = fc.record({ inserts: fc.nat(3), deletes: fc.array(fc.nat(1000), { maxLength: 3 }) });
    const property = fc.property(
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 7 }),
      fc.array(change, { maxLength: 40 }),
      (rows, pageSize, changes) => {
        let list = Array.from({ length: rows }, (_, index) => `old${index}`);
        const seen = new Set<string>();
        let page: number | null = 1;
        let previous: number | null = null;
        for (let call = 0; page !== null && call < 1000; call += 1) {
          const received = list.slice((page - 1) * pageSize, page * pageSize);
          for (const row of received) seen.add(row);
          const totalCount = list.length;
          page = nextForwardPage(page, pageSize, { received: received.length, totalCount }, previous);
          previous = totalCount;
          const { inserts, deletes } = changes[call] ?? { inserts: 0, deletes: [] };
          for (const index of deletes) if (list.length > 0) list.splice(index % list.length, 1);
          list = [...Array.from({ length: inserts }, (_, index) => `new${call}-${index}`), ...list];
        }
        expect(page).toBeNull();
        expect(list.filter((row) => row.startsWith('old') && !seen.has(row))).toEqual([]);
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });

  it('has a bound that grows with the list', () => {
    expect(walkBound(1000, 100)).toBe(120);
    expect(walkBound(0, 100)).toBe(100);
  });
});

describe('the watermark of a pass', () => {
  it('is the newest modification on the first page', () => {
    expect(watermarkCandidate([at(3), null, at(7), at(1)], at(59))).toBe(at(7));
  });

  it("is never later than the source's own clock, so that a row from the future hides nothing", () => {
    expect(watermarkCandidate([at(50)], at(9))).toBe(at(9));
  });

  it('is unknown when the first page tells no time', () => {
    expect(watermarkCandidate([], at(9))).toBeNull();
    expect(watermarkCandidate([null], null)).toBeNull();
  });

  it('ends a walk only when every row of a page is older than the overlap behind it', () => {
    const floor = overlapFloor(at(40), 10);
    expect(floor).toBe(at(30));
    expect(isBehind([at(29), at(12)], floor)).toBe(true);
    expect(isBehind([at(29), at(30)], floor)).toBe(false);
    expect(isBehind([at(29), null], floor)).toBe(false);
    expect(isBehind([], floor)).toBe(false);
    expect(isBehind([at(1)], null)).toBe(false);
  });
});

describe('the anchor of a first load', () => {
  it('holds exactly while nothing in front of it was deleted', () => {
    const rows = Array.from({ length: 25 }, (_, index) => `run${index}`);
    const page = (list: string[], number: number) => list.slice((number - 1) * 10, number * 10);
    const anchor = anchorFrom(3, 10, page(rows, 3));
    expect(anchor).toEqual({ id: 'run24', index: 24 });
    if (anchor === null) return;
    const look = (list: string[]) => anchorHolds(anchor, 10, page(list, anchorPage(anchor, 10)));
    expect(look(rows)).toBe(true);
    expect(look([...rows, 'run25', 'run26'])).toBe(true);
    expect(look(rows.filter((row) => row !== 'run4'))).toBe(false);
    expect(look([...rows.filter((row) => row !== 'run4'), 'run25'])).toBe(false);
  });

  it('cannot be taken from an empty page', () => {
    expect(anchorFrom(3, 10, [])).toBeNull();
  });
});
