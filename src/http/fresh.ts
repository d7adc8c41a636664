import type { Clock } from '../util/clock.js';

export interface FreshOptions {
  /** So long one answer (or failure) is good for all who ask, milliseconds. */
  readonly freshMs: number;
  /** So long anybody waits for one, milliseconds. */
  readonly limitMs: number;
  readonly clock: Clock;
}

/** An answer that costs something, for any number of askers: one question at a time, and not too often. */
export class Fresh<T> {
  #answer: { readonly outcome: Promise<T>; readonly until: number } | null = null;
  #asking: Promise<T> | null = null;

  constructor(
    private readonly load: () => Promise<T>,
    private readonly options: FreshOptions,
  ) {}

  /** Rejects with what `load` rejects with, or when that takes too long. */
  get(): Promise<T> {
    const now = this.options.clock.now();
    const { freshMs } = this.options;
    // Further ahead than it was ever given: the clock was set back.
    if (this.#answer !== null && this.#answer.until > now && this.#answer.until <= now + freshMs)
      return this.#answer.outcome;
    this.#asking ??= this.ask();
    return this.#asking;
  }

  private ask(): Promise<T> {
    const outcome = this.inTime();
    const done = (): void => {
      this.#asking = null;
      this.#answer = { outcome, until: this.options.clock.now() + this.options.freshMs };
    };
    outcome.then(done, done);
    return outcome;
  }

  private async inTime(): Promise<T> {
    const { clock, limitMs } = this.options;
    const answered = new AbortController();
    const tooLate = clock.sleep(limitMs, answered.signal).then((): never => {
      throw new Error(`no answer within ${limitMs} ms`);
    });
    try {
      return await Promise.race([this.load(), tooLate]);
    } finally {
      answered.abort();
    }
  }
}
