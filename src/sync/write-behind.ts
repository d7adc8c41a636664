/**
 * Pages are stored while the next ones are fetched, and in groups: a commit of 3,000 rows costs little more than one of
 * 300. Order is kept: a group is stored when the one before it is, and a cursor among the items goes with those before it.
 */

/** Characters of answers in one group: pages of large items are stored in smaller groups. */
const MAX_SIZE = 4_000_000;

/** Milliseconds that the first page of a group waits for company: it is seen so much later at most. */
const PATIENCE_MS = 250;

export interface WriteBehindOptions<T> {
  /** Items in a group; as many may wait while others are stored. */
  readonly maxItems: number;
  readonly maxSize?: number;
  readonly patienceMs?: number;
  /** Nothing may join a group behind such an item; default: none is like that. */
  readonly endsGroup?: (item: T) => boolean;
  /**
   * Whether the next group may be stored beside the one that is under way; default: never. The database then works on
   * one while this process prepares the other: it stood still for a fifth of a first load's time.
   */
  readonly mayOverlap?: (some: readonly T[], next: readonly T[]) => boolean;
}

interface Sized {
  /** Characters, if known. */
  readonly size?: number | undefined;
}

interface Group<T> {
  readonly items: readonly T[];
  /** Never fails. */
  readonly done: Promise<void>;
  /** As `done`, but fails where storing did. */
  readonly stored: Promise<void>;
}

const MOST_AT_ONCE = 2;

export class WriteBehind<T extends Sized> {
  private waiting: T[] = [];
  private size = 0;
  private hasEnd = false;
  private storing: Group<T>[] = [];
  private failure: { readonly error: unknown } | null = null;
  private timer: NodeJS.Timeout | null = null;
  private isFlushing = false;

  /** `store` of a group that overlaps is given the one before it, and has to end after it. */
  constructor(
    private readonly options: WriteBehindOptions<T>,
    private readonly store: (items: readonly T[], previous?: Promise<void>) => Promise<void>,
  ) {}

  /** Returns when there is room for the next one; throws what storing an earlier one threw. */
  async add(item: T): Promise<void> {
    this.throwIfFailed();
    this.waiting.push(item);
    this.size += item.size ?? 0;
    this.hasEnd = this.options.endsGroup?.(item) ?? false;
    this.consider();
    while (this.isFull && this.storing[0] !== undefined) await this.storing[0].done;
    this.throwIfFailed();
  }

  /** Returns when everything is stored. */
  async flush(): Promise<void> {
    this.isFlushing = true;
    try {
      this.consider();
      while (this.storing[0] !== undefined) await this.storing[0].done;
    } finally {
      this.isFlushing = false;
    }
    this.throwIfFailed();
  }

  private get isFull(): boolean {
    if (this.hasEnd) return true;
    return this.waiting.length >= this.options.maxItems || this.size >= (this.options.maxSize ?? MAX_SIZE);
  }

  private consider(): void {
    if (this.waiting.length === 0 || this.failure !== null) return;
    const last = this.storing.at(-1);
    if (last !== undefined && !this.mayJoin(last)) return;
    if (this.isFull || this.isFlushing) this.begin(last?.stored);
    else this.timer ??= setTimeout(() => this.begin(undefined), this.options.patienceMs ?? PATIENCE_MS);
  }

  private mayJoin({ items }: Group<T>): boolean {
    if (!this.isFull || this.storing.length >= MOST_AT_ONCE) return false;
    return this.options.mayOverlap?.(items, this.waiting) ?? false;
  }

  private begin(previous: Promise<void> | undefined): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const items = this.waiting;
    this.waiting = [];
    this.size = 0;
    this.hasEnd = false;
    const stored = this.store(items, previous);
    const done = stored
      .catch((error: unknown) => {
        // What comes behind it must not be stored before it is.
        this.failure ??= { error };
        this.waiting = [];
        this.hasEnd = false;
      })
      .then(() => {
        this.storing = this.storing.filter((group) => group.done !== done);
        this.consider();
      });
    this.storing.push({ items, stored, done });
  }

  private throwIfFailed(): void {
    if (this.failure !== null) throw this.failure.error;
  }
}
