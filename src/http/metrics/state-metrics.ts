/** What the database knows, shown with every scrape. With several replicas all of them show the same; take the `max`. */
import { Gauge, type Registry } from 'prom-client';
import type { MirrorState } from '../../domain/mirror-state.js';
import { boundScopes, type ScopedValue } from './bounded.js';

const BOUND = 'Counted up to 100,000 a scope, 500,000 together.';

export class StateMetrics {
  private readonly up;
  private readonly forgetting: (() => void)[] = [];
  private readonly age;
  private readonly lag;
  private readonly active;
  private readonly due;
  private readonly failing;
  private readonly quarantine;
  private readonly leases;
  private readonly pace;
  private readonly wait;
  private readonly rollups;

  constructor(private readonly registry: Registry) {
    const name = 'pai_mirror_database_up';
    const help =
      'Whether the database answered the questions of this scrape: 1, or 0 and what only it knows is left out.';
    this.up = new Gauge({ name, help, registers: [registry] });
    this.age = this.gauge(
      'stream_age_seconds',
      'Since the last pass that succeeded, of whichever process. Of a stream that never has: since its first pass ended.',
      ['scope', 'stream'],
    );
    this.lag = this.gauge(
      'watermark_lag_seconds',
      'Since the modification up to which a stream is complete. Grows also while nothing changes at the source: alert on the age.',
      ['scope', 'stream'],
    );
    this.active = this.gauge('active_runs', `Pipeline runs that have not ended. ${BOUND}`, ['scope']);
    this.due = this.gauge('due_runs', `Pipeline runs that wait for a call. work: nodes or details. ${BOUND}`, [
      'scope',
      'work',
    ]);
    this.failing = this.gauge(
      'failing_items',
      `Runs whose last call failed: they are tried again, ever more seldom. ${BOUND}`,
      ['scope'],
    );
    this.quarantine = this.gauge(
      'quarantine_unresolved',
      `Items that could be neither decoded nor stored, and wait. ${BOUND}`,
      ['scope'],
    );
    this.leases = this.gauge('leases_held', 'Leases that this process holds.', ['stream']);
    this.pace = this.gauge(
      'budget_pace_ratio',
      'Of the configured rate: 1, or less for a while after PAI throttled or failed.',
      ['region', 'budget'],
    );
    this.wait = this.gauge(
      'budget_wait_seconds',
      'Until the next call of the budget may go, all replicas together; near 2 when more is wanted than the rate allows.',
      ['region', 'budget'],
    );
    this.rollups = this.gauge(
      'rollups_due',
      'Quarter hours and runs whose sums are not up to date: the views compute them by themselves until they are.',
      [],
    );
  }

  /** Null: the database did not answer. */
  show(state: MirrorState | null): void {
    this.up.set(state === null ? 0 : 1);
    for (const forget of this.forgetting) forget();
    if (state === null) return;
    this.showStreams(state);
    this.showScopes(state);
    for (const { stream, held } of state.leases) this.leases.set({ stream }, held);
    for (const { region, name: budget, pace, waitSeconds } of state.budgets) {
      this.pace.set({ region, budget }, pace);
      this.wait.set({ region, budget }, waitSeconds);
    }
    this.rollups.set(state.rollupsDue);
  }

  private showStreams({ streams }: MirrorState): void {
    for (const stream of new Set(streams.map((one) => one.stream))) {
      const own = streams.filter((one) => one.stream === stream);
      for (const [gauge, field] of [
        [this.age, 'ageSeconds'],
        [this.lag, 'watermarkLagSeconds'],
      ] as const) {
        const values = own.flatMap(({ scope, [field]: value }) => (value === null ? [] : [{ scope, value }]));
        for (const { scope, value } of boundScopes(values, 'max')) gauge.set({ scope, stream }, value);
      }
    }
  }

  private showScopes({ scopes }: MirrorState): void {
    const show = (values: readonly ScopedValue[], set: (scope: string, value: number) => void): void => {
      for (const { scope, value } of boundScopes(values, 'sum')) set(scope, value);
    };
    const of = (field: Exclude<keyof (typeof scopes)[number], 'scope'>): ScopedValue[] =>
      scopes.map(({ scope, [field]: value }) => ({ scope, value }));
    show(of('activeRuns'), (scope, value) => this.active.set({ scope }, value));
    show(of('dueForNodes'), (scope, value) => this.due.set({ scope, work: 'nodes' }, value));
    show(of('dueForDetails'), (scope, value) => this.due.set({ scope, work: 'details' }, value));
    show(of('failingItems'), (scope, value) => this.failing.set({ scope }, value));
    show(of('unresolvedQuarantine'), (scope, value) => this.quarantine.set({ scope }, value));
  }

  private gauge<L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> {
    const gauge = new Gauge({ name: `pai_mirror_${name}`, help, labelNames, registers: [this.registry] });
    // A scope that went away, or a database that does not answer, leaves no old number behind. Without labels `reset` sets
    // it to 0, which would be an answer.
    this.forgetting.push(labelNames.length > 0 ? () => gauge.reset() : () => gauge.remove());
    return gauge;
  }
}
