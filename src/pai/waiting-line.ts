/** Of four turns the others get one while urgent ones wait, too: they become slower, and never stop. */
const URGENT_IN_A_ROW = 3;

/** Who waits for a turn: urgent ones first, each kind in the order in which it came. Pure. */
export class WaitingLine<T extends { readonly isUrgent: boolean }> {
  private readonly urgent: T[] = [];
  private readonly others: T[] = [];
  /** Urgent turns since one of the others had its own; not counted while none of them waits. */
  private inARow = 0;

  get length(): number {
    return this.urgent.length + this.others.length;
  }

  get urgentLength(): number {
    return this.urgent.length;
  }

  add(waiter: T): void {
    this.lineOf(waiter).push(waiter);
  }

  /** Does nothing when it is not there. */
  remove(waiter: T): void {
    const line = this.lineOf(waiter);
    const place = line.indexOf(waiter);
    if (place >= 0) line.splice(place, 1);
  }

  /** Whose turn it is; undefined when nobody waits. */
  next(): T | undefined {
    const isTheirs = this.others.length > 0 && this.inARow >= URGENT_IN_A_ROW;
    if (this.urgent.length === 0 || isTheirs) {
      this.inARow = 0;
      return this.others.shift();
    }
    this.inARow = this.others.length > 0 ? this.inARow + 1 : 0;
    return this.urgent.shift();
  }

  takeAll(): T[] {
    return [...this.urgent.splice(0), ...this.others.splice(0)];
  }

  private lineOf(waiter: T): T[] {
    return waiter.isUrgent ? this.urgent : this.others;
  }
}
