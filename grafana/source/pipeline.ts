/** One pipeline: is it getting slower, which node takes the time, what fails. */
import { makeDashboard } from './layout.js';
import { toConsole, toRun } from './links.js';
import { stat, steps, table, timeSeries } from './panels.js';
import { among, MEAN, runRange } from './sql.js';
import { pipelineVariable, scopeVariable } from './variables.js';

const OF_PIPELINE = `pipeline_id = \${pipeline:sqlstring} and ${among('scope', 'scope')}`;
const IN_RANGE = `$__timeFilter(bucket) and ${OF_PIPELINE}`;
const RUNS = `from analytics.run_buckets\nwhere ${IN_RANGE}`;
const NODES = `from analytics.node_buckets\nwhere ${IN_RANGE}`;
const CREATED = 'Runs count at the time of their creation, in quarters of an hour.';
const TREND = 'Mean duration of succeeded runs of the last 7 days against the 28 days before, whatever the time range.';
const RATE_STEPS = steps('red', [0.8, 'orange'], [0.95, 'green']);
const SLOWDOWN_STEPS = steps('green', [1.2, 'orange'], [1.5, 'red']);

const stats = [
  stat({
    title: 'Runs',
    description: `Created in the time range. ${CREATED}`,
    sql: `select coalesce(sum(runs), 0)::bigint as runs\n${RUNS}`,
  }),
  stat({
    title: 'Success rate',
    description: 'Succeeded / (succeeded + failed).',
    sql: `select sum(succeeded)::float8 / nullif(sum(succeeded) + sum(failed), 0) as success_rate\n${RUNS}`,
    unit: 'percentunit',
    steps: RATE_STEPS,
  }),
  stat({
    title: 'Duration, p50',
    description: 'Half of the succeeded runs took this long at most.',
    sql: `select (analytics.percentiles(array_agg(pack)))[1] as p50\n${RUNS}`,
    unit: 's',
  }),
  stat({
    title: 'Duration, p95',
    description: '95 of 100 succeeded runs took this long at most.',
    sql: `select (analytics.percentiles(array_agg(pack)))[2] as p95\n${RUNS}`,
    unit: 's',
  }),
  stat({
    title: 'Times as long as before',
    description: TREND,
    sql: `select max(slowdown) as slowdown from analytics.pipeline_trends\nwhere ${OF_PIPELINE}`,
    unit: 'none',
    steps: SLOWDOWN_STEPS,
  }),
  stat({
    title: 'Active now',
    description: 'Runs of this pipeline that are not over.',
    sql: `select count(*) as active from analytics.active_runs\nwhere ${OF_PIPELINE}`,
  }),
];

const durations = timeSeries({
  title: 'Duration of succeeded runs',
  description: `Percentiles and mean. ${CREATED}`,
  sql: `select time, p[1] as "p50", p[2] as "p95", p[3] as "p99", mean as "Mean"
from (
  select $__timeGroupAlias(bucket, $__interval), analytics.percentiles(array_agg(pack)) as p,
    ${MEAN} as mean
  ${RUNS}
  group by 1) as grouped
order by 1`,
  unit: 's',
});

const outcomes = timeSeries({
  title: 'Runs by outcome',
  description: `${CREATED} Columns begin at whole multiples of their width since 1970 in UTC.`,
  sql: `select $__timeGroupAlias(bucket, $__interval), sum(succeeded) as "Succeeded", sum(failed) as "Failed",
  sum(terminated) as "Terminated", sum(skipped) as "Skipped", sum(active) as "Active", sum(lost) as "Lost"
${RUNS}
group by 1 order by 1`,
  style: 'stackedBars',
  colors: {
    Succeeded: 'green',
    Failed: 'red',
    Terminated: 'orange',
    Skipped: 'text',
    Active: 'blue',
    Lost: 'purple',
  },
});

const nodeDurations = timeSeries({
  title: 'Where the time goes: mean duration of nodes',
  description:
    'Mean seconds of succeeded nodes, on top of each other. Nodes that run side by side overlap in time, so the sum can be more than the duration of a run.',
  sql: `select $__timeGroupAlias(bucket, $__interval), node_name as metric,
  sum(seconds) / nullif(sum(cardinality(succeeded_seconds)), 0) as mean_seconds
${NODES}
group by 1, 2 order by 1, 2`,
  unit: 's',
  style: 'stackedArea',
});

const nodes = table({
  title: 'Nodes in the time range',
  description:
    'Share: of the seconds of all succeeded nodes but the root. Times as long: the last 7 days against the 28 days before.',
  sql: `with in_range as (
  select node_name, node_type, sum(nodes) as nodes, sum(failed) as failed,
    sum(seconds) as seconds, sum(cardinality(succeeded_seconds)) as timed
  ${NODES}
  group by node_name, node_type),
trend as (
  select node_name, node_type,
    sum(seconds) filter (where bucket >= now() - interval '7 days')
      / nullif(sum(cardinality(succeeded_seconds)) filter (where bucket >= now() - interval '7 days'), 0) as recent,
    sum(seconds) filter (where bucket < now() - interval '7 days')
      / nullif(sum(cardinality(succeeded_seconds)) filter (where bucket < now() - interval '7 days'), 0) as before
  from analytics.node_buckets
  where bucket >= now() - interval '35 days' and ${OF_PIPELINE}
  group by node_name, node_type)
select node_name, node_type, seconds / nullif(sum(seconds) over (), 0) as share,
  seconds / nullif(timed, 0) as mean_seconds, recent / nullif(before, 0) as slowdown, nodes, failed
from in_range left join trend using (node_name, node_type)
order by share desc nulls last, node_name
limit 200`,
  columns: {
    node_name: { label: 'Node' },
    node_type: { label: 'Type' },
    share: { label: 'Share of the time', unit: 'percentunit', kind: 'bar', width: 260 },
    mean_seconds: { label: 'Mean duration', unit: 's' },
    slowdown: { label: 'Times as long', unit: 'none', steps: SLOWDOWN_STEPS },
    nodes: { label: 'Executions' },
    failed: { label: 'Failed' },
  },
});

