/**
 * Stream `reconcile`: walks everything once more on a slow schedule, repairs what differs, marks what the source no
 * longer shows as missing, and asks GetPipelineRun before it calls a pipeline run deleted. What the list shows otherwise
 * than the mirror has it, and has shown since before the stream last read it, is drift and is reported.
 */
import type { Evidence, ListAnswer } from '../domain/answers.js';
import { type Effect, noEffect } from '../domain/batch.js';
import type { Instant, PipelineRun } from '../domain/entities.js';
import { chunk } from '../util/chunk.js';
import { confirmMissing, confirmOne, judgeUnseen } from './confirm.js';
import { type RunsVisitor, runsBatch, walkAgain, walkRuns } from './experiments.js';
import { identitiesOf, pageBatch, walkUntilCounted } from './list-pages.js';
import { countStored, type PageStore, storingPages } from './page-store.js';
import { runParts } from './parts.js';
import type { Pass } from './pass.js';
import { divideNews, readUpTo } from './plan-drift.js';
import type { SeenIds } from './ports.js';
import { findHiddenTypes, hiddenTypes, isShownAfterAll } from './source-types.js';
import { UnreadableItems } from './unreadable.js';

const IDS_PER_QUERY = 500;

/** Runs that one pass asks for by name because the list does not show what it counts. */
const MAX_ASKED = 1000;

/** Where the next pass goes on asking. */
const ASKED_CURSOR = 'reconcile/asked';
const ASKED_PER_COMMIT = 100;

/** Walks over ListRuns from which a run must be absent. */
const RUN_WALKS = 3;

export async function reconcile(pass: Pass): Promise<void> {
  // ListRuns failing must not keep the pipeline runs from being reconciled, nor the other way round.
  const parts = [reconcilePipelineRuns, confirmMissing, reconcileExperimentRuns];
  await runParts(
    pass,
    parts.map((part) => () => part(pass)),
  );
}

async function reconcilePipelineRuns(pass: Pass): Promise<void> {
  const drift = noEffect();
  const seen = await pass.store.openSeenIds(pass.scope, 'pipeline_run');
  try {
    const { isComplete, isWhole, hasUnnamed, first } = await storingPages(pass, seen, (pages) =>
      walkPipelineRuns(pass, seen, pages, drift),
    );
    if (isWhole) await pass.walkedAll('ListPipelineRuns', ['pipeline_run']);
    if (isComplete && !hasUnnamed && first !== null) await judgeUnseen(pass, seen, first);
    else await askForUnseen(pass, seen);
  } finally {
    reportDrift(pass, drift);
    await seen.close();
  }
}

/** What walking the whole list has proved. */
interface Walked {
  /** Everything that was there throughout was seen. */
  readonly isComplete: boolean;
  /** As many as are counted were seen, also of the hidden types. */
  readonly isWhole: boolean;
  /** An item whose id cannot be read may be any of those that seem to be absent. */
  readonly hasUnnamed: boolean;
  readonly first: Evidence | null;
}

async function walkPipelineRuns(pass: Pass, seen: SeenIds, pages: PageStore, drift: Effect): Promise<Walked> {
  const cursor = await pass.store.readCursor(pass.scope, 'pipeline-runs');
  let read: Instant | null = null;
  let beganAt: Instant | null = null;
  let first: Evidence | null = null;
  let total: number | null = null;
  const anonymous = new UnreadableItems();
  let done = 0;
  const onPage = async (answer: ListAnswer<PipelineRun>): Promise<void> => {
    if (first === null) {
      beganAt = answer.serverTime;
      read = readUpTo(cursor, beganAt, pass.settings.overlapSeconds);
    }
    first ??= answer;
    await addPage(pages, answer, read, drift);
    anonymous.note([{ evidence: answer, operation: 'ListPipelineRuns', items: withoutId(answer, 'pipeline_run') }]);
    total = answer.totalCount;
    done += answer.received;
    pass.progress('reconcile pipeline runs', done, answer.totalCount);
  };
  const countSeen = countStored(seen, pages);
  const { isComplete, pages: needed } = await walkUntilCounted(pass, countSeen, onPage);
  pass.needed(needed);
  const isWhole = isComplete || total === null || (await countSeen()) >= total;
  const shown = (sourceType: string) => isShownAfterAll(pass, sourceType, seen, beganAt);
  const hiddenAreWhole = await walkHiddenTypes(pass, countSeen, onPage, shown);
  const hasUnnamed = anonymous.of('ListPipelineRuns')?.length !== 0;
  return { isComplete, isWhole: isWhole && hiddenAreWhole, hasUnnamed, first };
}

/** What the stream has not read yet is stored by itself: it does not count as drift. */
async function addPage(
  pages: PageStore,
  answer: ListAnswer<PipelineRun>,
  read: Instant | null,
  drift: Effect,
): Promise<void> {
  const { known, news } = divideNews(answer.items, read);
  if (news.length > 0) await pages.add({ batch: { pipelineRuns: [{ evidence: answer, items: news }] } });
  // Items without an id are counted by their text, which proves enough about themselves, though not about others.
  const batch = pageBatch({ ...answer, items: known });
  await pages.add({ batch, size: answer.size, ids: identitiesOf(answer), tally: drift });
}

