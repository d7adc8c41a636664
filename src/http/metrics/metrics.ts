/** The registry of /metrics. The only folder that knows prom-client; what it is told comes in words of the domain. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { describeError } from '../../domain/errors.js';
import type { MirrorState } from '../../domain/mirror-state.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { Fresh } from '../fresh.js';
import { StateMetrics } from './state-metrics.js';
import { WorkMetrics } from './work-metrics.js';

/** Connections of one pool, as they are now. */
export interface PoolState {
  readonly pool: string;
  readonly used: number;
  readonly idle: number;
  /** Who waits for one. */
  readonly waiting: number;
}

export interface MetricsOptions {
  readonly version: string;
  /** Configured calls a second, by budget; 0 = no limit. */
  readonly budgetRates: Readonly<Record<string, number>>;
  /** Throws when the database cannot be asked. */
  readonly readState: () => Promise<MirrorState>;
  readonly pools: () => readonly PoolState[];
  readonly embeddedRestarts: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Two monitoring systems, or one that asks often, cost one look into the database. */
const STATE_FRESH_MS = 5_000;
/** Prometheus gives up after 10 seconds. */
const STATE_LIMIT_MS = 4_000;
/** Looks at the event loop's delay, milliseconds: 20 a second cost nothing that could be measured. */
const LOOP_PRECISION_MS = 50;

export class Metrics {
  readonly registry = new Registry();
  readonly work: WorkMetrics;
  private readonly state: StateMetrics;
  private readonly fresh: Fresh<MirrorState>;

  constructor(private readonly options: MetricsOptions) {
    const { registry } = this;
    const { version, readState, clock } = options;
    this.gauge('build_info', 'Always 1; the labels tell what runs.', ['version', 'node'], (gauge) =>
      gauge.set({ version, node: process.version }, 1),
    );
    this.work = new WorkMetrics(registry);
    this.state = new StateMetrics(registry);
    this.fresh = new Fresh(readState, { freshMs: STATE_FRESH_MS, limitMs: STATE_LIMIT_MS, clock });
    this.addOwn();
    collectDefaultMetrics({
      register: registry,
      prefix: 'pai_mirror_',
      eventLoopMonitoringPrecision: LOOP_PRECISION_MS,
    });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** The text of a scrape. A database that does not answer leaves out what only it knows. */
  async scrape(): Promise<string> {
    const state = await this.fresh.get().catch((error: unknown) => {
      this.options.logger.debug({}, `metrics without the database: ${describeError(error)}`);
      return null;
    });
    this.state.show(state);
    return this.registry.metrics();
  }

  private addOwn(): void {
    const { budgetRates, pools, embeddedRestarts } = this.options;
    this.gauge('budget_rate', 'Configured calls a second in each region; 0: no limit.', ['budget'], (gauge) => {
      for (const [budget, rate] of Object.entries(budgetRates)) gauge.set({ budget }, rate);
    });
    this.gauge(
      'pool_connections',
      'Database connections of this process. pool: work or http; state: used or idle.',
      ['pool', 'state'],
      (gauge) => {
        for (const { pool, used, idle } of pools()) {
          gauge.set({ pool, state: 'used' }, used);
          gauge.set({ pool, state: 'idle' }, idle);
        }
      },
    );
    this.gauge('pool_waiting', 'Questions that wait for a database connection of this process.', ['pool'], (gauge) => {
      for (const { pool, waiting } of pools()) gauge.set({ pool }, waiting);
    });
    this.gauge(
      'embedded_postgres_restarts',
      'How often the embedded PostgreSQL was started again after it had ended by itself, since this process began.',
      [],
      (gauge) => gauge.set(embeddedRestarts()),
    );
  }

  /** `collect` runs with every scrape. */
  private gauge<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    collect: (gauge: Gauge<L>) => void,
  ): void {
    new Gauge({
      name: `pai_mirror_${name}`,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        collect(this);
      },
    });
  }
}
