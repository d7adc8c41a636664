import { type BlastRadius, PaiError } from '../domain/errors.js';
import type { CallFailure } from './call-failure.js';
import type { Operation } from './operations.js';

/** What a failed attempt calls for. */
export type Remedy =
  /** Again after a pause. */
  | 'retry'
  /** Again after a pause, and slower from now on. */
  | 'throttle'
  /** Again with another nonce, once. */
  | 'resign'
  /** Again with fresh credentials, once. */
  | 'refresh'
  /** Again with the source's own time, once. */
  | 'redate'
  /** Never again: the same request gets the same answer. */
  | 'fail';

/** What a failure means, and what the PaiError says when nothing helped. */
export interface Verdict {
  readonly remedy: Remedy;
  readonly code: string;
  readonly retryable: boolean;
  readonly blast: BlastRadius;
  readonly notFound: boolean;
  /** Added to the message where PAI's own words do not say what to do. */
  readonly advice?: string;
}

const transient = (code: string, remedy: Remedy = 'retry'): Verdict => ({
  remedy,
  code,
  retryable: true,
  blast: 'scope',
  notFound: false,
});

const final = (code: string, blast: BlastRadius, advice?: string): Verdict => ({
  remedy: 'fail',
  code,
  retryable: false,
  blast,
  notFound: false,
  ...(advice === undefined ? {} : { advice }),
});

const THROTTLED = transient('PAI_THROTTLED', 'throttle');
const UNAVAILABLE = transient('PAI_UNAVAILABLE');
const KEYS_REFUSED = final('PAI_KEYS_REFUSED', 'global');
const FORBIDDEN = final('PAI_FORBIDDEN', 'scope');
const UNKNOWN_OPERATION = final('PAI_UNKNOWN_OPERATION', 'scope', 'is the endpoint that of PAI?');
const CLOCK_OFF: Verdict = { ...final('PAI_CLOCK_OFF', 'global'), remedy: 'redate' };

/** By PAI's code, first match wins; the order matters for codes such as InvalidAccessKeyId.NotFound. */
const BY_CODE: readonly (readonly [RegExp, Verdict])[] = [
  [/^Throttl/i, THROTTLED],
  [/^(?:ServiceUnavailable|InternalError|InternalServerError|System\.?Busy)/i, UNAVAILABLE],
  [/^SignatureNonceUsed/i, transient('PAI_NONCE_USED', 'resign')],
  [
    /(?:SecurityToken|StsToken).*Expired|^ExpiredToken/i,
    { ...final('PAI_TOKEN_EXPIRED', 'global'), remedy: 'refresh' },
  ],
  [/^InvalidTimeStamp/i, CLOCK_OFF],
  [/^(?:SignatureDoesNotMatch|IncompleteSignature|InvalidAccessKey|InvalidSecurityToken)/i, KEYS_REFUSED],
  [/^(?:Forbidden|NoPermission|AccessDenied|Unauthorized)/i, FORBIDDEN],
  // The gateway does not know the operation, which says nothing about a run.
  [/^Invalid(?:Action|Api|Product|Version)|^UnsupportedOperation/i, UNKNOWN_OPERATION],
];

const INVALID_CODE = /^(?:Missing|Invalid)/i;
const NOT_FOUND_CODE = /NotFound|NotExist/i;

/** What a failure calls for: by PAI's code first, because throttling comes with HTTP 400 at times, then by status. */
export function classify(failure: CallFailure, operation: Operation): Verdict {
  if (failure.kind === 'network') return transient('PAI_NETWORK');
  if (failure.kind === 'deadline') return transient('PAI_TIMEOUT');
  if (failure.kind === 'too-large') return final('PAI_TOO_LARGE', reach(operation));
  if (failure.kind === 'bad-answer') return badAnswer(failure.httpStatus);
  const known = BY_CODE.find(([pattern]) => pattern.test(failure.paiCode ?? ''));
  return known?.[1] ?? byStatus(failure, operation);
}

/** A failed list concerns its scope, any other call the run that it was about. */
const reach = (operation: Operation): BlastRadius => (operation.isList ? 'scope' : 'item');

/** Without a document the status is all there is; a proxy's 404 page is no word of PAI about a run. */
function badAnswer(httpStatus: number | null): Verdict {
  if (httpStatus === 429) return THROTTLED;
  return httpStatus !== null && httpStatus >= 500 ? UNAVAILABLE : transient('PAI_BAD_ANSWER');
}

function byStatus(failure: CallFailure, operation: Operation): Verdict {
  const status = failure.httpStatus ?? 0;
  const code = failure.paiCode ?? '';
  if (status === 429) return THROTTLED;
  if (status < 500 && (status === 404 || NOT_FOUND_CODE.test(code))) {
    return { ...final('PAI_NOT_FOUND', reach(operation)), notFound: true };
  }
  if (INVALID_CODE.test(code)) return final('PAI_INVALID_REQUEST', reach(operation));
  if (status >= 500 || status === 408) return UNAVAILABLE;
  if (status === 401) return KEYS_REFUSED;
  if (status === 403) return FORBIDDEN;
  return final(status === 400 ? 'PAI_INVALID_REQUEST' : 'PAI_REFUSED', reach(operation));
}

/** Who is how far off, in words. `sourceAheadMs` null: the source did not tell its time. */
export function describeClock(sourceAheadMs: number | null): string {
  if (sourceAheadMs === null) return 'the clock of this machine is off by more than 15 minutes: set it right';
  const minutes = Math.round(Math.abs(sourceAheadMs) / 60_000);
  return `the clock of this machine is ${minutes} minutes ${sourceAheadMs > 0 ? 'behind' : 'ahead of'} PAI's: set it right`;
}

/** The error that leaves `src/pai`. `secrets` never appear in it, also where PAI repeats what was signed. */
export function paiError(
  failure: CallFailure,
  verdict: Verdict,
  call: {
    readonly operation: Operation;
    readonly region: string;
    readonly attempts: number;
    readonly secrets: readonly string[];
  },
): PaiError {
  const { httpStatus, paiCode, requestId } = failure;
  const words = [
    `${call.operation.name} in ${call.region} failed:`,
    httpStatus === null ? null : `HTTP ${httpStatus}`,
    paiCode === null ? null : `${paiCode}:`,
    withoutSecrets(failure.message, call.secrets),
    verdict.advice === undefined ? null : `- ${verdict.advice}`,
    verdict.code === CLOCK_OFF.code ? `- ${describeClock(failure.sourceAheadMs)}` : null,
    `(request id ${requestId ?? 'unknown'}, ${call.attempts} ${call.attempts === 1 ? 'attempt' : 'attempts'})`,
  ];
  return new PaiError(words.filter((word) => word !== null).join(' '), {
    ...verdict,
    operation: call.operation.name,
    paiCode,
    httpStatus,
    requestId,
    attempts: call.attempts,
    cause: failure.cause,
  });
}

/** Shorter than any real key: taking these out would only garble the message. */
const MIN_SECRET_LENGTH = 8;

const withoutSecrets = (text: string, secrets: readonly string[]): string =>
  secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .reduce((clean, secret) => clean.replaceAll(secret, '***'), text);
