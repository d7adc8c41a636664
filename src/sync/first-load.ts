/**
 * The first load of a scope: pages in *ascending* order of creation, from the last page to the first, so that the newest
 * runs come first and a run that is created meanwhile only lands behind. Several pages are in flight at once; what that
 * could miss (a deletion between two of them) shows in an anchor row that lost its place, and then the segment is read
 * again one page at a time. So are pages whose tie groups may hide a row (plan-ties.ts). Every page is committed
 * together with the cursor, so an interrupted load goes on from there.
 */
import type { ListAnswer } from '../domain/answers.js';
import type { Cursor } from '../domain/batch.js';
import type { PipelineRun } from '../domain/entities.js';
import { identityOf, listPage, pageBatch, pageRows, walkForward } from './list-pages.js';
import {
  anchored,
  anchorOf,
  beginningOf,
  edgeOf,
  type LoadState,
  readState,
  resized,
  toCursor,
  withSuspect,
} from './load-state.js';
import { type PageStore, storingPages } from './page-store.js';
import type { Pass } from './pass.js';
import {
  anchorFrom,
  anchorHolds,
  anchorPage,
  effectivePageSize,
  revealedPageSize,
  watermarkCandidate,
} from './plan-paging.js';
import { type PageRows, TieGuard, TieReading } from './plan-ties.js';
import { readAhead } from './read-ahead.js';

/**
 * Pages between two looks at the anchor: one call in so many, for which the others wait. Each look that finds it in its
 * place makes the next segment longer; one that does not begins anew, since all of the segment is read again then, page by
 * page. At 50 ms a call looks after 32, 64, 128 and so on up to 512 pages took 2 % of the time.
 */
const FIRST_SEGMENT = 32;
const LONGER_BY = 4;
const LONGEST_SEGMENT = 1024;

/** How often the server may turn out to use another page size before its word is no longer taken for it. */
const MAX_RESIZES = 3;

/** Unreadable items that are told apart; more of them only make the list be walked once more in the end. */
const MAX_UNREADABLE = 10_000;

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
  const total = answer.totalCount ?? (await countByWalking(pass));
  const whole = total <= answer.received;
  const cursor = whole
    ? { watermark, state: {} }
    : toCursor(watermark ?? answer.serverTime, beginningOf(total, effectivePageSize(asked, answer)));
  await pass.commit({ ...pageBatch(answer), ...(before === null || !whole || watermark !== null ? { cursor } : {}) });
  return cursor;
}

/** A source that does not count: one walk over everything, which stores it too. */
async function countByWalking(pass: Pass): Promise<number> {
  let rows = 0;
  await walkForward(pass, { sortBy: 'GmtCreateTime' }, async (answer) => {
    await pass.commit(pageBatch(answer));
    rows += answer.received;
    return false;
  });
  return rows;
}

/** Reads the pages that are left. The cursor that it returns is still that of a first load, with no page left. */
export async function continueFirstLoad(pass: Pass, cursor: Cursor): Promise<Cursor> {
  return storingPages(pass, null, async (pages) => {
    const load = new FirstLoad(pass, cursor, pages);
    await load.run();
    return toCursor(cursor.watermark, load.state);
  });
}

const createdPage = (pass: Pass, pageNumber: number, pageSize: number) =>
  listPage(pass, { pageNumber, pageSize, sortBy: 'GmtCreateTime', order: 'ASC' });

/** In the order of the walk: the newest row first. */
function rowsDown(answer: ListAnswer<PipelineRun>): PageRows {
  const { rows, unreadable } = pageRows(answer, 'GmtCreateTime');
  return { rows: [...rows].reverse(), unreadable };
}

const pagesDown = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, from - to + 1) }, (_, offset) => from - offset);

/** With an unreadable item among them the places of the others are not known. */
const anchorOn = (page: number, pageSize: number, answer: ListAnswer<PipelineRun>) =>
  answer.rejected.length > 0 ? null : anchorFrom(page, pageSize, pageRows(answer, 'GmtCreateTime').rows);

/** A tie group in which a row may be hidden: its key, and the pages on which it was found, from the highest down. */
interface Suspect {
  readonly key: string | null;
  readonly from: number;
  readonly to: number;
}

/** Deletions meanwhile may have pushed the group beyond its pages: all of it was passed where an older key is read. */
const isPassed =
  ({ key }: Suspect) =>
  ({ unproved }: TieGuard): boolean =>
    unproved === null ||
    unproved.lost ||
    (key === null || unproved.key === null ? unproved.pages.length === 1 : unproved.key < key);

