/** Is the mirror itself well: how fresh, how busy, what was refused, how late. */
import { makeDashboard } from './layout.js';
import { type Column, stat, steps, table, timeSeries } from './panels.js';
import { among } from './sql.js';
import { scopeVariable } from './variables.js';

const SCOPE = among('scope', 'scope');
const PASSES = `from analytics.mirror_passes\nwhere $__timeFilter(started_at) and ${SCOPE}`;
/** Passes are single rows: any interval is right. */
const ANY = '1m';
const AGE_STEPS = steps('green', [900, 'orange'], [3600, 'red']);

const stats = [
  stat({
    title: 'Oldest look at the changes',
    description: 'Since the last successful pass of pipeline-runs or status began, where that is longest ago.',
    sql: `select max(age_seconds) as age_seconds from analytics.mirror_freshness
where stream in ('pipeline-runs', 'status') and ${SCOPE}`,
    unit: 's',
    steps: AGE_STEPS,
  }),
  stat({
    title: 'Streams that fail',
    description: 'Streams of a workspace whose last pass failed.',
    sql: `select count(*) as failing from analytics.mirror_freshness\nwhere failed_in_a_row > 0 and ${SCOPE}`,
    steps: steps('green', [1, 'red']),
  }),
  stat({
    title: 'Throttled budgets',
    description: 'Call budgets that PAI has slowed down; all workspaces of a region share them.',
    sql: 'select count(*) as throttled from analytics.mirror_budgets where is_throttled',
    steps: steps('green', [1, 'orange']),
  }),
  stat({
    title: 'In quarantine',
    description: 'Items that could not be decoded or stored and that are not settled.',
    sql: `select count(*) as waiting from analytics.mirror_quarantine\nwhere resolved_at is null and ${SCOPE}`,
    steps: steps('green', [1, 'orange'], [100, 'red']),
  }),
  stat({
    title: 'Waiting for another try',
    description: 'Runs whose nodes or details failed and are asked for again.',
    sql: `select count(*) as retries from analytics.mirror_retries\nwhere ${SCOPE}`,
    steps: steps('green', [1, 'orange']),
  }),
  stat({
    title: 'Lag, p95',
    description: 'From the change in PAI to its row here, 95 of 100 changes of the last 24 hours.',
    sql: `select percentile_disc(0.95) within group (order by lag_seconds) as p95 from analytics.mirror_lag\nwhere ${SCOPE}`,
    unit: 's',
    steps: steps('green', [300, 'orange'], [1800, 'red']),
  }),
];

const freshness = table({
  title: 'Freshness by workspace and stream',
  description: 'Age: since the last successful pass began. Everything older than the watermark is in.',
  sql: `select scope, stream, age_seconds, last_outcome, failed_in_a_row, last_succeeded_at, watermark, running_since, holder,
  last_error
from analytics.mirror_freshness
where ${SCOPE}
order by age_seconds desc nulls first, scope, stream
limit 500`,
  columns: {
    scope: { label: 'Workspace' },
    stream: { label: 'Stream' },
    age_seconds: { label: 'Age', unit: 's', steps: AGE_STEPS },
    last_outcome: { label: 'Last pass' },
    failed_in_a_row: { label: 'Failed in a row', steps: steps('text', [1, 'orange'], [3, 'red']) },
    last_succeeded_at: { label: 'Last success', unit: 'dateTimeAsLocal' },
    watermark: { label: 'Complete up to', unit: 'dateTimeAsLocal' },
    running_since: { label: 'Running since', unit: 'dateTimeAsLocal' },
    holder: { label: 'By' },
    last_error: { label: 'Last error', kind: 'wrapped', width: 320 },
  },
});

const passes = timeSeries({
  title: 'Passes by outcome',
  description: 'Passes by the time they began.',
  sql: `select $__timeGroupAlias(started_at, $__interval), coalesce(outcome, 'running') as metric, count(*) as passes
${PASSES}
group by 1, 2 order by 1, 2`,
  interval: ANY,
  style: 'stackedBars',
});

const calls = timeSeries({
  title: 'Calls to PAI a minute',
  description: 'By stream, counted where the pass began.',
  sql: `select $__timeGroupAlias(started_at, $__interval), stream as metric, sum(calls) * 60000.0 / $__interval_ms as calls
${PASSES}
group by 1, 2 order by 1, 2`,
  interval: ANY,
  style: 'stackedArea',
});

const rows = timeSeries({
  title: 'Rows',
  description: 'What passes did with the rows they read; most of them are known already.',
  sql: `select $__timeGroupAlias(started_at, $__interval), sum(inserted) as "Inserted", sum(updated) as "Updated",
  sum(unchanged) as "Unchanged", sum(stale) as "Older than known", sum(quarantined) as "To quarantine"
${PASSES}
group by 1 order by 1`,
  interval: ANY,
  style: 'bars',
  colors: { 'To quarantine': 'red' },
});

