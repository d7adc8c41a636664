import type { Instant } from '../../domain/entities.js';

/** At least so many, at most twice as many: some 6 MB. What is in flight is minutes old at most, the oldest are no loss. */
const REMEMBERED = 25_000;

/**
 * When this process saw a row last without finding anything new. The row itself cannot tell, since what did not change
 * is not written: without this memory an answer that is older than such an observation, but newer than the last change,
 * would be taken for the latest news. Other processes do not share it, but all passes of a stream, and nearly always
 * those of a scope, are made by one; a row that is refused because of it is asked for again by the next pass.
 */
export class RecentObservations {
  /** Two generations: to forget the oldest one by one took longer than everything else that is done for a row. */
  #young = new Map<string, Instant>();
  #old = new Map<string, Instant>();
  readonly #limit: number;

  constructor(limit = REMEMBERED) {
    this.#limit = limit;
  }

  /** When the row was seen last, if that is known. */
  seenAt(key: string): Instant | null {
    return this.#young.get(key) ?? this.#old.get(key) ?? null;
  }

  /** Older observations of the same row change nothing. */
  note(key: string, observedAt: Instant): void {
    const known = this.seenAt(key);
    if (known !== null && known >= observedAt) return;
    this.#young.set(key, observedAt);
    if (this.#young.size < this.#limit) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}

/** The observations of one transaction: they count once it has committed. */
export class PendingObservations {
  readonly #recent: RecentObservations;
  readonly #pending: (readonly [key: string, observedAt: Instant])[] = [];

  constructor(recent: RecentObservations) {
    this.#recent = recent;
  }

  seenAt(table: string, id: string): Instant | null {
    return this.#recent.seenAt(keyOf(table, id));
  }

  unchanged(table: string, id: string, observedAt: Instant): void {
    this.#pending.push([keyOf(table, id), observedAt]);
  }

  committed(): void {
    for (const [key, observedAt] of this.#pending) this.#recent.note(key, observedAt);
  }
}

/** One flat text: an id alone may be a slice that keeps the whole answer in memory. */
const keyOf = (table: string, id: string): string => `${table} ${id}`;
