/** `start`: the service, until SIGTERM or SIGINT. */
import { type Mirror, openMirror } from '../app.js';
import type { Config } from '../config.js';
import type { CallReport } from '../domain/call-report.js';
import { describeError, MirrorError, UsageError } from '../domain/errors.js';
import { type Scope, scopeName } from '../domain/scope.js';
import { Scheduler } from '../scheduler/scheduler.js';
import { runPass } from '../sync/run-pass.js';
import { limitedLogger } from '../util/log-limit.js';
import type { Logger } from '../util/logger.js';
import { createContext, type ExitCode } from './context.js';
import { type HttpSide, openSomeHttpSide, type WorkObserver } from './http-side.js';
import { type Interrupt, leaveInTime } from './interrupt.js';
import type { Output } from './output.js';
import { progressDisplay } from './progress.js';
import { scheduleRetention } from './scheduled-retention.js';
import { keepViewsFast } from './views.js';

const HEARTBEAT_MS = 10_000;

/** How long a list of workspaces (`region:*`) is good for, milliseconds. */
const SCOPES_FRESH_MS = 300_000;

/** Container platforms start a service and its database at once. */
export const DATABASE_WAIT_MS = 60_000;

export const PARTITIONS_AHEAD = 3;
const PARTITIONS_EVERY_MS = 6 * 3_600_000;

/** Levels at which a reason for ending would not be seen. */
const SAYS_NO_ERROR = ['silent', 'fatal'];

export interface StartOptions {
  /** The schema may be that of a newer version: its migrations only add. */
  readonly newerSchema: boolean;
}

export async function startCommand(interrupt: Interrupt, options: StartOptions): Promise<ExitCode> {
  const { config, logger: everyLine, output } = createContext({ scopes: true });
  const logger = limitedLogger(everyLine);
  try {
    return await startService(config, logger, output, interrupt, options);
  } catch (error) {
    // Whoever reads the log of a service reads lines of JSON, also the one that says why it did not come up.
    if (error instanceof UsageError || process.stderr.isTTY || SAYS_NO_ERROR.includes(config.logLevel)) throw error;
    logger.error(error instanceof MirrorError ? { code: error.code } : {}, `pai-mirror: ${describeError(error)}`);
    return 1;
  }
}

async function startService(
  config: Config,
  logger: Logger,
  output: Output,
  interrupt: Interrupt,
  options: StartOptions,
): Promise<ExitCode> {
  // First of all: probes are answered while the database is waited for, and a port in use is told before anything is done.
  const http = await openSomeHttpSide(config, logger, (sentence) => logger.warn({}, sentence));
  const down = leaveInTime(interrupt, logger, 0);
  try {
    const mirror = await openWhenThere(config, logger, http, interrupt, options);
    if (mirror === null) return 0;
    if (mirror.database.embedded) output.print(`PostgreSQL: ${mirror.database.connectionString}`);
    return await serve(mirror, http, config, logger, interrupt);
  } finally {
    await http.close();
    down();
  }
}

/** Null when it was interrupted before the database was there. */
async function openWhenThere(
  config: Config,
  logger: Logger,
  { work }: HttpSide,
  interrupt: Interrupt,
  { newerSchema }: StartOptions,
): Promise<Mirror | null> {
  const onCall = (report: CallReport): void => work.called(report);
  const progress = progressDisplay(false, logger);
  const patience = { limitMs: DATABASE_WAIT_MS, signal: interrupt.signal };
  try {
    const onProgress = progress.listener;
    return await openMirror({ config, logger, migrate: true, newerSchema, patience, onProgress, onCall });
  } catch (error) {
    if (interrupt.signal.aborted) return null;
    throw error;
  }
}

