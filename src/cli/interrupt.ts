import { constants } from 'node:os';
import type { Logger } from '../util/logger.js';

/** SIGINT and SIGTERM abort the signal; a second one ends the process at once. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Resolves at the first signal. */
  readonly interrupted: Promise<void>;
  /** From now on a signal ends the process at once, as if nobody listened. */
  dispose(): void;
}

/** The service promises to be gone within 10 seconds; the rest is for a busy machine, on which ending takes a moment, too. */
const SHUTDOWN_LIMIT_MS = 8_000;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The first process of a container, of which the kernel keeps away every signal that it does not listen to. */
const FIRST_PROCESS = 1;

export function listenForInterrupt(pid = process.pid): Interrupt {
  const controller = new AbortController();
  let resolve: () => void = () => {};
  const interrupted = new Promise<void>((done) => {
    resolve = done;
  });
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error('interrupted'));
    resolve();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    interrupted,
    dispose: () => {
      for (const name of SIGNALS) {
        process.off(name, onSignal);
        // With the exit code that a shell shows for it.
        if (pid === FIRST_PROCESS) process.on(name, () => process.exit(128 + constants.signals[name]));
      }
    },
  };
}

/**
 * Ends the process `SHUTDOWN_LIMIT_MS` after a signal, with this exit code, unless the function that is returned was called
 * by then. A database that takes a statement and never answers (or one that another process migrates) cannot be waited for:
 * whoever sent the signal soon sends one that nobody hears. Nothing is lost: what was under way is rolled back.
 */
export function leaveInTime(interrupt: Interrupt, logger: Logger, code: 0 | 1): () => void {
  let limit: NodeJS.Timeout | undefined;
  let isDown = false;
  void interrupt.interrupted.then(() => {
    if (isDown) return;
    limit = setTimeout(() => {
      logger.warn({}, 'not down in time: leaving now; what was under way is rolled back');
      process.exit(code);
    }, SHUTDOWN_LIMIT_MS).unref();
  });
  return () => {
    isDown = true;
    clearTimeout(limit);
  };
}
