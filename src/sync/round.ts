/** One complete round: every stream of every scope, in the order in which a run goes through them. */
import pLimit from 'p-limit';
import { addEffect, noEffect } from '../domain/batch.js';
import type { Scope } from '../domain/scope.js';
import { STREAMS, type Stream } from '../domain/streams.js';
import type { Clock } from '../util/clock.js';
import type { PassDeps } from './pass.js';
import { type PassOptions, type PassReport, runPass } from './run-pass.js';

/** Scopes that are worked on at once; each has its own streams in order. */
const SCOPES_AT_ONCE = 4;

export interface RoundOptions extends PassOptions {
  readonly streams: readonly Stream[];
  /** How long to wait for a stream that another process is at, milliseconds. */
  readonly busyWaitMs: number;
  readonly clock: Clock;
}

/** A failed pass never keeps another stream or scope from its own. */
export async function runRound(
  deps: PassDeps,
  scopes: readonly Scope[],
  options: RoundOptions,
): Promise<readonly PassReport[]> {
  const limit = pLimit(SCOPES_AT_ONCE);
  const reports = await Promise.all(scopes.map((scope) => limit(() => runScope(deps, scope, options))));
  return reports.flat();
}

async function runScope(deps: PassDeps, scope: Scope, options: RoundOptions): Promise<PassReport[]> {
  const reports: PassReport[] = [];
  for (const stream of STREAMS) {
    if (!options.streams.includes(stream)) continue;
    if (options.signal.aborted) break;
    reports.push(await runWhenFree(deps, scope, stream, options));
  }
  const reconciled = reports.find(({ stream }) => stream === 'reconcile');
  return reconciled !== undefined && repairedRuns(reconciled) ? followReconcile(deps, reports, options) : reports;
}

const repairedRuns = ({ effect }: PassReport): boolean => {
  const { inserted, updated } = effect.tables.pipeline_runs ?? { inserted: 0, updated: 0 };
  return inserted + updated > 0;
};

/** What the last stream repaired is due in earlier ones: they run once more, and each stream has one report for both. */
async function followReconcile(
  deps: PassDeps,
  reports: readonly PassReport[],
  options: RoundOptions,
): Promise<PassReport[]> {
  const all: PassReport[] = [];
  for (const report of reports) {
    const follows = report.stream === 'nodes' || report.stream === 'details';
    if (!follows || report.outcome !== 'succeeded' || options.signal.aborted) all.push(report);
    else {
      const again = await runWhenFree(deps, report.scope, report.stream, { ...options, followsUp: true });
      all.push(joined(report, again));
    }
  }
  return all;
}

/** The outcome is that of the second pass: the first one succeeded. */
const joined = (first: PassReport, second: PassReport): PassReport => ({
  ...second,
  calls: first.calls + second.calls,
  minimumCalls: second.minimumCalls === null ? null : (first.minimumCalls ?? 0) + second.minimumCalls,
  rowsRead: first.rowsRead + second.rowsRead,
  effect: addEffect(addEffect(noEffect(), first.effect), second.effect),
});

async function runWhenFree(deps: PassDeps, scope: Scope, stream: Stream, options: RoundOptions): Promise<PassReport> {
  const deadline = options.clock.now() + options.busyWaitMs;
  for (;;) {
    const report = await runPass(deps, scope, stream, options);
    if (report.outcome !== 'busy' || options.clock.now() >= deadline || options.signal.aborted) return report;
    deps.onProgress({ scope, stream, phase: 'waiting for another process', done: 0, total: null });
    await options.clock.sleep(500, options.signal).catch(() => {});
  }
}
