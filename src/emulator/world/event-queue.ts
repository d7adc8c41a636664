/** Something that happens at a point in time. */
export interface Timed {
  readonly at: number;
}

interface Entry<T extends Timed> {
  readonly event: T;
  readonly order: number;
}

/** A binary heap: earliest first, and in the order of insertion where times are equal, so that a world is repeatable. */
export class EventQueue<T extends Timed> {
  private readonly heap: Entry<T>[] = [];
  private inserted = 0;

  get size(): number {
    return this.heap.length;
  }

  push(event: T): void {
    const entry = { event, order: this.inserted++ };
    let at = this.heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.before(entry, this.heap[parent] as Entry<T>)) break;
      this.heap[at] = this.heap[parent] as Entry<T>;
      at = parent;
    }
    this.heap[at] = entry;
  }

  /** Takes the earliest event that is due at `now`. */
  takeDue(now: number): T | undefined {
    const first = this.heap[0];
    if (!first || first.event.at > now) return undefined;
    const last = this.heap.pop() as Entry<T>;
    if (this.heap.length > 0) this.sink(last);
    return first.event;
  }

  private sink(entry: Entry<T>): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.heap.length) break;
      const right = this.heap[child + 1];
      if (right && this.before(right, this.heap[child] as Entry<T>)) child += 1;
      if (!this.before(this.heap[child] as Entry<T>, entry)) break;
      this.heap[at] = this.heap[child] as Entry<T>;
      at = child;
    }
    this.heap[at] = entry;
  }

  private before(a: Entry<T>, b: Entry<T>): boolean {
    return a.event.at < b.event.at || (a.event.at === b.event.at && a.order < b.order);
  }
}
