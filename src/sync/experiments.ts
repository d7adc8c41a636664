/**
 * Stream `experiment-runs`: ListRuns, newest creation first. It cannot be sorted by modification, so after the first
 * load every pass reads again what was created within the hot window; older changes are found by `reconcile`.
 */
import type { RunsAnswer } from '../domain/answers.js';
import type { Cursor, WriteBatch } from '../domain/batch.js';
import type { Instant, Int64 } from '../domain/entities.js';
import { describeError, MirrorError, PaiError } from '../domain/errors.js';
import { instantFromMillis, instantToMillis } from '../domain/instant.js';
import type { Pass } from './pass.js';
import { earlier, hasFallen, isBehind, later, overlapFloor, watermarkCandidate } from './plan-paging.js';

/** Walks over one list in one pass: rows deleted meanwhile may have hidden others, so it is walked again. */
const MAX_WALKS = 3;

/** Pages of one walk; a token that leads in a circle must not turn for ever. */
const MAX_PAGES = 1_000_000;

export async function experiments(pass: Pass): Promise<void> {
  const cursor = await pass.store.readCursor(pass.scope, 'experiment-runs');
  const loading = cursor?.state.phase === 'first-load' ? cursor : null;
  if (cursor !== null && loading === null && cursor.watermark !== null) return readHotWindow(pass, cursor);
  await firstLoad(pass, loading, cursor);
}

/** Reads the whole list; the token of the next page is stored with every page, so an interrupted load goes on there. */
async function firstLoad(pass: Pass, loading: Cursor | null, before: Cursor | null): Promise<void> {
  let watermark = loading?.watermark ?? null;
  let done = 0;
  const onPage: OnRunsPage = async (answer, isFirst) => {
    if (isFirst && loading === null) watermark = createdWatermark(answer);
    const state = { phase: 'first-load', pageToken: answer.nextPageToken };
    const cursor = answer.nextPageToken === null ? {} : { cursor: { watermark, state } };
    await pass.commit({ ...runsBatch(answer), ...cursor });
    done += answer.received;
    pass.progress('experiment runs', done, answer.totalCount);
    return false;
  };
  const from = loading === null ? null : (loading.state.pageToken as Int64 | null);
  const shrank = await walkRuns(pass, from, onPage).catch((error: unknown) => {
    // A page token may be good for a while only; the load then starts over, with the watermark that it began with.
    if (from === null || done > 0 || !isRefused(error)) throw error;
    pass.deps.logger.warn({ pageToken: from }, `the first load starts over: ${describeError(error)}`);
    return walkRuns(pass, null, onPage);
  });
  // What came in while a load was interrupted stands in front of where it went on; what was deleted hid other rows.
  if (loading !== null || shrank) await walkAgain(pass, storeRunsPage(pass));
  await pass.moveCursor(before, { watermark, state: {} });
}

const isRefused = (error: unknown): boolean =>
  error instanceof PaiError && (error.code === 'PAI_INVALID_REQUEST' || error.code === 'PAI_NOT_FOUND');

const storeRunsPage =
  (pass: Pass): OnRunsPage =>
  async (answer) => {
    await pass.commit(runsBatch(answer));
    return false;
  };

async function readHotWindow(pass: Pass, cursor: Cursor): Promise<void> {
  let watermark: Instant | null = null;
  let floor: Instant | null = null;
  const onPage = async (answer: RunsAnswer, isFirst: boolean): Promise<boolean> => {
    if (isFirst) {
      watermark = createdWatermark(answer);
      floor = hotFloor(pass, cursor.watermark, later(answer.serverTime, watermark));
    }
    await pass.commit(runsBatch(answer));
    return isBehind(
      answer.items.map((run) => run.gmtCreateTime),
      floor,
    );
  };
  if (await walkRuns(pass, null, onPage)) await walkAgain(pass, onPage);
  await pass.moveCursor(cursor, { watermark: later(cursor.watermark, watermark), state: {} });
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

export type OnRunsPage = (answer: RunsAnswer, isFirst: boolean) => Promise<boolean>;

/** Until a walk during which nothing was deleted, at most MAX_WALKS of them. */
export async function walkAgain(pass: Pass, onPage: OnRunsPage): Promise<void> {
  for (let walk = 1; walk < MAX_WALKS; walk += 1) {
    if (!(await walkRuns(pass, null, onPage))) return;
  }
}

/**
 * Follows the page tokens until `onPage` returns true or the list ends. Returns whether TotalCount fell on the way (where
 * PAI sends it at all): rows may then have slid from an unread page to a read one.
 */
export async function walkRuns(pass: Pass, from: Int64 | null, onPage: OnRunsPage): Promise<boolean> {
  let pageToken = from;
  let previousTotal: number | null = null;
  let shrank = false;
  // A walk that comes back to a token goes round for ever: Brent's method finds any circle with one token remembered.
  let landmark = from;
  let nextLandmark = 1;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const request = { pageToken, maxResults: pass.settings.pageSize };
    const answer: RunsAnswer = await pass.call(
      () => pass.source.listRuns(pass.scope, request, pass.signal),
      (found) => found.received,
    );
    shrank ||= hasFallen(answer.totalCount, previousTotal);
    previousTotal = answer.totalCount;
    if ((await onPage(answer, page === 0)) || answer.nextPageToken === null) return shrank;
    pageToken = answer.nextPageToken;
    if (pageToken === landmark) throw circularToken(pageToken);
    if (page + 1 === nextLandmark) {
      landmark = pageToken;
      nextLandmark *= 2;
    }
  }
  throw circularToken(pageToken ?? '');
}

const circularToken = (token: string): MirrorError =>
  new MirrorError(`ListRuns: page token ${token} leads back to itself, expected another one or 0`, {
    code: 'WALK_UNBOUNDED',
    retryable: true,
    blast: 'scope',
  });

export const runsBatch = (answer: RunsAnswer): WriteBatch => ({
  experimentRuns: [{ evidence: answer, items: answer.items }],
  rejected: [{ evidence: answer, items: answer.rejected, operation: 'ListRuns' }],
});
