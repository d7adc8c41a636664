/** Whether the service does its work: what an orchestrator asks every few seconds. */
import type { Clock } from '../util/clock.js';
import { Fresh } from './fresh.js';

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
  readonly #database: Fresh<Reason | null>;

  constructor(private readonly options: ReadinessOptions) {
    const { clock, checkDatabase } = options;
    this.#database = new Fresh(checkDatabase, { freshMs: FRESH_MS, limitMs: CHECK_LIMIT_MS, clock });
  }

  /** Null: ready. Never throws, and answers within about a second. */
  async reason(): Promise<Reason | null> {
    const phase = this.options.phase();
    if (phase === 'starting') return 'starting: the database is not open yet, or is being migrated';
    if (phase === 'stopping') return 'stopping';
    return this.#database.get().catch((): Reason => 'the database cannot be reached');
  }
}
