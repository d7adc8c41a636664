/**
 * Stream `experiment-runs`: ListRuns, newest creation first. It cannot be sorted by modification, so after the first
 * load every pass reads again what was created within the hot window; older changes are found by `reconcile`.
 */
import type { RunsAnswer } from '../domain/answers.js';
import type { Cursor, WriteBatch } from '../domain/batch.js';
import type { Instant, Int64 } from '../domain/entities.js';
import { describeError, MirrorError, PaiError } from '../domain/errors.js';
import { instantFromMillis, instantToMillis } from '../domain/instant.js';
import { identityOf } from './list-pages.js';
import { type PageStore, storingPages } from './page-store.js';
import type { Pass } from './pass.js';
import { earlier, isBehind, nextWatermark, overlapFloor, watermarkCandidate, withinClock } from './plan-paging.js';
import { RUNS_BEGINNING, type RunsPlace, RunsWalk, type RunsWalkAnswer } from './plan-runs-walk.js';

/** Walks over one list in one pass: where rows may have been passed over, it is walked again. */
const MAX_WALKS = 3;

/** Pages of one walk; a token that leads in a circle must not turn for ever. */
const MAX_PAGES = 1_000_000;

export async function experiments(pass: Pass): Promise<void> {
  const cursor = await pass.store.readCursor(pass.scope, 'experiment-runs');
  const loading = cursor?.state.phase === 'first-load' ? cursor : null;
  if (cursor !== null && loading === null && cursor.watermark !== null) return readHotWindow(pass, cursor);
  await firstLoad(pass, loading, cursor);
}

/** Reads the whole list; the place of the next page is stored with every page, so an interrupted load goes on there. */
async function firstLoad(pass: Pass, loading: Cursor | null, before: Cursor | null): Promise<void> {
  const { watermark, calls } = await storingPages(pass, null, (pages) => loadPages(pass, loading, pages));
  const loaded = { watermark, state: {} };
  // What came in while a load was interrupted stands in front of where it went on.
  if (loading !== null && watermark !== null) await readHotWindow(pass, loaded);
  // Over several pages the cursor has left its old place.
  else await pass.moveCursor(calls > 1 ? null : before, loaded);
}

async function loadPages(
  pass: Pass,
  loading: Cursor | null,
  pages: PageStore,
): Promise<{ watermark: Instant | null; calls: number }> {
  let watermark = loading?.watermark ?? null;
  let done = loading === null ? 0 : Number(loading.state.done ?? 0);
  let calls = 0;
  const onPage: RunsVisitor['onPage'] = async (answer, isFirst, walk) => {
    if (isFirst && loading === null) watermark = createdWatermark(answer);
    done += answer.received;
    calls += 1;
    const state = { phase: 'first-load', ...walk.place, done };
    const cursor = walk.next === undefined ? {} : { cursor: { watermark, state } };
    await pages.add({ batch: { ...runsBatch(answer), ...cursor }, size: answer.size });
    pass.progress('experiment runs', done, answer.totalCount);
  };
  const from = placeOf(loading);
  if (loading !== null) pass.progress('experiment runs', done, null);
  const walk = await walkRuns(pass, { onPage }, from).catch((error: unknown) => {
    // A page token may be good for a while only; the load then starts over, with the watermark that it began with.
    if (from.pageToken === null || calls > 0 || !isRefused(error)) throw error;
    pass.deps.logger.warn({ pageToken: from.pageToken }, `the first load starts over: ${describeError(error)}`);
    done = 0;
    return walkRuns(pass, { onPage });
  });
  pass.needed(walk.pagesNeeded);
  if (walk.mayHaveMissed) await walkAgain(pass, storesRuns(pages));
  return { watermark, calls };
}

/** A cursor of an older version has a token alone. */
const placeOf = (loading: Cursor | null): RunsPlace =>
  loading === null
    ? RUNS_BEGINNING
    : { ...RUNS_BEGINNING, countsRows: false, ...(loading.state as unknown as Partial<RunsPlace>) };

const isRefused = (error: unknown): boolean =>
  error instanceof PaiError && (error.code === 'PAI_INVALID_REQUEST' || error.code === 'PAI_NOT_FOUND');

const storesRuns = (pages: PageStore): RunsVisitor => ({
  onPage: (answer) => pages.add({ batch: runsBatch(answer), size: answer.size }),
});

/** Reads from the front to the edge of the hot window, and moves the cursor. */
async function readHotWindow(pass: Pass, cursor: Cursor): Promise<void> {
  let watermark: Instant | null = null;
  let floor: Instant | null = null;
  const isEnough = (answer: RunsAnswer, isFirst: boolean): boolean => {
    if (isFirst) {
      watermark = nextWatermark(cursor.watermark, createdWatermark(answer), answer.serverTime);
      floor = hotFloor(pass, withinClock(cursor.watermark, answer.serverTime), answer.serverTime ?? watermark);
    }
    return isBehind(
      answer.items.map((run) => run.gmtCreateTime),
      floor,
    );
  };
  await storingPages(pass, null, async (pages) => {
    const visitor = { ...storesRuns(pages), isEnough };
    const walk = await walkRuns(pass, visitor);
    pass.needed(walk.pagesNeeded);
    if (walk.mayHaveMissed) await walkAgain(pass, visitor);
  });
  await pass.moveCursor(cursor, { watermark, state: {} });
}

