/** Everything at a glance: how much runs, how well, how fast, what is stuck, what fails and what got slower. */
import { makeDashboard } from './layout.js';
import { toConsole, toMirrorHealth, toPipeline, toRun } from './links.js';
import { type Column, stat, steps, table, timeSeries } from './panels.js';
import { amongAll, dayOf, MEAN, runRange } from './sql.js';
import { pipelineVariable, scopeVariable, sourceTypeVariable, userVariable } from './variables.js';

const DIMENSIONS = { scope: 'scope', pipeline_id: 'pipeline', user_id: 'user', source_type: 'source_type' };

/** Runs are counted in the quarter of an hour of their creation. */
const RUNS = `from analytics.run_buckets
where $__timeFilter(bucket)
  and ${amongAll(DIMENSIONS)}`;

const CREATED = 'Runs count at the time of their creation, in quarters of an hour.';

const OUTCOME_COLORS = {
  Succeeded: 'green',
  Failed: 'red',
  Terminated: 'orange',
  Skipped: 'text',
  Active: 'blue',
  Lost: 'purple',
};

const OUTCOMES = `sum(succeeded) as "Succeeded", sum(failed) as "Failed", sum(terminated) as "Terminated",
  sum(skipped) as "Skipped", sum(active) as "Active", sum(lost) as "Lost"`;

const RATE_STEPS = steps('red', [0.8, 'orange'], [0.95, 'green']);

const stats = [
  stat({
    title: 'Runs',
    description: `Pipeline runs created in the time range. ${CREATED}`,
    sql: `select coalesce(sum(runs), 0)::bigint as runs\n${RUNS}`,
  }),
  stat({
    title: 'Success rate',
    description:
      'Succeeded / (succeeded + failed) of the runs created in the time range; terminated and skipped ones do not count.',
    sql: `select sum(succeeded)::float8 / nullif(sum(succeeded) + sum(failed), 0) as success_rate\n${RUNS}`,
    unit: 'percentunit',
    steps: RATE_STEPS,
  }),
  stat({
    title: 'Duration, p95',
    description: '95 of 100 succeeded runs took this long at most. Created in the time range.',
    sql: `select (analytics.percentiles(array_agg(pack)))[2] as p95\n${RUNS}`,
    unit: 's',
  }),
  stat({
    title: 'Active now',
    description: 'Runs that are not over, now, whatever the time range.',
    sql: `select count(*) as active from analytics.active_runs\nwhere ${amongAll(DIMENSIONS)}`,
  }),
  stat({
    title: 'Stuck now',
    description: 'Active for longer than 95 of 100 of the last 200 succeeded runs of the same pipeline.',
    sql: `select count(*) as stuck from analytics.stuck_runs\nwhere ${amongAll(DIMENSIONS)}`,
    steps: steps('green', [1, 'orange'], [10, 'red']),
  }),
  stat({
    title: 'Age of the mirror',
    description: 'Since the mirror last began to look at what changed, in the workspace where that is longest ago.',
    sql: `select max(age_seconds) as age_seconds from analytics.mirror_freshness
where stream in ('pipeline-runs', 'status') and ${amongAll({ scope: 'scope' })}`,
    unit: 's',
    steps: steps('green', [900, 'orange'], [3600, 'red']),
    links: [toMirrorHealth],
  }),
];

const outcomes = timeSeries({
  title: 'Runs by outcome',
  description: `${CREATED} Columns begin at whole multiples of their width since 1970 in UTC.`,
  sql: `select $__timeGroupAlias(bucket, $__interval), ${OUTCOMES}\n${RUNS}\ngroup by 1 order by 1`,
  style: 'stackedBars',
  colors: OUTCOME_COLORS,
});

const successRate = timeSeries({
  title: 'Success rate',
  description: `Succeeded / (succeeded + failed). ${CREATED}`,
  sql: `select $__timeGroupAlias(bucket, $__interval),
  sum(succeeded)::float8 / nullif(sum(succeeded) + sum(failed), 0) as "Success rate"
${RUNS}
group by 1 order by 1`,
  unit: 'percentunit',
  max: 1,
  steps: RATE_STEPS,
});

