/** Pages of a walk on their way into the store, behind the calls that bring them. */
import type { WriteBatch } from '../domain/batch.js';
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
}

export type PageStore = WriteBehind<StoredPage>;

const PLAIN: ReadonlySet<string> = new Set(['pipelineRuns', 'rejected', 'cursor'] satisfies (keyof WriteBatch)[]);

/** What is bad on this page may be good on the next, and settles it then: not in one transaction. */
const endsGroup = ({ batch }: StoredPage): boolean => (batch.rejected ?? []).some(({ items }) => items.length > 0);

/** Pipeline runs and a cursor, nothing that is bad, and nothing that hangs on them. */
const isPlain = ({ batch }: StoredPage): boolean =>
  Object.keys(batch).every((part) => PLAIN.has(part)) &&
  (batch.rejected ?? []).every(({ items }) => items.length === 0);

const idsOf = ({ batch }: StoredPage): string[] =>
  (batch.pipelineRuns ?? []).flatMap(({ items }) => items.map((run) => run.pipelineRunId));

/** Whether the two can be written side by side: they may not wait for each other's rows. */
export function areApart(some: readonly StoredPage[], next: readonly StoredPage[]): boolean {
  if (![...some, ...next].every(isPlain)) return false;
  const ids = new Set(some.flatMap(idsOf));
  return !next.some((page) => idsOf(page).some((id) => ids.has(id)));
}

/** Puts the batches of several pages together; the last cursor is that of all of them. */
export function mergeBatches(batches: readonly WriteBatch[]): WriteBatch {
  const lists: { [part: string]: unknown[] } = {};
  const merged: { [part: string]: unknown } = {};
  for (const batch of batches) {
    for (const [part, value] of Object.entries(batch)) {
      const list = Array.isArray(value) ? (lists[part] ??= []) : null;
      list?.push(...(value as unknown[]));
      merged[part] = list ?? value;
    }
  }
  return merged;
}

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
      await pass.commit(mergeBatches(some.map(({ batch }) => batch)), previous);
      const ids = some.flatMap((page) => page.ids ?? []);
      if (ids.length > 0) await seen?.add(ids);
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
