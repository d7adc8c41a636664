/**
 * Its page can be read so that ListPipelineRuns without SourceType lists only the runs of UNKNOWN, and nobody could
 * establish what it does. So the other types are asked for by name now and then (one call each, after the first load and
 * in every reconcile). A type that brings runs which the list without a filter has not shown is hidden by it: from then
 * on it has a cursor, and is walked like a list of its own.
 */

import type { Cursor } from '../domain/batch.js';
import { joinBatches } from './join-batches.js';
import { listPage, pageBatch } from './list-pages.js';
import type { Pass } from './pass.js';

export interface HiddenType {
  readonly sourceType: string;
  readonly cursor: Cursor;
}

export const cursorNameOf = (sourceType: string): string => `pipeline-runs/${sourceType}`;

/** The types that are known to be hidden: those with a cursor. */
export async function hiddenTypes(pass: Pass): Promise<readonly HiddenType[]> {
  const hidden: HiddenType[] = [];
  for (const sourceType of pass.settings.sourceTypes) {
    const cursor = await pass.store.readCursor(pass.scope, cursorNameOf(sourceType));
    if (cursor !== null) hidden.push({ sourceType, cursor });
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
 * list without a filter is asked once more, after the type's: it shows such a run, and never a hidden one.
 */
async function probe(pass: Pass, sourceType: string): Promise<void> {
  const answer = await newestPage(pass, sourceType);
  pass.needed(1);
  const ids = answer.items.map((run) => run.pipelineRunId);
  if ((await pass.store.countUnknown(ids)) === 0) return void (await pass.commit(pageBatch(answer)));
  const listed = await newestPage(pass);
  const shown = new Set(listed.items.map((run) => run.pipelineRunId));
  const unknown = await pass.store.countUnknown(ids.filter((id) => !shown.has(id)));
  if (unknown === 0) return void (await pass.commit(joinBatches([pageBatch(answer), pageBatch(listed)])));
  pass.deps.logger.info({ sourceType }, 'ListPipelineRuns shows these runs only when it is asked for their SourceType');
  // In one transaction: once the runs are stored, nothing but the cursor tells that more of them are hidden.
  const cursor = { watermark: null, state: {} };
  await pass.commit({ ...pageBatch(answer), cursor, cursorName: cursorNameOf(sourceType) });
}
