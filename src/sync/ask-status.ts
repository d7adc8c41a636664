/** ListPipelineRunsStatus for many subjects: in batches, and around the one that PAI refuses or fails over. */
import type { StatusAnswer } from '../domain/answers.js';
import type { ItemFailure } from '../domain/batch.js';
import { PaiError } from '../domain/errors.js';
import type { Pass } from './pass.js';

export interface Asked<T> {
  readonly answered: readonly { readonly subjects: readonly T[]; readonly answer: StatusAnswer }[];
  readonly failures: readonly ItemFailure[];
}

export interface Question<T> {
  readonly ask: (subjects: readonly T[]) => Promise<StatusAnswer>;
  /** The run that a subject belongs to. */
  readonly idOf: (subject: T) => string;
  /** The subjects that an answer does not name. */
  readonly absentIn: (subjects: readonly T[], answer: StatusAnswer) => readonly T[];
}

/** PAI met the request and broke: a smaller one may do. (Throttled or unreachable, it would be only one call more.) */
const BROKE: ReadonlySet<string> = new Set(['PAI_UNAVAILABLE', 'PAI_TIMEOUT', 'PAI_BAD_ANSWER']);

/** So many calls in a row: four culprits that lie as far apart in a batch as can be make fewer. */
const FAILURES_OF_A_SOURCE = 10;

/**
 * Asks for a batch. When PAI refuses it (a bad id among a hundred good ones) or cannot answer it (a run over which it
 * breaks), the batch is halved until the culprit stands alone: 2 log2(batch) calls more, and the others get their
 * answer. Both halves are asked before either is halved again, so that some calls succeed in between: a source that is
 * down fails every time, and the pass gives up.
 *
 * Where an answer names some subjects and not others, the others are asked for once more by themselves: a server may
 * answer only so many at once, and absence must not be what it cut off.
 */
export async function askStatus<T>(pass: Pass, subjects: readonly T[], question: Question<T>): Promise<Asked<T>> {
  const answered: { subjects: readonly T[]; answer: StatusAnswer }[] = [];
  const failures: ItemFailure[] = [];
  const waiting: (readonly T[])[] = [subjects];
  for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
    const answer = await askOnce(pass, batch, question, failures);
    if (answer === 'halve') {
      const middle = Math.ceil(batch.length / 2);
      waiting.push(batch.slice(0, middle), batch.slice(middle));
    } else if (answer !== 'failed') {
      const absent = new Set(question.absentIn(batch, answer));
      const partly = absent.size > 0 && absent.size < batch.length;
      answered.push({ subjects: partly ? batch.filter((subject) => !absent.has(subject)) : batch, answer });
      if (partly) waiting.push([...absent]);
    }
  }
  return { answered, failures };
}

async function askOnce<T>(
  pass: Pass,
  batch: readonly T[],
  question: Question<T>,
  failures: ItemFailure[],
): Promise<StatusAnswer | 'halve' | 'failed'> {
  try {
    const answer = await pass.call(
      () => question.ask(batch),
      (found) => found.pipelineRuns.length + found.nodes.length + found.outputs.length,
    );
    pass.itemSucceeded();
    return answer;
  } catch (error) {
    if (!(error instanceof PaiError) || error.blast === 'global') throw error;
    if (error.blast === 'scope' && !BROKE.has(error.code)) throw error;
    if (batch.length > 1) {
      pass.callFailed(error, FAILURES_OF_A_SOURCE);
      return 'halve';
    }
    failures.push(await pass.runFailed(question.idOf(batch[0] as T), error));
    return 'failed';
  }
}
