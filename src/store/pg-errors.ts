import { MirrorError, StoreError } from '../domain/errors.js';

/** SQLSTATE of an error of the server, `ECONNREFUSED` and the like of the network; null for anything else. */
export function errorCode(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

const isSqlState = (code: string | null): code is string => code !== null && /^[0-9A-Z]{5}$/.test(code);

/** The server refuses what a row holds: data exception (22), or a value beyond a limit such as an index row's size (54). */
export const isDataError = (error: unknown): boolean => /^(22|54)...$/.test(errorCode(error) ?? '');

/**
 * No partition of the history takes an event: one got other bounds while the statement waited for it, or somebody has
 * dropped them all. (There are no other check constraints.)
 */
export const lacksPartition = (error: unknown): boolean => errorCode(error) === '23514';

/** A row with that key is there already. */
export const isDuplicate = (error: unknown): boolean => errorCode(error) === '23505';

/** Deadlock, serialization failure or a partition that is made now: the whole transaction is worth trying again at once. */
export const isConflict = (error: unknown): boolean =>
  ['40P01', '40001'].includes(errorCode(error) ?? '') || lacksPartition(error);

interface Kind {
  readonly code: string;
  readonly retryable: boolean;
  readonly blast: 'global' | 'scope';
  readonly hint?: string;
}

const passing = (code: string, hint: string): Kind => ({ code, retryable: true, blast: 'global', hint });

const UNREACHABLE = passing(
  'STORE_UNAVAILABLE',
  'the database cannot be reached: `start` tries again by itself, another command is to be run again',
);
const STARTING = passing('STORE_STARTING', 'the database is starting, stopping or recovering from a crash');
const DISK_FULL = passing('STORE_DISK_FULL', "the database's disk is full: nothing was written, make room there");
const CROWDED = passing(
  'STORE_TOO_MANY_CONNECTIONS',
  'the database has no connection left for the mirror: raise max_connections or the limit of its role',
);

/** By SQLSTATE or its class, first match wins; what is not listed concerns one statement of one scope. */
const KINDS: readonly (readonly [RegExp, Kind])[] = [
  [/^57P03/, STARTING],
  [/^53100/, DISK_FULL],
  [/^53200/, passing('STORE_OUT_OF_MEMORY', 'the database server is out of memory')],
  [/^53300/, CROWDED],
  [/^58030/, passing('STORE_IO', "the database's disk fails to read or write: see the log of the server")],
  [/^(08|53|57P|58)/, UNREACHABLE],
  [/^(40|23514)/, { code: 'STORE_CONFLICT', retryable: true, blast: 'scope' }],
  [/^(57014|55P03|25P03)/, { code: 'STORE_TIMEOUT', retryable: true, blast: 'scope' }],
  [
    /^25006/,
    passing(
      'STORE_READ_ONLY',
      'the database takes no writes: a standby, or set to read-only (some do when a disk is full)',
    ),
  ],
  [/^28/, { code: 'STORE_LOGIN', retryable: false, blast: 'global', hint: 'see user and password of DATABASE_URL' }],
  [/^3D/, { code: 'STORE_LOGIN', retryable: false, blast: 'global', hint: 'create it, or correct DATABASE_URL' }],
  [/^42501/, { code: 'STORE_PERMISSION', retryable: false, blast: 'global' }],
  [
    /^(42P01|42703|42883|3F000)/,
    { code: 'STORE_SCHEMA', retryable: false, blast: 'global', hint: 'run `pai-mirror migrate`' },
  ],
  [/^(22|54)/, { code: 'STORE_DATA', retryable: false, blast: 'scope' }],
  [
    /^XX00[12]/,
    {
      code: 'STORE_CORRUPT',
      retryable: false,
      blast: 'scope',
      hint: 'a table or index is damaged: REINDEX, or restore it',
    },
  ],
];

const TLS: Kind = { code: 'STORE_TLS', retryable: false, blast: 'global' };
/** Of OpenSSL and Node.js, for certificates and what is said before them. */
const TLS_CODE = /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH)/;

/** What pg and TLS say where waiting does not help; null for anything else. These have no SQLSTATE. */
function hopelessKind(error: unknown): Kind | null {
  const { message = '', syscall } = (error ?? {}) as { message?: string; syscall?: string };
  const code = errorCode(error) ?? '';
  if (TLS_CODE.test(code))
    return { ...TLS, hint: 'sslrootcert in DATABASE_URL names the authority of its certificate' };
  if (/does not support SSL/.test(message)) return { ...TLS, hint: 'sslmode=disable in DATABASE_URL does without' };
  // A socket that is not there is met by `connect`, a file of certificates that is not there by `open`.
  if (syscall === 'open') return { ...TLS, hint: 'see sslrootcert, sslcert and sslkey of DATABASE_URL' };
  if (/client password must be a/.test(message))
    return { code: 'STORE_LOGIN', retryable: false, blast: 'global', hint: 'DATABASE_URL has no password' };
  return null;
}

/** Messages of pg that have no code: the pool's time-out says nothing of what it waited for. */
const WAITED_IN_VAIN = /^timeout exceeded when trying to connect/;

function kindOf(error: unknown): Kind {
  const code = errorCode(error);
  if (isSqlState(code)) {
    const found = KINDS.find(([pattern]) => pattern.test(code));
    return found?.[1] ?? { code: 'STORE_FAILED', retryable: false, blast: 'scope' };
  }
  const hopeless = hopelessKind(error);
  if (hopeless !== null) return hopeless;
  // No SQLSTATE: the connection broke or never came about (ECONNREFUSED, a time-out of the pool, "Connection terminated").
  if (!WAITED_IN_VAIN.test((error as Error | null)?.message ?? '')) return UNREACHABLE;
  return { ...UNREACHABLE, hint: 'the database does not answer, or every connection of the mirror is in use' };
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

/** The database is not there (yet), and what is wrong with it may pass by itself: waiting for it makes sense. */
export const isNotThere = (error: unknown): boolean =>
  error instanceof StoreError && [UNREACHABLE, STARTING, CROWDED].some(({ code }) => code === error.code);
