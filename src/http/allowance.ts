/** A bucket of permissions that fills up with time. `now` in milliseconds of a clock that is never set back. */
export class Allowance {
  #left: number;
  #at: number;

  constructor(
    private readonly perSecond: number,
    private readonly most: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#left = most;
    this.#at = now();
  }

  /** False when there is none left. */
  take(): boolean {
    const now = this.now();
    this.#left = Math.min(this.most, this.#left + ((now - this.#at) / 1000) * this.perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
