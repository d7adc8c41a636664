/** One complete round: every stream of every scope, in the order in which a run goes through them. */
import pLimit from 'p-limit';
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
  return reports;
}

async function runWhenFree(deps: PassDeps, scope: Scope, stream: Stream, options: RoundOptions): Promise<PassReport> {
  const deadline = options.clock.now() + options.busyWaitMs;
  for (;;) {
    const report = await runPass(deps, scope, stream, options);
    if (report.outcome !== 'busy' || options.clock.now() >= deadline || options.signal.aborted) return report;
    deps.onProgress({ scope, stream, phase: 'waiting for another process', done: 0, total: null });
    await options.clock.sleep(500, options.signal).catch(() => {});
  }
}
