import type { Instant } from '../../domain/entities.js';

/** Some 6 MB when full. What is in flight at once is minutes old at most, so the oldest are no loss. */
const MAX_REMEMBERED = 50_000;

/**
 * When this process saw a row last without finding anything new. The row itself cannot tell, since what did not change
 * is not written: without this memory an answer that is older than such an observation, but newer than the last change,
 * would be taken for the latest news. Other processes do not share it, but all passes of a stream, and nearly always
 * those of a scope, are made by one; a row that is refused because of it is asked for again by the next pass.
 */
export class RecentObservations {
  readonly #seen = new Map<string, Instant>();
  readonly #limit: number;

  constructor(limit = MAX_REMEMBERED) {
    this.#limit = limit;
  }

  /** When the row was seen last, if that is known. */
  seenAt(key: string): Instant | null {
    return this.#seen.get(key) ?? null;
  }

  /** Older observations of the same row change nothing. */
  note(key: string, observedAt: Instant): void {
    const known = this.#seen.get(key);
    if (known !== undefined && known >= observedAt) return;
    // Deleted first, so that the map is in the order in which rows were seen last.
    this.#seen.delete(key);
    this.#seen.set(key, observedAt);
    if (this.#seen.size > this.#limit) this.#seen.delete(this.#seen.keys().next().value as string);
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
