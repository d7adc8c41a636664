import type { Answer } from '../domain/answers.js';
import { addEffect, type Cursor, type Effect, type ItemFailure, noEffect, type WriteBatch } from '../domain/batch.js';
import type { Instant } from '../domain/entities.js';
import { describeError, MirrorError, PaiError } from '../domain/errors.js';
import type { Scope } from '../domain/scope.js';
import type { Logger } from '../util/logger.js';
import { throwIfOver } from '../util/signal-guard.js';
import type { Lease, Source, Store } from './ports.js';
import type { SyncSettings } from './settings.js';
import { describeQuarantined, UnreadableItems } from './unreadable.js';

/** What a progress bar shows. `total` is null while nobody knows it. */
export interface ProgressEvent {
  readonly scope: Scope;
  readonly stream: string;
  readonly phase: string;
  readonly done: number;
  readonly total: number | null;
}

export type ProgressListener = (event: ProgressEvent) => void;

/** What every stream is given. */
export interface PassDeps {
  readonly source: Source;
  readonly store: Store;
  readonly settings: SyncSettings;
  readonly logger: Logger;
  readonly onProgress: ProgressListener;
}

/** How many calls for different items may fail one after the other before the source itself is taken to be ill. */
const CONSECUTIVE_FAILURES = 10;

/** A call that nobody answered took all its retries' deadlines: minutes, so fewer of them are waited for. */
const SLOW_FAILURES: ReadonlySet<string> = new Set(['PAI_TIMEOUT', 'PAI_NETWORK']);
const SLOW_FAILURE_COUNTS = 3;

/** Failures that are told one by one in the summary of a pass. */
const FAILURES_SHOWN = 3;

export interface PassMode {
  /** Retry failed items at once (one-shot `sync`) instead of after their backoff. */
  readonly ignoreBackoff: boolean;
  /**
   * It follows a pass that wrote rows: what those made due is asked for, and nothing else; what is asked for in every
   * pass was, and will be at its own time. Default false.
   */
  readonly followsUp?: boolean;
}

/** One execution of a stream in a scope: counts what it does and is the only way in which a stream writes. */
export class Pass {
  calls = 0;
  /** The fewest that would do, as far as the pass has come; see plan-calls.ts. */
  minimumCalls = 0;
  rowsRead = 0;
  readonly effect: Effect = noEffect();
  private readonly unreadable = new UnreadableItems();
  private failed = 0;
  private readonly shown: ItemFailure[] = [];
  private consecutiveFailures = 0;

  constructor(
    readonly deps: PassDeps,
    readonly lease: Lease,
    /** Aborts when the service stops or the lease is lost. Its guard makes sure of the lease (lease-keeper.ts). */
    readonly signal: AbortSignal,
    /** When the pass began, by the database's clock. */
    readonly startedAt: Instant,
    private readonly mode: PassMode,
  ) {}

  get scope(): Scope {
    return this.lease.scope;
  }

  get source(): Source {
    return this.deps.source;
  }

  get store(): Store {
    return this.deps.store;
  }

  get settings(): SyncSettings {
    return this.deps.settings;
  }

  /** For DueQuery: what failed in this very pass is not tried again in it. */
  get failedBefore(): Instant | null {
    return this.mode.ignoreBackoff ? this.startedAt : null;
  }

  get followsUp(): boolean {
    return this.mode.followsUp ?? false;
  }

  progress(phase: string, done: number, total: number | null): void {
    this.deps.onProgress({ scope: this.scope, stream: this.lease.stream, phase, done, total });
  }

  /** Counts an answer; every call goes through here or through `call`. */
  saw<A extends Answer>(answer: A, rows: number): A {
    this.calls += answer.attempts;
    this.rowsRead += rows;
    return answer;
  }

  /** So many calls had to be made at least for what the pass has found to ask for. */
  needed(calls: number): void {
    this.minimumCalls += calls;
  }

