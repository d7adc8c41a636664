import type { JsonObject } from './json.js';

/**
 * What went wrong with one call on the wire: PAI answered with an error (`answer`), nothing usable arrived (`network`,
 * `deadline`, `bad-answer`), or too much did (`too-large`).
 */
export type FailureKind = 'answer' | 'network' | 'deadline' | 'bad-answer' | 'too-large';

/** One failed attempt. Never leaves `src/pai`: the last one becomes a PaiError. */
export class CallFailure extends Error {
  readonly kind: FailureKind;
  /** Null when no answer began to arrive. */
  readonly httpStatus: number | null;
  readonly paiCode: string | null;
  readonly requestId: string | null;
  /** Milliseconds that the source asks to wait. */
  readonly retryAfterMs: number | null;
  /**
   * Milliseconds by which the source's clock (its Date header) is ahead of this machine's; null when it does not tell, or
   * agrees with the date that was signed.
   */
  readonly sourceAheadMs: number | null;

  constructor(
    kind: FailureKind,
    message: string,
    details: {
      readonly httpStatus?: number | null;
      readonly paiCode?: string | null;
      readonly requestId?: string | null;
      readonly retryAfterMs?: number | null;
      readonly sourceAheadMs?: number | null;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.httpStatus = details.httpStatus ?? null;
    this.paiCode = details.paiCode ?? null;
    this.requestId = details.requestId ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.sourceAheadMs = details.sourceAheadMs ?? null;
  }
}

/** A field of an error document, whose first letter some gateways write small. */
export function errorField(body: JsonObject, name: 'Code' | 'Message' | 'RequestId'): string | null {
  const value = body[name] ?? body[name.charAt(0).toLowerCase() + name.slice(1)];
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

/** Words in Code that say that all is well, as envelopes of other products use them. */
const FINE = /^(?:200|0|ok|success)$/i;

/**
 * Some gateways send an error document with HTTP 200. The code of such a document; null for an answer that carries
 * anything which the operation promises (a pipeline run has a Message of its own, but no Code).
 */
export function embeddedErrorCode(body: JsonObject): string | null {
  const code = errorField(body, 'Code');
  if (code === null || FINE.test(code)) return null;
  const carriesData = Object.values(body).some(Array.isArray) || body.PipelineRunId !== undefined;
  return carriesData ? null : code;
}
