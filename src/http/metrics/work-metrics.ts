/** What this process does: counted as it happens. Labels are words of this code only, so their number is bounded. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { CallReport } from '../../domain/call-report.js';
import type { PassReport } from '../../sync/run-pass.js';

/** Calls to PAI take tens of milliseconds, pages with details a second, and end after 30 by themselves. */
const CALL_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** An idle pass takes tens of milliseconds, a first load hours. */
const PASS_BUCKETS = [0.05, 0.25, 1, 5, 15, 60, 300, 1800, 7200, 36_000];

export class WorkMetrics {
  private readonly calls;
  private readonly callSeconds;
  private readonly retries;
  private readonly passes;
  private readonly passSeconds;
  private readonly running;
  private readonly rows;
  private readonly stale;
  private readonly quarantined;

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      new Counter({ name: `pai_mirror_${name}`, help, labelNames, registers });
    const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
      new Histogram({ name: `pai_mirror_${name}`, help, labelNames, buckets, registers });
    this.calls = counter(
      'calls_total',
      'Requests to PAI, each attempt by itself. outcome: ok, throttled, or the code of the error in small letters (not_found, timeout, forbidden; no_credentials: nothing was sent).',
      ['operation', 'outcome'],
    );
    this.callSeconds = histogram(
      'call_duration_seconds',
      'From the sending of a request to PAI to the end of its answer; waiting for the budget is not in it.',
      ['operation'],
      CALL_BUCKETS,
    );
    this.retries = counter('call_retries_total', 'Requests to PAI that were no first attempt.', ['operation']);
    this.passes = counter(
      'passes_total',
      'Passes that this process has ended. outcome: succeeded, failed (also those that could not begin), stopped.',
      ['stream', 'outcome'],
    );
    this.passSeconds = histogram(
      'pass_duration_seconds',
      'From the lease of a pass to its end.',
      ['stream'],
      PASS_BUCKETS,
    );
    this.running = new Gauge({
      name: 'pai_mirror_passes_running',
      help: 'Passes that this process is at.',
      labelNames: ['stream'],
      registers,
    });
    this.rows = counter(
      'rows_total',
      'Rows of committed batches. effect: inserted, updated, or unchanged (compared, and not written).',
      ['table', 'effect'],
    );
    this.stale = counter('rows_stale_total', 'Rows left out because a newer observation is stored already.', [
      'stream',
    ]);
    this.quarantined = counter('items_quarantined_total', 'Items put into quarantine.', ['stream']);
  }

  called({ operation, outcome, durationMs, attempt }: CallReport): void {
    this.calls.inc({ operation, outcome: outcome.replace(/^PAI_/, '').toLowerCase() });
    if (durationMs !== null) this.callSeconds.observe({ operation }, Math.max(0, durationMs) / 1000);
    if (attempt > 1) this.retries.inc({ operation });
  }

  passBegan(stream: string): void {
    this.running.inc({ stream });
  }

  /** One that another process is at (`busy`) was none. */
  passEnded({ stream, outcome, effect }: PassReport, seconds: number): void {
    this.running.dec({ stream });
    if (outcome === 'busy') return;
    this.passes.inc({ stream, outcome });
    this.passSeconds.observe({ stream }, seconds);
    for (const [table, counts] of Object.entries(effect.tables))
      for (const name of ['inserted', 'updated', 'unchanged'] as const)
        this.rows.inc({ table, effect: name }, counts[name]);
    this.stale.inc({ stream }, effect.stale);
    this.quarantined.inc({ stream }, effect.quarantined);
  }
}
