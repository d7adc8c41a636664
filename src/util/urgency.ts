/**
 * Which calls go first where many wait for one budget. A pass marks its signal, which every call of it carries down to
 * the budget anyway: so neither the engine's port nor the client's six methods have to hand a word through.
 */
const urgent = new WeakSet<AbortSignal>();

/** Until it is said otherwise, calls are not urgent. */
export function setUrgent(signal: AbortSignal, isUrgent: boolean): void {
  if (isUrgent) urgent.add(signal);
  else urgent.delete(signal);
}

export const isUrgent = (signal: AbortSignal): boolean => urgent.has(signal);