const durations = timeSeries({
  title: 'Longest pass',
  description: 'By stream, of the passes that have ended.',
  sql: `select $__timeGroupAlias(started_at, $__interval), stream as metric, max(seconds) as seconds
${PASSES} and finished_at is not null
group by 1, 2 order by 1, 2`,
  unit: 's',
  interval: ANY,
});

const lag = timeSeries({
  title: 'Lag, p95',
  description:
    'From the change in PAI to its row here. Only the last 24 hours are known. Rows of a first load count with their age.',
  sql: `select $__timeGroupAlias(observed_at, $__interval), entity as metric,
  percentile_disc(0.95) within group (order by lag_seconds) as p95
from analytics.mirror_lag
where $__timeFilter(observed_at) and ${SCOPE}
group by 1, 2 order by 1, 2`,
  unit: 's',
  interval: ANY,
});

const budgets = table({
  title: 'Call budgets',
  description:
    'Shared by all replicas and by all workspaces of a region. Pace: the part of the budget that is used after throttling.',
  sql: `select region, name, pace, is_throttled, paused_until, slowed_at
from analytics.mirror_budgets
order by region, name`,
  columns: {
    region: { label: 'Region' },
    name: { label: 'Budget' },
    pace: { label: 'Pace' },
    is_throttled: { label: 'Throttled', unit: 'bool_yes_no' },
    paused_until: { label: 'Paused until', unit: 'dateTimeAsLocal' },
    slowed_at: { label: 'Slowed down', unit: 'dateTimeAsLocal' },
  },
});

const ITEM_COLUMNS: Readonly<Record<string, Column>> = {
  scope: { label: 'Workspace' },
  stream: { label: 'Stream' },
  entity_id: { label: 'Id' },
  error: { label: 'Error', kind: 'wrapped', width: 360 },
};

const quarantine = table({
  title: 'Quarantine',
  description:
    'What could not be decoded or stored, latest first, 200 at most; `pai-mirror quarantine list` shows the raw text.',
  sql: `select first_seen_at, scope, stream, operation, entity, entity_id, error, request_id, resolved_at, resolution
from analytics.mirror_quarantine
where ${SCOPE}
order by resolved_at is not null, first_seen_at desc
limit 200`,
  columns: {
    ...ITEM_COLUMNS,
    first_seen_at: { label: 'First seen', unit: 'dateTimeAsLocal' },
    operation: { label: 'Operation' },
    entity: { label: 'Of' },
    request_id: { label: 'Answer of PAI' },
    resolved_at: { label: 'Settled', unit: 'dateTimeAsLocal' },
    resolution: { label: 'How' },
  },
});

const retries = table({
  title: 'Retries',
  description: 'Runs whose nodes or details could not be fetched, and when they are asked for again.',
  sql: `select scope, stream, entity_id, attempts, failed_at, retry_at, error
from analytics.mirror_retries
where ${SCOPE}
order by retry_at
limit 200`,
  columns: {
    ...ITEM_COLUMNS,
    attempts: { label: 'Tries' },
    failed_at: { label: 'Failed', unit: 'dateTimeAsLocal' },
    retry_at: { label: 'Again at', unit: 'dateTimeAsLocal' },
  },
});

const tables = table({
  title: 'Tables',
  description: 'Rows as PostgreSQL estimates them, bytes with indexes.',
  sql: 'select table_name, estimated_rows, bytes from analytics.mirror_tables order by bytes desc, table_name limit 100',
  columns: {
    table_name: { label: 'Table' },
    estimated_rows: { label: 'Rows', unit: 'locale' },
    bytes: { label: 'Size', unit: 'bytes' },
  },
});

export const mirrorHealth = makeDashboard({
  uid: 'pai-mirror-health',
  title: 'PAI: mirror health',
  description: 'The mirror itself: freshness, calls, throttling, quarantine, lag.',
  from: 'now-6h',
  refresh: '30s',
  variables: [scopeVariable],
  bands: [
    { height: 4, panels: stats.map((panel) => [4, panel] as const) },
    { height: 10, panels: [[24, freshness]] },
    {
      title: 'Passes',
      height: 8,
      panels: [
        [12, passes],
        [12, calls],
      ],
    },
    {
      height: 8,
      panels: [
        [8, rows],
        [8, durations],
        [8, lag],
      ],
    },
    { title: 'What needs a look', height: 8, panels: [[24, quarantine]] },
    {
      height: 8,
      panels: [
        [14, retries],
        [10, budgets],
      ],
    },
    { title: 'Storage', height: 9, panels: [[24, tables]] },
  ],
});
