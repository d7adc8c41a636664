/**
 * An AbortSignal tells only what somebody has told it. A process that stood still (SIGSTOP, a suspended machine, a
 * blocked event loop) goes on with timers and answers that are long overdue, in any order, and nobody has told its
 * signals yet. A guard is asked instead of told, right before something is done that cannot be taken back.
 */
export interface Guard {
  /** Whether what the signal stands for may be over by now. */
  isOver(): boolean;
  /** Rejects when it is over; may first find out or mend that. */
  check(): Promise<void>;
}

const guards = new WeakMap<AbortSignal, Guard>();

/** One guard a signal. */
export function guardSignal(signal: AbortSignal, guard: Guard): void {
  guards.set(signal, guard);
}

/** As `signal.throwIfAborted()`, and asks the signal's guard, if it has one. */
export async function throwIfOver(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await guards.get(signal)?.check();
}

/** For the very last moment, in which nothing can be waited for. */
export const isOver = (signal: AbortSignal): boolean => signal.aborted || (guards.get(signal)?.isOver() ?? false);
