import { describe, expect, it } from 'vitest';
import {
  anchorFrom,
  anchorHolds,
  anchorPage,
  effectivePageSize,
  isBehind,
  nextWatermark,
  overlapFloor,
  revealedPageSize,
  watermarkCandidate,
  withinClock,
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

describe('the page size of an ascending list', () => {
  const total = { totalCount: 205 };

  it('shows when a page holds more than its place in the list allows, or when a full page is not full', () => {
    expect(revealedPageSize(3, 100, { received: 50, ...total }), 'the last page would hold 5').toBe(50);
    expect(revealedPageSize(2, 100, { received: 50, ...total })).toBe(50);
  });

  it('is left alone where nothing speaks against it', () => {
    expect(revealedPageSize(3, 100, { received: 5, ...total })).toBeNull();
    expect(revealedPageSize(2, 100, { received: 100, ...total })).toBeNull();
    expect(revealedPageSize(3, 100, { received: 2, ...total }), 'a short last page proves nothing').toBeNull();
    expect(revealedPageSize(2, 100, { received: 0, ...total })).toBeNull();
    expect(revealedPageSize(2, 100, { received: 50, totalCount: null })).toBeNull();
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
    expect(isBehind([at(31), at(29)], floor), 'whatever follows is older still').toBe(true);
    expect(isBehind([at(12), at(31), at(29)], floor), 'in no order').toBe(false);
    expect(isBehind([null, at(29)], floor)).toBe(false);
    expect(isBehind([at(29), null], floor)).toBe(false);
    expect(isBehind([], floor)).toBe(false);
    expect(isBehind([at(1)], null)).toBe(false);
  });
});

describe('a source whose clock was put back', () => {
  it('takes the watermark back with it, or what is modified now would count as known until the clock is there again', () => {
    expect(withinClock(at(50), at(9))).toBe(at(9));
    expect(nextWatermark(at(50), at(8), at(9))).toBe(at(9));
    expect(nextWatermark(at(50), null, at(9))).toBe(at(9));
  });

  it('is the only one for which the watermark goes back', () => {
    expect(withinClock(at(5), at(9))).toBe(at(5));
    expect(withinClock(at(5), null)).toBe(at(5));
    expect(nextWatermark(at(5), at(3), at(9))).toBe(at(5));
    expect(nextWatermark(at(5), at(7), at(9))).toBe(at(7));
    expect(nextWatermark(null, at(7), at(9))).toBe(at(7));
    expect(nextWatermark(null, null, at(9))).toBeNull();
  });
});

describe('the anchor of a first load', () => {
  const rowsOf = (keys: readonly number[]) => keys.map((key, index) => ({ id: `run${index}`, key: at(key) }));

  it('holds exactly while nothing in front of it was deleted', () => {
    const rows = rowsOf(Array.from({ length: 25 }, (_, index) => index));
    const page = (list: typeof rows, number: number) => list.slice((number - 1) * 10, number * 10);
    const anchor = anchorFrom(3, 10, page(rows, 3));
    expect(anchor).toEqual({ id: 'run23', index: 23 });
    if (anchor === null) return;
    const look = (list: typeof rows) =>
      anchorHolds(
        anchor,
        10,
        page(list, anchorPage(anchor, 10)).map(({ id }) => id),
      );
    expect(look(rows)).toBe(true);
    expect(look([...rows, ...rowsOf([40])])).toBe(true);
    expect(look(rows.filter(({ id }) => id !== 'run4'))).toBe(false);
    expect(look([...rows.filter(({ id }) => id !== 'run4'), ...rowsOf([40])])).toBe(false);
  });

  it('shares its key with no other row, so that no tie can put another in its place', () => {
    expect(anchorFrom(1, 10, rowsOf([1, 2, 3, 3, 4, 4]))).toEqual({ id: 'run1', index: 1 });
    expect(anchorFrom(1, 10, rowsOf([1, 1, 2, 2, 3])), 'the last row may have a twin on the next page').toBeNull();
    expect(
      anchorFrom(1, 10, [
        { id: 'a', key: at(1) },
        { id: 'b', key: null },
        { id: 'c', key: at(3) },
      ]),
    ).toBeNull();
    expect(anchorFrom(3, 10, [])).toBeNull();
  });
});
