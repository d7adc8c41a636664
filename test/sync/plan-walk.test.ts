import { describe, expect, it } from 'vitest';
import { ForwardWalk } from '../../src/sync/plan-walk.js';

/** Rows `ids` with one key each unless it is written behind: `a1` and `b1` share the key 1. */
const rowsOf = (...ids: string[]) => ids.map((id) => ({ id, key: /\d+$/.exec(id)?.[0] ?? id }));

const page = (ids: readonly string[], totalCount: number | null, unreadable: readonly string[] = []) => ({
  rows: rowsOf(...ids),
  unreadable,
  received: ids.length + unreadable.length,
  totalCount,
});

/** The page numbers that a walk asks for when it is given these answers in turn. */
function asked(pageSize: number, answers: readonly ReturnType<typeof page>[], settledKey: string | null = null) {
  const walk = new ForwardWalk({ pageSize, keyed: true, settledKey });
  const pages: (number | null)[] = [walk.page];
  for (const answer of answers) {
    walk.take(answer, false);
    pages.push(walk.page);
  }
  return { pages, walk };
}

const list = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`);

describe('complaint 3: gaps between offset pages', () => {
  it('a walk ends where TotalCount says, not at a short page', () => {
    expect(asked(10, [page(list(1, 3), 25)]).walk.pageSize, 'the size that the server uses').toBe(3);
    expect(asked(2, [page(['1', '2'], 3), page(['3'], 3)]).pages).toEqual([1, 2, null]);
    expect(asked(2, [page([], 0)]).pages).toEqual([1, null]);
  });

  it('a walk without TotalCount ends at an empty page', () => {
    expect(asked(2, [page(['1', '2'], null), page([], null)]).pages).toEqual([1, 2, null]);
  });

  it('a walk ends at an empty page in front of the end that TotalCount tells, and proves nothing', () => {
    const { pages, walk } = asked(2, [page(['1', '2'], 9), page([], 9)]);
    expect(pages).toEqual([1, 2, null]);
    expect(walk.isProved).toBe(false);
  });

  it('a walk steps back by as many rows as TotalCount fell', () => {
    const fell = [page(list(1, 10), 100), page(list(11, 20), 100), page(list(21, 30), 100), page(list(43, 52), 88)];
    expect(asked(10, fell).pages, 'from row 29, the last with its key, less 12').toEqual([1, 2, 3, 4, 2]);
  });

  it('a fall also leads back when nothing behind the page is needed', () => {
    const walk = new ForwardWalk({ pageSize: 2, keyed: true });
    walk.take(page(['1', '2'], 6), false);
    walk.take(page(['4', '5'], 5), true);
    expect(walk.page).toBe(1);
  });
});

describe('rows that share a key over a page boundary', () => {
  it('cost no call when every one of them shows', () => {
    const { pages, walk } = asked(2, [page(['a1', 'b2'], 4), page(['c2', 'd3'], 4)]);
    expect(pages).toEqual([1, 2, null]);
    expect(walk.isProved).toBe(true);
  });

  it('are looked at again when one of them shows twice, until the hidden one shows', () => {
    const twice = [page(['a1', 'x9', 'b2', 'c2'], 8), page(['d2', 'b2', 'e3', 'f4'], 8)];
    const { pages, walk } = asked(4, [...twice, page(['a1', 'x9', 'd2', 'g2'], 8)]);
    expect(pages, 'page 1 once more, where g2 shows').toEqual([1, 2, 1, null]);
    expect(walk.isProved).toBe(true);
  });

  it('are read once more from their beginning when the list has only moved on', () => {
    const moved = [page(['a1', 'b2'], 4), page(['b2', 'c3'], 5)];
    const stands = page(['b2', 'c3'], 5);
    expect(asked(2, [...moved, stands]).pages, 'one look whether it goes on moving').toEqual([1, 2, 2, 1]);
  });

  it('are proved by one answer that shows all of them between other rows', () => {
    const moved = [page(['a1', 'b2', 'c3'], 6), page(['c3', 'd4', 'e5'], 7)];
    const between = page(['b2', 'c3', 'd4'], 8);
    expect(asked(3, [...moved, between]).pages).toEqual([1, 2, 2, 3]);
    const atEdge = page(['b2', 'x2', 'c3'], 8);
    expect(asked(3, [...moved, atEdge]).pages, 'rows in front of it may be of its key').toEqual([1, 2, 2, 1]);
  });

  it('invariant 9: are given up when the hidden row never shows, and the walk is not proved', () => {
    const walk = new ForwardWalk({ pageSize: 2, keyed: true });
    let calls = 0;
    for (; walk.page !== null && calls < 1000; calls += 1) {
      walk.take(
        walk.page === 1 ? page(['a1', 'b2'], 5) : walk.page === 2 ? page(['b2', 'b2'], 5) : page(['c3'], 5),
        false,
      );
    }
    expect(walk.page).toBeNull();
    expect(calls).toBeLessThan(100);
    expect(walk).toMatchObject({ isProved: false, givenUp: ['2'] });
  });

  it('are let be when a walk before has settled them by counting', () => {
    const twice = [page(['a1', 'b2'], 4), page(['b2', 'e3'], 4)];
    expect(asked(2, twice, '2').pages).toEqual([1, 2, null]);
  });

  it('an item that cannot be read may be one of them: shown twice, it may hide another', () => {
    const twice = [page(['a1', 'b2'], 6, ['bad']), page(['c2', 'd3'], 6, ['bad'])];
    expect(asked(3, twice).pages.at(-1)).not.toBeNull();
    const between = page(['a1', 'b2', 'c3'], 6);
    const other = [page(['a1', 'b2'], 6, ['bad']), page(['c3', 'd4'], 6, ['bad']), between];
    expect(asked(3, other).pages.at(-1), 'b2 is alone, but c3 may hide a row').toBeLessThan(3);
    const once = [page(['a1', 'b2'], 6, ['bad']), page(['c2', 'd3', 'e4'], 6)];
    expect(asked(3, once).pages.at(-1)).toBeNull();
  });
});

it('an item that cannot be read at the end of a page may be the first of the group on the next one', () => {
  // `bad` shares the key 2: it shows on both pages, and c2 on none.
  const shown = [page(['a1', 'b1'], 9, ['bad']), page(['d2', 'e2', 'f2'], 9), page(['g3', 'h3'], 9, ['bad'])];
  expect(asked(3, shown).pages.at(-1), 'page 1 or 2 once more').toBeLessThan(3);
});

it('invariant 9: a source that always shows new rows and always counts more is given up', () => {
  const walk = new ForwardWalk({ pageSize: 2, keyed: true });
  let total = 10;
  for (let call = 0; !walk.isEndless && call < 100_000; call += 1) {
    total += 2;
    walk.take(page([`${2 * call}`, `${2 * call + 1}`], total), false);
  }
  expect(walk.isEndless).toBe(true);
});
