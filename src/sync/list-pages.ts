/** Walking over ListPipelineRuns, and what one of its pages writes. */
import type { ListAnswer, PipelineRunSortKey, SortOrder } from '../domain/answers.js';
import type { WriteBatch } from '../domain/batch.js';
import type { PipelineRun, Rejected } from '../domain/entities.js';
import { MirrorError } from '../domain/errors.js';
import { fingerprintOf } from '../domain/quarantine.js';
import type { Pass } from './pass.js';
import type { PageRows } from './plan-ties.js';
import { ForwardWalk } from './plan-walk.js';

export const listPage = (
  pass: Pass,
  page: { pageNumber: number; pageSize: number; sortBy: PipelineRunSortKey; order: SortOrder; sourceType?: string },
): Promise<ListAnswer<PipelineRun>> =>
  pass.call(
    () => pass.source.listPipelineRuns(pass.scope, page, pass.signal),
    (answer) => answer.received,
  );

/** The write batch of a page: its good items, and its bad ones for quarantine. */
export const pageBatch = (answer: ListAnswer<PipelineRun>): WriteBatch => ({
  pipelineRuns: [{ evidence: answer, items: answer.items }],
  rejected: [{ evidence: answer, items: answer.rejected, operation: 'ListPipelineRuns' }],
});

/** What stands for an item where items are counted: its id or, where not even that could be read, its text. */
export const identityOf = ({ entityId, raw }: Rejected): string => entityId ?? `unreadable ${fingerprintOf(raw)}`;

/** Everything that the page shows, each item once. */
export const identitiesOf = (answer: ListAnswer<PipelineRun>): string[] => [
  ...answer.items.map((run) => run.pipelineRunId),
  ...answer.rejected.map(identityOf),
];

/** The sort keys that the mirror knows exactly as PAI compares them, and whose groups are small as a rule. */
const KEYS: { readonly [key in PipelineRunSortKey]?: (run: PipelineRun) => string | null } = {
  GmtCreateTime: (run) => run.gmtCreateTime,
  GmtModifiedTime: (run) => run.gmtModifiedTime,
};

/** The rows of an answer in its own order. */
export function pageRows(answer: ListAnswer<PipelineRun>, sortBy: PipelineRunSortKey): PageRows {
  const keyOf = KEYS[sortBy] ?? (() => null);
  return {
    rows: answer.items.map((run) => ({ id: run.pipelineRunId, key: keyOf(run) })),
    unreadable: answer.rejected.map(identityOf),
  };
}

export interface WalkRequest {
  readonly sortBy: PipelineRunSortKey;
  readonly sourceType?: string | undefined;
  /** See ForwardWalk. */
  readonly settledKey?: string | null;
}

/**
 * Walks descending pages from the first one until `onPage` returns true or the list ends, and back where rows may have
 * been missed. One call at a time: that order is what makes the comparison of TotalCounts sound.
 */
export async function walkForward(
  pass: Pass,
  { sortBy, sourceType, settledKey = null }: WalkRequest,
  onPage: (answer: ListAnswer<PipelineRun>, isFirst: boolean) => Promise<boolean>,
): Promise<ForwardWalk> {
  const filter = sourceType === undefined ? {} : { sourceType };
  const walk = new ForwardWalk({ pageSize: pass.settings.pageSize, keyed: sortBy in KEYS, settledKey });
  const repeats = new RepeatedPages();
  for (let read = 0; walk.page !== null; read += 1) {
    if (walk.isEndless) throw endlessWalk(read, sortBy);
    const pageNumber = walk.page;
    const request = { pageNumber, pageSize: walk.pageSize, sortBy, order: 'DESC' as const, ...filter };
    const answer = await listPage(pass, request);
    const enough = await onPage(answer, read === 0);
    const { received, totalCount } = answer;
    if (repeats.tooMany(pageNumber, answer)) walk.breakOff();
    else walk.take({ ...pageRows(answer, sortBy), received, totalCount }, enough);
  }
  return walk;
}

/** Different keys break different ties, and a second walk by the same key draws random ties anew. */
const SORT_KEYS = ['GmtCreateTime', 'GmtModifiedTime', 'StartedAt', 'PipelineId'] as const;
const MAX_WALKS = 12;

/** Walks in a row that brought nothing new, after which the source is taken to count more than it shows. */
const FRUITLESS_WALKS = 3;

export interface CountedWalks {
  /** Everything that was there throughout was seen. */
  readonly isComplete: boolean;
  /** Pages that one walk over the list takes: what comes on top had to settle a doubt. */
  readonly pages: number;
}

/**
 * Walks by one sort key after the other until as many distinct rows were seen as the source counts. `countSeen` counts
 * what these walks showed, not what the mirror holds: a row deleted since would stand for one that was missed.
 */
export async function walkUntilCounted(
  pass: Pass,
  countSeen: () => Promise<number>,
  onPage: (answer: ListAnswer<PipelineRun>) => Promise<void>,
  sourceType?: string,
): Promise<CountedWalks> {
  const onNext = async (answer: ListAnswer<PipelineRun>): Promise<boolean> => {
    await onPage(answer);
    return false;
  };
  let shortBy = Number.POSITIVE_INFINITY;
  let fruitless = 0;
  let fallen = 0;
  let pages = 0;
  for (let number = 0; number < MAX_WALKS && fruitless < FRUITLESS_WALKS; number += 1) {
    const sortBy = SORT_KEYS[number % SORT_KEYS.length] as PipelineRunSortKey;
    const walk = await walkForward(pass, { sortBy, sourceType }, onNext);
    fallen += walk.fallen;
    if (number === 0) pages = walk.furthest;
    const short = shortfall(walk, await countSeen(), fallen);
    if (short <= 0) return { isComplete: true, pages };
    fruitless = short < shortBy ? 0 : fruitless + 1;
    shortBy = Math.min(short, shortBy);
  }
  pass.deps.logger.warn({ shortBy }, 'the source counts more pipeline runs than it shows');
  return { isComplete: false, pages };
}

/**
 * How many rows the walks so far may have missed. A walk that is proved only has to agree with the count: as many rows as
 * there were throughout. Otherwise the count has to prove it: rows deleted meanwhile may be among those that were seen.
 */
function shortfall(walk: ForwardWalk, seen: number, fallen: number): number {
  if (walk.isProved) return walk.leastTotal === null ? 0 : walk.leastTotal - seen;
  return walk.lastTotal === null ? Number.POSITIVE_INFINITY : walk.lastTotal - (seen - fallen);
}

/** Pages with the same rows and different numbers, after which the walk ends. */
const MAX_REPEATS = 3;

/** Notices a server that answers every page number with the same page, which would be read once a page of TotalCount. */
class RepeatedPages {
  private last = '';
  private lastNumber = 0;
  private times = 0;

  tooMany(pageNumber: number, answer: ListAnswer<PipelineRun>): boolean {
    const page = `${answer.totalCount} ${identitiesOf(answer).join(' ')}`;
    if (pageNumber === this.lastNumber && page === this.last) return false;
    this.times = page === this.last && answer.received > 0 ? this.times + 1 : 0;
    this.last = page;
    this.lastNumber = pageNumber;
    return this.times >= MAX_REPEATS;
  }
}

const endlessWalk = (pages: number, sortBy: string): MirrorError =>
  new MirrorError(`ListPipelineRuns by ${sortBy} has not ended after ${pages} pages, more than twice what it counted`, {
    code: 'WALK_UNBOUNDED',
    retryable: true,
    blast: 'scope',
  });
