/**
 * One question to each view, in the order in which people should meet the views; docs/data-dictionary.md shows them with
 * their answers from demo-data.ts. An answer has to be the same every time and short enough to read: sort by something
 * that decides, and leave out what each process makes anew (request ids, sizes on the disk).
 */

export interface Example {
  /** `analytics.<name>` of a view or function. */
  readonly name: string;
  readonly question: string;
  readonly sql: string;
}

const example = (name: string, question: string, sql: string): Example => ({
  name: `analytics.${name}`,
  question,
  sql,
});

const RUNS: readonly Example[] = [
  example(
    'scopes',
    'Which workspaces are mirrored?',
    `select region, workspace_id from analytics.scopes order by scope`,
  ),
  example(
    'pipeline_runs',
    'What failed last, and why?',
    `select pipeline_run_id, created_at, run_seconds, error_pattern
from analytics.pipeline_runs where outcome = 'failed' order by created_at desc limit 3`,
  ),
  example(
    'active_runs',
    'What is under way, and how far is it for a run of its pipeline?',
    `select pipeline_run_id, status, elapsed_seconds, p50_seconds, p95_seconds, is_stuck, running_nodes
from analytics.active_runs order by elapsed_seconds desc, pipeline_run_id limit 5`,
  ),
  example(
    'stuck_runs',
    'What should somebody look at now?',
    `select pipeline_run_id, name, elapsed_seconds, p95_seconds from analytics.stuck_runs order by elapsed_seconds desc`,
  ),
  example(
    'status_history',
    'How long was a run in which status?',
    `select status, from_time, to_time, seconds, is_current from analytics.status_history
where pipeline_run_id = (select max(pipeline_run_id) from analytics.status_history where from_time > '2026-03-16 09:10Z')
order by from_time`,
  ),
  example(
    'history',
    "What has changed since ten o'clock, besides statuses?",
    `select entity, entity_id, kind, changes - 'gmt_modified_time' as changes from analytics.history
where observed_at >= '2026-03-16 10:00Z' and (kind = 'deleted' or changes ? 'name') order by event_id`,
  ),
  example(
    'run_as_of',
    'What did a run look like when it was seen first? (Here: of the one that was renamed since.)',
    `select r.name as now, analytics.run_as_of(r.pipeline_run_id, '2026-03-16 09:30Z') ->> 'name' as then
from analytics.pipeline_runs r where r.name like '%(renamed)'`,
  ),
  example(
    'run_details',
    'What was a run started with?',
    `select d.pipeline_run_id, a ->> 'name' as argument, left(a ->> 'value', 40) as value
from analytics.run_details d, jsonb_array_elements(d.arguments #> '{arguments,parameters}') a
order by d.pipeline_run_id, argument limit 3`,
  ),
];