class FirstLoad {
  state: LoadState;
  private reading = new TieReading();
  /** Those of this segment. */
  private suspects: Suspect[] = [];
  private readonly unreadable = new Set<string>();
  /** Pages in a row that showed nothing, before there was an anchor. */
  private emptyPages = 0;
  private segmentPages = FIRST_SEGMENT;

  constructor(
    private readonly pass: Pass,
    private readonly cursor: Cursor,
    private readonly pages: PageStore,
  ) {
    this.state = readState(cursor);
    const { edgeFrom, edgeKey, nextPage, suspectFrom: from, suspectTo: to, suspectKey: key } = this.state;
    if (edgeFrom > 0) this.reading.resume(edgeKey, edgeFrom, nextPage + 1);
    if (from > 0) this.suspects.push({ key, from, to });
  }

  async run(): Promise<void> {
    this.report();
    if (this.state.uncheckedFrom > 0) await this.check();
    while (this.state.nextPage > 0) {
      const { nextPage, pageSize } = this.state;
      const last = this.state.anchorId === null ? nextPage : Math.max(1, nextPage - this.segmentPages + 1);
      // A group that began in front of the segment was counted there: should that turn out wrong, it is read again, too.
      const from = Math.max(nextPage, this.reading.open?.startPage ?? 0);
      await this.readSegment(pagesDown(nextPage, last), from);
      // With another page size the pages have other numbers.
      if (this.state.pageSize === pageSize) await this.check();
      if (this.emptyPages > 1) await this.skipEmptyPages();
    }
  }

  /** A TotalCount that is far too high: looks for the last page that shows anything, in as many calls as it has bits. */
  private async skipEmptyPages(): Promise<void> {
    let shown = 0;
    for (let empty = this.state.nextPage + 1; empty - shown > 1; ) {
      const page = Math.floor((shown + empty) / 2);
      const answer = await createdPage(this.pass, page, this.state.pageSize);
      if (answer.received > 0) shown = page;
      else empty = page;
    }
    this.emptyPages = 0;
    this.state = { ...this.state, nextPage: shown };
  }

  /** The page that is to hold the anchor is read alone: the anchor must be older than what it vouches for. */
  private async readSegment(pages: readonly number[], uncheckedFrom: number): Promise<void> {
    const { pageSize } = this.state;
    // One more than may be open (run-pass.ts): while its answer is decoded the others are on their way.
    const concurrency = this.pass.settings.concurrency + 1;
    const groups = readAhead(pages, { concurrency }, (page) => createdPage(this.pass, page, pageSize));
    for await (const group of groups) {
      for (const result of group) {
        if (!result.ok) throw result.error;
        this.state = { ...this.state, uncheckedFrom };
        await this.take(result.item, result.value);
        await this.store(result.value);
        if (this.state.pageSize !== pageSize) return;
      }
    }
  }

  private async take(page: number, answer: ListAnswer<PipelineRun>): Promise<void> {
    const { state } = this;
    const isShort = state.resizes < MAX_RESIZES && revealedPageSize(page, state.pageSize, answer) !== null;
    const size = isShort ? await this.usedPageSize() : null;
    if (size !== null) this.startOver(answer.totalCount as number, size);
    else this.follow(page, answer);
  }

  /**
   * A page near the end is also short where TotalCount counts more than the list shows, by any number of rows; taken for
   * the page size it could make a page of every row. The first page is full unless the server cuts it. Null: it is.
   */
  private async usedPageSize(): Promise<number | null> {
    const { state } = this;
    const { received } = await createdPage(this.pass, 1, state.pageSize);
    if (received > 0 && received < state.pageSize) return received;
    this.state = { ...state, resizes: state.resizes + 1 };
    return null;
  }

  private follow(page: number, answer: ListAnswer<PipelineRun>): void {
    const { state } = this;
    const short = this.reading.read(page, rowsDown(answer)) ?? (page === 1 ? this.reading.end() : null);
    if (short !== null) this.suspect({ key: short.key, from: short.startPage, to: page });
    this.emptyPages = answer.received === 0 && state.anchorId === null ? this.emptyPages + 1 : 0;
    const first = state.anchorId === null ? anchored(anchorOn(page, state.pageSize, answer)) : {};
    this.state = {
      ...this.state,
      ...first,
      ...edgeOf(this.reading.open),
      nextPage: page - 1,
      unreadable: state.unreadable + this.countNew(answer),
    };
  }

