/**
 * What the log lines of a call say about whom it was made for. A pass gives it to its signal, which every call of it carries
 * anyway, as urgency.ts does: so the client knows nothing of passes, and its lines can be told apart all the same.
 */
const contexts = new WeakMap<AbortSignal, object>();

/** `fields`: of a log line, `{ scope, stream, pass }`. */
export const setLogContext = (signal: AbortSignal, fields: object): void => void contexts.set(signal, fields);

export const logContextOf = (signal: AbortSignal): object => contexts.get(signal) ?? {};
