/** What `nodes` and `details` share: one call (or some) for every due run, stored in groups, failures kept apart. */
import type { ItemFailure, Observed, WriteBatch } from '../domain/batch.js';
import type { Instant } from '../domain/entities.js';
import { PaiError } from '../domain/errors.js';
import type { Pass } from './pass.js';
import type { DueQuery, DueRun } from './ports.js';
import { readAhead } from './read-ahead.js';

/** Due runs taken from the database at once. */
const RUNS_PER_QUERY = 500;

export async function* dueRuns(
  pass: Pass,
  query: (due: DueQuery<string>) => Promise<readonly DueRun[]>,
): AsyncGenerator<DueRun> {
  for (let after: string | null = null; ; ) {
    const runs: readonly DueRun[] = await query({ after, limit: RUNS_PER_QUERY, failedBefore: pass.failedBefore });
    yield* runs;
    if (runs.length < RUNS_PER_QUERY) return;
    after = (runs.at(-1) as DueRun).pipelineRunId;
  }
}

export interface EachRun<R> {
  readonly phase: string;
  readonly total: number;
  /** Runs stored in one transaction at most. */
  readonly groupSize: number;
  /** Calls that one run takes. */
  readonly callsEach: number;
  readonly fetch: (run: DueRun) => Promise<R>;
  readonly toBatch: (fetched: readonly { run: DueRun; value: R }[]) => WriteBatch;
}

/**
 * A run whose call fails is written down as failed and the others go on; one that PAI does not know (any more) is
 * marked as missing. What was fetched before the pass has to give up is stored.
 */
export async function storeEach<R>(pass: Pass, runs: AsyncIterable<DueRun>, each: EachRun<R>): Promise<void> {
  let done = 0;
  const options = { concurrency: pass.settings.concurrency, groupSize: each.groupSize };
  for await (const group of readAhead(runs, options, each.fetch)) {
    const fetched: { run: DueRun; value: R }[] = [];
    const failures: ItemFailure[] = [];
    const missing: Observed<string>[] = [];
    let fatal: { error: unknown } | null = null;
    for (const result of group) {
      if (result.ok) {
        pass.itemSucceeded();
        fetched.push({ run: result.item, value: result.value });
      } else if (isGone(result.error)) {
        pass.itemSucceeded();
        missing.push(goneSince(pass.startedAt, result.item.pipelineRunId, result.error));
        failures.push({ entityId: result.item.pipelineRunId, error: result.error.message });
      } else {
        fatal ??= await noteFailure(pass, result.item, result.error, failures);
      }
    }
    const batch = each.toBatch(fetched);
    await pass.commit({ ...batch, failures: [...(batch.failures ?? []), ...failures], pipelineRunsMissing: missing });
    if (fatal !== null) throw fatal.error;
    done += group.length;
    pass.needed(group.length * each.callsEach);
    pass.progress(each.phase, done, each.total);
  }
}

/** Answered, but not readable: in quarantine, and asked for again after a while. */
export const unreadable = (run: DueRun): ItemFailure => ({
  entityId: run.pipelineRunId,
  error: 'the answer holds an item that cannot be decoded, see the quarantine table',
});

/** PAI says that the run (or the node) does not exist. */
export const isGone = (error: unknown): error is PaiError => error instanceof PaiError && error.notFound;

/**
 * `asked` is no later than the call: an answer may lie for a while until those before it are stored, and a run that came
 * back meanwhile must not be overwritten by it.
 */
export const goneSince = (asked: Instant, pipelineRunId: string, error: PaiError): Observed<string> => ({
  evidence: { requestId: error.requestId, observedAt: asked },
  items: [pipelineRunId],
});

async function noteFailure(
  pass: Pass,
  run: DueRun,
  error: unknown,
  failures: ItemFailure[],
): Promise<{ error: unknown } | null> {
  try {
    failures.push(await pass.runFailed(run.pipelineRunId, error));
    return null;
  } catch (fatal) {
    return { error: fatal };
  }
}
