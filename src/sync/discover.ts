/**
 * Stream `pipeline-runs`: what is new or modified in ListPipelineRuns. A scope that was never read is loaded first
 * (first-load.ts); after that every pass walks newest modification first, down to the watermark less an overlap.
 */
import type { ListAnswer } from '../domain/answers.js';
import type { Cursor } from '../domain/batch.js';
import type { Instant, PipelineRun } from '../domain/entities.js';
import { setUrgent } from '../util/urgency.js';
import { beginFirstLoad, continueFirstLoad } from './first-load.js';
import { type CountedWalks, identitiesOf, pageBatch, walkForward, walkUntilCounted } from './list-pages.js';
import { isFirstLoad, readState } from './load-state.js';
import { countStored, storingPages } from './page-store.js';
import type { Pass } from './pass.js';
import { isBehind, nextWatermark, overlapFloor, watermarkCandidate, withinClock } from './plan-paging.js';
import type { ForwardWalk } from './plan-walk.js';
import { cursorNameOf, findHiddenTypes, hiddenTypes } from './source-types.js';

export async function discover(pass: Pass): Promise<void> {
  await discoverListed(pass);
  for (const { sourceType, cursor } of await hiddenTypes(pass)) {
    if (cursor.watermark === null) await loadType(pass, sourceType, cursor);
    else await discoverModified(pass, cursor, sourceType);
  }
}

/** A type that was found hidden is read whole once; until that is done its cursor says so. */
async function loadType(pass: Pass, sourceType: string, before: Cursor): Promise<void> {
  let watermark: Instant | null = null;
  const { pages } = await storeUntilCounted(pass, sourceType, (answer) => {
    // Of whichever page is the first; that of a walk by creation need not show the newest modification, and is safe.
    watermark ??= candidateOf(answer);
  });
  pass.needed(pages);
  const loaded = { watermark, state: {} };
  await pass.moveCursor(before, loaded, cursorNameOf(sourceType));
  await discoverModified(pass, loaded, sourceType);
}

async function discoverListed(pass: Pass): Promise<void> {
  const cursor = await pass.store.readCursor(pass.scope, 'pipeline-runs');
  if (cursor?.watermark != null && !isFirstLoad(cursor)) return discoverModified(pass, cursor);
  // Everything there is, for hours perhaps: the other streams and scopes must not wait for that.
  setUrgent(pass.signal, false);
  const begun = cursor !== null && isFirstLoad(cursor) ? cursor : await beginFirstLoad(pass, cursor);
  // One that had nothing to load has read its only page.
  pass.needed(isFirstLoad(begun) ? readState(begun).nextPage : 1);
  if (isFirstLoad(begun)) await finishFirstLoad(pass, await continueFirstLoad(pass, begun));
  // An empty scope is a first load each time, and only the first of them looks.
  if (begun.watermark !== null || cursor === null) await findHiddenTypes(pass);
}

/** Passes over what was modified, until one of them is quiet enough for its count to be compared. */
const MAX_COUNTS = 3;

/**
 * Whatever was modified while the load ran is behind the watermark that was taken when it began. Once that is stored, the
 * mirror must hold as many rows as that walk counted; its answers say so, and no call is made for it.
 */
async function finishFirstLoad(pass: Pass, loaded: Cursor): Promise<void> {
  const { unreadable, inDoubt, mayHaveShifted } = readState(loaded);
  let cursor = loaded;
  let isShort = true;
  for (let number = 0; number < MAX_COUNTS; number += 1) {
    const { cursor: read, walk } = await readModified(pass, cursor);
    cursor = read;
    if (number === 0) pass.needed(walk.furthest);
    // Of what a dry run reads nothing is there to be counted.
    const stored = pass.store.dryRun ? null : (await pass.store.countPresent(pass.scope, 'pipeline_run')) + unreadable;
    isShort = stored !== null && stored < (walk.lastTotal ?? 0);
    // Runs that came in during the walk are counted by its end, and found by the next.
    if (!isShort || (stored ?? 0) < (walk.firstTotal ?? 0)) break;
  }
  // A row that was deleted meanwhile counts as one that was missed would; where ties leave a doubt, that must not be.
  if (isShort || (inDoubt && mayHaveShifted && !pass.store.dryRun)) await storeUntilCounted(pass);
  await pass.commit({ cursor });
}

