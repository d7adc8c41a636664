import type { CallFailure } from './call-failure.js';
import type { Remedy } from './errors.js';

export interface RetryPolicy {
  /** Calls at most, the first one included. One more of each kind is spent on a new nonce, on fresh credentials, on a right date. */
  readonly attempts: number;
  /** The longest pause after the first failure, milliseconds; it doubles with each further one. */
  readonly baseMs: number;
  readonly capMs: number;
  /** A longer pause that the source asks for ends the tries; default: any is kept, up to a minute. Milliseconds. */
  readonly mostHintMs?: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, baseMs: 500, capMs: 20_000 };

/** The source may ask for a pause; longer than this it is not believed, so that a pass stays bounded. Milliseconds. */
const MAX_HINT_MS = 60_000;

/** What happened to one request so far. */
export interface Tries {
  readonly attempts: number;
  readonly resigned: boolean;
  readonly refreshed: boolean;
  readonly redated: boolean;
}

/**
 * Milliseconds to wait before the next attempt, null to give up. The pause is random between nothing and its bound
 * ("full jitter"), so that callers that failed together do not come back together. `random` is in [0, 1).
 */
export function pauseBefore(
  remedy: Remedy,
  failure: CallFailure,
  tries: Tries,
  policy: RetryPolicy,
  random: number,
): number | null {
  if (remedy === 'fail') return null;
  if (remedy === 'resign') return tries.resigned ? null : 0;
  if (remedy === 'refresh') return tries.refreshed ? null : 0;
  if (remedy === 'redate') return tries.redated || failure.sourceAheadMs === null ? null : 0;
  const counted = tries.attempts - Number(tries.resigned) - Number(tries.refreshed) - Number(tries.redated);
  if (counted >= policy.attempts) return null;
  const bound = Math.min(policy.capMs, policy.baseMs * 2 ** (counted - 1));
  const hint = Math.min(MAX_HINT_MS, failure.retryAfterMs ?? 0);
  if (policy.mostHintMs !== undefined && hint > policy.mostHintMs) return null;
  return hint + random * bound;
}