const durations = timeSeries({
  title: 'Duration of succeeded runs',
  description: `Percentiles of PAI's own Duration. ${CREATED}`,
  sql: `select time, p[1] as "p50", p[2] as "p95", p[3] as "p99"
from (
  select $__timeGroupAlias(bucket, $__interval), analytics.percentiles(array_agg(pack)) as p
  ${RUNS}
  group by 1) as grouped
order by 1`,
  unit: 's',
});

const waiting = timeSeries({
  title: 'Time in the queue',
  description: `Mean time from creation to start, of the runs that have started. ${CREATED}`,
  sql: `select $__timeGroupAlias(bucket, $__interval),
  sum(queue_seconds)::float8 / nullif(sum(queued_runs), 0) as "Mean"
${RUNS}
group by 1 order by 1`,
  unit: 's',
});

const throughput = timeSeries({
  title: 'Throughput',
  description: 'Runs that started and that ended, an hour. By workspace only: pipeline, user and source do not apply.',
  sql: `select $__timeGroupAlias(bucket, $__interval),
  sum(started) * 3600000.0 / $__interval_ms as "Started",
  sum(ended) * 3600000.0 / $__interval_ms as "Ended"
from analytics.concurrency
where $__timeFilter(bucket) and ${amongAll({ scope: 'scope' })}
group by 1 order by 1`,
});

const concurrency = timeSeries({
  title: 'Under way at once',
  description:
    'The most runs under way at the end of a quarter of an hour in which one started or ended, by workspace. Pipeline, user and source do not apply.',
  sql: `select $__timeGroupAlias(bucket, $__interval), scope as metric, max(running) as running
from analytics.concurrency
where $__timeFilter(bucket) and ${amongAll({ scope: 'scope' })}
group by 1, 2 order by 1, 2`,
  style: 'steps',
});

const days = timeSeries({
  title: 'Runs a day',
  description: 'Days are those of the time zone of this dashboard.',
  sql: `select ${dayOf('bucket')} as time, ${OUTCOMES}\n${RUNS}\ngroup by 1 order by 1`,
  style: 'stackedBars',
  colors: OUTCOME_COLORS,
});

const ACTIVE_COLUMNS: Readonly<Record<string, Column>> = {
  pipeline_run_id: { label: 'Run', links: [toRun, toConsole] },
  name: { label: 'Name' },
  pipeline_id: { label: 'Pipeline', links: [toPipeline] },
  scope: { label: 'Workspace' },
  user_id: { label: 'User' },
  status: { label: 'Status', kind: 'status' },
  started_at: { label: 'Started', unit: 'dateTimeAsLocal' },
  elapsed_seconds: { label: 'For', unit: 's' },
  p95_seconds: { label: 'p95 of its pipeline', unit: 's' },
  running_nodes: { label: 'Running nodes' },
  url: { kind: 'hidden' },
  from_ms: { kind: 'hidden' },
  to_ms: { kind: 'hidden' },
};

const activeRuns = (view: 'stuck_runs' | 'active_runs'): string => `select pipeline_run_id, name, pipeline_id, scope,
  user_id, status, started_at, elapsed_seconds, p95_seconds, running_nodes, url,
  (extract(epoch from coalesce(started_at, created_at)) * 1000 - 60000)::bigint::text as from_ms,
  (extract(epoch from now()) * 1000)::bigint::text as to_ms
from analytics.${view}
where ${amongAll(DIMENSIONS)}
order by elapsed_seconds desc nulls last
limit 100`;

const stuck = table({
  title: 'Stuck now',
  description:
    'Active for longer than 95 of 100 of the last 200 succeeded runs of the same pipeline. Longest first, 100 at most.',
  sql: activeRuns('stuck_runs'),
  columns: ACTIVE_COLUMNS,
});

const active = table({
  title: 'Active now',
  description: 'Runs that are not over. Longest first, 100 at most.',
  sql: activeRuns('active_runs'),
  columns: ACTIVE_COLUMNS,
});

