/** `sync` and `reconcile`: one round, then exit. */
import { openMirror } from '../app.js';
import { STREAMS, type Stream } from '../domain/streams.js';
import { runRound } from '../sync/round.js';
import { createContext, type ExitCode } from './context.js';
import { type Interrupt, leaveInTime } from './interrupt.js';
import { progressDisplay } from './progress.js';
import { failed, tellReports } from './report.js';
import { refreshViews } from './views.js';

export interface SyncOptions {
  /** Default: all of them. */
  readonly streams?: readonly Stream[];
  readonly dryRun: boolean;
}

/** A lease that a killed process left behind runs out within this time, milliseconds. */
const BUSY_WAIT_MS = 60_000;
const HEARTBEAT_MS = 10_000;

/** The sums of a first load of 1,000,000 runs take half as long as the load: the next rounds, or the service, go on with them. */
const SUMS_LIMIT_MS = 5_000;

/** One process for a while, not one of many replicas: the reconciles of four scopes hold a connection each. */
const CONNECTIONS = 6;

export async function syncCommand(interrupt: Interrupt, options: SyncOptions): Promise<ExitCode> {
  const onTerminal = process.stderr.isTTY === true;
  // Log lines would tear the bars apart; the table at the end tells what they would have told.
  const { config, logger, output } = createContext({ scopes: true }, onTerminal ? { LOG_LEVEL: 'warn' } : {});
  const progress = progressDisplay(onTerminal, logger);
  const down = leaveInTime(interrupt, logger, 1);
  try {
    const mirror = await openMirror({
      config,
      logger,
      // Also before a dry run: it compares with the tables, and rolls back only what it would have put into them.
      migrate: true,
      dryRun: options.dryRun,
      maxConnections: CONNECTIONS,
      onProgress: progress.listener,
    });
    try {
      const { scopes, errors } = await mirror.resolveScopes(interrupt.signal);
      for (const { pattern, error } of errors) logger.error({ pattern }, `workspaces cannot be listed: ${error}`);
      const reports = await runRound(mirror.deps, scopes, {
        streams: options.streams ?? STREAMS,
        signal: interrupt.signal,
        ignoreBackoff: true,
        heartbeatMs: HEARTBEAT_MS,
        busyWaitMs: BUSY_WAIT_MS,
        clock: mirror.clock,
      });
      await refreshViews(mirror.store, logger, { signal: interrupt.signal, limitMs: SUMS_LIMIT_MS });
      progress.stop();
      tellReports(reports, output, logger);
      if (options.dryRun) logger.info({}, 'dry run: no data was written');
      return errors.length > 0 || interrupt.signal.aborted || reports.some(failed) ? 1 : 0;
    } finally {
      await mirror.close();
    }
  } finally {
    progress.stop();
    down();
  }
}