async function serve(
  mirror: Mirror,
  http: HttpSide,
  config: Config,
  logger: Logger,
  interrupt: Interrupt,
): Promise<ExitCode> {
  const scopes = currentScopes(mirror, logger, interrupt.signal);
  const scheduler = createScheduler({ mirror, config, logger, scopes, work: http.work });
  scheduler.start();
  const partitions = keepPartitionsAhead(mirror, logger);
  const views = keepViewsFast(mirror.store, logger);
  const retention = scheduleRetention(mirror, config, logger);
  http.running({ mirror, scopes: scopes.known });
  logger.info({ scopes: config.scopes.map(scopeName) }, 'pai-mirror started');
  await interrupt.interrupted;
  logger.info({}, 'stopping');
  clearInterval(partitions);
  const stop = () => Promise.all([views.stop(), scheduler.stop(), retention?.stop(), http.close()]);
  return shutDown({ stop }, mirror, logger);
}

/** The history is partitioned by month; a month without its own partition goes into the default one, so this may fail. */
export function keepPartitionsAhead(mirror: Mirror, logger: Logger): NodeJS.Timeout {
  return setInterval(() => {
    mirror.store.ensurePartitions(PARTITIONS_AHEAD).catch((error: unknown) => {
      logger.warn({}, `partitions of the history could not be made ahead of time: ${describeError(error)}`);
    });
  }, PARTITIONS_EVERY_MS);
}

export interface SchedulerParts {
  readonly mirror: Mirror;
  readonly config: Config;
  readonly logger: Logger;
  readonly scopes: CurrentScopes;
  readonly work: WorkObserver;
}

export function createScheduler({ mirror, config, logger, scopes, work }: SchedulerParts): Scheduler {
  const { schedules } = config;
  return new Scheduler({
    schedules: {
      'pipeline-runs': schedules.discover,
      status: schedules.poll,
      nodes: schedules.nodes,
      details: schedules.details,
      'experiment-runs': schedules.experiments,
      reconcile: schedules.reconcile,
    },
    scopes: scopes.list,
    runPass: async ({ scope, stream, signal: stop, spacingMs, followsUp }) => {
      const options = { signal: stop, spacingMs, followsUp, ignoreBackoff: false, heartbeatMs: HEARTBEAT_MS };
      const beganAt = performance.now();
      work.passBegan(stream);
      // It never rejects.
      const report = await runPass(mirror.deps, scope, stream, options);
      work.passEnded(report, (performance.now() - beganAt) / 1000);
      return { wrote: report.effect.inserted + report.effect.updated > 0 };
    },
    logger,
  });
}

export interface CurrentScopes {
  /** As of now; asks PAI now and then. */
  readonly list: () => Promise<readonly Scope[]>;
  /** The last list; empty at first. */
  readonly known: () => readonly Scope[];
}

/** The scopes; those behind a `region:*` are listed again now and then, and the last list serves while that fails. */
export function currentScopes(mirror: Mirror, logger: Logger, signal: AbortSignal): CurrentScopes {
  const { clock } = mirror;
  let known: readonly Scope[] = [];
  let freshUntil = 0;
  let refresh: Promise<readonly Scope[]> | null = null;
  const load = async (): Promise<readonly Scope[]> => {
    const { scopes, errors } = await mirror.resolveScopes(signal);
    for (const { pattern, error } of errors) logger.error({ pattern }, `workspaces cannot be listed: ${error}`);
    known =
      errors.length === 0
        ? scopes
        : [...new Map([...known, ...scopes].map((scope) => [scopeName(scope), scope])).values()];
    freshUntil = clock.now() + (errors.length === 0 ? SCOPES_FRESH_MS : 30_000);
    return known;
  };
  const list = (): Promise<readonly Scope[]> => {
    const leftMs = freshUntil - clock.now();
    // Longer than it was ever given: the database's clock was set back.
    if (leftMs > 0 && leftMs <= SCOPES_FRESH_MS) return Promise.resolve(known);
    refresh ??= load().finally(() => {
      refresh = null;
    });
    return refresh;
  };
  return { list, known: () => known };
}

export async function shutDown(
  running: { stop(): Promise<unknown> },
  mirror: Mirror,
  logger: Logger,
): Promise<ExitCode> {
  await running.stop();
  await mirror.close();
  logger.info({}, 'stopped');
  return 0;
}
