import { UsageError } from '../domain/errors.js';
import { Random } from './random.js';

export const FAULT_KINDS = [
  'throttle',
  'error',
  'html-5xx',
  'empty-5xx',
  'reset',
  'stall',
  'drip',
  'truncate',
  'not-json',
  'latency',
  'replace',
] as const;

/**
 * throttle: code Throttling.User (HTTP 400 by default), with a wait hint when `retryAfterMillis` is given.
 * error: any `status` and `code`. html-5xx, empty-5xx: what a gateway says when the service behind it is gone (`status`, default 502).
 * reset: the connection is reset without an answer. stall: no answer, ever. drip: `chunkBytes` every `intervalMillis`, at most for ever.
 * truncate: half of the body, then a reset. not-json: HTTP 200 with a text that is not JSON. latency: the usual answer, `millis` later.
 * replace: `body` byte for byte, with `status` (default 200).
 */
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  /** The operation's name, or `*` for all. */
  readonly operation: string;
  readonly kind: FaultKind;
  /** Matching calls that go well before the first failure. Default 0. */
  readonly after?: number;
  /** Failures in all; null, the default: for ever. */
  readonly times?: number | null;
  /** Of each matching call to fail, drawn from the seed. Default 1. */
  readonly probability?: number;
  /** Only calls whose path with query, or whose body, contains this. */
  readonly match?: string;
  readonly status?: number;
  readonly code?: string;
  readonly message?: string;
  /** For throttle: sent as x-acs-retry-after. */
  readonly retryAfterMillis?: number;
  /** For latency. Default 100. */
  readonly millis?: number;
  /** For drip. Default 1 byte every 100 ms. */
  readonly chunkBytes?: number;
  readonly intervalMillis?: number;
  /** For replace, and instead of the standard text for not-json and html-5xx. */
  readonly body?: string;
}

interface Armed {
  readonly fault: Fault;
  matched: number;
  fired: number;
}

function check(fault: Fault): void {
  if (!FAULT_KINDS.includes(fault.kind)) {
    throw new UsageError(`fault kind: found "${fault.kind}", expected one of ${FAULT_KINDS.join(', ')}`);
  }
  if (typeof fault.operation !== 'string' || fault.operation === '') {
    throw new UsageError(`fault operation: found ${JSON.stringify(fault.operation)}, expected a name or "*"`);
  }
  const { probability = 1, after = 0, times = null } = fault;
  if (!(probability >= 0 && probability <= 1)) {
    throw new UsageError(`fault probability: found ${probability}, expected a number from 0 to 1`);
  }
  if (!Number.isInteger(after) || after < 0) throw new UsageError(`fault after: found ${after}, expected 0 or more`);
  if (times !== null && (!Number.isInteger(times) || times < 1)) {
    throw new UsageError(`fault times: found ${times}, expected 1 or more, or null`);
  }
}

/** What is to go wrong, in the order in which it was asked for: the first fault that applies wins. */
export class Faults {
  private armed: Armed[] = [];
  private readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed ^ 0xfa017);
  }

  /** Throws UsageError, and adds nothing, when one of them is not understood. */
  add(...faults: readonly Fault[]): void {
    for (const fault of faults) check(fault);
    this.armed.push(...faults.map((fault) => ({ fault, matched: 0, fired: 0 })));
  }

  clear(): void {
    this.armed = [];
  }

  /** With how often each has matched and fired. */
  list(): readonly (Fault & { readonly matched: number; readonly fired: number })[] {
    return this.armed.map(({ fault, matched, fired }) => ({ ...fault, matched, fired }));
  }

  /** The fault that this call meets, or null. Counts the call. */
  next(operation: string, target: string, body: string): Fault | null {
    for (const armed of this.armed) {
      const { fault } = armed;
      if (fault.operation !== '*' && fault.operation !== operation) continue;
      if (fault.match !== undefined && !target.includes(fault.match) && !body.includes(fault.match)) continue;
      armed.matched += 1;
      const spent = fault.times !== null && fault.times !== undefined && armed.fired >= fault.times;
      if (spent || armed.matched <= (fault.after ?? 0)) continue;
      if (fault.probability !== undefined && this.random.next() >= fault.probability) continue;
      armed.fired += 1;
      return fault;
    }
    return null;
  }
}
