/**
 * Pages are stored while the next ones are fetched, and in groups: a commit of 5,000 rows costs little more than one of
 * 500. Order is kept: a group is stored when the one before it is, and a cursor among the items goes with those before it.
 */
/** Characters of answers in one group: pages of large items are stored in smaller groups. */
const MAX_SIZE = 8_000_000;

/** Milliseconds that the first page of a group waits for company: it is seen so much later at most. */
const PATIENCE_MS = 100;

export interface WriteBehindOptions {
  /** Items in a group; as many may wait while one is stored. */
  readonly maxItems: number;
  readonly maxSize?: number;
  readonly patienceMs?: number;
}

interface Sized {
  /** Characters, if known. */
  readonly size?: number | undefined;
}

export class WriteBehind<T extends Sized> {
  private waiting: T[] = [];
  private size = 0;
  private storing: Promise<void> | null = null;
  private failure: { readonly error: unknown } | null = null;
  private timer: NodeJS.Timeout | null = null;
  private isFlushing = false;

  constructor(
    private readonly options: WriteBehindOptions,
    private readonly store: (items: readonly T[]) => Promise<void>,
  ) {}

  /** Returns when there is room for the next one; throws what storing an earlier one threw. */
  async add(item: T): Promise<void> {
    this.throwIfFailed();
    this.waiting.push(item);
    this.size += item.size ?? 0;
    this.consider();
    while (this.isFull && this.storing !== null) await this.storing;
    this.throwIfFailed();
  }

  /** Returns when everything is stored. */
  async flush(): Promise<void> {
    this.isFlushing = true;
    try {
      this.consider();
      while (this.storing !== null) await this.storing;
    } finally {
      this.isFlushing = false;
    }
    this.throwIfFailed();
  }

  private get isFull(): boolean {
    return this.waiting.length >= this.options.maxItems || this.size >= (this.options.maxSize ?? MAX_SIZE);
  }

  private consider(): void {
    if (this.storing !== null || this.waiting.length === 0) return;
    if (this.isFull || this.isFlushing) this.begin();
    else this.timer ??= setTimeout(() => this.begin(), this.options.patienceMs ?? PATIENCE_MS);
  }

  private begin(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const items = this.waiting;
    this.waiting = [];
    this.size = 0;
    this.storing = this.store(items)
      .catch((error: unknown) => {
        // What comes behind it must not be stored before it is.
        this.failure ??= { error };
        this.waiting = [];
      })
      .finally(() => {
        this.storing = null;
        this.consider();
      });
  }

  private throwIfFailed(): void {
    if (this.failure !== null) throw this.failure.error;
  }
}
