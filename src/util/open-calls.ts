/**
 * How many requests of one pass are open at once. An answer is decoded when its request is over: the next one is on its
 * way by then, if the pass has it ready. The limit travels with the pass's signal, as urgency does (urgency.ts).
 */
export type Turn = <T>(work: () => Promise<T>) => Promise<T>;

const turns = new WeakMap<AbortSignal, Turn>();

export const limitOpenCalls = (signal: AbortSignal, turn: Turn): void => void turns.set(signal, turn);

const atOnce: Turn = (work) => work();

/** Without a limit there is always room. */
export const turnOf = (signal: AbortSignal): Turn => turns.get(signal) ?? atOnce;
