import { describeError, MirrorError } from '../domain/errors.js';
import type { Pass } from './pass.js';

/** Runs every part, also after one has failed; then throws what failed. A stop ends them all. */
export async function runParts(pass: Pass, parts: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const part of parts) {
    await part().catch((error: unknown) => {
      pass.signal.throwIfAborted();
      errors.push(error);
    });
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) {
    const message = errors.map(describeError).join('; ');
    throw new MirrorError(message, { code: 'PARTS_FAILED', retryable: true, blast: 'scope', cause: errors[0] });
  }
}