const COUNTS: readonly Example[] = [
  example(
    'run_buckets',
    'How many runs an hour since midnight, and how many of them failed?',
    `select date_trunc('hour', bucket) as hour, sum(runs) as runs, sum(failed) as failed
from analytics.run_buckets where bucket >= '2026-03-16 00:00Z' group by 1 order by 1`,
  ),
  example(
    'run_buckets_by_workspace',
    'How many runs has each workspace begun since midnight, and how many of them failed?',
    `select scope, sum(runs) as runs, sum(failed) as failed
from analytics.run_buckets_by_workspace where bucket >= '2026-03-16 00:00Z' group by scope order by scope`,
  ),
  example(
    'percentiles',
    'How long do runs of each pipeline take? (Over many packs at once: the percentiles of all, not a mean of percentiles.)',
    `select pipeline_id, p[1] as p50, p[2] as p95, p[3] as p99
from (select pipeline_id, analytics.percentiles(array_agg(pack)) as p from analytics.run_buckets group by pipeline_id) t
order by pipeline_id limit 3`,
  ),
  example(
    'daily_runs',
    'Whose runs were on the busiest days?',
    `select day::date, pipeline_id, user_id, source_type, runs, round(success_rate::numeric, 2) as success_rate
from analytics.daily_runs order by runs desc, day, pipeline_id, user_id limit 3`,
  ),
  example(
    'daily_runs_by_workspace',
    'How did yesterday go in each workspace?',
    `select workspace_id, runs, succeeded, failed, success_rate, p50_seconds, p95_seconds
from analytics.daily_runs_by_workspace where day = date_trunc('day', now() - interval '1 day') order by workspace_id`,
  ),
  example(
    'daily_runs_by_pipeline',
    'Which pipeline was slowest on a day?',
    `select day::date, pipeline_id, runs, p50_seconds, p99_seconds
from analytics.daily_runs_by_pipeline order by p99_seconds desc nulls last, day limit 3`,
  ),
  example(
    'daily_runs_by_user',
    'Who started how much in the last week?',
    `select user_id, sum(runs) as runs, sum(failed) as failed from analytics.daily_runs_by_user
where day >= now() - interval '7 days' group by user_id order by runs desc, user_id limit 3`,
  ),
  example(
    'daily_runs_by_source_type',
    'Where were runs started from?',
    `select source_type, sum(runs) as runs, sum(succeeded) as succeeded
from analytics.daily_runs_by_source_type group by 1 order by 1`,
  ),
  example(
    'hourly_runs',
    'What went on in the last hours, by everything?',
    `select hour, pipeline_id, user_id, source_type, runs, active from analytics.hourly_runs
order by hour desc, pipeline_id, user_id limit 3`,
  ),
  example(
    'hourly_runs_by_workspace',
    'How many runs an hour in each workspace today?',
    `select hour, workspace_id, runs, succeeded, active, round(mean_queue_seconds::numeric, 1) as mean_queue_seconds
from analytics.hourly_runs_by_workspace
where hour >= date_trunc('day', now()) order by hour, workspace_id`,
  ),
  example(
    'hourly_runs_by_pipeline',
    'Which pipelines ran in the last hours?',
    `select hour, pipeline_id, runs, p95_seconds from analytics.hourly_runs_by_pipeline
order by hour desc, pipeline_id limit 3`,
  ),
  example(
    'hourly_runs_by_user',
    'Who has been at work?',
    `select hour, user_id, runs from analytics.hourly_runs_by_user order by hour desc, user_id limit 3`,
  ),
  example(
    'hourly_runs_by_source_type',
    'Where did the last runs come from?',
    `select hour, source_type, runs from analytics.hourly_runs_by_source_type order by hour desc, source_type limit 3`,
  ),
  example(
    'concurrency',
    'How many runs were under way in the last half hour?',
    `select bucket, workspace_id, started, ended, running from analytics.concurrency
where bucket > now() - interval '45 minutes' order by bucket, workspace_id`,
  ),
];

const PIPELINES: readonly Example[] = [
  example(
    'pipelines',
    'What pipelines are there, and how did the latest run of each end?',
    `select latest_name, runs, round(success_rate::numeric, 2) as success_rate, round(mean_seconds::numeric) as mean_seconds, latest_status
from analytics.pipelines order by pipeline_id`,
  ),
  example(
    'pipeline_trends',
    'Which pipelines take longer than they used to?',
    `select latest_name, recent_runs, round(recent_mean_seconds::numeric) as recent_mean, before_runs,
  round(before_mean_seconds::numeric) as before_mean, round(slowdown::numeric, 2) as slowdown
from analytics.pipeline_trends order by slowdown desc nulls last, pipeline_id limit 3`,
  ),
  example(
    'nodes',
    'Where did the time of a run go?',
    `select node_name, outcome, run_seconds, round(share::numeric, 3) as share, is_critical from analytics.nodes
where pipeline_run_id = (select min(pipeline_run_id) from analytics.pipeline_runs where outcome = 'failed')
  and not is_root order by started_at, node_id`,
  ),
  example(
    'pipeline_nodes',
    'Which node costs most of the time of all pipelines?',
    `select pipeline_id, node_name, nodes, p50_seconds, p95_seconds, round(share::numeric, 3) as share
from analytics.pipeline_nodes order by share desc nulls last, pipeline_id limit 3`,
  ),
  example(
    'node_buckets',
    'How many nodes ended well today?',
    `select node_name, sum(nodes) as nodes, sum(succeeded) as succeeded, round(sum(seconds)::numeric, 1) as seconds
from analytics.node_buckets where bucket >= date_trunc('day', now()) group by 1 order by nodes desc, node_name limit 3`,
  ),
  example(
    'node_percentiles',
    'How long does a node take?',
    `select node_name, p[1] as p50, p[2] as p95
from (select node_name, analytics.node_percentiles(array_agg(pack)) as p from analytics.node_buckets group by node_name) t
order by p[2] desc nulls last, node_name limit 3`,
  ),
  example(
    'node_outputs',
    'What has a run made?',
    `select node_id, name, type, left(value::text, 50) as value from analytics.node_outputs order by pipeline_run_id, node_id, output_id limit 3`,
  ),
  example(
    'failures',
    'Why do runs fail, most often first?',
    `select pattern, runs, pipelines, last_at from analytics.failures order by runs desc, pattern limit 3`,
  ),
  example(
    'failure_buckets',
    'What failed in the last week, by cause and day?',
    `select date_trunc('day', bucket)::date as day, pattern, sum(runs) as runs from analytics.failure_buckets
where bucket > now() - interval '7 days' group by 1, 2 order by 1, 2 limit 5`,
  ),
];

