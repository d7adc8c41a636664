/**
 * Stream `reconcile`: walks everything once more on a slow schedule, repairs what differs, marks what the source no
 * longer shows as missing, and asks GetPipelineRun before it calls a pipeline run deleted. What it had to repair is
 * drift, and is reported.
 */
import type { Evidence, ListAnswer } from '../domain/answers.js';
import type { Observed } from '../domain/batch.js';
import { detailsRow, getDetails, rejectedDetails } from './details.js';
import { goneNow, isGone } from './each-run.js';
import { type OnRunsPage, runsBatch, walkAgain, walkRuns } from './experiments.js';
import { pageBatch, walkForward } from './list-pages.js';
import { runParts } from './parts.js';
import type { Pass } from './pass.js';
import type { SeenIds } from './ports.js';

/** Sort keys of the walks: another one only when fewer distinct ids were seen than the source counts. */
const SORT_KEYS = ['GmtCreateTime', 'GmtModifiedTime', 'PipelineId'] as const;

const IDS_PER_QUERY = 500;

export async function reconcile(pass: Pass): Promise<void> {
  // ListRuns failing must not keep the pipeline runs from being reconciled, nor the other way round.
  const parts = [reconcilePipelineRuns, confirmMissing, reconcileExperimentRuns];
  try {
    await runParts(
      pass,
      parts.map((part) => () => part(pass)),
    );
  } finally {
    reportDrift(pass);
  }
}

/** One or several walks over a list. */
interface Walked {
  /** Of the first page: a row that was written after it is not judged by this walk. */
  first: Evidence | null;
  totalCount: number | null;
}

async function reconcilePipelineRuns(pass: Pass): Promise<void> {
  const seen = await pass.store.openSeenIds(pass.scope, 'pipeline_run');
  try {
    const walked: Walked = { first: null, totalCount: null };
    for (const sortBy of SORT_KEYS) {
      const before = await seen.count();
      await walkAll(pass, sortBy, seen, walked);
      const counted = await seen.count();
      if (walked.totalCount === null || counted >= walked.totalCount || counted === before) break;
    }
    await markUnseen(pass, seen, walked, 'pipelineRunsMissing');
  } finally {
    await seen.close();
  }
}

async function walkAll(pass: Pass, sortBy: (typeof SORT_KEYS)[number], seen: SeenIds, walked: Walked): Promise<void> {
  let done = 0;
  await walkForward(pass, sortBy, async (answer) => {
    await pass.commit(pageBatch(answer));
    await seen.add([...answer.items.map((run) => run.pipelineRunId), ...rejectedIds(answer)]);
    walked.first ??= answer;
    walked.totalCount = answer.totalCount;
    done += answer.received;
    pass.progress('reconcile pipeline runs', done, answer.totalCount);
    return false;
  });
}

const rejectedIds = (answer: { readonly rejected: ListAnswer<unknown>['rejected'] }): string[] =>
  answer.rejected.flatMap(({ entityId }) => (entityId === null ? [] : [entityId]));

/**
 * Absence proves nothing while fewer ids were seen than the source counts, nor for a run that the mirror met only after
 * the walk began.
 */
async function markUnseen(
  pass: Pass,
  seen: SeenIds,
  walked: Walked,
  key: 'pipelineRunsMissing' | 'experimentRunsMissing',
): Promise<void> {
  const counted = await seen.count();
  if (walked.first === null) return;
  if (walked.totalCount !== null && counted < walked.totalCount) {
    pass.deps.logger.warn({ shown: counted, counted: walked.totalCount }, 'the source counts more than it shows');
    return;
  }
  for (let after: string | null = null; ; ) {
    const ids: string[] = await seen.unseen({ after, limit: IDS_PER_QUERY, firstSeenBefore: pass.startedAt });
    if (ids.length === 0) return;
    const missing: Observed<string>[] = [{ evidence: walked.first, items: ids }];
    await pass.commit({ [key]: missing });
    after = ids.at(-1) as string;
  }
}

/** Absent from a list is not deleted: the run itself is asked for. */
async function confirmMissing(pass: Pass): Promise<void> {
  for (let after: string | null = null; ; ) {
    const ids: readonly string[] = await pass.store.missingPipelineRuns(pass.scope, { after, limit: IDS_PER_QUERY });
    for (const id of ids) await confirmOne(pass, id);
    if (ids.length < IDS_PER_QUERY) return;
    after = ids.at(-1) as string;
  }
}

async function confirmOne(pass: Pass, pipelineRunId: string): Promise<void> {
  try {
    const answer = await getDetails(pass, pipelineRunId);
    pass.itemSucceeded();
    await pass.commit({ pipelineRunDetails: [detailsRow(answer)], rejected: [rejectedDetails(answer)] });
  } catch (error) {
    if (isGone(error)) await pass.commit({ pipelineRunsDeleted: [await goneNow(pass, { pipelineRunId }, error)] });
    else await pass.commit({ failures: [pass.itemFailed(pipelineRunId, error)] });
  }
}

async function reconcileExperimentRuns(pass: Pass): Promise<void> {
  const seen = await pass.store.openSeenIds(pass.scope, 'run');
  try {
    const walked: Walked = { first: null, totalCount: null };
    let done = 0;
    const onPage: OnRunsPage = async (answer) => {
      await pass.commit(runsBatch(answer));
      await seen.add([...answer.items.map((run) => run.runId), ...rejectedIds(answer)]);
      walked.first ??= answer;
      walked.totalCount = answer.totalCount;
      done += answer.received;
      pass.progress('reconcile experiment runs', done, answer.totalCount);
      return false;
    };
    if (await walkRuns(pass, null, onPage)) await walkAgain(pass, onPage);
    await markUnseen(pass, seen, walked, 'experimentRunsMissing');
  } finally {
    await seen.close();
  }
}

function reportDrift(pass: Pass): void {
  const { inserted, updated } = pass.effect;
  if (inserted + updated === 0) return;
  pass.deps.logger.warn({ inserted, updated, tables: pass.effect.tables }, 'reconcile repaired drift');
}
