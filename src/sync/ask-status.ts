/** ListPipelineRunsStatus for many subjects: in batches, and around the one that PAI refuses. */
import type { StatusAnswer } from '../domain/answers.js';
import type { ItemFailure } from '../domain/batch.js';
import { PaiError } from '../domain/errors.js';
import type { Pass } from './pass.js';

export interface Asked<T> {
  readonly answered: readonly { readonly subjects: readonly T[]; readonly answer: StatusAnswer }[];
  readonly failures: readonly ItemFailure[];
}

/**
 * Asks for a batch. When PAI refuses the request itself (a bad id among a hundred good ones), the batch is halved until
 * the culprit stands alone: log2(batch) calls more, and the others get their answer.
 */
export async function askStatus<T>(
  pass: Pass,
  subjects: readonly T[],
  ask: (subjects: readonly T[]) => Promise<StatusAnswer>,
  idOf: (subject: T) => string,
): Promise<Asked<T>> {
  try {
    const answer = await pass.call(
      () => ask(subjects),
      (found) => found.pipelineRuns.length + found.nodes.length + found.outputs.length,
    );
    pass.itemSucceeded();
    return { answered: [{ subjects, answer }], failures: [] };
  } catch (error) {
    if (!(error instanceof PaiError) || error.blast !== 'item') throw error;
    if (subjects.length === 1) return { answered: [], failures: [pass.itemFailed(idOf(subjects[0] as T), error)] };
    const middle = Math.ceil(subjects.length / 2);
    const first = await askStatus(pass, subjects.slice(0, middle), ask, idOf);
    const second = await askStatus(pass, subjects.slice(middle), ask, idOf);
    return { answered: [...first.answered, ...second.answered], failures: [...first.failures, ...second.failures] };
  }
}
