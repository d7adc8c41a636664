import { expect, test } from 'vitest';
import { batchesFor, callsForTrees, pagesFor } from '../../src/sync/plan-calls.js';
import { RunsWalk } from '../../src/sync/plan-runs-walk.js';
import { ForwardWalk } from '../../src/sync/plan-walk.js';

test.each([
  [0, 100, 1],
  [1, 100, 1],
  [100, 100, 1],
  [101, 100, 2],
  [1_000_000, 100, 10_000],
])('a list of %s rows takes, in pages of %s, %s calls', (rows, pageSize, calls) => {
  expect(pagesFor(rows, pageSize)).toBe(calls);
});

test('nothing to ask for takes no call, and a batch is asked for whole', () => {
  expect([0, 1, 100, 101, 2_000].map((subjects) => batchesFor(subjects, 100))).toEqual([0, 1, 1, 2, 20]);
  expect(callsForTrees(7, 2)).toBe(14);
});

const keyed = (count: number, from: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `r${from + index}`, key: String(10_000 - from - index) }));

test('pages that a walk reads twice are not among those that it needs', () => {
  const walk = new ForwardWalk({ pageSize: 10, keyed: true });
  const answer = (page: number, totalCount: number) => ({
    rows: keyed(10, (page - 1) * 10),
    unreadable: [],
    received: 10,
    totalCount,
  });
  walk.take(answer(1, 50), false);
  walk.take(answer(2, 50), false);
  // A row was deleted: page 3 tells, and what slid in front of it is read again.
  walk.take(answer(3, 49), false);
  expect(walk.page).toBe(2);
  for (const page of [2, 3, 4]) walk.take(answer(page, 49), page === 4);
  expect([walk.page, walk.furthest]).toEqual([null, 4]);
});

test('a walk over experiment runs needs the pages that its rows fill, wherever it began', () => {
  const walk = new RunsWalk({ pageToken: '100', edgeKey: '9000', countsRows: true });
  const answer = { rows: keyed(50, 100), unreadable: [], received: 50, totalCount: 300 };
  walk.take({ ...answer, nextPageToken: '150' }, false);
  expect(walk.next).toBe('148');
  walk.take({ ...answer, rows: keyed(50, 148), nextPageToken: '198' }, true);
  expect(walk.pagesNeeded).toBe(2);
  const plain = new RunsWalk();
  for (const from of [0, 50])
    plain.take({ ...answer, rows: keyed(50, from), nextPageToken: `token-${from}` }, from === 50);
  expect(plain.pagesNeeded).toBe(2);
});
