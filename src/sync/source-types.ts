/**
 * Its page can be read so that ListPipelineRuns without SourceType lists only the runs of UNKNOWN, and nobody could
 * establish what it does. So the other types are asked for by name now and then (one call each, after the first load and
 * in every reconcile). A type that brings runs which the list without a filter has not shown is hidden by it: from then
 * on it has a cursor, and is walked like a list of its own.
 */

import type { Cursor } from '../domain/batch.js';
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

/** Call it when everything that the list without a filter shows is stored. */
export async function findHiddenTypes(pass: Pass): Promise<void> {
  // Nothing that the list has shown was kept, so every type would look hidden.
  if (pass.store.dryRun) return;
  const known = new Set((await hiddenTypes(pass)).map(({ sourceType }) => sourceType));
  for (const sourceType of pass.settings.sourceTypes) if (!known.has(sourceType)) await probe(pass, sourceType);
}

/** A run that came in only just now looks hidden, too: that costs one call more a pass and is no harm. */
async function probe(pass: Pass, sourceType: string): Promise<void> {
  const pageSize = pass.settings.pageSize;
  const answer = await listPage(pass, {
    pageNumber: 1,
    pageSize,
    sortBy: 'GmtModifiedTime',
    order: 'DESC',
    sourceType,
  });
  const unknown = await pass.store.countUnknown(answer.items.map((run) => run.pipelineRunId));
  if (unknown === 0) return void (await pass.commit(pageBatch(answer)));
  pass.deps.logger.info({ sourceType }, 'ListPipelineRuns shows these runs only when it is asked for their SourceType');
  // In one transaction: once the runs are stored, nothing but the cursor tells that more of them are hidden.
  const cursor = { watermark: null, state: {} };
  await pass.commit({ ...pageBatch(answer), cursor, cursorName: cursorNameOf(sourceType) });
}
