/** Looks at a running service all the time, as a monitoring system and its operator would. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import { onTestFinished } from 'vitest';
import type { CliProcess } from '../cli.js';
import { ask } from '../http.js';
import { parseScrape, type Sample as Scraped, total } from '../scrape.js';
import type { Sample } from './flatness.js';

/** What is measured, each a series over time. Bytes are MB of 1,000,000. */
export type Figure =
  | 'resident memory, MB'
  | 'heap after collection, MB'
  | 'memory outside the heap, MB'
  | 'open descriptors'
  | 'timers'
  | 'connections'
  | 'event loop delay p99, ms'
  | 'lines of /metrics';

export interface Watched {
  readonly series: ReadonlyMap<Figure, readonly Sample[]>;
  /** Looks at /readyz and /metrics that failed three times in a row: what orchestrators act upon. */
  readonly faults: string[];
  /** Single failures. */
  readonly hesitations: string[];
  /** The most connections at once, by application name. */
  readonly connections: ReadonlyMap<string, number>;
  /** The oldest success of a stream that a scrape told of, seconds by the database's clock. */
  readonly oldest: ReadonlyMap<string, number>;
  /** Ends, with a last probe. */
  stop(): Promise<void>;
}

export interface WatchOptions {
  readonly service: CliProcess;
  readonly url: string;
  readonly pool: Pool;
  /** Milliseconds between two looks, and between two collections of garbage. */
  readonly everyMs: number;
  readonly probeEveryMs: number;
}

const MB = 1_000_000;

/** Until `stop`, or the end of the test. */
export function watch(options: WatchOptions): Watched {
  const watcher = new Watcher(options);
  onTestFinished(() => watcher.stop());
  return watcher;
}

class Watcher implements Watched {
  readonly series = new Map<Figure, Sample[]>();
  readonly faults: string[] = [];
  readonly hesitations: string[] = [];
  readonly connections = new Map<string, number>();
  readonly oldest = new Map<string, number>();
  private readonly beganAt = performance.now();
  private readonly ending = new AbortController();
  private readonly work: Promise<unknown>;

  constructor(private readonly options: WatchOptions) {
    const { everyMs, probeEveryMs } = options;
    this.work = Promise.all([
      this.every(everyMs, () => this.lookAtProcess()),
      this.every(everyMs, () => this.lookAtDatabase()),
      this.every(everyMs, () => this.patiently(() => this.scrape())),
      this.every(everyMs, () => this.patiently(() => this.askWhetherReady())),
      this.every(probeEveryMs, () => this.probe()),
    ]);
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await this.work;
  }

  private async every(millis: number, look: () => Promise<void>): Promise<void> {
    while (!this.ending.signal.aborted) {
      await look().catch((error: unknown) => {
        if (!this.ending.signal.aborted) this.faults.push(String(error));
      });
      await delay(millis, undefined, { signal: this.ending.signal }).catch(() => {});
    }
  }

  /**
   * A machine with too much to do keeps a probe waiting now and then, longer than the probe may wait. Orchestrators ask
   * three times; the answer, a failure too, is good for two seconds.
   */
  private async patiently(look: () => Promise<void>): Promise<void> {
    for (let left = 2; left > 0; left -= 1) {
      try {
        return await look();
      } catch (error) {
        if (this.ending.signal.aborted) return;
        this.hesitations.push(String(error));
        await delay(2_200);
      }
    }
    await look();
  }

  private add(figure: Figure, value: number): void {
    const series = this.series.get(figure) ?? [];
    this.series.set(figure, series);
    series.push({ at: (performance.now() - this.beganAt) / 1_000, value });
  }

  private async lookAtProcess(): Promise<void> {
    const { pid } = this.options.service.child;
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    this.add('resident memory, MB', (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024) / MB);
    this.add('open descriptors', (await readdir(`/proc/${pid}/fd`)).length);
  }

  private async lookAtDatabase(): Promise<void> {
    const sessions = await sessionsOf(this.options.pool);
    for (const { name, count } of sessions)
      this.connections.set(name, Math.max(count, this.connections.get(name) ?? 0));
    this.add(
      'connections',
      sessions.reduce((sum, { count }) => sum + count, 0),
    );
  }

  private async scrape(): Promise<void> {
    const { status, text } = await ask(`${this.options.url}/metrics`);
    if (status !== 200) throw new Error(`/metrics answered ${status}`);
    const samples = parseScrape(text);
    this.add('lines of /metrics', samples.length);
    this.add('event loop delay p99, ms', total(samples, 'pai_mirror_nodejs_eventloop_lag_p99_seconds') * 1_000);
    if (total(samples, 'pai_mirror_database_up') !== 1) throw new Error('/metrics came without the database');
    this.noteAges(samples);
  }

  private noteAges(samples: readonly Scraped[]): void {
    for (const { name, labels, value } of samples) {
      if (name !== 'pai_mirror_stream_age_seconds') continue;
      const { stream = '' } = labels;
      this.oldest.set(stream, Math.max(value, this.oldest.get(stream) ?? 0));
    }
  }

  private async askWhetherReady(): Promise<void> {
    const { status, text } = await ask(`${this.options.url}/readyz`);
    if (status !== 200) throw new Error(`/readyz answered ${status} ${text}`);
  }

  private async probe(): Promise<void> {
    const { service } = this.options;
    const seen = probesIn(service.stdout()).length;
    service.child.kill('SIGUSR2');
    for (let tries = 0; tries < 200; tries += 1) {
      await delay(50);
      const found = probesIn(service.stdout())[seen];
      if (found === undefined) continue;
      this.add('heap after collection, MB', found.heapUsed / MB);
      this.add('memory outside the heap, MB', found.external / MB);
      this.add('timers', found.resources.Timeout ?? 0);
      return;
    }
    throw new Error('the service did not answer a probe within 10 s');
  }
}

interface Probe {
  readonly heapUsed: number;
  readonly external: number;
  readonly resources: Readonly<Record<string, number>>;
}

const probesIn = (stdout: string): Probe[] =>
  stdout
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{"probe":'))
    .map((line) => (JSON.parse(line) as { probe: Probe }).probe);

/** Of the mirror, in the database that the pool is connected to. */
export async function sessionsOf(pool: Pool): Promise<{ name: string; count: number }[]> {
  const { rows } = await pool.query<{ name: string; count: number }>(
    `select application_name as name, count(*)::int as count from pg_stat_activity
     where datname = current_database() and application_name like 'pai-mirror%' group by 1`,
  );
  return rows;
}
