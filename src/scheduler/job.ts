/** Work of the whole mirror on a schedule, beside the streams of its scopes. */
import { createTask } from 'node-cron';
import { describeError } from '../domain/errors.js';
import type { Logger } from '../util/logger.js';

export interface JobOptions {
  readonly name: string;
  /** A cron expression, in UTC. */
  readonly schedule: string;
  /** Ends soon after the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
}

/** A tick that finds the one before it still at work is passed over. */
export class Job {
  private readonly stopping = new AbortController();
  private readonly task;
  private current: Promise<void> | null = null;

  constructor(private readonly options: JobOptions) {
    const onTime = (): void => this.tick();
    this.task = createTask(options.schedule, onTime, { name: options.name, timezone: 'Etc/UTC' });
    // Late is better than tomorrow (see scheduler.ts).
    this.task.on('execution:missed', onTime);
    void this.task.start();
  }

  /** Waits for the work under way. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the service stops'));
    await Promise.allSettled([this.task.destroy(), this.current]);
  }

  private tick(): void {
    if (this.current !== null || this.stopping.signal.aborted) return;
    const { name, run, logger } = this.options;
    this.current = run(this.stopping.signal)
      .catch((error: unknown) => {
        if (!this.stopping.signal.aborted) logger.error({ job: name }, `${name} failed: ${describeError(error)}`);
      })
      .finally(() => {
        this.current = null;
      });
  }
}
