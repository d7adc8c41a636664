/**
 * Stream `reconcile`: walks everything once more on a slow schedule, repairs what differs, marks what the source no
 * longer shows as missing, and asks GetPipelineRun before it calls a pipeline run deleted. What it had to repair is
 * drift, and is reported.
 */
import type { Evidence, ListAnswer } from '../domain/answers.js';
import type { PipelineRun } from '../domain/entities.js';
import { confirmMissing, confirmOne, judgeUnseen } from './confirm.js';
import { type OnRunsPage, runsBatch, walkAgain, walkRuns } from './experiments.js';
import { pageBatch, walkUntilCounted } from './list-pages.js';
import { runParts } from './parts.js';
import type { Pass } from './pass.js';
import type { SeenIds } from './ports.js';
import { findHiddenTypes, hiddenTypes } from './source-types.js';

const IDS_PER_QUERY = 500;

/** Runs that one pass asks for by name because the list does not show what it counts. */
const MAX_ASKED = 1000;

/** Walks over ListRuns from which a run must be absent. */
const RUN_WALKS = 3;

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

async function reconcilePipelineRuns(pass: Pass): Promise<void> {
  const seen = await pass.store.openSeenIds(pass.scope, 'pipeline_run');
  try {
    let first: Evidence | null = null;
    let done = 0;
    const onPage = async (answer: ListAnswer<PipelineRun>): Promise<void> => {
      first ??= answer;
      await pass.commit(pageBatch(answer));
      await seen.add([...answer.items.map((run) => run.pipelineRunId), ...rejectedIds(answer)]);
      done += answer.received;
      pass.progress('reconcile pipeline runs', done, answer.totalCount);
    };
    const isComplete = await walkUntilCounted(pass, () => seen.count(), onPage);
    await walkHiddenTypes(pass, seen, onPage);
    if (isComplete && first !== null) await judgeUnseen(pass, seen, first);
    else await askForUnseen(pass, seen);
  } finally {
    await seen.close();
  }
}

/** A hidden type adds its runs to those that were seen, and is counted by what it adds. */
async function walkHiddenTypes(
  pass: Pass,
  seen: SeenIds,
  onPage: (answer: ListAnswer<PipelineRun>) => Promise<void>,
): Promise<void> {
  await findHiddenTypes(pass);
  for (const { sourceType } of await hiddenTypes(pass)) {
    const before = await seen.count();
    await walkUntilCounted(pass, async () => (await seen.count()) - before, onPage, sourceType);
  }
}

/** Where the list shows less than it counts, absence proves nothing: the runs that it did not show are asked for. */
async function askForUnseen(pass: Pass, seen: SeenIds): Promise<void> {
  const ids = await seen.unseen({ after: null, limit: MAX_ASKED, firstSeenBefore: pass.startedAt });
  for (const id of ids) await confirmOne(pass, id, null);
}

const rejectedIds = (answer: { readonly rejected: ListAnswer<unknown>['rejected'] }): string[] =>
  answer.rejected.flatMap(({ entityId }) => (entityId === null ? [] : [entityId]));

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
    let first: Evidence | null = null;
    let total: number | null = null;
    let anonymous = 0;
    let done = 0;
    const onPage: OnRunsPage = async (answer) => {
      first ??= answer;
      total = answer.totalCount;
      anonymous += answer.rejected.filter(({ entityId }) => entityId === null).length;
      await pass.commit(runsBatch(answer));
      await seen.add([...answer.items.map((run) => run.runId), ...rejectedIds(answer)]);
      done += answer.received;
      pass.progress('reconcile experiment runs', done, answer.totalCount);
      return false;
    };
    if (await walkRuns(pass, null, onPage)) await walkAgain(pass, onPage);
    // No operation tells of a single run, so a run has to be absent from several walks before it counts as missing.
    for (let walk = 1; walk < RUN_WALKS && (await hasUnseen(pass, seen)); walk += 1) await walkRuns(pass, null, onPage);
    // An item whose id cannot be read may be any of those that seem to be absent.
    if (first === null || anonymous > 0 || (total !== null && (await seen.count()) < total)) return;
    await markUnseenRuns(pass, seen, first);
  } finally {
    await seen.close();
  }
}

const hasUnseen = async (pass: Pass, seen: SeenIds): Promise<boolean> =>
  (await seen.unseen({ after: null, limit: 1, firstSeenBefore: pass.startedAt })).length > 0;

function reportDrift(pass: Pass): void {
  const { inserted, updated } = pass.effect;
  if (inserted + updated === 0) return;
  pass.deps.logger.warn({ inserted, updated, tables: pass.effect.tables }, 'reconcile repaired drift');
}
