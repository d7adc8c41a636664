/**
 * Stream `pipeline-runs`: what is new or modified in ListPipelineRuns. A scope that was never read is loaded first
 * (first-load.ts); after that every pass walks newest modification first, down to the watermark less an overlap.
 */
import type { ListAnswer } from '../domain/answers.js';
import type { Cursor } from '../domain/batch.js';
import type { Instant, PipelineRun } from '../domain/entities.js';
import { beginFirstLoad, continueFirstLoad, isFirstLoad } from './first-load.js';
import { pageBatch, walkForward, walkUntilCounted } from './list-pages.js';
import type { Pass } from './pass.js';
import { isBehind, later, overlapFloor, watermarkCandidate } from './plan-paging.js';
import { cursorNameOf, findHiddenTypes, hiddenTypes } from './source-types.js';

export async function discover(pass: Pass): Promise<void> {
  await discoverListed(pass);
  for (const { sourceType, cursor } of await hiddenTypes(pass)) {
    if (cursor.watermark === null) await loadType(pass, sourceType);
    else await discoverModified(pass, cursor, sourceType);
  }
}

/** A type that was found hidden is read whole once; until that is done its cursor says so. */
async function loadType(pass: Pass, sourceType: string): Promise<void> {
  let watermark: Instant | null = null;
  const countKnown = () => pass.store.countPresent(pass.scope, 'pipeline_run', sourceType);
  const onPage = async (answer: ListAnswer<PipelineRun>): Promise<void> => {
    // Of whichever page is the first; that of a walk by creation need not show the newest modification, and is safe.
    watermark ??= watermarkCandidate(
      answer.items.map((run) => run.gmtModifiedTime),
      answer.serverTime,
    );
    await pass.commit(pageBatch(answer));
  };
  await walkUntilCounted(pass, countKnown, onPage, sourceType);
  const loaded = { watermark, state: {} };
  await pass.moveCursor(null, loaded, cursorNameOf(sourceType));
  await discoverModified(pass, loaded, sourceType);
}

async function discoverListed(pass: Pass): Promise<void> {
  const cursor = await pass.store.readCursor(pass.scope, 'pipeline-runs');
  if (cursor?.watermark != null && !isFirstLoad(cursor)) return discoverModified(pass, cursor);
  const begun = cursor !== null && isFirstLoad(cursor) ? cursor : await beginFirstLoad(pass, cursor);
  // Whatever was modified while the load ran is behind the watermark that was taken when it began.
  if (isFirstLoad(begun)) await discoverModified(pass, await continueFirstLoad(pass, begun));
  // An empty scope is a first load each time, and only the first of them looks.
  if (begun.watermark !== null || cursor === null) await findHiddenTypes(pass);
}

/** Reads what was modified since the watermark; the cursor moves last, once everything in front of it is stored. */
async function discoverModified(pass: Pass, cursor: Cursor, sourceType?: string): Promise<void> {
  const floor = overlapFloor(cursor.watermark, pass.settings.overlapSeconds);
  let watermark: Instant | null = null;
  await walkForward(
    pass,
    'GmtModifiedTime',
    async (answer, isFirst) => {
      const times = answer.items.map((run) => run.gmtModifiedTime);
      if (isFirst) watermark = watermarkCandidate(times, answer.serverTime);
      await pass.commit(pageBatch(answer));
      return isBehind(times, floor);
    },
    sourceType,
  );
  const name = sourceType === undefined ? undefined : cursorNameOf(sourceType);
  await pass.moveCursor(cursor, { watermark: later(cursor.watermark, watermark), state: {} }, name);
}
