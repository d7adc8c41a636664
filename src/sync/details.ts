/**
 * Stream `details`: GetPipelineRun (Verbose) once a run, and again when the run has changed after that. Which runs are
 * due is a column of theirs, so a crash forgets none.
 */
import type { DetailsAnswer } from '../domain/answers.js';
import type { WriteBatch } from '../domain/batch.js';
import { dueRuns, storeEach, unreadable } from './each-run.js';
import type { Pass } from './pass.js';
import type { DueRun } from './ports.js';

/** Manifests can be large, so fewer of them wait for one transaction than node trees do. */
const DETAILS_PER_COMMIT = 16;

export async function details(pass: Pass): Promise<void> {
  const total = await pass.store.countDue(pass.scope, 'details');
  const due = dueRuns(pass, (query) => pass.store.runsDueForDetails(pass.scope, query));
  await storeEach(pass, due, {
    phase: 'details',
    total,
    groupSize: DETAILS_PER_COMMIT,
    callsEach: 1,
    fetch: (run) => getDetails(pass, run.pipelineRunId),
    toBatch: detailsBatch,
  });
}

export const getDetails = (pass: Pass, pipelineRunId: string): Promise<DetailsAnswer> =>
  pass.call(
    () => pass.source.getPipelineRun(pass.scope, pipelineRunId, pass.signal),
    () => 1,
  );

export function detailsBatch(fetched: readonly { run: DueRun; value: DetailsAnswer }[]): WriteBatch {
  const read = fetched.filter(({ value }) => value.details !== null);
  return {
    pipelineRunDetails: read.map(({ value }) => detailsRow(value)),
    detailsFetched: read.map(({ run }) => ({ pipelineRunId: run.pipelineRunId, revision: run.revision })),
    failures: fetched.filter(({ value }) => value.details === null).map(({ run }) => unreadable(run)),
    rejected: fetched.map(({ value }) => rejectedDetails(value)),
  };
}

export const detailsRow = (answer: DetailsAnswer) => ({
  evidence: answer,
  items: answer.details === null ? [] : [answer.details],
});

export const rejectedDetails = (answer: DetailsAnswer) => ({
  evidence: answer,
  items: answer.rejected,
  operation: 'GetPipelineRun',
});
