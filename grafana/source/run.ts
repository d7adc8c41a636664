/** One run: when each node ran, what it made, what changed when, and what it was started with. */
import { makeDashboard } from './layout.js';
import { toConsole, toExperiment, toPipeline, toRun } from './links.js';
import { stat, stateTimeline, steps, table } from './panels.js';
import { runRange } from './sql.js';
import { runIdVariable, runVariable, scopeVariable } from './variables.js';

const THIS_RUN = 'pipeline_run_id = ${run_id:sqlstring}';

const header = table({
  title: 'The run',
  description: 'Click on the id to set the time range to that of the run.',
  sql: `select pipeline_run_id, name, status, outcome, scope, pipeline_id, experiment_id, user_id, source_type, created_at,
  started_at, finished_at, queue_seconds, run_seconds, error, url, ${runRange()}
from analytics.pipeline_runs
where ${THIS_RUN}`,
  columns: {
    pipeline_run_id: { label: 'Run', links: [{ ...toRun, title: 'Show the time of this run' }, toConsole] },
    name: { label: 'Name' },
    status: { label: 'Status', kind: 'status' },
    outcome: { label: 'Outcome', kind: 'status' },
    scope: { label: 'Workspace' },
    pipeline_id: { label: 'Pipeline', links: [toPipeline] },
    experiment_id: { label: 'Experiment', links: [toExperiment] },
    user_id: { label: 'User' },
    source_type: { label: 'Source' },
    created_at: { label: 'Created', unit: 'dateTimeAsLocal' },
    started_at: { label: 'Started', unit: 'dateTimeAsLocal' },
    finished_at: { label: 'Finished', unit: 'dateTimeAsLocal' },
    queue_seconds: { label: 'In the queue', unit: 's' },
    run_seconds: { label: 'Duration', unit: 's' },
    error: { label: 'Message', kind: 'wrapped', width: 320 },
    url: { kind: 'hidden' },
    from_ms: { kind: 'hidden' },
    to_ms: { kind: 'hidden' },
  },
});

const stats = [
  stat({
    title: 'Duration',
    description: "PAI's own Duration; of an active run: since its start.",
    sql: `select coalesce(run_seconds, extract(epoch from coalesce(finished_at, now()) - started_at)) as seconds
from analytics.pipeline_runs\nwhere ${THIS_RUN}`,
    unit: 's',
  }),
  stat({
    title: 'Against the p95 of its pipeline',
    description:
      'Duration of an active run against the p95 of the last 200 succeeded runs of its pipeline. Empty: it is over.',
    sql: `select elapsed_seconds::float8 / nullif(p95_seconds, 0) as times from analytics.active_runs\nwhere ${THIS_RUN}`,
    unit: 'percentunit',
    steps: steps('green', [0.8, 'orange'], [1, 'red']),
    noValue: 'over',
  }),
  stat({
    title: 'Longest node: share of the run',
    description: 'The node that took longest, the root not counted: its part of the duration of the run.',
    sql: `select max(share) as share from analytics.nodes\nwhere ${THIS_RUN} and is_critical`,
    unit: 'percentunit',
  }),
  stat({
    title: 'Failed nodes',
    description: 'Nodes with outcome failed, the root not counted.',
    sql: `select count(*) as failed from analytics.nodes\nwhere ${THIS_RUN} and not is_root and outcome = 'failed'`,
    steps: steps('green', [1, 'red']),
  }),
];

/** A lane a node, in the order of their starts; equal names get their id. A null ends the bar. */
const gantt = stateTimeline({
  title: 'Nodes over time',
  description:
    'A bar a node, in its last known status, from its start to its end. Nodes that have not started are left out.',
  sql: `with lanes as (
  select started_at, finished_at, status, is_root,
    case when count(*) over (partition by node_name) > 1 then concat(node_name, ' · ', node_id)
      else coalesce(node_name, node_id) end as lane
  from analytics.nodes
  where ${THIS_RUN} and started_at is not null
  order by is_root desc, started_at
  limit 200)
select time, lane, "Value"
from (
  select started_at as time, lane, status as "Value", started_at, is_root from lanes
  union all
  select finished_at, lane, null, started_at, is_root from lanes where finished_at > started_at) as moments
order by is_root desc, started_at, lane, time`,
});

const statusTimeline = stateTimeline({
  title: 'Status over time, as the mirror saw it',
  description: 'When the mirror saw which status of the run. What happened between two looks is not known.',
  sql: `select from_time as time, 'run' as lane, status as "Value"
from analytics.status_history
where ${THIS_RUN} and from_time is not null
order by from_time`,
});

const nodes = table({
  title: 'Nodes',
  description: 'Share: of the duration of the run. Critical: the longest node that is not the root.',
  sql: `select node_name, node_type, status, outcome, is_critical, share, run_seconds, started_at, finished_at, node_id
from analytics.nodes
where ${THIS_RUN}
order by is_root desc, started_at nulls last, node_name
limit 500`,
  columns: {
    node_name: { label: 'Node' },
    node_type: { label: 'Type' },
    status: { label: 'Status', kind: 'status' },
    outcome: { label: 'Outcome', kind: 'status' },
    is_critical: { label: 'Critical', unit: 'bool_yes_no' },
    share: { label: 'Share of the run', unit: 'percentunit', kind: 'bar', width: 220 },
    run_seconds: { label: 'Duration', unit: 's' },
    started_at: { label: 'Started', unit: 'dateTimeAsLocal' },
    finished_at: { label: 'Finished', unit: 'dateTimeAsLocal' },
    node_id: { label: 'Id' },
  },
});

