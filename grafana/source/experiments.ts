/** One experiment: a metric over the steps of several runs, their params side by side, and which run is best. */
import { makeDashboard } from './layout.js';
import { toRun } from './links.js';
import { matrix, stat, stepChart, table } from './panels.js';
import { among } from './sql.js';
import { experimentRunVariable, experimentVariable, metricVariable, scopeVariable } from './variables.js';

const THIS = 'experiment_id = ${experiment:sqlstring}';
const METRIC = 'key = ${metric:sqlstring}';
const LATEST = 'Of the chosen runs the 20 latest.';

/** The chosen runs, 20 at most: more lines, or columns, tell nothing. Equal names get the end of the id. */
const CHOSEN = `with chosen as (
  select run_id, created_at, name,
    case when count(*) over (partition by name) > 1 or name is null
      then concat(name, ' ', right(run_id, 8)) else name end as run
  from analytics.experiment_runs
  where ${THIS} and ${among('run_id', 'experiment_run')}
  order by created_at desc nulls last
  limit 20)`;

/** Asked once for each run. As a plain join the view is worked out for all runs of all experiments, and then joined. */
const EACH = 'offset 0';

const stats = [
  stat({
    title: 'Runs',
    description: 'Experiment runs of this experiment, whatever the time range.',
    sql: `select coalesce(sum(runs), 0)::bigint as runs from analytics.experiments\nwhere ${THIS}`,
  }),
  stat({
    title: 'Best value of the metric',
    description: 'The least one where less is better (judged by the name of the metric), else the greatest.',
    sql: `select case when bool_and(lower_is_better) then min(best_value) else max(best_value) end as best_value
from analytics.experiment_metrics
where ${THIS} and ${METRIC}`,
    unit: 'none',
  }),
  stat({
    title: 'Runs with the metric',
    description: 'Experiment runs that have at least one value of it.',
    sql: `select coalesce(sum(runs), 0)::bigint as runs from analytics.experiment_metrics\nwhere ${THIS} and ${METRIC}`,
  }),
];

const overSteps = stepChart({
  title: 'The metric over the steps',
  description: `${LATEST} Where a step has several values: the last one.`,
  sql: `${CHOSEN}
select p.step, c.run, (array_agg(p.value order by p.time desc))[1] as value
from chosen as c join analytics.metric_points as p on p.run_id = c.run_id
where p.${METRIC}
group by p.step, c.run
order by p.step, c.run`,
});

const runs = table({
  title: 'Runs',
  description: 'The chosen runs with the chosen metric, best first; of more than 200 the latest.',
  sql: `with listed as (
  select run_id, name, user_id, created_at, labels, pipeline_run_id
  from analytics.experiment_runs
  where ${THIS} and ${among('run_id', 'experiment_run')}
  order by created_at desc nulls last
  limit 200)
select r.run_id, r.name, m.best_value, m.latest_value, m.latest_step, m.min_value, m.max_value, r.user_id,
  r.created_at, r.labels, p.pipeline_run_id,
  (extract(epoch from coalesce(p.started_at, p.created_at, r.created_at)) * 1000 - 60000)::bigint::text as from_ms,
  (extract(epoch from coalesce(p.finished_at, now())) * 1000 + 60000)::bigint::text as to_ms
from listed as r
left join lateral (
  select * from analytics.metric_summary where run_id = r.run_id and ${THIS} and ${METRIC} ${EACH}) as m on true
left join analytics.pipeline_runs as p on p.pipeline_run_id = r.pipeline_run_id
order by case when m.lower_is_better then m.best_value else -m.best_value end nulls last, r.created_at desc`,
  columns: {
    run_id: { label: 'Experiment run' },
    name: { label: 'Name' },
    best_value: { label: 'Best', unit: 'none' },
    latest_value: { label: 'Latest', unit: 'none' },
    latest_step: { label: 'Steps', unit: 'none' },
    min_value: { label: 'Least', unit: 'none' },
    max_value: { label: 'Greatest', unit: 'none' },
    user_id: { label: 'User' },
    created_at: { label: 'Created', unit: 'dateTimeAsLocal' },
    labels: { label: 'Labels', kind: 'json' },
    pipeline_run_id: { label: 'Pipeline run', links: [toRun] },
    from_ms: { kind: 'hidden' },
    to_ms: { kind: 'hidden' },
  },
});

const params = table({
  title: 'Params side by side',
  description: `A column a run. ${LATEST}`,
  sql: `${CHOSEN}
select p.key, c.run, p.value
from chosen as c join analytics.run_params as p on p.run_id = c.run_id
order by p.key, c.created_at desc`,
  columns: { 'key\\run': { label: 'Param', width: 200 } },
  transformations: [matrix('key', 'run', 'value')],
});

const metrics = table({
  title: 'Latest metrics side by side',
  description: `A column a run. ${LATEST}`,
  sql: `${CHOSEN}
select m.key, c.run, m.latest_value as value
from chosen as c
cross join lateral (select * from analytics.metric_summary where run_id = c.run_id and ${THIS} ${EACH}) as m
order by m.key, c.created_at desc`,
  columns: { 'key\\run': { label: 'Metric', width: 200 } },
  unit: 'none',
  transformations: [matrix('key', 'run', 'value')],
});

const best = table({
  title: 'Best run of each metric',
  description: 'Over all runs of the experiment. Whether less is better is judged by the name of the metric.',
  sql: `select key, best_value, best_run_name, best_run_id, lower_is_better, runs
from analytics.experiment_metrics
where ${THIS}
order by runs desc, key
limit 200`,
  columns: {
    key: { label: 'Metric' },
    best_value: { label: 'Best value', unit: 'none' },
    best_run_name: { label: 'Run' },
    best_run_id: { label: 'Id' },
    lower_is_better: { label: 'Less is better', unit: 'bool_yes_no' },
    runs: { label: 'Runs' },
  },
});

export const experiments = makeDashboard({
  uid: 'pai-experiments',
  title: 'PAI: experiments',
  description:
    'Experiment runs: metrics over steps, params side by side, and the best run. The time range does not matter here.',
  from: 'now-30d',
  refresh: '1m',
  variables: [scopeVariable, experimentVariable, metricVariable, experimentRunVariable],
  bands: [
    { height: 4, panels: stats.map((panel) => [8, panel] as const) },
    { height: 12, panels: [[24, overSteps]] },
    { height: 10, panels: [[24, runs]] },
    {
      title: 'Compare',
      height: 10,
      panels: [
        [12, params],
        [12, metrics],
      ],
    },
    { height: 8, panels: [[24, best]] },
  ],
});
