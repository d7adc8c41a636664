import { onAbort } from '../util/on-abort.js';

/** Settles as the promise does, or rejects with the signal's reason when that aborts first. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else stop = onAbort(signal, () => reject(signal.reason));
  });
  try {
    // The race also handles the rejection of whichever promise loses it. Aborted stands first to win a tie.
    return await Promise.race([aborted, promise]);
  } finally {
    stop();
  }
}