const outputs = table({
  title: 'Outputs',
  description: 'What the nodes made.',
  sql: `select name, type, producer, value, metadata, created_at, node_id, output_id
from analytics.node_outputs
where ${THIS_RUN}
order by created_at nulls last, name
limit 500`,
  columns: {
    name: { label: 'Name' },
    type: { label: 'Type' },
    producer: { label: 'Made by', kind: 'wrapped' },
    value: { label: 'Value', kind: 'json', width: 320 },
    metadata: { label: 'Metadata', kind: 'json' },
    created_at: { label: 'Created', unit: 'dateTimeAsLocal' },
    node_id: { label: 'Node' },
    output_id: { label: 'Id' },
  },
});

const intervals = table({
  title: 'Time in each status',
  description: 'From the history of the mirror, which knows only what it saw.',
  sql: `select status, from_time, to_time, seconds, is_current, request_id
from analytics.status_history
where ${THIS_RUN}
order by from_time desc
limit 200`,
  columns: {
    status: { label: 'Status', kind: 'status' },
    from_time: { label: 'From', unit: 'dateTimeAsLocal' },
    to_time: { label: 'To', unit: 'dateTimeAsLocal' },
    seconds: { label: 'For', unit: 's' },
    is_current: { label: 'Still', unit: 'bool_yes_no' },
    request_id: { label: 'Answer of PAI that proves it' },
  },
});

const history = table({
  title: 'History',
  description: 'Every change of the run and of its nodes that the mirror saw, latest first, 300 at most.',
  sql: `select observed_at, entity, node_id, kind, from_status, to_status, changes, source_time, request_id
from analytics.history
where entity_id = \${run_id:sqlstring} and entity in ('pipeline_run', 'node')
order by event_id desc
limit 300`,
  columns: {
    observed_at: { label: 'Seen', unit: 'dateTimeAsLocal' },
    entity: { label: 'Of' },
    node_id: { label: 'Node' },
    kind: { label: 'What' },
    from_status: { label: 'From', kind: 'status' },
    to_status: { label: 'To', kind: 'status' },
    changes: { label: 'Changes', kind: 'json', width: 360 },
    source_time: { label: 'Time of PAI', unit: 'dateTimeAsLocal' },
    request_id: { label: 'Answer of PAI that proves it' },
  },
});

const documents = table({
  title: 'Arguments, options and manifest',
  description: 'As PAI gave them; the eye in a cell shows the whole document.',
  sql: `select d.fetched_at, part.name, part.document
from analytics.run_details as d
cross join lateral (values
  ('Arguments', d.arguments::text), ('Options', d.options::text), ('Manifest', d.manifest::text)) as part (name, document)
where d.${THIS_RUN}`,
  columns: {
    fetched_at: { label: 'Fetched', unit: 'dateTimeAsLocal', width: 180 },
    name: { label: 'Document', width: 120 },
    document: { label: 'Text', kind: 'json' },
  },
});

const asOf = table({
  title: 'As it was at the end of the time range',
  description: 'The run as the mirror knew it then, from the history. Empty: not known yet.',
  sql: `select analytics.run_as_of(\${run_id:sqlstring}, $__timeTo()) as run`,
  columns: { run: { label: 'Run', kind: 'json' } },
});

const experiments = table({
  title: 'Experiments of the run',
  description: 'Experiment runs that this run made (by their source), and the experiment that its options name.',
  sql: `select experiment_id, run_id, evidence
from analytics.run_experiments
where ${THIS_RUN}
order by evidence, run_id
limit 200`,
  columns: {
    experiment_id: { label: 'Experiment', links: [toExperiment] },
    run_id: { label: 'Experiment run' },
    evidence: { label: 'Known by' },
  },
});

export const run = makeDashboard({
  uid: 'pai-run',
  title: 'PAI: run',
  description: 'One pipeline run: nodes over time, outputs, history, and what it was started with.',
  from: 'now-24h',
  refresh: '30s',
  variables: [scopeVariable, runVariable, runIdVariable],
  bands: [
    { height: 4, panels: [[24, header]] },
    { height: 4, panels: stats.map((panel) => [6, panel] as const) },
    { height: 11, panels: [[24, gantt]] },
    { height: 4, panels: [[24, statusTimeline]] },
    { title: 'Nodes', height: 10, panels: [[24, nodes]] },
    { height: 8, panels: [[24, outputs]] },
    {
      title: 'What happened',
      height: 8,
      panels: [
        [9, intervals],
        [15, history],
      ],
    },
    { title: 'What it was started with', height: 8, panels: [[24, documents]] },
    {
      height: 6,
      panels: [
        [14, asOf],
        [10, experiments],
      ],
    },
  ],
});
