/**
 * Its page can be read so that ListPipelineRuns without SourceType lists only the runs of UNKNOWN, and nobody could
 * establish what it does. So the other types are asked for by name now and then (one call each, after the first load and
 * in every reconcile). A type that brings runs which the list without a filter has not shown is hidden by it: from then
 * on it has a cursor, and is walked like a list of its own, until a reconcile meets its runs in the list without a filter.
 */

import type { Cursor } from '../domain/batch.js';
import type { Instant } from '../domain/entities.js';
import { joinBatches } from './join-batches.js';
import { listPage, pageBatch } from './list-pages.js';
import type { Pass } from './pass.js';
import type { SeenIds } from './ports.js';

export interface HiddenType {
  readonly sourceType: string;
  readonly cursor: Cursor;
}

export const cursorNameOf = (sourceType: string): string => `pipeline-runs/${sourceType}`;

/** The cursor of a type that was taken for hidden once, and is not. */
const NOT_HIDDEN: Cursor = { watermark: null, state: { hidden: false } };

/** The types that are known to be hidden: those with a cursor that does not say otherwise. */
export async function hiddenTypes(pass: Pass): Promise<readonly HiddenType[]> {
  const hidden: HiddenType[] = [];
  for (const sourceType of pass.settings.sourceTypes) {
    const cursor = await pass.store.readCursor(pass.scope, cursorNameOf(sourceType));
    if (cursor !== null && cursor.state.hidden !== false) hidden.push({ sourceType, cursor });
  }
  return hidden;
}

const newestPage = (pass: Pass, sourceType?: string) =>
  listPage(pass, {
    pageNumber: 1,
    pageSize: pass.settings.pageSize,
    sortBy: 'GmtModifiedTime',
    order: 'DESC',
    ...(sourceType === undefined ? {} : { sourceType }),
  });

/** Call it when everything that the list without a filter shows is stored. */
export async function findHiddenTypes(pass: Pass): Promise<void> {
  // Nothing that the list has shown was kept, so every type would look hidden.
  if (pass.store.dryRun) return;
  const known = new Set((await hiddenTypes(pass)).map(({ sourceType }) => sourceType));
  for (const sourceType of pass.settings.sourceTypes) if (!known.has(sourceType)) await probe(pass, sourceType);
}

/**
 * A run that came in only just now is unknown, too. A type taken for hidden is walked in every pass from then on, so the
 * list without a filter is asked once more, after the type's: it shows such a run, and never a hidden one. And one that
 * was deleted between the two calls is gone from the type's list as well, which is asked again before anything is believed.
 */
async function probe(pass: Pass, sourceType: string): Promise<void> {
  const answer = await newestPage(pass, sourceType);
  pass.needed(1);
  const ids = answer.items.map((run) => run.pipelineRunId);
  if ((await pass.store.countUnknown(ids)) === 0) return void (await pass.commit(pageBatch(answer)));
  const listed = await newestPage(pass);
  const shown = new Set(listed.items.map((run) => run.pipelineRunId));
  const notShown = ids.filter((id) => !shown.has(id));
  if ((await pass.store.countUnknown(notShown)) === 0 || !(await isStillListed(pass, sourceType, notShown)))
    return void (await pass.commit(joinBatches([pageBatch(answer), pageBatch(listed)])));
  pass.deps.logger.info({ sourceType }, 'ListPipelineRuns shows these runs only when it is asked for their SourceType');
  // In one transaction: once the runs are stored, nothing but the cursor tells that more of them are hidden.
  const cursor = { watermark: null, state: {} };
  await pass.commit({ ...pageBatch(answer), cursor, cursorName: cursorNameOf(sourceType) });
}

async function isStillListed(pass: Pass, sourceType: string, ids: readonly string[]): Promise<boolean> {
  const listed = new Set((await newestPage(pass, sourceType)).items.map((run) => run.pipelineRunId));
  return (await pass.store.countUnknown(ids.filter((id) => listed.has(id)))) > 0;
}

/**
 * Call it after the whole list without a filter was walked. That the walk has shown the newest runs of a type, all that
 * were there when it began, proves that they are not hidden: a type is taken for hidden by a run that came and went in the
 * wrong moment, or PAI has learned to show it. Walking it again each time would cost a call a pass for ever, and its runs,
 * which are all seen already, would look like runs that are counted and not shown.
 */
export async function isShownAfterAll(
  pass: Pass,
  sourceType: string,
  seen: SeenIds,
  walkBeganAt: Instant | null,
): Promise<boolean> {
  const answer = await newestPage(pass, sourceType);
  pass.needed(1);
  const ids = answer.items
    .filter(({ gmtModifiedTime }) => gmtModifiedTime !== null && walkBeganAt !== null && gmtModifiedTime < walkBeganAt)
    .map((run) => run.pipelineRunId);
  if (ids.length === 0) return false;
  const before = await seen.count();
  await seen.add(ids);
  if ((await seen.count()) > before) return false;
  pass.deps.logger.info(
    { sourceType },
    'ListPipelineRuns shows the runs of this SourceType without being asked for it',
  );
  await pass.commit({ ...pageBatch(answer), cursor: NOT_HIDDEN, cursorName: cursorNameOf(sourceType) });
  return true;
}
