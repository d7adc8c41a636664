/** The variables on top of the dashboards. A query's `__text` must tell values apart: Grafana drops equal texts. */
import { ALL, ALL_VALUE } from '../expand.js';
import { DATASOURCE, type QueryVariable, type TextVariable } from './dashboard.js';
import { among } from './sql.js';

interface QueryVariableSource {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly query: string;
  /** Default: exactly one value must be chosen. */
  readonly all?: boolean;
  readonly hidden?: boolean;
  /** Whether the choice depends on the time range. */
  readonly followsTime?: boolean;
}

function queryVariable(source: QueryVariableSource): QueryVariable {
  const { name, label, description, query, all = false, hidden = false, followsTime = false } = source;
  return {
    type: 'query',
    name,
    label,
    description,
    datasource: DATASOURCE,
    definition: query,
    query,
    refresh: followsTime ? 2 : 1,
    sort: 0,
    regex: '',
    multi: all,
    includeAll: all,
    ...(all ? { allValue: ALL_VALUE } : {}),
    current: all ? { selected: true, text: ['All'], value: [ALL] } : {},
    options: [],
    hide: hidden ? 2 : 0,
    skipUrlSync: hidden,
  };
}

export const scopeVariable = queryVariable({
  name: 'scope',
  label: 'Workspace',
  description: 'Region and workspace.',
  query: 'select scope from analytics.scopes order by scope',
  all: true,
});

/**
 * From one pipeline's entries in the index to the next one's: the view `pipelines` adds up all runs, which takes the better
 * part of a second at a million. A pipeline belongs to one workspace, so its latest run tells which.
 */
const PIPELINES = `with recursive found as (
  (select pipeline_id, 1 as place from analytics.pipeline_runs where pipeline_id is not null order by pipeline_id limit 1)
  union all
  select (
    select r.pipeline_id from analytics.pipeline_runs as r
    where r.pipeline_id > found.pipeline_id order by r.pipeline_id limit 1), place + 1
  from found
  where found.pipeline_id is not null and place < 5000)
select concat(coalesce(latest.name, 'no name'), ' · ', found.pipeline_id) as __text, found.pipeline_id as __value
from found
cross join lateral (
  select name, scope, created_at from analytics.pipeline_runs
  where pipeline_id = found.pipeline_id and created_at is not null
  order by created_at desc limit 1) as latest
where ${among('latest.scope', 'scope')}
order by latest.created_at desc
limit 1000`;

/** The thousand pipelines that ran last; any other one comes with a link. */
export const pipelineVariable = (all: boolean): QueryVariable =>
  queryVariable({
    name: 'pipeline',
    label: 'Pipeline',
    description: 'The 1,000 pipelines that ran last: the name of the latest run, and the id.',
    query: PIPELINES,
    all,
  });

export const userVariable = queryVariable({
  name: 'user',
  label: 'User',
  description: 'Who ran something in the time range.',
  query: `select distinct user_id from analytics.run_buckets
where $__timeFilter(bucket) and user_id is not null and ${among('scope', 'scope')}
order by user_id
limit 1000`,
  all: true,
  followsTime: true,
});

export const sourceTypeVariable = queryVariable({
  name: 'source_type',
  label: 'Source',
  description: 'What started the runs: SDK, DESIGNER, M6 and others.',
  query: `select distinct source_type from analytics.run_buckets
where $__timeFilter(bucket) and source_type is not null and ${among('scope', 'scope')}
order by source_type
limit 100`,
  all: true,
  followsTime: true,
});

/** Any id at all, so no list to choose from. */
export const runVariable: TextVariable = {
  type: 'textbox',
  name: 'run',
  label: 'Pipeline run',
  description: 'An id, as in the tables of the other dashboards. Empty: the latest run.',
  query: '',
  current: { selected: false, text: '', value: '' },
  options: [{ selected: true, text: '', value: '' }],
  hide: 0,
  skipUrlSync: false,
};

/** What the panels use: the run that is asked for, or the latest one of the chosen workspaces. */
export const runIdVariable = queryVariable({
  name: 'run_id',
  label: 'The run that is shown',
  description: 'The id in the field Pipeline run, or the latest run.',
  // The latest one of each workspace stands at the end of an index.
  query: `select coalesce(
  nullif(trim(\${run:sqlstring}), ''),
  (select r.pipeline_run_id
    from analytics.scopes as s
    cross join lateral (
      select pipeline_run_id, created_at from analytics.pipeline_runs
      where scope = s.scope and created_at is not null
      order by created_at desc limit 1) as r
    where ${among('s.scope', 'scope')}
    order by r.created_at desc limit 1)) as pipeline_run_id`,
  hidden: true,
});

export const experimentVariable = queryVariable({
  name: 'experiment',
  label: 'Experiment',
  description: 'The 1,000 experiments with the latest runs.',
  query: `select experiment_id from analytics.experiments
where experiment_id is not null and ${among('scope', 'scope')}
order by last_created_at desc nulls last
limit 1000`,
});

export const metricVariable = queryVariable({
  name: 'metric',
  label: 'Metric',
  description: 'Metrics of the 50 latest runs of the experiment; those that most of these have come first.',
  query: `with latest as (
  select run_id from analytics.experiment_runs
  where experiment_id = \${experiment:sqlstring}
  order by created_at desc nulls last
  limit 50)
select m.key
from latest
cross join lateral (select distinct key from analytics.metric_points where run_id = latest.run_id offset 0) as m
group by m.key
order by count(*) desc, m.key
limit 500`,
});

export const experimentRunVariable = queryVariable({
  name: 'experiment_run',
  label: 'Runs',
  description: 'Runs to compare: the 200 latest of the experiment. With All, panels show the 20 latest.',
  query: `select concat(coalesce(name, 'no name'), ' · ', run_id) as __text, run_id as __value
from analytics.experiment_runs
where experiment_id = \${experiment:sqlstring}
order by created_at desc nulls last
limit 200`,
  all: true,
});
