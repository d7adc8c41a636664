/** One pass: takes the lease, keeps it, runs the stream, writes the outcome down. */
import pLimit from 'p-limit';
import type { Effect } from '../domain/batch.js';
import { noEffect } from '../domain/batch.js';
import { describeError } from '../domain/errors.js';
import { type Scope, scopeName } from '../domain/scope.js';
import type { Stream } from '../domain/streams.js';
import { setLogContext } from '../util/log-context.js';
import { limitOpenCalls } from '../util/open-calls.js';
import { setUrgent } from '../util/urgency.js';
import { details } from './details.js';
import { discover } from './discover.js';
import { experiments } from './experiments.js';
import { type KeeperOptions, LeaseKeeper, localTime, type ReadTime } from './lease-keeper.js';
import { nodes } from './nodes.js';
import { Pass, type PassDeps, type PassMode } from './pass.js';
import { poll } from './poll.js';
import type { Lease } from './ports.js';
import { reconcile } from './reconcile.js';
import { describeQuarantined } from './unreadable.js';

/**
 * What people wait for: that a run is there, and how it stands. Its nodes, its details and the walk over everything come
 * behind, where they share a budget (a first load takes its urgency back: see discover.ts).
 */
const URGENT: readonly Stream[] = ['pipeline-runs', 'status'];

/** The way of one run: discover → poll → nodes → details; then the experiments, and everything once more. */
const STREAM_PASSES: { readonly [stream in Stream]: (pass: Pass) => Promise<void> } = {
  'pipeline-runs': discover,
  status: poll,
  nodes,
  details,
  'experiment-runs': experiments,
  reconcile,
};

export interface PassReport {
  readonly scope: Scope;
  readonly stream: Stream;
  /**
   * `busy`: another process is at it, or (with `spacingMs`) has just been. `stopped`: this process was told to stop.
   * A pass that lost its lease has `failed`.
   */
  readonly outcome: 'succeeded' | 'failed' | 'stopped' | 'busy';
  readonly error: string | null;
  readonly calls: number;
  /** The fewest with which it could have been done (plan-calls.ts); null where it did not come to its end. */
  readonly minimumCalls: number | null;
  readonly rowsRead: number;
  readonly effect: Effect;
}

export interface PassOptions extends PassMode {
  readonly signal: AbortSignal;
  /** How often the lease is renewed while the pass runs, milliseconds. */
  readonly heartbeatMs: number;
  /** A pass that began no longer ago, in whichever process, does for this one, too. Milliseconds, default 0: never. */
  readonly spacingMs?: number;
  /** Default: this machine's clocks. */
  readonly readTime?: ReadTime;
}

export async function runPass(deps: PassDeps, scope: Scope, stream: Stream, options: PassOptions): Promise<PassReport> {
  const report = (outcome: PassReport['outcome'], error: string | null, pass?: Pass): PassReport => ({
    scope,
    stream,
    outcome,
    error,
    calls: pass?.calls ?? 0,
    minimumCalls: outcome === 'succeeded' ? (pass?.minimumCalls ?? 0) : null,
    rowsRead: pass?.rowsRead ?? 0,
    effect: pass?.effect ?? noEffect(),
  });
  try {
    const askedAt = (options.readTime ?? localTime)();
    const lease = await deps.store.acquireLease(scope, stream, options.spacingMs);
    if (lease === null) return report('busy', null);
    return await underLease(deps, lease, { ...options, askedAt }, report);
  } catch (error) {
    const outcome = options.signal.aborted ? 'stopped' : 'failed';
    const message = describeError(error);
    if (outcome === 'failed') {
      deps.logger.error({ scope: scopeName(scope), stream }, `pass could not be started: ${message}`);
    }
    return report(outcome, message);
  }
}

type Reporter = (outcome: PassReport['outcome'], error: string | null, pass?: Pass) => PassReport;

