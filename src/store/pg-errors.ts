import { MirrorError, StoreError } from '../domain/errors.js';

/** SQLSTATE of an error of the server, `ECONNREFUSED` and the like of the network; null for anything else. */
export function errorCode(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

const isSqlState = (code: string | null): code is string => code !== null && /^[0-9A-Z]{5}$/.test(code);

/** The server refuses what a row holds: data exception (22), or a value beyond a limit such as an index row's size (54). */
export const isDataError = (error: unknown): boolean => /^(22|54)...$/.test(errorCode(error) ?? '');

/** Deadlock or serialization failure: the whole transaction is worth trying again at once. */
export const isConflict = (error: unknown): boolean => ['40P01', '40001'].includes(errorCode(error) ?? '');

interface Kind {
  readonly code: string;
  readonly retryable: boolean;
  readonly blast: 'global' | 'scope';
  readonly hint?: string;
}

const UNAVAILABLE: Kind = { code: 'STORE_UNAVAILABLE', retryable: true, blast: 'global' };

/** By SQLSTATE or its class; what is not listed concerns one statement of one scope. */
const KINDS: readonly (readonly [RegExp, Kind])[] = [
  [/^(08|53|57P|58)/, UNAVAILABLE],
  [/^40/, { code: 'STORE_CONFLICT', retryable: true, blast: 'scope' }],
  [/^(57014|55P03|25P03)/, { code: 'STORE_TIMEOUT', retryable: true, blast: 'scope' }],
  [/^25006/, { code: 'STORE_READ_ONLY', retryable: true, blast: 'global', hint: 'is this a standby?' }],
  [/^(28|3D)/, { code: 'STORE_LOGIN', retryable: false, blast: 'global' }],
  [/^42501/, { code: 'STORE_PERMISSION', retryable: false, blast: 'global' }],
  [
    /^(42P01|42703|42883|3F000)/,
    { code: 'STORE_SCHEMA', retryable: false, blast: 'global', hint: 'run `pai-mirror migrate`' },
  ],
  [/^(22|54)/, { code: 'STORE_DATA', retryable: false, blast: 'scope' }],
];

function kindOf(error: unknown): Kind {
  const code = errorCode(error);
  if (isSqlState(code)) {
    const found = KINDS.find(([pattern]) => pattern.test(code));
    return found?.[1] ?? { code: 'STORE_FAILED', retryable: false, blast: 'scope' };
  }
  // No SQLSTATE: the connection broke or never came about (ECONNREFUSED, a time-out of the pool, "Connection terminated").
  return UNAVAILABLE;
}

/**
 * Anything that a database call threw, as a StoreError (a MirrorError stays what it is). The message names what was
 * tried and never the connection string.
 */
export function storeError(what: string, error: unknown): MirrorError {
  if (error instanceof MirrorError) return error;
  const { hint, ...kind } = kindOf(error);
  const code = errorCode(error);
  const reason = (error as Error | null)?.message || (code ?? String(error));
  return new StoreError(`${what}: ${reason}${code ? ` (${code})` : ''}${hint ? `; ${hint}` : ''}`, {
    ...kind,
    cause: error,
  });
}
