/** Walking over ListPipelineRuns, and what one of its pages writes. */
import type { ListAnswer, PipelineRunSortKey, SortOrder } from '../domain/answers.js';
import type { WriteBatch } from '../domain/batch.js';
import type { PipelineRun } from '../domain/entities.js';
import { MirrorError } from '../domain/errors.js';
import type { Pass } from './pass.js';
import { effectivePageSize, hasFallen, nextForwardPage, walkBound } from './plan-paging.js';

export const listPage = (
  pass: Pass,
  page: { pageNumber: number; pageSize: number; sortBy: PipelineRunSortKey; order: SortOrder; sourceType?: string },
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
  sourceType?: string,
): Promise<void> {
  const filter = sourceType === undefined ? {} : { sourceType };
  let pageSize = pass.settings.pageSize;
  let previousTotal: number | null = null;
  let bound = 1;
  let page: number | null = 1;
  for (let read = 0; page !== null; read += 1) {
    if (read >= bound) throw endlessWalk(read, sortBy);
    const answer: ListAnswer<PipelineRun> = await listPage(pass, {
      pageNumber: page,
      pageSize,
      sortBy,
      order: 'DESC',
      ...filter,
    });
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

/** Different keys break different ties, and a second walk by the same key draws random ties anew. */
const SORT_KEYS = ['GmtCreateTime', 'GmtModifiedTime', 'StartedAt', 'PipelineId'] as const;
const MAX_WALKS = 12;

/** Walks in a row that brought nothing new, after which the source is taken to count more than it shows. */
const FRUITLESS_WALKS = 3;

/**
 * Walks by one sort key after the other until as many distinct rows are known as the source counts: rows that share a
 * key may change places between two pages, and then a single walk sees some twice and others not at all. Returns
 * whether the count came out right (also when the source does not count).
 */
export async function walkUntilCounted(
  pass: Pass,
  countKnown: () => Promise<number>,
  onPage: (answer: ListAnswer<PipelineRun>) => Promise<void>,
  sourceType?: string,
): Promise<boolean> {
  let known = await countKnown();
  let fruitless = 0;
  for (let walk = 0; walk < MAX_WALKS && fruitless < FRUITLESS_WALKS; walk += 1) {
    const total = await walkAll(pass, SORT_KEYS[walk % SORT_KEYS.length] as PipelineRunSortKey, onPage, sourceType);
    const now = await countKnown();
    if (total === null || now >= total) return true;
    fruitless = now > known || walk === 0 ? 0 : fruitless + 1;
    known = now;
  }
  pass.deps.logger.warn({ known }, 'the source counts more pipeline runs than it shows');
  return false;
}

/** Returns the last TotalCount. */
async function walkAll(
  pass: Pass,
  sortBy: PipelineRunSortKey,
  onPage: (answer: ListAnswer<PipelineRun>) => Promise<void>,
  sourceType?: string,
): Promise<number | null> {
  let total: number | null = null;
  const repeats = new RepeatedPages();
  const onNext = async (answer: ListAnswer<PipelineRun>): Promise<boolean> => {
    await onPage(answer);
    total = answer.totalCount;
    return repeats.tooMany(answer);
  };
  await walkForward(pass, sortBy, onNext, sourceType);
  return total;
}

/** Notices a server that answers every page number with the same page, which would be read once a page of TotalCount. */
class RepeatedPages {
  private last = '';
  private times = 0;

  tooMany(answer: ListAnswer<PipelineRun>): boolean {
    const page = `${answer.totalCount} ${answer.items.map((run) => run.pipelineRunId).join(' ')}`;
    this.times = page === this.last && answer.received > 0 ? this.times + 1 : 0;
    this.last = page;
    return this.times >= 3;
  }
}

const endlessWalk = (pages: number, sortBy: string): MirrorError =>
  new MirrorError(`ListPipelineRuns by ${sortBy} has not ended after ${pages} pages, more than twice what it counted`, {
    code: 'WALK_UNBOUNDED',
    retryable: true,
    blast: 'scope',
  });
