/**
 * Absent is not deleted: a run that an answer leaves out is missing, and GetPipelineRun is asked before it is called
 * deleted. `status` does so right after the poll, `reconcile` for whatever is still missing after its walk.
 *
 * Operations may disagree about a run for ever. Each is believed once: what was found out is noted as a failure of the
 * stream (sync_retries), and from then on the same absence is no news. Else such a run would be missing and restored in
 * every round.
 */
import type { Evidence } from '../domain/answers.js';
import type { ItemFailure } from '../domain/batch.js';
import { detailsRow, getDetails, rejectedDetails } from './details.js';
import { goneSince, isGone } from './each-run.js';
import type { Pass } from './pass.js';
import type { SeenIds } from './ports.js';

const IDS_PER_QUERY = 500;

/** Runs that one `status` pass asks for by name: 20 seconds at the usual 5 calls a second. The next pass goes on. */
const MAX_AFTER_POLL = 100;

/** What is noted when GetPipelineRun has the last word against the operation that the stream asks. */
const LEFT_OUT = {
  status: 'ListPipelineRunsStatus does not know the run, GetPipelineRun does',
  reconcile: 'ListPipelineRuns does not show the run, GetPipelineRun knows it',
} as const;

/** Where the list shows less than it counts its silence is none of these: nothing is noted. */
type Silent = keyof typeof LEFT_OUT | null;

/** After a poll that asked for them: the runs that are missing all the same, but for those whose last check is recent. */
export async function confirmAfterPoll(pass: Pass): Promise<void> {
  const due = { after: null, limit: MAX_AFTER_POLL, failedBefore: pass.failedBefore };
  for (const id of await pass.store.runsDueForConfirmation(pass.scope, due)) await confirmOne(pass, id, 'status');
}

/** All missing runs of the scope. */
export async function confirmMissing(pass: Pass): Promise<void> {
  for (let after: string | null = null; ; ) {
    const ids: readonly string[] = await pass.store.missingPipelineRuns(pass.scope, { after, limit: IDS_PER_QUERY });
    for (const id of ids) await confirmOne(pass, id, 'reconcile');
    if (ids.length < IDS_PER_QUERY) return;
    after = ids.at(-1) as string;
  }
}

/**
 * What a whole walk of the list did not show is missing. A run that the list has left out before although it exists is
 * asked for by name instead. `evidence` is of the first page: what the mirror met only after that is not judged.
 */
export async function judgeUnseen(pass: Pass, seen: SeenIds, evidence: Evidence): Promise<void> {
  for (let after: string | null = null; ; ) {
    const ids: string[] = await seen.unseen({ after, limit: IDS_PER_QUERY, firstSeenBefore: pass.startedAt });
    if (ids.length === 0) break;
    const known: string[] = [];
    for (const id of ids) if (await pass.store.hasFailed(pass.scope, 'reconcile', id)) known.push(id);
    const news = ids.filter((id) => !known.includes(id));
    if (news.length > 0) await pass.commit({ pipelineRunsMissing: [{ evidence, items: news }] });
    for (const id of known) await confirmOne(pass, id, 'reconcile');
    after = ids.at(-1) as string;
  }
  // The list has had its say on every run that is gone, and no failure of theirs has to be remembered any longer.
  await pass.commit({ failuresOverBefore: evidence.observedAt });
}

/** Asks for one run and stores what that says: `restored` when it exists, `deleted` when it does not. */
export async function confirmOne(pass: Pass, pipelineRunId: string, silent: Silent): Promise<void> {
  const asked = await pass.store.now();
  pass.needed(1);
  const note = (error: string): ItemFailure[] => [{ entityId: pipelineRunId, error }];
  try {
    const answer = await getDetails(pass, pipelineRunId);
    pass.itemSucceeded();
    const failures = silent === null ? [] : note(LEFT_OUT[silent]);
    await pass.commit({ pipelineRunDetails: [detailsRow(answer)], rejected: [rejectedDetails(answer)], failures });
  } catch (error) {
    if (!isGone(error)) return void (await pass.commit({ failures: [await pass.runFailed(pipelineRunId, error)] }));
    pass.itemSucceeded();
    // Two operations agree. A list that lags behind may show the run again: then this note keeps it from flapping.
    const failures = silent === 'status' ? note('GetPipelineRun does not know the run') : [];
    await pass.commit({ pipelineRunsDeleted: [goneSince(asked, pipelineRunId, error)], failures });
  }
}
