import { setTimeout as delay } from 'node:timers/promises';
import pLimit, { type LimitFunction } from 'p-limit';
import type pg from 'pg';
import type { Cursor, Effect, NodeKey, WriteBatch } from '../domain/batch.js';
import type { Instant } from '../domain/entities.js';
import { describeError, LeaseLostError } from '../domain/errors.js';
import type { QuarantineEntry } from '../domain/quarantine.js';
import { type Scope, scopeName } from '../domain/scope.js';
import type { Stream } from '../domain/streams.js';
import { type Logger, silentLogger } from '../util/logger.js';
import { writeBatch } from './commit/commit.js';
import { PendingObservations, RecentObservations } from './commit/recent.js';
import { readCursor } from './cursors.js';
import * as due from './due.js';
import { type Holder, isDeadHolder, newHolder } from './holder.js';
import { inTurn, Overtaking } from './in-turn.js';
import { acquireLease, checkFence, type HeldLease, releaseLease, renewLease } from './leases.js';
import { type Overview, readOverview } from './overview.js';
import { ensurePartitionsInPool } from './partitions.js';
import { finishPass, type PassResult, startPass } from './passes.js';
import { isConflict, isDataError, lacksPartition, storeError } from './pg-errors.js';
import { createPool, DEFAULT_CONNECTIONS, query, transaction } from './pool.js';
import {
  hasQuarantine,
  type QuarantineGroup,
  type QuarantineQuery,
  quarantineGroups,
  readQuarantine,
} from './quarantine.js';
import { type RefreshOptions, refreshRollups } from './rollups.js';
import { countPresent, type Entity, SeenIdTable } from './seen-ids.js';
import { instantSql } from './sql.js';

export interface PgStoreOptions {
  readonly connectionString: string;
  /** Most connections at once; default 3, and no fewer than 2 for `reconcile`. */
  readonly maxConnections?: number;
  /** Milliseconds that a lease is valid without renewal; default 30,000. */
  readonly leaseTtlMs?: number;
  /** Everything is tried and rolled back; leases and passes are not written at all. */
  readonly dryRun?: boolean;
  /** Tells that the process behind a lease's holder is certainly gone; default: a dead pid of this machine. */
  readonly isDeadHolder?: (holder: string) => boolean;
  readonly logger?: Logger;
}

/** Times that a transaction is tried when it meets another one (deadlock, serialization failure). */
const MAX_ATTEMPTS = 5;
/** What a dry run holds instead of a lease. */
const DRY_RUN_FENCE = '0';

type Page<K> = due.DuePage<K> & { readonly failedBefore: Instant | null };

const keyOf = (scope: Scope, stream: Stream): string => `${stream} ${scopeName(scope)}`;

/** The mirror's side of PostgreSQL: implements the engine's Store port. Every method throws StoreError. */
export class PgStore {
  readonly pool: pg.Pool;
  readonly #holder: Holder;
  readonly #options: PgStoreOptions;
  readonly #ttlMs: number;
  readonly #dryRun: boolean;
  readonly #logger: Logger;
  readonly #recent = new RecentObservations();
  readonly #maxConnections: number;
  readonly #extending = new Set<Promise<void>>();
  /** Fences of leases that could not be given back, because the database was away, by stream and scope. */
  readonly #leftBehind = new Map<string, string>();
  /** Sets of seen ids that are open: each holds a connection, and its walk needs another one to commit with. */
  readonly #walks: LimitFunction;

  /** Connects with the first call. The database has to be migrated. */
  constructor(options: PgStoreOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#ttlMs = options.leaseTtlMs ?? 30_000;
    this.#dryRun = options.dryRun ?? false;
    this.#holder = newHolder();
    this.#maxConnections = options.maxConnections ?? DEFAULT_CONNECTIONS;
    this.#walks = pLimit(Math.max(1, this.#maxConnections - 2));
    this.pool = createPool({
      connectionString: options.connectionString,
      max: this.#maxConnections,
      logger: this.#logger,
    });
  }

