/** One attempt, for metrics. */
export interface CallReport {
  readonly operation: string;
  readonly region: string;
  /** 1 for the first try of a request. */
  readonly attempt: number;
  /** From the sending of the request to the end of its answer, or to its failure; null when none was sent. */
  readonly durationMs: number | null;
  /** `ok`, or the code of the error, `PAI_THROTTLED`; `PAI_NO_CREDENTIALS` when there was nothing to sign with. */
  readonly outcome: string;
  readonly httpStatus: number | null;
}
