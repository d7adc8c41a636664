/**
 * The first load of a scope: pages in *ascending* order of creation, from the last page to the first, so that the newest
 * runs come first and a run that is created meanwhile only lands behind. Several pages are in flight at once; what that
 * could miss (a deletion between two of them) shows in an anchor row that lost its place, and then the segment is read
 * again one page at a time. Every page is committed together with the cursor, so an interrupted load goes on from there.
 */
import type { ListAnswer } from '../domain/answers.js';
import type { Cursor, CursorState } from '../domain/batch.js';
import type { Instant, PipelineRun } from '../domain/entities.js';
import { listPage, pageBatch, walkForward, walkUntilCounted } from './list-pages.js';
import type { Pass } from './pass.js';
import {
  type Anchor,
  anchorFrom,
  anchorHolds,
  anchorPage,
  effectivePageSize,
  pageCount,
  watermarkCandidate,
} from './plan-paging.js';
import { readAhead } from './read-ahead.js';

/** Pages between two looks at the anchor: one call more in so many. */
const SEGMENT_PAGES = 32;

interface LoadState {
  readonly phase: 'first-load';
  readonly pageSize: number;
  /** The next page to read; 0 when all are read. */
  readonly nextPage: number;
  /** Pages above `nextPage` and up to this one are stored, but the anchor was not looked at since. */
  readonly uncheckedFrom: number;
  readonly total: number;
  readonly anchorId: string | null;
  readonly anchorIndex: number;
}

export const isFirstLoad = (cursor: Cursor): boolean => cursor.state.phase === 'first-load';

const readState = (cursor: Cursor): LoadState => cursor.state as unknown as LoadState;

const toCursor = (watermark: Instant | null, state: LoadState): Cursor => ({
  watermark,
  state: state as unknown as CursorState,
});

const anchorOf = (state: LoadState): Anchor | null =>
  state.anchorId === null ? null : { id: state.anchorId, index: state.anchorIndex };

/**
 * Stores the newest page and writes down where the load starts. The watermark is taken here, before anything else is
 * read: whatever is modified from now on is found by the passes after the load.
 */
export async function beginFirstLoad(pass: Pass, before: Cursor | null): Promise<Cursor> {
  const asked = pass.settings.pageSize;
  const answer = await listPage(pass, { pageNumber: 1, pageSize: asked, sortBy: 'GmtModifiedTime', order: 'DESC' });
  const watermark = watermarkCandidate(
    answer.items.map((run) => run.gmtModifiedTime),
    answer.serverTime,
  );
  const pageSize = effectivePageSize(asked, answer);
  const total = answer.totalCount ?? (await countByWalking(pass));
  const whole = total <= answer.received;
  const cursor = whole
    ? { watermark, state: {} }
    : toCursor(watermark ?? answer.serverTime, {
        phase: 'first-load',
        pageSize,
        nextPage: pageCount(total, pageSize),
        uncheckedFrom: 0,
        total,
        anchorId: null,
        anchorIndex: 0,
      });
  await pass.commit({ ...pageBatch(answer), ...(before === null || !whole || watermark !== null ? { cursor } : {}) });
  return cursor;
}

/** A source that does not count: one walk over everything, which stores it too. */
async function countByWalking(pass: Pass): Promise<number> {
  let rows = 0;
  await walkForward(pass, 'GmtCreateTime', async (answer) => {
    await pass.commit(pageBatch(answer));
    rows += answer.received;
    return false;
  });
  return rows;
}

/** Reads the pages that are left, then makes sure that nothing is short. Returns the finished cursor. */
export async function continueFirstLoad(pass: Pass, cursor: Cursor): Promise<Cursor> {
  let state = readState(cursor);
  const store: StorePages = async (downTo, answers, change) => {
    state = { ...state, nextPage: downTo - 1, ...change };
    await pass.commit({ ...pageBatch(...answers), cursor: toCursor(cursor.watermark, state) });
    report(pass, state);
  };
  if (state.uncheckedFrom > 0) state = await checkSegment(pass, cursor, state);
  while (state.nextPage > 0) {
    if (anchorOf(state) === null) {
      await readAnchorPage(pass, state, store);
      continue;
    }
    const from = state.nextPage;
    await readPages(pass, state, pagesDown(from, Math.max(1, from - SEGMENT_PAGES + 1)), (downTo, answers) =>
      store(downTo, answers, { uncheckedFrom: from }),
    );
    state = await checkSegment(pass, cursor, state);
  }
  await recount(pass);
  const finished: Cursor = { watermark: cursor.watermark, state: {} };
  await pass.commit({ cursor: finished });
  return finished;
}

