/** Pages of a walk on their way into the store, behind the calls that bring them. */
import { addEffect, type Effect, type WriteBatch } from '../domain/batch.js';
import { isClean, joinBatches } from './join-batches.js';
import type { Pass } from './pass.js';
import type { SeenIds } from './ports.js';
import { WriteBehind } from './write-behind.js';

/** Some 3,000 rows: more in one transaction are stored no faster. */
const PAGES_PER_COMMIT = 30;

export interface StoredPage {
  readonly batch: WriteBatch;
  /** Characters of the answer. */
  readonly size?: number | undefined;
  /** Noted as seen once the page is stored. */
  readonly ids?: readonly string[];
  /** What its rows did is added to this, apart from those of other tallies; default: only to the pass's own. */
  readonly tally?: Effect;
}

export type PageStore = WriteBehind<StoredPage>;

const PLAIN: ReadonlySet<string> = new Set(['pipelineRuns', 'rejected', 'cursor'] satisfies (keyof WriteBatch)[]);

/** What is bad on this page may be good on the next, and settles it then: not in one transaction. */
const endsGroup = ({ batch }: StoredPage): boolean => !isClean(batch);

/** Pipeline runs and a cursor, nothing that is bad, and nothing that hangs on them. */
const isPlain = ({ batch }: StoredPage): boolean =>
  Object.keys(batch).every((part) => PLAIN.has(part)) && isClean(batch);

const idsOf = ({ batch }: StoredPage): string[] =>
  (batch.pipelineRuns ?? []).flatMap(({ items }) => items.map((run) => run.pipelineRunId));

/** Whether the two can be written side by side: they may not wait for each other's rows. */
export function areApart(some: readonly StoredPage[], next: readonly StoredPage[]): boolean {
  if (![...some, ...next].every(isPlain)) return false;
  const ids = new Set(some.flatMap(idsOf));
  return !next.some((page) => idsOf(page).some((id) => ids.has(id)));
}

/**
 * One transaction for each tally of a group. Where two of them show the same run in two states the older one may come
 * last: the database knows which is which.
 */
function byTally(pages: readonly StoredPage[]): StoredPage[][] {
  const parts = new Map<Effect | undefined, StoredPage[]>();
  for (const page of pages) {
    const part = parts.get(page.tally) ?? [];
    parts.set(page.tally, part);
    part.push(page);
  }
  return [...parts.values()];
}

/** Ids that were stored and noted as seen. */
export const countStored = (seen: SeenIds, pages: PageStore) => async (): Promise<number> => {
  await pages.flush();
  return seen.count();
};

/**
 * Everything that `work` adds is stored when this returns, and as much of it as can be when `work` throws. `seen` notes
 * the ids of the pages.
 */
export async function storingPages<R>(
  pass: Pass,
  seen: SeenIds | null,
  work: (pages: PageStore) => Promise<R>,
): Promise<R> {
  const pages: PageStore = new WriteBehind(
    { maxItems: pass.settings.pagesPerCommit ?? PAGES_PER_COMMIT, endsGroup, mayOverlap: areApart },
    async (some, previous) => {
      for (const part of byTally(some)) {
        const effect = await pass.commit(joinBatches(part.map(({ batch }) => batch)), previous);
        const tally = part[0]?.tally;
        if (tally !== undefined) addEffect(tally, effect);
        const ids = part.flatMap((page) => page.ids ?? []);
        if (ids.length > 0) await seen?.add(ids);
      }
    },
  );
  let result: R;
  try {
    result = await work(pages);
  } catch (error) {
    // The first error is the one to tell.
    await pages.flush().catch(() => {});
    throw error;
  }
  await pages.flush();
  return result;
}
