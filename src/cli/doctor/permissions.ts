/** Each operation tried once in a scope, as cheaply as it can be. */
import { PaiError } from '../../domain/errors.js';
import { type Scope, scopeName } from '../../domain/scope.js';
import { sampleRun } from '../../store/inspect/state.js';
import type { Source } from '../../sync/ports.js';
import { type Judged, ok, skipped } from './check.js';
import { judgeCallFailure } from './judge-pai.js';
import type { Session } from './session.js';

interface Sample {
  readonly pipelineRunId: string;
  readonly nodeId: string | null;
}

/** What the attempts of one scope tell each other. */
interface Attempts {
  readonly scope: Scope;
  readonly signal: AbortSignal;
  readonly judged: Judged[];
  /** Why the rest of a product's calls would fail in the same way; by product. */
  readonly given: Map<string, string>;
}

const FLOW = 'paiflow';
const EXPERIMENTS = 'aiworkspace';

/** After these the next call of the product fails as well, and may take as long. */
const OF_ALL_CALLS = /^PAI_(KEYS_REFUSED|TOKEN_EXPIRED|CLOCK_OFF|NO_CREDENTIALS|NETWORK|TIMEOUT|UNKNOWN_OPERATION)$/;
/** And after these that of any product. */
const OF_ALL_PRODUCTS = /^PAI_(KEYS_REFUSED|TOKEN_EXPIRED|CLOCK_OFF|NO_CREDENTIALS)$/;

export async function permissionsIn(session: Session, scope: Scope, signal: AbortSignal): Promise<Judged[]> {
  const silent = [FLOW, EXPERIMENTS].filter((product) => session.unreachable.has(`${product} ${scope.region}`));
  const given = new Map(silent.map((product) => [product, 'its endpoint does not answer']));
  const attempts: Attempts = { scope, signal, judged: [], given };
  const source = session.source as Source;
  const page = { pageNumber: 1, pageSize: 1, sortBy: 'GmtModifiedTime', order: 'DESC' } as const;
  const list = await attempt(attempts, FLOW, 'ListPipelineRuns', () => source.listPipelineRuns(scope, page, signal));
  const runs = await attempt(attempts, EXPERIMENTS, 'ListRuns', () =>
    source.listRuns(scope, { pageToken: null, maxResults: 1 }, signal),
  );
  const [first] = list?.items ?? [];
  if (list && runs) session.seen.set(scopeName(scope), { scope, runs: list.received + runs.received });
  if (first?.parentUserId && session.account === null)
    session.account = { id: first.parentUserId, scope: scopeName(scope) };
  const sample: Sample | null = first ?? (session.isMigrated ? await sampleRun(session.db, scope) : null);
  await tryWithRun(attempts, source, sample, list !== null);
  return attempts.judged;
}

async function tryWithRun(attempts: Attempts, source: Source, sample: Sample | null, isListed: boolean): Promise<void> {
  const { scope, signal } = attempts;
  const needsRun = (operation: string, what: string): void =>
    void attempts.judged.push(skipped(subjectOf(operation, scope), `could not be tried: ${what}`));
  if (sample === null) {
    const why = isListed
      ? 'neither the list nor the mirror has a run in this scope'
      : 'no run is known to try it with, since the list could not be read';
    for (const operation of ['ListPipelineRunsStatus', 'GetPipelineRun', 'ListPipelineRunNodeStatus'])
      needsRun(operation, why);
    return;
  }
  const { pipelineRunId, nodeId } = sample;
  await attempt(attempts, FLOW, 'ListPipelineRunsStatus', () =>
    source.listPipelineRunsStatus(scope, { pipelineRunIds: [pipelineRunId] }, signal),
  );
  await attempt(attempts, FLOW, 'GetPipelineRun', () => source.getPipelineRun(scope, pipelineRunId, signal));
  if (!nodeId) return needsRun('ListPipelineRunNodeStatus', `run ${pipelineRunId} has no root node yet`);
  await attempt(attempts, FLOW, 'ListPipelineRunNodeStatus', () =>
    source.listPipelineRunNodeStatus(scope, { pipelineRunId, nodeId, depth: 1, type: 'Logical' }, signal),
  );
}

const subjectOf = (operation: string, scope: Scope): string => `${operation} ${scopeName(scope)}`;

/** Null when it failed, which then is among the findings. */
async function attempt<T>(
  { scope, signal, judged, given }: Attempts,
  product: string,
  operation: string,
  call: () => Promise<T>,
): Promise<T | null> {
  const subject = subjectOf(operation, scope);
  const reason = given.get(product);
  if (reason !== undefined) {
    judged.push(skipped(subject, `not tried: ${reason}`));
    return null;
  }
  try {
    const answer = await call();
    judged.push(ok(subject, 'allowed'));
    return answer;
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof PaiError ? error.code : '';
    // The call was allowed; the run is gone since the list was read.
    if (error instanceof PaiError && error.notFound && !operation.startsWith('ListPipelineRuns') && product === FLOW) {
      judged.push(ok(subject, 'allowed (the run that was asked for is gone)'));
      return null;
    }
    judged.push(judgeCallFailure(subject, operation, scope.workspaceId, error));
    const why = `${operation} failed with ${code}`;
    if (OF_ALL_CALLS.test(code)) given.set(product, why);
    if (OF_ALL_PRODUCTS.test(code)) for (const each of [FLOW, EXPERIMENTS]) given.set(each, why);
    return null;
  }
}
