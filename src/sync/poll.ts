/**
 * Stream `status`: every run that has not reached a known end is asked for in batches, whatever the watermark says: a
 * run may stay Suspended for weeks, and PAI knows words for a status that its documentation does not. So is every run
 * that is missing, whoever missed it: one answer tells of a hundred whether they are deleted.
 */
import type { StatusAnswer } from '../domain/answers.js';
import { chunk } from '../util/chunk.js';
import { type Asked, askStatus, type Question } from './ask-status.js';
import { confirmAfterPoll } from './confirm.js';
import { joinBatches, type StatusBatch, transactionsFor } from './join-batches.js';
import type { Pass } from './pass.js';
import { batchesFor } from './plan-calls.js';
import { readAhead, untilFailure } from './read-ahead.js';

/** Batches of ids taken from the database at once. */
const BATCHES_PER_QUERY = 16;

/**
 * Answers that are stored in one transaction, where so many are there already; none waits for another. While they are
 * stored the answers of the next one come in. A poll of 5,000 runs takes half of the time that way: 14 transactions, not 50.
 */
const ANSWERS_PER_COMMIT = 8;
export const STATUS_GROUPS = { groupSize: ANSWERS_PER_COMMIT, ahead: 2 * ANSWERS_PER_COMMIT } as const;

export async function poll(pass: Pass): Promise<void> {
  await pollRuns(pass);
  await confirmAfterPoll(pass);
}

async function pollRuns(pass: Pass): Promise<void> {
  const total = await pass.store.countDue(pass.scope, 'status');
  let done = 0;
  let failed = 0;
  const question: Question<string> = {
    ask: (ids) => pass.source.listPipelineRunsStatus(pass.scope, { pipelineRunIds: ids }, pass.signal),
    idOf: (id) => id,
    absentIn: absentIds,
  };
  const { concurrency } = pass.settings;
  const groups = readAhead(dueBatches(pass), { concurrency, ...STATUS_GROUPS }, (ids) =>
    askStatus(pass, ids, question),
  );
  for await (const group of groups) {
    const { good, error } = untilFailure(group);
    const batches = good.map(({ value }) => answersBatch(value));
    for (const batch of transactionsFor(batches)) await pass.commit(batch);
    if (error !== null) throw error.reason;
    failed += sum(good, ({ value }) => value.failures.length);
    done += sum(good, ({ item }) => item.length);
    pass.progress('poll', done, total);
  }
  pass.needed(batchesFor(done, pass.settings.statusBatch));
  // Of a run that is polled no more, the other operations tell.
  if (failed === 0) await pass.walkedAll('ListPipelineRunsStatus', ['pipeline_run']);
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((all, item) => all + of(item), 0);

const answersBatch = ({ answered, failures }: Asked<string>): StatusBatch =>
  joinBatches([...answered.map(({ subjects, answer }) => pollBatch(subjects, answer)), { failures }]);

async function* dueBatches(pass: Pass): AsyncGenerator<readonly string[]> {
  const limit = pass.settings.statusBatch * BATCHES_PER_QUERY;
  for (let after: string | null = null; ; ) {
    const ids: readonly string[] = await pass.store.runsDueForPoll(pass.scope, { after, limit });
    yield* chunk(ids, pass.settings.statusBatch);
    if (ids.length < limit) return;
    after = ids.at(-1) as string;
  }
}

/** What one answer says about the runs that were asked for: their status, and which of them it does not know. */
export function pollBatch(asked: readonly string[], answer: StatusAnswer): StatusBatch {
  return {
    ...statusRows(answer),
    pipelineRunsMissing: [{ evidence: answer, items: absentIds(asked, answer) }],
  };
}

/** Every row of an answer, asked for or not: what PAI says is mirrored. */
export const statusRows = (answer: StatusAnswer): StatusBatch => ({
  pipelineRunStatuses: [{ evidence: answer, items: answer.pipelineRuns }],
  nodeStatuses: [{ evidence: answer, items: answer.nodes }],
  nodeOutputs: [{ evidence: answer, items: answer.outputs }],
  rejected: [{ evidence: answer, items: answer.rejected, operation: 'ListPipelineRunsStatus' }],
});

/** An item whose id could not even be read may be any of those asked for, so then nothing counts as absent. */
export function absentIds(asked: readonly string[], answer: StatusAnswer): string[] {
  if (answer.rejected.some(({ entityId }) => entityId === null)) return [];
  const named = new Set(answer.pipelineRuns.map((run) => run.pipelineRunId));
  for (const { entityId } of answer.rejected) if (entityId !== null) named.add(entityId);
  return asked.filter((id) => !named.has(id));
}
