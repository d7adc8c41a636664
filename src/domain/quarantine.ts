/** How an item in quarantine is named and recognised, by the decoder that puts it there and by the table that keeps it. */
import { createHash } from 'node:crypto';
import type { Evidence } from './answers.js';
import type { Instant } from './entities.js';
import type { Scope } from './scope.js';
import type { Stream } from './streams.js';

/** PostgreSQL's text has no NUL byte; JSON writes it as an escape anyway, other texts get the same one. */
export const storableText = (text: string): string => text.replaceAll('\u0000', '\\u0000');

/** SHA-256 of the raw text, in hexadecimal: the same content has the same one, whenever and by whom it is read. */
export const fingerprintOf = (raw: string): string => createHash('sha256').update(storableText(raw)).digest('hex');

/** `flow-1/node-2/Logical`, the key of the row that the item would be. */
export const idOfParts = (...parts: readonly string[]): string => parts.join('/');

/** One row of `pai.quarantine`. */
export interface QuarantineEntry {
  /** Decimal digits; ascends. */
  readonly id: string;
  readonly scope: Scope;
  readonly stream: Stream;
  readonly operation: string;
  readonly entity: string;
  readonly entityId: string | null;
  /** The run that the call asked for, or that the item hangs on; null where there is none. */
  readonly parentId: string | null;
  /** `answer`: raw is the item as PAI sent it. `entity`: as it was decoded, and the database refused that. */
  readonly form: 'answer' | 'entity';
  readonly raw: string;
  readonly error: string;
  readonly evidence: Evidence;
  readonly firstSeenAt: Instant;
  /** Null while nobody has settled it. */
  readonly resolvedAt: Instant | null;
  readonly resolution: Resolution | null;
}

/**
 * How an entry was settled: `superseded` by a good answer, `retried` (decoded again and stored), or `vanished`: the
 * source was asked for everything and does not send it any more.
 */
export type Resolution = 'superseded' | 'retried' | 'vanished';
