/**
 * node-cron → lease → pass. Never two passes of one stream and scope at once in this process (the lease sees to other
 * processes); a tick that finds the pass before it still running is skipped, so a slow source gets no pile of passes.
 * Replicas tick at the same moments and share one pass a tick: see timing.ts.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createTask, type ScheduledTask } from 'node-cron';
import pLimit, { type LimitFunction } from 'p-limit';
import { describeError } from '../domain/errors.js';
import { type Scope, scopeName } from '../domain/scope.js';
import { STREAMS, type Stream } from '../domain/streams.js';
import type { Logger } from '../util/logger.js';
import { firstSpacingOf, jitterOf, RUNS_SEEN, shortestPeriod, spacingOf } from './timing.js';

/** One pass to run. */
export interface PassRequest {
  readonly scope: Scope;
  readonly stream: Stream;
  readonly signal: AbortSignal;
  /** A pass that began no longer ago, in whichever process, does for this one. Milliseconds; 0: run in any case. */
  readonly spacingMs: number;
  /** It follows a pass that wrote rows: only what those made due has to be asked for. */
  readonly followsUp: boolean;
}

/** Why a pass runs. */
interface Cause {
  readonly spacingMs: () => number;
  readonly followsUp: boolean;
}

const FOLLOW_UP: Cause = { spacingMs: () => 0, followsUp: true };

export interface SchedulerOptions {
  /** A cron expression a stream. */
  readonly schedules: { readonly [stream in Stream]: string };
  /** The scopes as of now; called before every tick, so that a new workspace is picked up. */
  readonly scopes: () => Promise<readonly Scope[]>;
  /** Runs one pass; never throws for a pass that failed. Resolves to whether rows were written. */
  readonly runPass: (request: PassRequest) => Promise<{ readonly wrote: boolean }>;
  readonly logger: Logger;
}

/** Scopes in which one stream runs at once; the others wait for their turn. */
const SCOPES_AT_ONCE = 4;

/** A reconcile holds one of the few database connections for as long as it walks; other replicas take other scopes. */
const RECONCILES_AT_ONCE = 1;

/** What a stream's new rows make due in other streams: they need not wait for their next tick. */
const FOLLOWERS: { readonly [stream in Stream]?: readonly Stream[] } = {
  'pipeline-runs': ['nodes', 'details'],
  status: ['nodes', 'details'],
  reconcile: ['nodes', 'details'],
};

export class Scheduler {
  private readonly tasks: ScheduledTask[] = [];
  private readonly limits = new Map<Stream, LimitFunction>(
    STREAMS.map((stream) => [stream, pLimit(stream === 'reconcile' ? RECONCILES_AT_ONCE : SCOPES_AT_ONCE)]),
  );
  /** Passes under way or waiting for their turn, by stream and scope. */
  private readonly running = new Map<string, { readonly cause: Cause; readonly ended: Promise<void> }>();
  /** Those that run once more: they came too early for rows written meanwhile, or follow up while a tick comes. */
  private readonly again = new Map<string, Cause>();
  private readonly ticks = new Map<Stream, Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(private readonly options: SchedulerOptions) {
    // Every pass listens to it, of six streams and any number of scopes: more than ten are no leak.
    setMaxListeners(0, this.stopping.signal);
  }

  /** Starts the schedules, and one tick of every stream but `reconcile` at once. */
  start(): void {
    for (const stream of STREAMS) {
      let periodMs = 0;
      const onTime = (): void => this.tick(stream, spacingOf(periodMs), Math.random() * jitterOf(periodMs));
      const task = createTask(this.options.schedules[stream], onTime, { name: stream, timezone: 'Etc/UTC' });
      periodMs = shortestPeriod(task.getNextRuns(RUNS_SEEN));
      // node-cron drops a run for which it wakes up more than a second late (a busy or suspended machine): for a
      // reconcile that would mean hours. Late is better, and a heap of late runs is one tick.
      task.on('execution:missed', onTime);
      void task.start();
      this.tasks.push(task);
      if (stream !== 'reconcile') this.tick(stream, firstSpacingOf(periodMs), 0);
    }
  }

  /** Ends in-flight calls, lets the transaction under way finish, and waits for every pass. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the service stops'));
    await Promise.allSettled(this.tasks.map((task) => task.destroy()));
    const passes = [...this.running.values()].map(({ ended }) => ended);
    await Promise.allSettled([...this.ticks.values(), ...passes]);
  }

  private tick(stream: Stream, spacingMs: number, delayMs: number): void {
    if (this.stopping.signal.aborted || this.ticks.has(stream)) return;
    const tick = this.runEverywhere(stream, spacingMs, delayMs).catch((error: unknown) => {
      if (this.stopping.signal.aborted) return;
      this.options.logger.error({ stream }, `tick failed: ${describeError(error)}`);
    });
    this.ticks.set(stream, tick);
    void tick.finally(() => this.ticks.delete(stream));
  }

  private async runEverywhere(stream: Stream, spacingMs: number, delayMs: number): Promise<void> {
    if (delayMs > 0) await delay(delayMs, undefined, { signal: this.stopping.signal });
    const tickedAt = performance.now();
    const scopes = await this.options.scopes();
    // A scope may wait for its turn until long after the tick: what began since the tick does for it, too.
    const cause = { spacingMs: () => spacingMs + performance.now() - tickedAt, followsUp: false };
    for (const scope of scopes) this.runOnce(scope, stream, cause);
  }

  /** A whole pass under way does for every cause of a tick; one that only follows up does for none. */
  private runOnce(scope: Scope, stream: Stream, cause: Cause): void {
    const key = keyOf(scope, stream);
    if (this.stopping.signal.aborted) return;
    const current = this.running.get(key);
    if (current === undefined) this.run(key, scope, stream, cause);
    else if (current.cause.followsUp && !cause.followsUp) this.again.set(key, cause);
  }

  private run(key: string, scope: Scope, stream: Stream, cause: Cause): void {
    const ended = this.inTurn(scope, stream, cause).then(
      ({ wrote }) => {
        this.running.delete(key);
        if (wrote) for (const follower of FOLLOWERS[stream] ?? []) this.follow(scope, follower);
        const again = this.again.get(key);
        this.again.delete(key);
        if (again) this.runOnce(scope, stream, again);
      },
      (error: unknown) => {
        this.running.delete(key);
        this.again.delete(key);
        this.options.logger.error({ stream, scope: scopeName(scope) }, `pass broke: ${describeError(error)}`);
      },
    );
    this.running.set(key, { cause, ended });
  }

  /** A pass that is under way may have asked the database for what is due before the new rows were there. */
  private follow(scope: Scope, follower: Stream): void {
    const key = keyOf(scope, follower);
    if (!this.running.has(key)) this.runOnce(scope, follower, FOLLOW_UP);
    else if (!this.again.has(key)) this.again.set(key, FOLLOW_UP);
  }

  private async inTurn(scope: Scope, stream: Stream, cause: Cause): Promise<{ readonly wrote: boolean }> {
    const limit = this.limits.get(stream) as LimitFunction;
    const { signal } = this.stopping;
    const run = () =>
      this.options.runPass({ scope, stream, signal, spacingMs: cause.spacingMs(), followsUp: cause.followsUp });
    return limit(() => (signal.aborted ? { wrote: false } : run()));
  }
}

const keyOf = (scope: Scope, stream: Stream): string => `${stream} ${scopeName(scope)}`;
