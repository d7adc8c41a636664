/**
 * How far a failure reaches: `global` stops everything (bad credentials), `scope` stops the pass of one stream in one
 * scope, `item` concerns one run or row and the pass goes on.
 */
export type BlastRadius = 'global' | 'scope' | 'item';

export interface MirrorErrorOptions {
  /** Stable and documented, `PAI_THROTTLED`; never parse the message. */
  readonly code: string;
  readonly retryable: boolean;
  readonly blast: BlastRadius;
  readonly cause?: unknown;
}

/** The base of every error that the mirror raises on purpose. */
export class MirrorError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly blast: BlastRadius;

  constructor(message: string, options: MirrorErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.retryable = options.retryable;
    this.blast = options.blast;
  }
}

/** A call to PAI that failed for good (retries included). */
export class PaiError extends MirrorError {
  readonly operation: string;
  /** PAI's own error code, `Throttling.User`; null when the answer carried none. */
  readonly paiCode: string | null;
  readonly httpStatus: number | null;
  readonly requestId: string | null;
  readonly attempts: number;
  /** The run, node … that the call was about does not exist (any more). */
  readonly notFound: boolean;

  constructor(
    message: string,
    options: MirrorErrorOptions & {
      readonly operation: string;
      readonly paiCode?: string | null;
      readonly httpStatus?: number | null;
      readonly requestId?: string | null;
      readonly attempts?: number;
      readonly notFound?: boolean;
    },
  ) {
    super(message, options);
    this.operation = options.operation;
    this.paiCode = options.paiCode ?? null;
    this.httpStatus = options.httpStatus ?? null;
    this.requestId = options.requestId ?? null;
    this.attempts = options.attempts ?? 1;
    this.notFound = options.notFound ?? false;
  }
}

/** The database refused or could not be reached. */
export class StoreError extends MirrorError {}

/** This replica does not hold the lease (any more), so nothing of the batch was written. */
export class LeaseLostError extends MirrorError {
  constructor(scope: string, stream: string) {
    super(`lost the lease of ${stream} in ${scope}: it ran out, or another process took over`, {
      code: 'LEASE_LOST',
      retryable: false,
      blast: 'scope',
    });
  }
}

/** A mistake in the configuration or in the words of a command; exit code 2. */
export class UsageError extends MirrorError {
  constructor(message: string) {
    super(message, { code: 'USAGE', retryable: false, blast: 'global' });
  }
}

/** Mistakes in the environment, each `NAME: found …, expected …`. */
export class ConfigurationError extends UsageError {
  readonly mistakes: readonly string[];

  constructor(message: string, mistakes: readonly string[]) {
    super(message);
    this.mistakes = mistakes;
  }
}

/** The message of anything thrown, with the messages of its causes. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && current !== null && depth < 5; depth += 1) {
    const text = current instanceof Error ? current.message || current.name : String(current);
    if (text !== '' && !parts.some((part) => part.includes(text))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(': ');
}
