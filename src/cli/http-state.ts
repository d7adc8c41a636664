/** What the HTTP side shows, as far as it is there: it is up before the mirror is. */
import type { Mirror } from '../app.js';
import { StoreError } from '../domain/errors.js';
import type { MirrorState } from '../domain/mirror-state.js';
import { type Scope, scopeName } from '../domain/scope.js';
import type { PoolState } from '../http/metrics/metrics.js';
import type { Phase, Reason } from '../http/readiness.js';
import { readMirrorState } from '../store/mirror-state.js';
import { ReadDatabase } from '../store/read-database.js';
import type { Logger } from '../util/logger.js';

export interface Shown {
  readonly mirror: Mirror;
  /** Those that are mirrored at the moment, as far as they are known by now. */
  readonly scopes: () => readonly Scope[];
}

export class HttpState {
  #phase: Phase = 'starting';
  #shown: Shown | null = null;
  #database: ReadDatabase | null = null;

  constructor(private readonly logger: Logger) {}

  get phase(): Phase {
    return this.#phase;
  }

  running(shown: Shown): void {
    const { connectionString } = shown.mirror.database;
    this.#shown = shown;
    this.#database = new ReadDatabase({ connectionString, logger: this.logger });
    this.#phase = 'running';
  }

  stopping(): void {
    this.#phase = 'stopping';
  }

  /** For routes that read. Throws StoreError, which is answered with 503, until the mirror is there. */
  get database(): ReadDatabase {
    if (this.#database !== null) return this.#database;
    throw new StoreError('the database is not open yet', { code: 'STORE_STARTING', retryable: true, blast: 'global' });
  }

  async checkDatabase(): Promise<Reason | null> {
    const state = await this.database.schemaState();
    return state === 'older' ? 'the schema of the database is older than this version' : null;
  }

  async readMirrorState(): Promise<MirrorState> {
    const { pool } = this.database;
    const scopes = this.#shown?.scopes().map(scopeName) ?? [];
    return readMirrorState(pool, { scopes, holder: this.#shown?.mirror.store.holder ?? '' });
  }

  pools(): PoolState[] {
    const pools = { work: this.#shown?.mirror.store.pool, http: this.#database?.pool };
    return Object.entries(pools).flatMap(([pool, of]) =>
      of === undefined
        ? []
        : [{ pool, used: of.totalCount - of.idleCount, idle: of.idleCount, waiting: of.waitingCount }],
    );
  }

  embeddedRestarts(): number {
    return this.#shown?.mirror.database.restarts() ?? 0;
  }

  async close(): Promise<void> {
    await this.#database?.close();
  }
}