/** A hidden type adds its runs to those that were seen, and is counted by what it adds. Returns whether all were shown. */
async function walkHiddenTypes(
  pass: Pass,
  countSeen: () => Promise<number>,
  onPage: (answer: ListAnswer<PipelineRun>) => Promise<void>,
  isShown: (sourceType: string) => Promise<boolean>,
): Promise<boolean> {
  await findHiddenTypes(pass);
  let areWhole = true;
  for (const { sourceType } of await hiddenTypes(pass)) {
    const before = await countSeen();
    if (await isShown(sourceType)) continue;
    const walks = await walkUntilCounted(pass, async () => (await countSeen()) - before, onPage, sourceType);
    pass.needed(walks.pages);
    areWhole &&= walks.isComplete;
  }
  return areWhole;
}

/**
 * Where the list shows less than it counts, absence proves nothing: the runs that it did not show are asked for. Each
 * pass goes on where the one before ended, and begins anew at the end, so that all of them have their turn.
 */
async function askForUnseen(pass: Pass, seen: SeenIds): Promise<void> {
  const cursor = await pass.store.readCursor(pass.scope, ASKED_CURSOR);
  const from = typeof cursor?.state.after === 'string' ? cursor.state.after : null;
  const since = pass.startedAt;
  const ids = await seen.unseen({ after: from, limit: MAX_ASKED, firstSeenBefore: since });
  if (ids.length < MAX_ASKED && from !== null) {
    const front = await seen.unseen({ after: null, limit: MAX_ASKED - ids.length, firstSeenBefore: since });
    ids.push(...front.filter((id) => !ids.includes(id)));
  }
  for (const some of chunk(ids, ASKED_PER_COMMIT)) {
    for (const id of some) await confirmOne(pass, id, null);
    const asked = { watermark: null, state: { after: some.at(-1) as string } };
    await pass.commit({ cursor: asked, cursorName: ASKED_CURSOR });
  }
}

type WithRejected = Pick<ListAnswer<unknown>, 'rejected'>;

/** Of the items of the list itself: an experiment run's bad members are named in `rejected`, too. */
const rejectedIds = (answer: WithRejected, entity: string): string[] =>
  answer.rejected.flatMap((item) => (item.entity === entity && item.entityId !== null ? [item.entityId] : []));

const withoutId = (answer: WithRejected, entity: string) =>
  answer.rejected.filter((item) => item.entity === entity && item.entityId === null);

/** No operation tells of a single experiment run. One that the mirror met only after the walk began is not judged. */
async function markUnseenRuns(pass: Pass, seen: SeenIds, evidence: Evidence): Promise<void> {
  for (let after: string | null = null; ; ) {
    const ids: string[] = await seen.unseen({ after, limit: IDS_PER_QUERY, firstSeenBefore: pass.startedAt });
    if (ids.length === 0) return;
    await pass.commit({ experimentRunsMissing: [{ evidence, items: ids }] });
    after = ids.at(-1) as string;
  }
}

async function reconcileExperimentRuns(pass: Pass): Promise<void> {
  const seen = await pass.store.openSeenIds(pass.scope, 'run');
  try {
    const { isWhole, mayJudge, first } = await storingPages(pass, seen, (pages) =>
      walkExperimentRuns(pass, seen, pages),
    );
    if (isWhole) await pass.walkedAll('ListRuns', ['run', 'run_param', 'run_label', 'run_metric']);
    if (mayJudge && first !== null) await markUnseenRuns(pass, seen, first);
  } finally {
    await seen.close();
  }
}

async function walkExperimentRuns(
  pass: Pass,
  seen: SeenIds,
  pages: PageStore,
): Promise<{ isWhole: boolean; mayJudge: boolean; first: Evidence | null }> {
  let first: Evidence | null = null;
  let total: number | null = null;
  let anonymous = 0;
  const unnamed = new UnreadableItems();
  let done = 0;
  const onPage: RunsVisitor['onPage'] = async (answer) => {
    first ??= answer;
    total = answer.totalCount;
    const bad = withoutId(answer, 'run');
    anonymous += bad.length;
    unnamed.note([{ evidence: answer, operation: 'ListRuns', items: bad }]);
    const ids = [...answer.items.map((run) => run.runId), ...rejectedIds(answer, 'run')];
    await pages.add({ batch: runsBatch(answer), size: answer.size, ids });
    done += answer.received;
    pass.progress('reconcile experiment runs', done, answer.totalCount);
  };
  const walked = await walkRuns(pass, { onPage });
  pass.needed(walked.pagesNeeded);
  if (walked.mayHaveMissed) await walkAgain(pass, { onPage });
  // No operation tells of a single run, so a run has to be absent from several walks before it counts as missing.
  for (let walk = 1; walk < RUN_WALKS; walk += 1) {
    await pages.flush();
    if (!(await hasUnseen(pass, seen))) break;
    await walkRuns(pass, { onPage });
  }
  const readable = await countStored(seen, pages)();
  const isWhole = total === null || readable + (unnamed.of('ListRuns')?.length ?? 0) >= total;
  // An item whose id cannot be read may be any of those that seem to be absent.
  const mayJudge = anonymous === 0 && (total === null || readable >= total);
  return { isWhole, mayJudge, first };
}

const hasUnseen = async (pass: Pass, seen: SeenIds): Promise<boolean> =>
  (await seen.unseen({ after: null, limit: 1, firstSeenBefore: pass.startedAt })).length > 0;

function reportDrift(pass: Pass, { inserted, updated, tables }: Effect): void {
  if (inserted + updated === 0) return;
  pass.deps.logger.warn({ inserted, updated, tables }, 'reconcile repaired drift');
}
