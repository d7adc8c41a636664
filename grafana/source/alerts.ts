/**
 * Alert rules. Each query gives one number for each combination of its text columns, which Grafana takes as labels; the
 * rule fires for those above the threshold. There is no `$` in them: Grafana puts environment variables into these files.
 */
import { DATASOURCE } from './dashboard.js';

export interface AlertRule {
  readonly uid: string;
  readonly title: string;
  /** One row a label set: text columns and one numeric one. */
  readonly sql: string;
  /** Fires above it. */
  readonly above: number;
  /** How long it must last. */
  readonly lasts: string;
  readonly severity: 'warning' | 'critical';
  /** `.Labels.name` is a text column, `.Values.A` the number. */
  readonly summary: string;
  readonly description: string;
  readonly dashboard: string;
  /** What no row at all means. */
  readonly noData: 'OK' | 'NoData';
}

const LABELS = '{{ .Labels.stream }} of {{ .Labels.scope }}';

export const ALERT_RULES: readonly AlertRule[] = [
  {
    uid: 'pai-mirror-not-fresh',
    title: 'The mirror is not fresh',
    // What has never succeeded counts from its last start, but for the first load of a large workspace while it is under way.
    sql: `select scope, stream,
  coalesce(age_seconds, case when running_since is null then extract(epoch from now() - last_started_at) end, 0)::float8
    / case when stream = 'reconcile' then 86400 when stream in ('pipeline-runs', 'status') then 1800 else 7200 end as times
from analytics.mirror_freshness`,
    above: 1,
    lasts: '5m',
    severity: 'critical',
    summary: `${LABELS} has not succeeded for long`,
    description:
      'Allowed are 30 minutes for pipeline-runs and status, a day for reconcile, two hours for the others. The value is how many times as long it has been. See the dashboard for the last error.',
    dashboard: 'pai-mirror-health',
    noData: 'NoData',
  },
  {
    uid: 'pai-mirror-stream-fails',
    title: 'A stream of the mirror fails again and again',
    sql: 'select scope, stream, failed_in_a_row::float8 as failed from analytics.mirror_freshness',
    above: 2,
    lasts: '5m',
    severity: 'warning',
    summary: `${LABELS} has failed three times or more in a row`,
    description: 'The mirror tries again by itself. The last error is in the dashboard and in the log.',
    dashboard: 'pai-mirror-health',
    noData: 'OK',
  },
  {
    uid: 'pai-mirror-throttled',
    title: 'PAI throttles the mirror',
    // Only successes give the pace back, a little each: a budget that is seldom used is below its rate for hours after an
    // outage, and nobody throttles it any more. Whoever does so for half an hour slows it down again and again.
    sql: `select region, name,
  (coalesce(paused_until > now(), false) or (pace < 1 and slowed_at > now() - interval '15 minutes'))::int as throttled
from analytics.mirror_budgets`,
    above: 0,
    lasts: '30m',
    severity: 'warning',
    summary: 'Calls of {{ .Labels.name }} in {{ .Labels.region }} are throttled',
    description: 'Something else uses the quota of the account, or PAI_FLOW_QPS or PAI_LIST_RUNS_QPS is too high.',
    dashboard: 'pai-mirror-health',
    noData: 'OK',
  },
  {
    uid: 'pai-mirror-quarantine',
    title: 'Items wait in quarantine',
    sql: `select scope, stream, count(*)::float8 as waiting
from analytics.mirror_quarantine where resolved_at is null
group by scope, stream`,
    above: 0,
    lasts: '1h',
    severity: 'warning',
    summary: `Items of ${LABELS} could not be decoded or stored`,
    description: '`pai-mirror quarantine list` shows them, `pai-mirror quarantine retry` tries again.',
    dashboard: 'pai-mirror-health',
    noData: 'OK',
  },
  {
    uid: 'pai-runs-fail',
    title: 'Many pipeline runs fail',
    // Few runs say nothing: ten that have ended, at least.
    sql: `select scope, sum(failed)::float8 / sum(succeeded + failed) as failure_rate
from analytics.run_buckets
where bucket >= now() - interval '6 hours'
group by scope
having sum(succeeded + failed) >= 10`,
    above: 0.3,
    lasts: '15m',
    severity: 'warning',
    summary: 'More than 30 % of the runs of {{ .Labels.scope }} fail',
    description: 'Of the runs created in the last 6 hours that have succeeded or failed. The dashboard says why.',
    dashboard: 'pai-fleet',
    noData: 'OK',
  },
];

/**
 * The section of the repository that has the title as its heading. Not `runbook_url`, which Grafana makes a link of: nobody
 * knows here under which address the repository is read.
 */
const runbookOf = (title: string): string => `docs/operations.md#${title.toLowerCase().replaceAll(' ', '-')}`;

const query = (sql: string) => ({
  refId: 'A',
  relativeTimeRange: { from: 600, to: 0 },
  datasourceUid: DATASOURCE.uid,
  model: {
    refId: 'A',
    datasource: DATASOURCE,
    editorMode: 'code',
    format: 'table',
    rawQuery: true,
    rawSql: sql,
    intervalMs: 60000,
    maxDataPoints: 43200,
  },
});

/** A threshold on A, which has one value a label set already: nothing is to be reduced. */
const threshold = (above: number) => ({
  refId: 'B',
  relativeTimeRange: { from: 0, to: 0 },
  datasourceUid: '__expr__',
  model: {
    refId: 'B',
    datasource: { type: '__expr__', uid: '__expr__' },
    type: 'threshold',
    expression: 'A',
    conditions: [{ type: 'query', evaluator: { type: 'gt', params: [above] } }],
    intervalMs: 1000,
    maxDataPoints: 43200,
  },
});

/** The file `provisioning/alerting/pai-mirror.yaml`. */
export const ALERTING = {
  apiVersion: 1,
  groups: [
    {
      orgId: 1,
      name: 'pai-mirror',
      // Not the folder of the dashboards: Grafana makes this one first, with another uid.
      folder: 'PAI alerts',
      interval: '1m',
      rules: ALERT_RULES.map((rule) => ({
        uid: rule.uid,
        title: rule.title,
        condition: 'B',
        for: rule.lasts,
        noDataState: rule.noData,
        execErrState: 'Error',
        isPaused: false,
        labels: { severity: rule.severity, source: 'pai-mirror' },
        annotations: {
          summary: rule.summary,
          description: rule.description,
          dashboard: `/d/${rule.dashboard}`,
          runbook: runbookOf(rule.title),
        },
        data: [query(rule.sql), threshold(rule.above)],
      })),
    },
  ],
};
