/** Each operation tried once in a scope, as cheaply as it can be. */
import { PaiError } from '../../domain/errors.js';
import { type Scope, scopeName } from '../../domain/scope.js';
import { sampleRun } from '../../store/inspect/state.js';
import type { Source } from '../../sync/ports.js';
import { setUrgent } from '../../util/urgency.js';
import { type Judged, ok, skipped } from './check.js';
import { judgeCallFailure, judgeWait } from './judge-pai.js';
import type { Session } from './session.js';

interface Sample {
  readonly pipelineRunId: string;
  readonly nodeId: string | null;
}

interface Attempts {
  readonly session: Session;
  readonly scope: Scope;
  readonly signal: AbortSignal;
  readonly judged: Judged[];
}

const FLOW = 'paiflow';
const EXPERIMENTS = 'aiworkspace';

/**
 * Two attempts and a pause fit into it. Longer waits only who has no turn: PAI has asked another process on the same
 * budget for a pause, of a minute at most.
 */
const CALL_LIMIT_MS = 25_000;

/** After these the next call of the product in the region fails as well, and may take as long. */
const OF_ALL_CALLS = /^PAI_(NETWORK|TIMEOUT|THROTTLED|UNKNOWN_OPERATION)$/;
/** And after these that of any product anywhere. */
const OF_ALL_PRODUCTS = /^PAI_(KEYS_REFUSED|TOKEN_EXPIRED|CLOCK_OFF|NO_CREDENTIALS)$/;

export async function permissionsIn(session: Session, scope: Scope, signal: AbortSignal): Promise<Judged[]> {
  const attempts: Attempts = { session, scope, signal, judged: [] };
  const source = session.source as Source;
  const page = { pageNumber: 1, pageSize: 1, sortBy: 'GmtModifiedTime', order: 'DESC' } as const;
  const list = await attempt(attempts, FLOW, 'ListPipelineRuns', (limited) =>
    source.listPipelineRuns(scope, page, limited),
  );
  const runs = await attempt(attempts, EXPERIMENTS, 'ListRuns', (limited) =>
    source.listRuns(scope, { pageToken: null, maxResults: 1 }, limited),
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
  const { scope } = attempts;
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
  await attempt(attempts, FLOW, 'ListPipelineRunsStatus', (limited) =>
    source.listPipelineRunsStatus(scope, { pipelineRunIds: [pipelineRunId] }, limited),
  );
  await attempt(attempts, FLOW, 'GetPipelineRun', (limited) => source.getPipelineRun(scope, pipelineRunId, limited));
  if (!nodeId) return needsRun('ListPipelineRunNodeStatus', `run ${pipelineRunId} has no root node yet`);
  await attempt(attempts, FLOW, 'ListPipelineRunNodeStatus', (limited) =>
    source.listPipelineRunNodeStatus(scope, { pipelineRunId, nodeId, depth: 1, type: 'Logical' }, limited),
  );
}

const subjectOf = (operation: string, scope: Scope): string => `${operation} ${scopeName(scope)}`;

/** Null when it failed, which then is among the findings. */
async function attempt<T>(
  { session, scope, signal, judged }: Attempts,
  product: string,
  operation: string,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T | null> {
  const subject = subjectOf(operation, scope);
  const reason = whyNot(session, product, scope);
  if (reason !== null) {
    judged.push(skipped(subject, `not tried: ${reason}`));
    return null;
  }
  const limit = AbortSignal.timeout(CALL_LIMIT_MS);
  try {
    const answer = await call(urgent(AbortSignal.any([signal, limit])));
    judged.push(ok(subject, 'allowed'));
    return answer;
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) {
      judged.push(judgeWait(subject, CALL_LIMIT_MS / 1_000));
      session.hopeless.set(`${product} ${scope.region}`, `${operation} waited in vain`);
      return null;
    }
    // The call was allowed; the run is gone since the list was read.
    if (error instanceof PaiError && error.notFound && !operation.startsWith('ListPipelineRuns') && product === FLOW) {
      judged.push(ok(subject, 'allowed (the run that was asked for is gone)'));
      return null;
    }
    judged.push(judgeCallFailure(subject, operation, scope.workspaceId, error));
    const code = error instanceof PaiError ? error.code : '';
    if (OF_ALL_CALLS.test(code)) session.hopeless.set(`${product} ${scope.region}`, `${operation} failed with ${code}`);
    if (OF_ALL_PRODUCTS.test(code)) session.hopeless.set('all', `${operation} failed with ${code}`);
    return null;
  }
}

/** Why the next call of a product would fail like one before, of whichever scope. */
function whyNot({ unreachable, hopeless }: Session, product: string, { region }: Scope): string | null {
  const where = `${product} ${region}`;
  if (unreachable.has(where)) return 'its endpoint does not answer';
  return hopeless.get('all') ?? hopeless.get(where) ?? null;
}

/** A service that runs beside may have used up the budget for a while to come. */
export function urgent(signal: AbortSignal): AbortSignal {
  setUrgent(signal, true);
  return signal;
}
