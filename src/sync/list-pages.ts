/** Walking over ListPipelineRuns, and what one of its pages writes. */
import type { ListAnswer, PipelineRunSortKey, SortOrder } from '../domain/answers.js';
import type { WriteBatch } from '../domain/batch.js';
import type { PipelineRun } from '../domain/entities.js';
import { MirrorError } from '../domain/errors.js';
import type { Pass } from './pass.js';
import { effectivePageSize, hasFallen, nextForwardPage, walkBound } from './plan-paging.js';

export const listPage = (
  pass: Pass,
  page: { pageNumber: number; pageSize: number; sortBy: PipelineRunSortKey; order: SortOrder },
): Promise<ListAnswer<PipelineRun>> =>
  pass.call(
    () => pass.source.listPipelineRuns(pass.scope, page, pass.signal),
    (answer) => answer.received,
  );

/** The write batch of some pages: their good items, and their bad ones for quarantine. */
export const pageBatch = (...answers: readonly ListAnswer<PipelineRun>[]): WriteBatch => ({
  pipelineRuns: answers.map((answer) => ({ evidence: answer, items: answer.items })),
  rejected: answers.map((answer) => ({ evidence: answer, items: answer.rejected, operation: 'ListPipelineRuns' })),
});

/**
 * Walks descending pages from the first one, stepping back when rows were deleted meanwhile, until `onPage` returns
 * true or the list ends. One call at a time: that order is what makes the comparison of TotalCounts sound.
 */
export async function walkForward(
  pass: Pass,
  sortBy: PipelineRunSortKey,
  onPage: (answer: ListAnswer<PipelineRun>, isFirst: boolean) => Promise<boolean>,
): Promise<void> {
  let pageSize = pass.settings.pageSize;
  let previousTotal: number | null = null;
  let bound = 1;
  let page: number | null = 1;
  for (let read = 0; page !== null; read += 1) {
    if (read >= bound) throw endlessWalk(read, sortBy);
    const answer: ListAnswer<PipelineRun> = await listPage(pass, { pageNumber: page, pageSize, sortBy, order: 'DESC' });
    if (read === 0) {
      pageSize = effectivePageSize(pageSize, answer);
      bound = walkBound(answer.totalCount, pageSize);
    }
    const enough = await onPage(answer, read === 0);
    // Rows that slid past while TotalCount fell may be newer than those that made the caller stop.
    if (enough && !hasFallen(answer.totalCount, previousTotal)) return;
    page = nextForwardPage(page, pageSize, answer, previousTotal);
    previousTotal = answer.totalCount;
  }
}

const endlessWalk = (pages: number, sortBy: string): MirrorError =>
  new MirrorError(`ListPipelineRuns by ${sortBy} has not ended after ${pages} pages, more than twice what it counted`, {
    code: 'WALK_UNBOUNDED',
    retryable: true,
    blast: 'scope',
  });
