/** `sync` and `reconcile`: one round, then exit. */
import { openMirror } from '../app.js';
import { StoreError } from '../domain/errors.js';
import { STREAMS, type Stream } from '../domain/streams.js';
import { checkMigrated } from '../store/migrate.js';
import type { PgStore } from '../store/store.js';
import { runRound } from '../sync/round.js';
import { createContext, type ExitCode } from './context.js';
import { listenForInterrupt } from './interrupt.js';
import { progressDisplay } from './progress.js';
import { failed, tellReports } from './report.js';

export interface SyncOptions {
  /** Default: all of them. */
  readonly streams?: readonly Stream[];
  readonly dryRun: boolean;
}

/** A lease that a killed process left behind runs out within this time, milliseconds. */
const BUSY_WAIT_MS = 60_000;
const HEARTBEAT_MS = 10_000;

/** A database without a schema has nothing that a dry run could compare with. */
async function expectMigrated(store: PgStore): Promise<void> {
  await checkMigrated(store.pool).catch((cause: unknown) => {
    const message = 'a dry run needs a migrated database; run `pai-mirror migrate` first';
    throw new StoreError(message, { code: 'STORE_SCHEMA', retryable: false, blast: 'global', cause });
  });
}

export async function syncCommand(options: SyncOptions): Promise<ExitCode> {
  const onTerminal = process.stderr.isTTY === true;
  // Log lines would tear the bars apart; the table at the end tells what they would have told.
  const { config, logger, output } = createContext({ scopes: true }, onTerminal ? { LOG_LEVEL: 'warn' } : {});
  const interrupt = listenForInterrupt();
  const progress = progressDisplay(onTerminal, logger);
  try {
    const mirror = await openMirror({
      config,
      logger,
      // A dry run writes nothing, the schema included.
      migrate: !options.dryRun,
      dryRun: options.dryRun,
      onProgress: progress.listener,
    });
    try {
      if (options.dryRun) await expectMigrated(mirror.store);
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
      progress.stop();
      tellReports(reports, output, logger);
      if (options.dryRun) logger.info({}, 'dry run: nothing was written');
      return errors.length > 0 || interrupt.signal.aborted || reports.some(failed) ? 1 : 0;
    } finally {
      await mirror.close();
    }
  } finally {
    progress.stop();
    interrupt.dispose();
  }
}