/** Stores pages that reach down to page `downTo`, and the cursor with them. */
type StorePages = (
  downTo: number,
  answers: readonly ListAnswer<PipelineRun>[],
  change: Partial<LoadState>,
) => Promise<void>;

const pagesDown = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, from - to + 1) }, (_, offset) => from - offset);

const createdPage = (pass: Pass, pageNumber: number, pageSize: number) =>
  listPage(pass, { pageNumber, pageSize, sortBy: 'GmtCreateTime', order: 'ASC' });

const idsOf = (answer: ListAnswer<PipelineRun>): string[] => answer.items.map((run) => run.pipelineRunId);

/** The page whose last row becomes the anchor is read alone: the anchor must be older than what it vouches for. */
async function readAnchorPage(pass: Pass, state: LoadState, store: StorePages): Promise<void> {
  const page = state.nextPage;
  const answer = await createdPage(pass, page, state.pageSize);
  // With a rejected item among them the positions of the others are not known.
  const anchor = answer.rejected.length === 0 ? anchorFrom(page, state.pageSize, idsOf(answer)) : null;
  await store(page, [answer], anchor === null ? {} : { anchorId: anchor.id, anchorIndex: anchor.index });
}

async function readPages(
  pass: Pass,
  state: LoadState,
  pages: readonly number[],
  onPages: (downTo: number, answers: readonly ListAnswer<PipelineRun>[]) => Promise<void>,
): Promise<void> {
  const groups = readAhead(pages, { concurrency: pass.settings.concurrency }, (page) =>
    createdPage(pass, page, state.pageSize),
  );
  for await (const group of groups) {
    const answers: ListAnswer<PipelineRun>[] = [];
    let downTo = 0;
    for (const result of group) {
      if (!result.ok) throw result.error;
      answers.push(result.value);
      downTo = result.item;
    }
    await onPages(downTo, answers);
  }
}

/** Looks whether the anchor kept its place while the segment was read; if not, reads the segment again, page by page. */
async function checkSegment(pass: Pass, cursor: Cursor, state: LoadState): Promise<LoadState> {
  const anchor = anchorOf(state);
  const checked = { ...state, uncheckedFrom: 0 };
  if (anchor === null) return checked;
  const page = anchorPage(anchor, state.pageSize);
  const answer = await createdPage(pass, page, state.pageSize);
  const ids = idsOf(answer);
  if (answer.rejected.length === 0 && anchorHolds(anchor, state.pageSize, ids)) return checked;
  const moved = answer.rejected.length === 0 ? anchorFrom(page, state.pageSize, ids) : null;
  for (const again of pagesDown(state.uncheckedFrom, state.nextPage + 1)) {
    await pass.commit(pageBatch(await createdPage(pass, again, state.pageSize)));
  }
  const next = { ...checked, anchorId: moved?.id ?? null, anchorIndex: moved?.index ?? 0 };
  await pass.commit({ cursor: toCursor(cursor.watermark, next) });
  return next;
}

function report(pass: Pass, state: LoadState): void {
  const left = state.nextPage * state.pageSize;
  pass.progress('first load', Math.max(0, state.total - left), state.total);
}

/** Rows that share one creation time may have changed places between two pages. */
async function recount(pass: Pass): Promise<void> {
  const countKnown = () => pass.store.countPresent(pass.scope, 'pipeline_run');
  const head = await listPage(pass, {
    pageNumber: 1,
    pageSize: pass.settings.pageSize,
    sortBy: 'GmtCreateTime',
    order: 'DESC',
  });
  if (head.totalCount === null || (await countKnown()) >= head.totalCount) return;
  await walkUntilCounted(pass, countKnown, async (answer) => {
    await pass.commit(pageBatch(answer));
  });
}