async function underLease(
  deps: PassDeps,
  lease: Lease,
  options: PassOptions & KeeperOptions,
  report: Reporter,
): Promise<PassReport> {
  const keeper = new LeaseKeeper(deps.store, lease, options);
  setUrgent(keeper.signal, URGENT.includes(lease.stream));
  limitOpenCalls(keeper.signal, pLimit(deps.settings.concurrency));
  let ranToEnd = false;
  try {
    const passId = await deps.store.startPass(lease);
    const context = { scope: scopeName(lease.scope), stream: lease.stream, pass: passId };
    setLogContext(keeper.signal, context);
    const logger = deps.logger.child(context);
    const startedAt = await deps.store.now();
    const pass = new Pass({ ...deps, logger }, lease, keeper.signal, startedAt, options);
    const error = await runStream(pass);
    // Before the pass is written down as ended: no call of it may go out after that.
    keeper.stop();
    const outcome = error === null ? 'succeeded' : options.signal.aborted ? 'stopped' : 'failed';
    // A pass that failed counts as well: else every replica would try the ill source once more at the same tick. One that
    // only followed up asked for less than a tick's does, and must not stand for it.
    ranToEnd = outcome !== 'stopped' && !keeper.isLost && !pass.followsUp;
    const done = report(outcome, error, pass);
    logOutcome(pass, done, keeper.isLost);
    const unfinished = await writeDown(pass, passId, done);
    return unfinished === null || outcome !== 'succeeded' ? done : report('failed', unfinished, pass);
  } finally {
    keeper.stop();
    await releaseQuietly(deps, lease, ranToEnd);
  }
}

/** Null when it worked. What the pass itself ended with is the better story, so this never hides it. */
async function writeDown(pass: Pass, passId: string, done: PassReport): Promise<string | null> {
  const { outcome, calls, rowsRead, effect, error } = done;
  try {
    const told = outcome === 'failed' ? error : null;
    if (outcome !== 'busy') await pass.store.finishPass(passId, { outcome, calls, rowsRead, effect, error: told });
    return null;
  } catch (failure) {
    const message = `the outcome of the pass could not be written down: ${describeError(failure)}`;
    pass.deps.logger.error({}, message);
    return message;
  }
}

/** Null when all went well. */
async function runStream(pass: Pass): Promise<string | null> {
  try {
    await STREAM_PASSES[pass.lease.stream](pass);
    return pass.failureSummary();
  } catch (error) {
    return describeError(error);
  }
}

/** A lease that cannot be given back runs out by itself. */
async function releaseQuietly(deps: PassDeps, lease: Lease, ranToEnd: boolean): Promise<void> {
  try {
    await deps.store.releaseLease(lease, ranToEnd);
  } catch (error) {
    const { scope, stream } = lease;
    deps.logger.debug({ scope: scopeName(scope), stream, error: describeError(error) }, 'lease not released');
  }
}

function logOutcome(pass: Pass, report: PassReport, lost: boolean): void {
  const { inserted, updated, unchanged, stale, quarantined, quarantinedItems = [] } = report.effect;
  const { calls, minimumCalls, rowsRead } = report;
  const minimum = minimumCalls === null ? {} : { minimumCalls };
  const counts = { calls, ...minimum, rowsRead, inserted, updated, unchanged, stale, quarantined };
  if (lost) pass.deps.logger.warn(counts, `pass given up: ${report.error}; what it had committed stays`);
  else if (report.outcome === 'failed') pass.deps.logger.error(counts, `pass failed: ${report.error}`);
  else if (report.outcome === 'stopped') pass.deps.logger.info(counts, 'pass stopped');
  else if (quarantined > 0) {
    const told = describeQuarantined(quarantined, quarantinedItems);
    pass.deps.logger.warn(counts, `pass finished, ${quarantined} items in quarantine: ${told}`);
  } else if (inserted + updated > 0) pass.deps.logger.info(counts, 'pass finished');
  else pass.deps.logger.debug(counts, 'pass finished, nothing new');
}