  /** Unreadable items that no page has shown before: they count as stored, so each may count once only. */
  private countNew(answer: ListAnswer<PipelineRun>): number {
    const known = this.unreadable.size;
    for (const item of answer.rejected)
      if (this.unreadable.size < MAX_UNREADABLE) this.unreadable.add(identityOf(item));
    return this.unreadable.size - known;
  }

  private startOver(total: number, pageSize: number): void {
    this.state = resized(this.state, total, pageSize);
    this.reading = new TieReading();
    this.suspects = [];
    this.unreadable.clear();
  }

  private suspect(group: Suspect): void {
    this.suspects.push(group);
    this.state = withSuspect(this.state, group);
  }

  /** Reads again what was stored unchecked and may have missed something. */
  private async check(): Promise<void> {
    const { uncheckedFrom, nextPage } = this.state;
    const hasMoved = await this.anchorMoved();
    this.segmentPages = hasMoved ? FIRST_SEGMENT : Math.min(this.segmentPages * LONGER_BY, LONGEST_SEGMENT);
    const hasRead = hasMoved || this.suspects.length > 0;
    if (hasMoved) {
      // One page more than was read: a run that was restored pushes others to where the load has been.
      const guard = await this.readAgain(uncheckedFrom + 1, nextPage + 1);
      this.reading = guard.takeReading();
      this.state = { ...this.state, ...edgeOf(this.reading.open), mayHaveShifted: true };
    } else {
      for (const group of this.suspects) await this.readAgain(group.from, group.to, isPassed(group));
    }
    this.suspects = [];
    this.state = { ...this.state, uncheckedFrom: 0, suspectFrom: 0, suspectTo: 0, suspectKey: null };
    // Without news the next page tells it.
    if (hasRead) await this.store();
  }

  /** Looks at the anchor; where it moved, the new one is taken from the same answer, older than what it will vouch for. */
  private async anchorMoved(): Promise<boolean> {
    const { state } = this;
    const anchor = anchorOf(state);
    const hasJustBegun = anchor !== null && anchorPage(anchor, state.pageSize) <= state.nextPage + 1;
    if (anchor === null) this.state = { ...state, mayHaveShifted: true };
    // Pages read one at a time miss nothing, and the anchor was taken from the last of them.
    if (anchor === null || hasJustBegun) return false;
    const page = anchorPage(anchor, state.pageSize);
    const answer = await createdPage(this.pass, page, state.pageSize);
    const ids = answer.items.map((run) => run.pipelineRunId);
    if (answer.rejected.length === 0 && anchorHolds(anchor, state.pageSize, ids)) return false;
    this.state = { ...this.state, ...anchored(anchorOn(page, state.pageSize, answer)) };
    return true;
  }

  /**
   * One page after the other, and back to groups in which a row may be hidden (bounded by the guard's budget), down to
   * the page `to`, or further until `mayEnd`.
   */
  private async readAgain(
    from: number,
    to: number,
    mayEnd: (guard: TieGuard) => boolean = () => true,
  ): Promise<TieGuard> {
    const guard = new TieGuard({ budget: 200 + 4 * (from - to + 1) });
    let frontier = from + 1;
    for (let page = from; ; ) {
      const answer = await createdPage(this.pass, page, this.state.pageSize);
      await this.pages.add({ batch: pageBatch(answer), size: answer.size });
      if (!guard.isLooking) frontier = page;
      let step = guard.read(page, rowsDown(answer));
      if (step.kind === 'on' && frontier === 1) step = guard.end();
      if (step.kind === 'restart') frontier = step.page + 1;
      if (step.kind === 'on' && (frontier === 1 || (frontier <= to && mayEnd(guard)))) break;
      page = step.kind === 'on' ? frontier - 1 : step.page;
    }
    if (guard.givenUp.length > 0) this.state = { ...this.state, inDoubt: true };
    return guard;
  }

  /** Where the load stands goes with the page that brought it there. */
  private async store(answer?: ListAnswer<PipelineRun>): Promise<void> {
    const rows = answer === undefined ? {} : pageBatch(answer);
    const cursor = toCursor(this.cursor.watermark, this.state);
    await this.pages.add({ batch: { ...rows, cursor }, size: answer?.size });
    this.report();
  }

  private report(): void {
    const { nextPage, pageSize, total } = this.state;
    this.pass.progress('first load', Math.max(0, total - nextPage * pageSize), total);
  }
}