const EXPERIMENTS: readonly Example[] = [
  example(
    'experiments',
    'What experiments are there?',
    `select experiment_id, workspace_id, runs, last_created_at from analytics.experiments order by experiment_id`,
  ),
  example(
    'experiment_runs',
    'Which runs of an experiment have the best metrics? (Any parameter can be a column.)',
    `select name, params ->> 'learning_rate' as learning_rate,
  round((metrics ->> 'loss')::numeric, 3) as loss, round((metrics_max ->> 'accuracy')::numeric, 3) as best_accuracy
from analytics.experiment_runs order by created_at, run_id limit 3`,
  ),
  example(
    'experiment_metrics',
    'Which run is the best of each experiment?',
    `select experiment_id, key, runs, lower_is_better, round(best_value::numeric, 4) as best_value, best_run_name
from analytics.experiment_metrics order by experiment_id, key limit 4`,
  ),
  example(
    'metric_summary',
    'Where does each metric of a run stand?',
    `select key, points, latest_step, round(latest_value::numeric, 4) as latest, round(best_value::numeric, 4) as best
from analytics.metric_summary
where run_id = (select run_id from analytics.metric_summary order by points desc, run_id limit 1) order by key`,
  ),
  example(
    'metric_points',
    'How did a metric develop?',
    `select run_name, step, time, round(value::numeric, 4) as value from analytics.metric_points
where key = 'loss' and run_id = (select run_id from analytics.metric_summary order by points desc, run_id limit 1)
order by step limit 3`,
  ),
  example(
    'run_params',
    'With which parameters was tried?',
    `select key, count(distinct value) as different_values, min(value), max(value) from analytics.run_params group by key order by key`,
  ),
  example(
    'run_labels',
    'How are experiment runs labelled?',
    `select key, value, count(*) as runs from analytics.run_labels group by 1, 2 order by runs desc, key, value limit 3`,
  ),
  example(
    'run_experiments',
    'Which pipeline runs belong to an experiment?',
    `select pipeline_run_id, experiment_id, run_id is not null as has_run, evidence
from analytics.run_experiments order by pipeline_run_id, evidence limit 3`,
  ),
];

const MIRROR: readonly Example[] = [
  example(
    'mirror_freshness',
    'How old is what I see?',
    `select workspace_id, stream, watermark, age_seconds, last_outcome, failed_in_a_row from (
  select split_part(scope, ':', 2) as workspace_id, * from analytics.mirror_freshness) f
order by failed_in_a_row desc, workspace_id, stream limit 5`,
  ),
  example(
    'mirror_passes',
    'What has the mirror done, and at what price?',
    `select stream, outcome, count(*) as passes, sum(calls) as calls, sum(inserted) as inserted, sum(updated) as updated
from analytics.mirror_passes group by 1, 2 order by 1, 2`,
  ),
  example(
    'mirror_budgets',
    'Does PAI throttle?',
    `select region, name, pace, is_throttled from analytics.mirror_budgets order by 1, 2`,
  ),
  example(
    'mirror_lag',
    'How long after PAI does the mirror know?',
    `select entity, count(*) as changes, percentile_disc(0.5) within group (order by lag_seconds)::int as p50_seconds
from analytics.mirror_lag group by entity order by entity`,
  ),
  example(
    'mirror_quarantine',
    'What could not be read?',
    `select stream, operation, entity_id, error, resolution from analytics.mirror_quarantine order by id`,
  ),
  example(
    'mirror_retries',
    'What failed and will be tried again?',
    `select stream, entity_id, attempts, retry_at, split_part(error, ' (request', 1) as error
from analytics.mirror_retries order by stream`,
  ),
  example(
    'mirror_tables',
    'What takes the room? (`bytes` tells how much.)',
    `select table_name, estimated_rows from analytics.mirror_tables where estimated_rows > 100 order by table_name`,
  ),
];

export const EXAMPLES: readonly Example[] = [...RUNS, ...COUNTS, ...PIPELINES, ...EXPERIMENTS, ...MIRROR];
