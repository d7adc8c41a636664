/**
 * Stream `pipeline-runs`: what is new or modified in ListPipelineRuns. A scope that was never read is loaded first
 * (first-load.ts); after that every pass walks newest modification first, down to the watermark less an overlap.
 */
import type { Cursor } from '../domain/batch.js';
import type { Instant } from '../domain/entities.js';
import { beginFirstLoad, continueFirstLoad, isFirstLoad } from './first-load.js';
import { pageBatch, walkForward } from './list-pages.js';
import type { Pass } from './pass.js';
import { isBehind, later, overlapFloor, watermarkCandidate } from './plan-paging.js';

export async function discover(pass: Pass): Promise<void> {
  const cursor = await pass.store.readCursor(pass.scope, 'pipeline-runs');
  if (cursor?.watermark != null && !isFirstLoad(cursor)) return discoverModified(pass, cursor);
  const begun = cursor !== null && isFirstLoad(cursor) ? cursor : await beginFirstLoad(pass, cursor);
  // Whatever was modified while the load ran is behind the watermark that was taken when it began.
  if (isFirstLoad(begun)) await discoverModified(pass, await continueFirstLoad(pass, begun));
}

/** Reads what was modified since the watermark; the cursor moves last, once everything in front of it is stored. */
async function discoverModified(pass: Pass, cursor: Cursor): Promise<void> {
  const floor = overlapFloor(cursor.watermark, pass.settings.overlapSeconds);
  let watermark: Instant | null = null;
  await walkForward(pass, 'GmtModifiedTime', async (answer, isFirst) => {
    const times = answer.items.map((run) => run.gmtModifiedTime);
    if (isFirst) watermark = watermarkCandidate(times, answer.serverTime);
    await pass.commit(pageBatch(answer));
    return isBehind(times, floor);
  });
  await pass.moveCursor(cursor, { watermark: later(cursor.watermark, watermark), state: {} });
}