const failures = table({
  title: 'Why runs fail',
  description:
    'Failed runs created in the time range, by their message without ids, numbers and times. User and source do not apply.',
  sql: `select f.pattern, f.runs, f.runs / sum(f.runs) over () as share, f.pipelines, f.last_bucket,
  f.last_pipeline_run_id as pipeline_run_id, ${runRange('r.')}
from (
  select pattern, sum(runs) as runs, count(distinct pipeline_id) as pipelines, max(bucket) as last_bucket,
    (array_agg(last_pipeline_run_id order by bucket desc))[1] as last_pipeline_run_id
  from analytics.failure_buckets
  where $__timeFilter(bucket) and ${amongAll({ scope: 'scope', pipeline_id: 'pipeline' })}
  group by pattern
  order by runs desc
  limit 50) as f
left join analytics.pipeline_runs as r on r.pipeline_run_id = f.last_pipeline_run_id
order by f.runs desc`,
  columns: {
    pattern: { label: 'Message', width: 520, kind: 'wrapped' },
    runs: { label: 'Runs' },
    share: { label: 'Share of these', unit: 'percentunit', kind: 'bar' },
    pipelines: { label: 'Pipelines' },
    last_bucket: { label: 'Last', unit: 'dateTimeAsLocal' },
    pipeline_run_id: { label: 'Latest run', links: [toRun] },
    from_ms: { kind: 'hidden' },
    to_ms: { kind: 'hidden' },
  },
});

const slower = table({
  title: 'Pipelines that got slower',
  description:
    'Mean duration of succeeded runs of the last 7 days against the 28 days before, whatever the time range; at least 3 runs on both sides.',
  sql: `select pipeline_id, latest_name, scope, slowdown, recent_mean_seconds, before_mean_seconds, recent_runs, before_runs,
  recent_success_rate, before_success_rate
from analytics.pipeline_trends
where recent_runs >= 3 and before_runs >= 3 and slowdown > 1
  and ${amongAll({ scope: 'scope', pipeline_id: 'pipeline' })}
order by slowdown desc
limit 20`,
  columns: {
    pipeline_id: { label: 'Pipeline', links: [toPipeline] },
    latest_name: { label: 'Name' },
    scope: { label: 'Workspace' },
    slowdown: { label: 'Times as long', unit: 'none', steps: steps('text', [1.2, 'orange'], [1.5, 'red']) },
    recent_mean_seconds: { label: 'Now', unit: 's' },
    before_mean_seconds: { label: 'Before', unit: 's' },
    recent_runs: { label: 'Runs now' },
    before_runs: { label: 'Runs before' },
    recent_success_rate: { label: 'Success now', unit: 'percentunit', steps: RATE_STEPS },
    before_success_rate: { label: 'Success before', unit: 'percentunit' },
  },
});

const busiest = table({
  title: 'Pipelines by runs',
  description: `The 50 pipelines with the most runs. ${CREATED}`,
  sql: `select pipeline_id, scope, sum(runs) as runs, sum(failed) as failed,
  sum(succeeded)::float8 / nullif(sum(succeeded) + sum(failed), 0) as success_rate,
  ${MEAN} as mean_seconds
${RUNS}
group by pipeline_id, scope
order by runs desc
limit 50`,
  columns: {
    pipeline_id: { label: 'Pipeline', links: [toPipeline] },
    scope: { label: 'Workspace' },
    runs: { label: 'Runs' },
    failed: { label: 'Failed' },
    success_rate: { label: 'Success rate', unit: 'percentunit', steps: RATE_STEPS },
    mean_seconds: { label: 'Mean duration', unit: 's' },
  },
});

export const fleet = makeDashboard({
  uid: 'pai-fleet',
  title: 'PAI: fleet',
  description: 'All pipeline runs of the mirrored workspaces: how many, how well, how fast, and what needs a look.',
  from: 'now-7d',
  refresh: '1m',
  variables: [scopeVariable, pipelineVariable(true), userVariable, sourceTypeVariable],
  bands: [
    { height: 4, panels: stats.map((panel) => [4, panel] as const) },
    {
      height: 9,
      panels: [
        [12, outcomes],
        [12, durations],
      ],
    },
    {
      height: 8,
      panels: [
        [8, successRate],
        [8, throughput],
        [8, concurrency],
      ],
    },
    {
      height: 8,
      panels: [
        [12, days],
        [12, waiting],
      ],
    },
    { title: 'What needs a look', height: 9, panels: [[24, stuck]] },
    { height: 10, panels: [[24, failures]] },
    {
      height: 9,
      panels: [
        [14, slower],
        [10, busiest],
      ],
    },
    { title: 'Now', height: 10, panels: [[24, active]] },
  ],
});