const allTime = table({
  title: 'Nodes, all time',
  description: 'Percentiles over everything that the mirror knows of this pipeline.',
  sql: `select node_name, node_type, share, mean_seconds, p50_seconds, p95_seconds, nodes, failed
from analytics.pipeline_nodes
where ${OF_PIPELINE}
order by share desc nulls last, node_name
limit 200`,
  columns: {
    node_name: { label: 'Node' },
    node_type: { label: 'Type' },
    share: { label: 'Share of the time', unit: 'percentunit', kind: 'bar' },
    mean_seconds: { label: 'Mean', unit: 's' },
    p50_seconds: { label: 'p50', unit: 's' },
    p95_seconds: { label: 'p95', unit: 's' },
    nodes: { label: 'Executions' },
    failed: { label: 'Failed' },
  },
});

const trends = table({
  title: 'Got slower?',
  description: TREND,
  sql: `select scope, latest_name, slowdown, recent_mean_seconds, before_mean_seconds, recent_runs, before_runs,
  recent_success_rate, before_success_rate
from analytics.pipeline_trends
where ${OF_PIPELINE}
order by scope`,
  columns: {
    scope: { label: 'Workspace' },
    latest_name: { label: 'Name' },
    slowdown: { label: 'Times as long', unit: 'none', steps: SLOWDOWN_STEPS },
    recent_mean_seconds: { label: 'Now', unit: 's' },
    before_mean_seconds: { label: 'Before', unit: 's' },
    recent_runs: { label: 'Runs now' },
    before_runs: { label: 'Runs before' },
    recent_success_rate: { label: 'Success now', unit: 'percentunit', steps: RATE_STEPS },
    before_success_rate: { label: 'Success before', unit: 'percentunit' },
  },
});

const failures = table({
  title: 'Why it fails',
  description: 'Failed runs created in the time range, by their message without ids, numbers and times.',
  sql: `select f.pattern, f.runs, f.last_bucket, f.last_pipeline_run_id as pipeline_run_id, ${runRange('r.')}
from (
  select pattern, sum(runs) as runs, max(bucket) as last_bucket,
    (array_agg(last_pipeline_run_id order by bucket desc))[1] as last_pipeline_run_id
  from analytics.failure_buckets
  where ${IN_RANGE}
  group by pattern
  order by runs desc
  limit 50) as f
left join analytics.pipeline_runs as r on r.pipeline_run_id = f.last_pipeline_run_id
order by f.runs desc`,
  columns: {
    pattern: { label: 'Message', width: 420, kind: 'wrapped' },
    runs: { label: 'Runs' },
    last_bucket: { label: 'Last', unit: 'dateTimeAsLocal' },
    pipeline_run_id: { label: 'Latest run', links: [toRun] },
    from_ms: { kind: 'hidden' },
    to_ms: { kind: 'hidden' },
  },
});

const lastRuns = table({
  title: 'Runs',
  description: 'Created in the time range, latest first, 100 at most.',
  sql: `select pipeline_run_id, name, outcome, status, scope, user_id, source_type, created_at, queue_seconds, run_seconds,
  error, url, ${runRange()}
from analytics.pipeline_runs
where $__timeFilter(created_at) and ${OF_PIPELINE}
order by created_at desc
limit 100`,
  columns: {
    pipeline_run_id: { label: 'Run', links: [toRun, toConsole] },
    name: { label: 'Name' },
    outcome: { label: 'Outcome', kind: 'status' },
    status: { label: 'Status', kind: 'status' },
    scope: { label: 'Workspace' },
    user_id: { label: 'User' },
    source_type: { label: 'Source' },
    created_at: { label: 'Created', unit: 'dateTimeAsLocal' },
    queue_seconds: { label: 'In the queue', unit: 's' },
    run_seconds: { label: 'Duration', unit: 's' },
    error: { label: 'Message', kind: 'wrapped' },
    url: { kind: 'hidden' },
    from_ms: { kind: 'hidden' },
    to_ms: { kind: 'hidden' },
  },
});

export const pipeline = makeDashboard({
  uid: 'pai-pipeline',
  title: 'PAI: pipeline',
  description: 'One pipeline: its durations, its nodes, its failures and its runs.',
  from: 'now-30d',
  refresh: '5m',
  variables: [scopeVariable, pipelineVariable(false)],
  bands: [
    { height: 4, panels: stats.map((panel) => [4, panel] as const) },
    {
      height: 9,
      panels: [
        [12, durations],
        [12, outcomes],
      ],
    },
    { title: 'Nodes', height: 10, panels: [[24, nodeDurations]] },
    {
      height: 10,
      panels: [
        [14, nodes],
        [10, allTime],
      ],
    },
    {
      title: 'Trend and failures',
      height: 8,
      panels: [
        [12, trends],
        [12, failures],
      ],
    },
    { title: 'Runs', height: 12, panels: [[24, lastRuns]] },
  ],
});
