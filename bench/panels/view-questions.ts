/** The views as people ask them in a SQL tool; `$run` is one pipeline run. What has no filter is about everything. */
const DAY = `interval '1 day'`;

export const VIEW_QUESTIONS: readonly (readonly [name: string, sql: string])[] = [
  ['scopes', 'select * from analytics.scopes'],
  ['pipeline_runs: one run', `select * from analytics.pipeline_runs where pipeline_run_id = '$run'`],
  [
    'pipeline_runs: the latest 100 of a workspace',
    `select * from analytics.pipeline_runs where scope = 'cn-bench:10001' order by created_at desc limit 100`,
  ],
  ['pipeline_runs: the latest 100', 'select * from analytics.pipeline_runs order by created_at desc limit 100'],
  [
    'pipeline_runs: failures of a day',
    `select * from analytics.pipeline_runs where outcome = 'failed' and created_at > now() - ${DAY} order by created_at desc`,
  ],
  ['active_runs: all', 'select * from analytics.active_runs'],
  ['stuck_runs: all', 'select * from analytics.stuck_runs'],
  ['run_buckets: 90 days', 'select bucket, sum(runs) from analytics.run_buckets group by 1'],
  ['run_buckets_by_workspace: 90 days', 'select bucket, sum(runs) from analytics.run_buckets_by_workspace group by 1'],
  ['daily_runs: 30 days', `select * from analytics.daily_runs where day > now() - 30 * ${DAY}`],
  ['daily_runs: 90 days', 'select * from analytics.daily_runs'],
  ['daily_runs_by_workspace: 90 days', 'select * from analytics.daily_runs_by_workspace'],
  ['daily_runs_by_pipeline: 90 days', 'select * from analytics.daily_runs_by_pipeline'],
  ['daily_runs_by_user: 90 days', 'select * from analytics.daily_runs_by_user'],
  ['daily_runs_by_source_type: 90 days', 'select * from analytics.daily_runs_by_source_type'],
  ['hourly_runs: 7 days', `select * from analytics.hourly_runs where hour > now() - 7 * ${DAY}`],
  ['hourly_runs_by_workspace: 90 days', 'select * from analytics.hourly_runs_by_workspace'],
  [
    'hourly_runs_by_pipeline: 7 days',
    `select * from analytics.hourly_runs_by_pipeline where hour > now() - 7 * ${DAY}`,
  ],
  ['hourly_runs_by_user: 7 days', `select * from analytics.hourly_runs_by_user where hour > now() - 7 * ${DAY}`],
  [
    'hourly_runs_by_source_type: 7 days',
    `select * from analytics.hourly_runs_by_source_type where hour > now() - 7 * ${DAY}`,
  ],
  ['concurrency: 7 days', `select * from analytics.concurrency where bucket > now() - 7 * ${DAY}`],
  ['pipelines: all', 'select * from analytics.pipelines'],
  ['pipeline_trends: all', 'select * from analytics.pipeline_trends'],
  ['nodes: of a run', `select * from analytics.nodes where pipeline_run_id = '$run'`],
  [
    'pipeline_nodes: of a pipeline',
    'select * from analytics.pipeline_nodes where pipeline_id = (select pipeline_id from analytics.pipelines limit 1)',
  ],
  ['pipeline_nodes: all', 'select * from analytics.pipeline_nodes'],
  [
    'node_buckets: 7 days',
    `select node_name, sum(nodes) from analytics.node_buckets where bucket > now() - 7 * ${DAY} group by 1`,
  ],
  ['node_outputs: of a run', `select * from analytics.node_outputs where pipeline_run_id = '$run'`],
  ['run_details: of a run', `select * from analytics.run_details where pipeline_run_id = '$run'`],
  ['failures: all', 'select * from analytics.failures'],
  [
    'failure_buckets: 7 days',
    `select pattern, sum(runs) from analytics.failure_buckets where bucket > now() - 7 * ${DAY} group by 1`,
  ],
  ['status_history: of a run', `select * from analytics.status_history where pipeline_run_id = '$run'`],
  ['history: of a run', `select * from analytics.history where entity_id = '$run'`],
  [
    'history: an hour',
    `select * from analytics.history where scope = 'cn-bench:10001' and observed_at > now() - interval '1 hour'`,
  ],
  ['run_as_of: a run', `select analytics.run_as_of('$run', now() - ${DAY})`],
  ['run_experiments: of a run', `select * from analytics.run_experiments where pipeline_run_id = '$run'`],
  ['experiments: all', 'select * from analytics.experiments'],
  [
    'experiment_runs: of an experiment',
    `select * from analytics.experiment_runs where experiment_id = 'exp-7' order by created_at desc limit 100`,
  ],
  ['experiment_metrics: of an experiment', `select * from analytics.experiment_metrics where experiment_id = 'exp-7'`],
  ['metric_summary: of an experiment', `select * from analytics.metric_summary where experiment_id = 'exp-7'`],
  [
    'metric_points: of a run',
    'select * from analytics.metric_points where run_id = (select min(run_id) from analytics.experiment_runs)',
  ],
  ['run_labels: all of a key', `select value, count(*) from analytics.run_labels where key = 'team' group by 1`],
  [
    'run_params: of an experiment',
    `select key, value, count(*) from analytics.run_params p join analytics.experiment_runs r using (run_id) where r.experiment_id = 'exp-7' group by 1, 2`,
  ],
  ['mirror_freshness: all', 'select * from analytics.mirror_freshness'],
  [
    'mirror_passes: a day',
    `select stream, outcome, count(*) from analytics.mirror_passes where started_at > now() - ${DAY} group by 1, 2`,
  ],
  ['mirror_budgets: all', 'select * from analytics.mirror_budgets'],
  [
    'mirror_lag: a day',
    'select entity, percentile_disc(0.95) within group (order by lag_seconds) from analytics.mirror_lag group by 1',
  ],
  ['mirror_quarantine: all', 'select * from analytics.mirror_quarantine'],
  ['mirror_retries: all', 'select * from analytics.mirror_retries'],
  ['mirror_tables: all', 'select * from analytics.mirror_tables'],
];
