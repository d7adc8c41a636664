/** Whether the service does its work: what an orchestrator asks every few seconds. */
import type { Clock } from '../util/clock.js';

/** Of the process; the scheduler runs only in `running`. */
export type Phase = 'starting' | 'running' | 'stopping';

/** In fixed words: nothing of an address, a query or an error, since it is told without a token. */
export type Reason =
  | 'starting: the database is not open yet, or is being migrated'
  | 'stopping'
  | 'the database cannot be reached'
  | 'the schema of the database is older than this version';

export interface ReadinessOptions {
  readonly phase: () => Phase;
  /** Null when the database can be reached and is migrated. Throws when it cannot be reached. */
  readonly checkDatabase: () => Promise<Reason | null>;
  readonly clock: Clock;
}

/** One answer is good for this long, so that many askers cost one look. */
const FRESH_MS = 2_000;
/** Shorter than the second that Kubernetes waits by itself would not tell a slow database from a lost one. */
const CHECK_LIMIT_MS = 900;

export class Readiness {
  #answer: { readonly reason: Reason | null; readonly until: number } | null = null;
  #asking: Promise<Reason | null> | null = null;

  constructor(private readonly options: ReadinessOptions) {}

  /** Null: ready. Never throws, and answers within about a second. */
  async reason(): Promise<Reason | null> {
    const phase = this.options.phase();
    if (phase === 'starting') return 'starting: the database is not open yet, or is being migrated';
    if (phase === 'stopping') return 'stopping';
    const now = this.options.clock.now();
    // Further ahead than it was ever given: the clock was set back.
    if (this.#answer !== null && this.#answer.until > now && this.#answer.until <= now + FRESH_MS)
      return this.#answer.reason;
    this.#asking ??= this.ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  private async ask(): Promise<Reason | null> {
    const { clock, checkDatabase } = this.options;
    const limit = new AbortController();
    const tooLate = clock.sleep(CHECK_LIMIT_MS, limit.signal).then((): Reason => 'the database cannot be reached');
    const checked = checkDatabase().catch((): Reason => 'the database cannot be reached');
    const reason = await Promise.race([checked, tooLate]);
    limit.abort();
    await tooLate.catch(() => {});
    this.#answer = { reason, until: clock.now() + FRESH_MS };
    return reason;
  }
}
