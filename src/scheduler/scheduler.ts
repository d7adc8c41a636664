/**
 * node-cron → lease → pass. Never two passes of one stream and scope at once in this process (the lease sees to other
 * processes); a tick that finds the pass before it still running is skipped, so a slow source gets no pile of passes.
 */
import { setMaxListeners } from 'node:events';
import { createTask, type ScheduledTask } from 'node-cron';
import pLimit from 'p-limit';
import { describeError } from '../domain/errors.js';
import { type Scope, scopeName } from '../domain/scope.js';
import { STREAMS, type Stream } from '../domain/streams.js';
import type { Logger } from '../util/logger.js';

export interface SchedulerOptions {
  /** A cron expression a stream. */
  readonly schedules: { readonly [stream in Stream]: string };
  /** The scopes as of now; called before every tick, so that a new workspace is picked up. */
  readonly scopes: () => Promise<readonly Scope[]>;
  /** Runs one pass; never throws for a pass that failed. Resolves to whether rows were written. */
  readonly runPass: (scope: Scope, stream: Stream, signal: AbortSignal) => Promise<{ readonly wrote: boolean }>;
  readonly logger: Logger;
}

/**
 * Scopes in which one stream runs at once; the others wait for their turn. A reconcile holds a database connection for
 * as long as it walks: with one tick for fifty workspaces all of them would wait for a connection to commit with.
 */
const SCOPES_AT_ONCE = 4;

/** What a stream's new rows make due in other streams: they need not wait for their next tick. */
const FOLLOWERS: { readonly [stream in Stream]?: readonly Stream[] } = {
  'pipeline-runs': ['nodes', 'details'],
  status: ['nodes', 'details'],
  reconcile: ['nodes', 'details'],
};

export class Scheduler {
  private readonly tasks: ScheduledTask[] = [];
  private readonly limits = new Map(STREAMS.map((stream) => [stream, pLimit(SCOPES_AT_ONCE)]));
  /** Passes under way or waiting for their turn, by stream and scope. */
  private readonly running = new Map<string, Promise<void>>();
  private readonly ticks = new Set<Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(private readonly options: SchedulerOptions) {
    // Every pass listens to it, of six streams and any number of scopes: more than ten are no leak.
    setMaxListeners(0, this.stopping.signal);
  }

  /** Starts the schedules, and one tick of every stream but `reconcile` at once. */
  start(): void {
    for (const stream of STREAMS) {
      const task = createTask(this.options.schedules[stream], () => this.tick(stream), {
        name: stream,
        timezone: 'Etc/UTC',
      });
      void task.start();
      this.tasks.push(task);
    }
    for (const stream of STREAMS) if (stream !== 'reconcile') this.tick(stream);
  }

  /** Ends in-flight calls, lets the transaction under way finish, and waits for every pass. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the service stops'));
    await Promise.allSettled(this.tasks.map((task) => task.destroy()));
    await Promise.allSettled([...this.ticks, ...this.running.values()]);
  }

  private tick(stream: Stream): void {
    if (this.stopping.signal.aborted) return;
    const tick = this.runEverywhere(stream).catch((error: unknown) => {
      if (this.stopping.signal.aborted) return;
      this.options.logger.error({ stream }, `tick failed: ${describeError(error)}`);
    });
    this.ticks.add(tick);
    void tick.finally(() => this.ticks.delete(tick));
  }

  private async runEverywhere(stream: Stream): Promise<void> {
    const scopes = await this.options.scopes();
    for (const scope of scopes) this.runOnce(scope, stream);
  }

  private runOnce(scope: Scope, stream: Stream): void {
    const key = `${stream} ${scopeName(scope)}`;
    if (this.stopping.signal.aborted || this.running.has(key)) return;
    const pass = this.inTurn(scope, stream)
      .then(({ wrote }) => {
        this.running.delete(key);
        if (wrote) for (const follower of FOLLOWERS[stream] ?? []) this.runOnce(scope, follower);
      })
      .catch((error: unknown) => {
        this.running.delete(key);
        this.options.logger.error({ stream, scope: scopeName(scope) }, `pass broke: ${describeError(error)}`);
      });
    this.running.set(key, pass);
  }

  private async inTurn(scope: Scope, stream: Stream): Promise<{ readonly wrote: boolean }> {
    const limit = this.limits.get(stream) as ReturnType<typeof pLimit>;
    const { signal } = this.stopping;
    return limit(() => (signal.aborted ? { wrote: false } : this.options.runPass(scope, stream, signal)));
  }
}
