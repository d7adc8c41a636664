/**
 * An AbortSignal tells only what somebody has told it. A process that stood still (SIGSTOP, a suspended machine, a
 * blocked event loop) goes on with timers and answers that are long overdue, in any order, and nobody has told its
 * signals yet. A guard is asked instead of told: whoever does something that cannot be taken back awaits it right before.
 */
const guards = new WeakMap<AbortSignal, () => Promise<void>>();

/** `check` rejects when what the signal stands for is over; it may first find out or mend that. One guard a signal. */
export function guardSignal(signal: AbortSignal, check: () => Promise<void>): void {
  guards.set(signal, check);
}

/** As `signal.throwIfAborted()`, and asks the signal's guard, if it has one. */
export async function throwIfOver(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const check = guards.get(signal);
  if (check !== undefined) await check();
}