/** Reads what was modified since the watermark; the cursor moves last, once everything in front of it is stored. */
async function discoverModified(pass: Pass, before: Cursor, sourceType?: string): Promise<void> {
  const { cursor, walk } = await readModified(pass, before, sourceType);
  pass.needed(walk.furthest);
  await pass.moveCursor(before, cursor, sourceType === undefined ? undefined : cursorNameOf(sourceType));
}

const candidateOf = (answer: ListAnswer<PipelineRun>): Instant | null =>
  watermarkCandidate(
    answer.items.map((run) => run.gmtModifiedTime),
    answer.serverTime,
  );

/** Returns the cursor to move to, and the walk as it ended. */
async function readModified(
  pass: Pass,
  before: Cursor,
  sourceType?: string,
): Promise<{ cursor: Cursor; walk: ForwardWalk }> {
  const settledKey = typeof before.state.settledKey === 'string' ? before.state.settledKey : null;
  let now: Instant | null = null;
  let floor: Instant | null = null;
  let watermark: Instant | null = null;
  const walk = await storingPages(pass, null, (pages) =>
    walkForward(pass, { sortBy: 'GmtModifiedTime', sourceType, settledKey }, async (answer, isFirst) => {
      if (isFirst) {
        now = answer.serverTime;
        floor = overlapFloor(withinClock(before.watermark, answer.serverTime), pass.settings.overlapSeconds);
        watermark = nextWatermark(before.watermark, candidateOf(answer), answer.serverTime);
      }
      await pages.add({ batch: pageBatch(answer), size: answer.size });
      return isBehind(
        answer.items.map((run) => run.gmtModifiedTime),
        floor,
      );
    }),
  );
  // So many rows of one key that their ties cannot be proved: seen once by counting, they need not be again, for as long
  // as they are read. Not those of this very moment: more rows may come to have that key.
  const settled = [settledKey, ...walk.givenUp.filter((given) => given !== null && now !== null && given < now)];
  const key = withinReach(newest(settled), watermark, pass.settings.overlapSeconds);
  if (!walk.isProved) await storeUntilCounted(pass, sourceType);
  return { cursor: { watermark, state: key === null ? {} : { settledKey: key } }, walk };
}

/** Null for a key that the next walk does not come to, and for one of the future: the source's clock was put back. */
function withinReach(key: string | null, watermark: Instant | null, overlapSeconds: number): string | null {
  const floor = overlapFloor(watermark, overlapSeconds);
  return key !== null && watermark !== null && floor !== null && key >= floor && key <= watermark ? key : null;
}

const newest = (keys: readonly (string | null)[]): string | null =>
  keys.reduce((a, b) => (a === null || (b !== null && b > a) ? b : a), null);

/** Stores the whole list, walk by walk, until as many different rows were shown as are counted. */
async function storeUntilCounted(
  pass: Pass,
  sourceType?: string,
  onPage: (answer: ListAnswer<PipelineRun>) => void = () => {},
): Promise<CountedWalks> {
  // As long as a first load, and no more pressing.
  setUrgent(pass.signal, false);
  const seen = await pass.store.openSeenIds(pass.scope, 'pipeline_run');
  try {
    return await storingPages(pass, seen, async (pages) => {
      const store = async (answer: ListAnswer<PipelineRun>): Promise<void> => {
        onPage(answer);
        await pages.add({ batch: pageBatch(answer), size: answer.size, ids: identitiesOf(answer) });
      };
      return walkUntilCounted(pass, countStored(seen, pages), store, sourceType);
    });
  } finally {
    await seen.close();
  }
}