const createdWatermark = (answer: RunsAnswer): Instant | null =>
  watermarkCandidate(
    answer.items.map((run) => run.gmtCreateTime),
    answer.serverTime,
  );

/** The older of the two: the edge of the hot window, and the watermark less the overlap. */
function hotFloor(pass: Pass, watermark: Instant | null, now: Instant | null): Instant | null {
  const behind = overlapFloor(watermark, pass.settings.overlapSeconds);
  if (behind === null || now === null) return behind;
  const hot = instantFromMillis(Math.max(0, instantToMillis(now) - pass.settings.hotWindowHours * 3_600_000));
  return earlier(hot, behind);
}

export interface RunsVisitor {
  /** Whether nothing behind this page is needed; default: never. */
  readonly isEnough?: (answer: RunsAnswer, isFirst: boolean) => boolean;
  /** Called with the walk as it stands after the page. */
  readonly onPage: (answer: RunsAnswer, isFirst: boolean, walk: RunsWalk) => Promise<void>;
}

/** Until a walk that has passed over nothing, at most MAX_WALKS of them. */
export async function walkAgain(pass: Pass, visitor: RunsVisitor): Promise<void> {
  for (let walk = 1; walk < MAX_WALKS; walk += 1) {
    if (!(await walkRuns(pass, visitor)).mayHaveMissed) return;
  }
}

/** Follows the page tokens until nothing more is needed or the list ends, and back where rows may have been missed. */
export async function walkRuns(pass: Pass, visitor: RunsVisitor, from: RunsPlace = RUNS_BEGINNING): Promise<RunsWalk> {
  const walk = new RunsWalk(from);
  let circle = new Circle(walk.next);
  for (let page = 0; page < MAX_PAGES && walk.next !== undefined; page += 1) {
    const answer = await runsPage(pass, walk);
    if (answer === null) continue;
    const { stepsBack } = walk;
    walk.take(walkAnswer(answer), visitor.isEnough?.(answer, page === 0) ?? false);
    await visitor.onPage(answer, page === 0, walk);
    if (walk.stepsBack > stepsBack) circle = new Circle(walk.next);
    else if (circle.closes(walk.next)) throw circularToken(walk.next);
  }
  if (walk.next !== undefined) throw circularToken(walk.next);
  return walk;
}

/** Null: the source refused a token of the mirror's own making, and is asked for the one that it handed out. */
async function runsPage(pass: Pass, walk: RunsWalk): Promise<RunsAnswer | null> {
  const request = { pageToken: walk.next ?? null, maxResults: pass.settings.pageSize };
  try {
    return await pass.call(
      () => pass.source.listRuns(pass.scope, request, pass.signal),
      (found) => found.received,
    );
  } catch (error) {
    if (!isRefused(error) || !walk.refuseOwnToken()) throw error;
    pass.deps.logger.debug({ pageToken: request.pageToken }, `ListRuns takes only its own page tokens`);
    return null;
  }
}

const walkAnswer = ({ items, rejected, received, totalCount, nextPageToken }: RunsAnswer): RunsWalkAnswer => ({
  rows: items.map((run) => ({ id: run.runId, key: run.gmtCreateTime })),
  // A run's bad members are among the rejected, too; the run itself is then among the items.
  unreadable: rejected.filter(({ entity }) => entity === 'run').map(identityOf),
  received,
  totalCount,
  nextPageToken,
});

/** A walk that comes back to a token goes round for ever: Brent's method finds any circle with one token remembered. */
class Circle {
  private steps = 0;
  private nextLandmark = 1;

  constructor(private landmark: Int64 | null | undefined) {}

  closes(token: Int64 | null | undefined): boolean {
    if (token === this.landmark && token !== undefined) return true;
    this.steps += 1;
    if (this.steps === this.nextLandmark) {
      this.landmark = token;
      this.nextLandmark *= 2;
    }
    return false;
  }
}

const circularToken = (token: Int64 | null | undefined): MirrorError =>
  new MirrorError(`ListRuns: page token ${token ?? 0} leads back to itself, expected another one or 0`, {
    code: 'WALK_UNBOUNDED',
    retryable: true,
    blast: 'scope',
  });

export const runsBatch = (answer: RunsAnswer): WriteBatch => ({
  experimentRuns: [{ evidence: answer, items: answer.items }],
  rejected: [{ evidence: answer, items: answer.rejected, operation: 'ListRuns' }],
});