  /** Makes one call and counts it, also when it fails. */
  async call<A extends Answer>(make: () => Promise<A>, rows: (answer: A) => number): Promise<A> {
    await throwIfOver(this.signal);
    try {
      const answer = await make();
      return this.saw(answer, rows(answer));
    } catch (error) {
      if (error instanceof PaiError) this.calls += error.attempts;
      throw error;
    }
  }

  /** `previous`: see the port. */
  async commit(batch: WriteBatch, previous?: Promise<unknown>): Promise<Effect> {
    await throwIfOver(this.signal);
    const effect = await this.store.commit(this.lease, batch, previous);
    addEffect(this.effect, effect);
    this.unreadable.note(batch.rejected ?? []);
    if (effect.quarantined > 0) {
      const { quarantined, quarantinedItems: items = [] } = effect;
      this.deps.logger.warn({ quarantined, items }, `put into quarantine: ${describeQuarantined(quarantined, items)}`);
    }
    return effect;
  }

  /**
   * Call it when everything that an operation has to say was asked for and answered: what is in quarantine of it and did
   * not come up in this pass has vanished. Costs one look into the database where nothing is in quarantine.
   */
  async walkedAll(operation: string, entities: readonly string[]): Promise<void> {
    const stillBad = this.unreadable.of(operation);
    if (stillBad === null || !(await this.store.hasQuarantine(this.scope, operation))) return;
    await this.commit({ completeWalk: { operation, entities, startedAt: this.startedAt, stillBad } });
  }

  /** `name`: of another cursor than the stream's own. */
  async moveCursor(before: Cursor | null, cursor: Cursor, name?: string): Promise<void> {
    if (before !== null && JSON.stringify(before) === JSON.stringify(cursor)) return;
    await this.commit({ cursor, ...(name === undefined ? {} : { cursorName: name }) });
  }

  itemSucceeded(): void {
    this.consecutiveFailures = 0;
  }

  /**
   * Notes that the call for one run failed: it stays due and the others go on. Throws when the failure is not that
   * run's own: bad credentials, a lost lease, a stop, or several different runs failing in a row. Runs that failed in
   * an earlier pass already (`failedBefore`) do not count towards that: a few bad runs would stop every pass at the
   * same place, and no other run would ever have its turn.
   */
  itemFailed(entityId: string, error: unknown, failedBefore = false): ItemFailure {
    this.signal.throwIfAborted();
    if (!(error instanceof PaiError) || error.blast === 'global') throw error;
    const failure = { entityId, error: describeError(error) };
    this.failed += 1;
    if (this.shown.length < FAILURES_SHOWN) this.shown.push(failure);
    this.deps.logger.warn({ entityId, code: error.code, requestId: error.requestId }, failure.error);
    if (!failedBefore) this.callFailed(error);
    return failure;
  }

  /** As `itemFailed`, for a run of which only the database knows whether it failed before. */
  async runFailed(entityId: string, error: unknown): Promise<ItemFailure> {
    const maybeIll = error instanceof PaiError && error.blast === 'scope' && !this.signal.aborted;
    return this.itemFailed(
      entityId,
      error,
      maybeIll && (await this.store.hasFailed(this.scope, this.lease.stream, entityId)),
    );
  }

  /** Throws when so many calls failed in a row that the source itself must be ill. */
  callFailed(error: PaiError, limit = CONSECUTIVE_FAILURES): void {
    if (error.blast === 'scope') this.consecutiveFailures += SLOW_FAILURES.has(error.code) ? SLOW_FAILURE_COUNTS : 1;
    if (this.consecutiveFailures < limit) return;
    const message = `several calls in a row failed, the rest waits: ${describeError(error)}`;
    throw new MirrorError(message, { code: 'SOURCE_FAILING', retryable: true, blast: 'scope', cause: error });
  }

  /** Null when every item succeeded. */
  failureSummary(): string | null {
    if (this.failed === 0) return null;
    const shown = this.shown.map(({ entityId, error }) => `${entityId}: ${error}`);
    const more = this.failed > FAILURES_SHOWN ? ` (and ${this.failed - FAILURES_SHOWN} more)` : '';
    return `${this.failed} failed and will be tried again: ${shown.join('; ')}${more}`;
  }
}
