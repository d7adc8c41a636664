/** The page docs/metrics.md, made from what /metrics registers. */
import type { Registry } from 'prom-client';
import { MOST_SCOPES } from '../../src/http/metrics/bounded.js';
import { Metrics } from '../../src/http/metrics/metrics.js';
import { systemClock } from '../../src/util/clock.js';
import { silentLogger } from '../../src/util/logger.js';

export interface MetricFacts {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labels: readonly string[];
}

export const newMetrics = (): Metrics =>
  new Metrics({
    version: '0.0.0',
    budgetRates: {},
    readState: () => Promise.reject(new Error('there is no database here')),
    pools: () => [],
    embeddedRestarts: () => 0,
    clock: systemClock,
    logger: silentLogger,
  });

export function factsOf(registry: Registry): MetricFacts[] {
  return registry.getMetricsAsArray().map((metric) => {
    const {
      name,
      help,
      type,
      labelNames = [],
    } = metric as unknown as Omit<MetricFacts, 'labels'> & {
      readonly labelNames?: readonly string[];
    };
    return { name, help, type, labels: labelNames };
  });
}

const isOfRuntime = ({ name }: MetricFacts): boolean => /^pai_mirror_(process|nodejs)_/.test(name);

const row = ({ name, type, labels, help }: MetricFacts): string =>
  `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;

export function renderPage(facts: readonly MetricFacts[]): string {
  const own = facts.filter((fact) => !isOfRuntime(fact));
  return `# Metrics

\`GET /metrics\` of \`pai-mirror start\` (and \`demo\`) answers in the text format of Prometheus. Made from the code by
\`npm run docs\`: do not edit.

With several replicas each tells of its own calls, passes and rows: add them up. What the database knows is the same
from all of them: take the \`max\`. The first ${MOST_SCOPES} scopes by name have series of their own, the rest share the scope \`other\`:
the sum of them, or of ages and lags the largest. [alerts.yml](alerts.yml) has example rules, each with what to do.

| Metric | Type | Labels | Meaning |
|---|---|---|---|
${own.map(row).join('\n')}

Of the process: \`pai_mirror_process_…\` and \`pai_mirror_nodejs_…\` are the usual ones of prom-client (CPU, memory, heap, event loop,
garbage collection, open files) with the prefix of the mirror.

Useful questions:

- Calls a second: \`sum by (operation) (rate(pai_mirror_calls_total[5m]))\`
- How much of a budget is used: \`sum(rate(pai_mirror_calls_total{operation!~"ListRuns|ListWorkspaces"}[5m])) / scalar(max(pai_mirror_budget_rate{budget="flow"}))\`
- 95th percentile of a call: \`histogram_quantile(0.95, sum by (le, operation) (rate(pai_mirror_call_duration_seconds_bucket[5m])))\`
- Rows written a second: \`sum by (table) (rate(pai_mirror_rows_total{effect!="unchanged"}[5m]))\`
- How fresh: \`max by (scope, stream) (pai_mirror_stream_age_seconds)\`
`;
}