  /** Ends all connections; leases that are still held run out. */
  async close(): Promise<void> {
    await Promise.all(this.#extending);
    this.#holder.end();
    await this.pool.end();
  }

  /** As `sync_leases` names this process. */
  get holder(): string {
    return this.#holder.text;
  }

  get dryRun(): boolean {
    return this.#dryRun;
  }

  async now(): Promise<Instant> {
    const rows = await query<{ now: Instant }>(
      this.pool,
      'reading the clock',
      `select ${instantSql('clock_timestamp()')} as now`,
    );
    return (rows[0] as { now: Instant }).now;
  }

  async acquireLease(scope: Scope, stream: Stream, spacingMs?: number): Promise<HeldLease | null> {
    if (this.#dryRun) return { scope, stream, fence: DRY_RUN_FENCE, ttlMs: Number.POSITIVE_INFINITY };
    const fence = await acquireLease(this.pool, scope, stream, {
      holder: this.#holder.text,
      ttlMs: this.#ttlMs,
      isDead: this.#options.isDeadHolder ?? isDeadHolder,
      leftBehind: this.#leftBehind.get(keyOf(scope, stream)),
      spacingMs,
    });
    if (fence !== null) this.#leftBehind.delete(keyOf(scope, stream));
    return fence === null ? null : { scope, stream, fence, ttlMs: this.#ttlMs };
  }

  async renewLease(lease: HeldLease): Promise<void> {
    if (!this.#dryRun) await renewLease(this.pool, lease, this.#ttlMs);
  }

  async releaseLease(lease: HeldLease, ranToEnd = true): Promise<void> {
    if (this.#dryRun) return;
    try {
      await releaseLease(this.pool, lease, ranToEnd);
    } catch (error) {
      this.#leftBehind.set(keyOf(lease.scope, lease.stream), lease.fence);
      throw error;
    }
  }

  async startPass(lease: HeldLease): Promise<string> {
    return this.#dryRun ? '0' : startPass(this.pool, lease);
  }

  async finishPass(passId: string, outcome: PassResult): Promise<void> {
    if (!this.#dryRun) await finishPass(this.pool, passId, outcome);
  }

  readCursor(scope: Scope, name: string): Promise<Cursor | null> {
    return readCursor(this.pool, scopeName(scope), name);
  }

  /**
   * One transaction: fence, rows, history, bookkeeping, cursor. A value that the database refuses makes it start over in
   * careful mode, which finds the bad rows with savepoints; the usual commit pays nothing for that. One that has a
   * `previous` writes beside it, and waits before it takes the lease's row: two that held it in turns would keep the
   * lease from ever being renewed.
   */
  async commit(lease: HeldLease, batch: WriteBatch, previous?: Promise<unknown>): Promise<Effect> {
    let careful = false;
    let before = previous;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { effect, leftMs } = await this.#attempt(lease, batch, careful, before);
        if (leftMs < (this.#ttlMs * 2) / 3) this.#extendBeside(lease);
        return effect;
      } catch (error) {
        if (error instanceof Overtaking) {
          await before;
          before = undefined;
          continue;
        }
        if (!careful && isDataError(error)) careful = true;
        else if (!isConflict(error) || attempt >= MAX_ATTEMPTS) {
          throw storeError(`committing ${lease.stream} in ${scopeName(lease.scope)}`, error);
        }
        if (lacksPartition(error)) await this.#makePartitions();
        // Jitter, so that the two transactions that met do not meet again.
        await delay(Math.random() * 50 * attempt);
      }
    }
  }

  /** Where somebody has dropped them all, every commit with an event would fail until the next regular turn. */
  async #makePartitions(): Promise<void> {
    await this.ensurePartitions(0).catch((error: unknown) => this.#logger.warn({}, describeError(error)));
  }

  async #attempt(
    lease: HeldLease,
    batch: WriteBatch,
    careful: boolean,
    previous: Promise<unknown> | undefined,
  ): Promise<{ effect: Effect; leftMs: number }> {
    const observations = new PendingObservations(this.#recent);
    const fence = (client: pg.ClientBase) => (this.#dryRun ? this.#ttlMs : checkFence(client, lease));
    const done = await transaction(
      this.pool,
      async (client) => {
        let leftMs = previous === undefined ? await fence(client) : 0;
        const turn = async (): Promise<void> => {
          if (previous === undefined) return;
          await inTurn(previous);
          leftMs = await fence(client);
        };
        const effect = await writeBatch(client, lease, batch, { careful, observations, turn });
        return { effect, leftMs };
      },
      { rollback: this.#dryRun },
    );
    if (!this.#dryRun) observations.committed();
    return done;
  }

  /** Not awaited: the next commit may hold the last connection, and wait for this one to be over. */
  #extendBeside(lease: HeldLease): void {
    const extending = this.#extend(lease).finally(() => this.#extending.delete(extending));
    this.#extending.add(extending);
  }

  /** After the commit and not in it: two commits of one lease that both wanted the row would deadlock. */
  async #extend(lease: HeldLease): Promise<void> {
    try {
      await this.renewLease(lease);
    } catch (error) {
      // What was committed stays committed; the next commit finds out for good.
      if (!(error instanceof LeaseLostError))
        this.#logger.warn(
          { scope: scopeName(lease.scope), stream: lease.stream, error: describeError(error) },
          'could not extend the lease',
        );
    }
  }

  runsDueForPoll(scope: Scope, page: due.DuePage<string>): Promise<string[]> {
    return due.runsDueForPoll(this.pool, scopeName(scope), page);
  }

  runsDueForNodes(scope: Scope, page: Page<string>): Promise<due.DueItem[]> {
    return due.dueRuns(this.pool, 'nodes', scopeName(scope), page);
  }

  runsDueForDetails(scope: Scope, page: Page<string>): Promise<due.DueItem[]> {
    return due.dueRuns(this.pool, 'details', scopeName(scope), page);
  }

  nodesDueForPoll(scope: Scope, page: due.DuePage<NodeKey> & { readonly outputsOnly: boolean }): Promise<NodeKey[]> {
    return due.nodesDueForPoll(this.pool, scopeName(scope), page);
  }

  missingPipelineRuns(scope: Scope, page: due.DuePage<string>): Promise<string[]> {
    return due.missingPipelineRuns(this.pool, scopeName(scope), page);
  }

  runsDueForConfirmation(scope: Scope, page: Page<string>): Promise<string[]> {
    return due.runsDueForConfirmation(this.pool, scopeName(scope), page);
  }

  hasFailed(scope: Scope, stream: Stream, entityId: string): Promise<boolean> {
    return due.hasFailed(this.pool, stream, scopeName(scope), entityId);
  }

  /** Entries in the order of their ids. */
  readQuarantine(filter: QuarantineQuery): Promise<QuarantineEntry[]> {
    return readQuarantine(this.pool, filter);
  }

  quarantineGroups(filter: Omit<QuarantineQuery, 'after' | 'limit'>): Promise<QuarantineGroup[]> {
    return quarantineGroups(this.pool, filter);
  }

  hasQuarantine(scope: Scope, operation: string): Promise<boolean> {
    return hasQuarantine(this.pool, scopeName(scope), operation);
  }

  countPresent(scope: Scope, entity: Entity, sourceType?: string): Promise<number> {
    return countPresent(this.pool, scopeName(scope), entity, sourceType);
  }

  countUnknown(pipelineRunIds: readonly string[]): Promise<number> {
    return due.countUnknown(this.pool, pipelineRunIds);
  }

  countDue(scope: Scope, stream: due.DueStream | 'status'): Promise<number> {
    return due.countDue(this.pool, scopeName(scope), stream);
  }

  /** Waits while so many of them are open that the rest of the pool could not serve what is done meanwhile. */
  openSeenIds(scope: Scope, entity: Entity): Promise<SeenIdTable> {
    return new Promise((resolve, reject) => {
      const walk = async (): Promise<void> => {
        const seen = await SeenIdTable.open(this.pool, scopeName(scope), entity);
        resolve(seen);
        await seen.closed;
      };
      this.#walks(walk).catch(reject);
    });
  }

  /** Creates the history's partitions up to so many months ahead; returns the new ones. */
  async ensurePartitions(monthsAhead: number): Promise<string[]> {
    return this.#dryRun ? [] : ensurePartitionsInPool(this.pool, monthsAhead);
  }

  /** Brings the sums of the views up to date; returns how many quarter hours were due. */
  async refreshRollups(options: RefreshOptions = {}): Promise<number> {
    return this.#dryRun ? 0 : refreshRollups(this.pool, options);
  }

  overview(): Promise<Overview> {
    return readOverview(this.pool);
  }
}
