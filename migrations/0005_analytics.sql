-- The public face of the mirror. Tables may grow columns; a view here keeps its columns, and gets new ones at its end.
CREATE SCHEMA "analytics";
--> statement-breakpoint
-- Without reading the tables: each step looks up the next scope in an index.
CREATE VIEW "analytics"."scopes" AS
WITH RECURSIVE found AS (
  SELECT least((SELECT min(scope) FROM pai.pipeline_runs), (SELECT min(scope) FROM pai.runs), (SELECT min(scope) FROM pai.sync_leases)) AS scope
  UNION ALL
  SELECT least((SELECT min(r.scope) FROM pai.pipeline_runs r WHERE r.scope > f.scope), (SELECT min(r.scope) FROM pai.runs r WHERE r.scope > f.scope),
    (SELECT min(l.scope) FROM pai.sync_leases l WHERE l.scope > f.scope))
  FROM found f WHERE f.scope IS NOT NULL
)
SELECT split_part(scope, ':', 1) AS region, scope, split_part(scope, ':', 2) AS workspace_id
FROM found WHERE scope IS NOT NULL AND split_part(scope, ':', 2) <> '*';
--> statement-breakpoint
CREATE VIEW "analytics"."run_details" AS
SELECT pipeline_run_id, manifest, arguments, options, fetched_at FROM pai.pipeline_run_details;
--> statement-breakpoint
CREATE VIEW "analytics"."pipeline_runs" AS
SELECT r.pipeline_run_id, r.name, r.region, r.scope, split_part(r.scope, ':', 2) AS workspace_id, r.pipeline_id, r.user_id,
  r.source_type, r.source_id, r.status, pai.run_outcome(r.status, r.deleted_at, r.missing_since) AS outcome,
  r.gmt_create_time AS created_at, r.started_at, r.finished_at, r.gmt_modified_time AS modified_at,
  pai.queue_seconds(r.gmt_create_time, r.started_at) AS queue_seconds,
  CASE WHEN pai.run_outcome(r.status, r.deleted_at, r.missing_since) = 'active' THEN pai.run_seconds(NULL, r.started_at, now())
    ELSE pai.run_seconds(r.duration, r.started_at, r.finished_at) END AS run_seconds,
  CASE WHEN r.status = 'Failed' THEN r.message END AS error,
  CASE WHEN r.status = 'Failed' THEN pai.error_pattern(r.message) END AS error_pattern,
  coalesce(nullif(r.pipeline_run_uri, ''), format('https://pai.console.aliyun.com/?regionId=%s&workspaceId=%s#/studio/task/detail/%s',
    r.region, split_part(r.scope, ':', 2), r.pipeline_run_id)) AS url,
  nullif(r.node_id, '') AS root_node_id, d.options #>> '{mlflow,experimentId}' AS experiment_id,
  r.deleted_at, r.missing_since, r.first_seen_at, r.updated_at, r.revision
FROM pai.pipeline_runs r LEFT JOIN pai.pipeline_run_details d ON d.pipeline_run_id = r.pipeline_run_id;
--> statement-breakpoint
-- What is usual is that of the latest runs: a pipeline that grew slower for good is not stuck for ever.
CREATE VIEW "analytics"."active_runs" AS
WITH active AS (
  SELECT r.* FROM pai.pipeline_runs r
  WHERE r.deleted_at IS NULL AND (r.status IS NULL OR r.status NOT IN ('Succeeded', 'Failed', 'Terminated', 'Skipped'))
    AND r.missing_since IS NULL
), usual AS (
  SELECT p.pipeline_id, u.compared, u.percentiles[1] AS p50, u.percentiles[2] AS p95
  FROM (SELECT DISTINCT pipeline_id FROM active) p
  CROSS JOIN LATERAL (
    SELECT count(s.seconds) AS compared, percentile_disc(ARRAY[0.5, 0.95]::double precision[]) WITHIN GROUP (ORDER BY s.seconds) AS percentiles
    FROM (SELECT pai.run_seconds(e.duration, e.started_at, e.finished_at) AS seconds
      FROM pai.pipeline_runs e WHERE e.pipeline_id = p.pipeline_id AND e.status = 'Succeeded' AND e.gmt_create_time IS NOT NULL
      ORDER BY e.gmt_create_time DESC, e.pipeline_run_id DESC LIMIT 200) s
  ) u
)
SELECT a.pipeline_run_id, a.name, a.region, a.scope, split_part(a.scope, ':', 2) AS workspace_id, a.pipeline_id, a.user_id, a.source_type,
  a.status, a.gmt_create_time AS created_at, a.started_at, t.elapsed AS elapsed_seconds, u.p50 AS p50_seconds, u.p95 AS p95_seconds,
  coalesce(u.compared, 0) AS compared_runs, coalesce(t.elapsed > u.p95 AND u.compared >= 5, false) AS is_stuck,
  (SELECT string_agg(n.node_name, ', ' ORDER BY n.started_at, n.node_name) FROM pai.pipeline_run_nodes n
    WHERE n.pipeline_run_id = a.pipeline_run_id AND n.node_id IS DISTINCT FROM a.node_id AND n.started_at IS NOT NULL
      AND pai.node_outcome(n.status, n.missing_since) = 'active') AS running_nodes,
  coalesce(nullif(a.pipeline_run_uri, ''), format('https://pai.console.aliyun.com/?regionId=%s&workspaceId=%s#/studio/task/detail/%s',
    a.region, split_part(a.scope, ':', 2), a.pipeline_run_id)) AS url
FROM active a
LEFT JOIN usual u ON u.pipeline_id = a.pipeline_id
CROSS JOIN LATERAL (SELECT pai.run_seconds(NULL, a.started_at, now()) AS elapsed) t;
--> statement-breakpoint
CREATE VIEW "analytics"."stuck_runs" AS SELECT * FROM analytics.active_runs WHERE is_stuck;
--> statement-breakpoint
-- The arrays of the sums travel packed, so that one pass makes both counts and percentiles: a sort of a million rows by
-- day, which percentile_disc over ungrouped rows needs, took longer than everything else.
CREATE TYPE "analytics"."pack" AS ("seconds" integer[]);
--> statement-breakpoint
CREATE TYPE "analytics"."node_pack" AS ("seconds" double precision[]);
--> statement-breakpoint
CREATE FUNCTION "analytics"."percentiles"(packs "analytics"."pack"[]) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s) FROM (SELECT unnest(k.seconds) AS s FROM unnest(packs) k) u
$$;
--> statement-breakpoint
CREATE FUNCTION "analytics"."node_percentiles"(packs "analytics"."node_pack"[]) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s) FROM (SELECT unnest(k.seconds) AS s FROM unnest(packs) k) u
$$;
--> statement-breakpoint
-- What is due is read from the tables, everything else from the sums: never an old answer, also right after a change.
CREATE VIEW "pai"."current_run_rollup" AS
SELECT * FROM pai.run_rollup r
WHERE (r.scope, r.bucket) NOT IN (SELECT d.scope, d.bucket FROM pai.rollup_due d WHERE d.runs)
UNION ALL
SELECT r.*
FROM (SELECT array_agg(scope) AS scopes, array_agg(bucket) AS buckets FROM (SELECT DISTINCT scope, bucket FROM pai.rollup_due WHERE runs) u) d
CROSS JOIN LATERAL pai.compute_run_rollup(d.scopes, d.buckets) r;
--> statement-breakpoint
CREATE VIEW "analytics"."run_buckets" AS
SELECT r.bucket, split_part(r.scope, ':', 1) AS region, r.scope, split_part(r.scope, ':', 2) AS workspace_id, r.pipeline_id, r.user_id, r.source_type,
  r.runs, r.succeeded, r.failed, r.terminated, r.skipped, r.active, r.lost, r.queued_runs, r.queue_seconds, r.run_seconds, r.succeeded_seconds,
  ROW(r.succeeded_seconds)::analytics.pack AS pack
FROM pai.current_run_rollup r WHERE r.grain = 'all';
--> statement-breakpoint
CREATE VIEW "analytics"."failure_buckets" AS
SELECT r.bucket, split_part(r.scope, ':', 1) AS region, r.scope, split_part(r.scope, ':', 2) AS workspace_id, r.pipeline_id, r.pattern, r.runs, r.last_pipeline_run_id, r.last_at
FROM pai.failure_rollup r
WHERE (r.scope, r.bucket) NOT IN (SELECT d.scope, d.bucket FROM pai.rollup_due d WHERE d.runs)
UNION ALL
SELECT r.bucket, split_part(r.scope, ':', 1), r.scope, split_part(r.scope, ':', 2), r.pipeline_id, r.pattern, r.runs, r.last_pipeline_run_id, r.last_at
FROM (SELECT array_agg(scope) AS scopes, array_agg(bucket) AS buckets FROM (SELECT DISTINCT scope, bucket FROM pai.rollup_due WHERE runs) u) d
CROSS JOIN LATERAL pai.compute_failure_rollup(d.scopes, d.buckets) r;
--> statement-breakpoint
CREATE VIEW "analytics"."node_buckets" AS
SELECT r.bucket, split_part(r.scope, ':', 1) AS region, r.scope, split_part(r.scope, ':', 2) AS workspace_id, r.pipeline_id, r.node_name, r.node_type,
  r.nodes, r.succeeded, r.failed, r.seconds, r.succeeded_seconds, ROW(r.succeeded_seconds)::analytics.node_pack AS pack
FROM pai.node_rollup r
WHERE (r.scope, r.bucket) NOT IN (SELECT d.scope, d.bucket FROM pai.due_node_buckets() d)
UNION ALL
SELECT r.bucket, split_part(r.scope, ':', 1), r.scope, split_part(r.scope, ':', 2), r.pipeline_id, r.node_name, r.node_type,
  r.nodes, r.succeeded, r.failed, r.seconds, r.succeeded_seconds, ROW(r.succeeded_seconds)::analytics.node_pack AS pack
FROM (SELECT array_agg(scope) AS scopes, array_agg(bucket) AS buckets FROM pai.due_node_buckets()) d
CROSS JOIN LATERAL pai.compute_node_rollup(d.scopes, d.buckets) r;
--> statement-breakpoint
CREATE VIEW "analytics"."concurrency" AS
SELECT c.bucket, split_part(c.scope, ':', 1) AS region, c.scope, split_part(c.scope, ':', 2) AS workspace_id, c.started, c.ended,
  (sum(c.started - c.ended) OVER (PARTITION BY c.scope ORDER BY c.bucket))::bigint AS running
FROM (
  SELECT b.scope, b.bucket, sum(b.started)::bigint AS started, sum(b.ended)::bigint AS ended
  FROM (SELECT scope, bucket, started, ended FROM pai.concurrency_rollup
    UNION ALL SELECT scope, bucket, started, ended FROM pai.concurrency_due) b
  GROUP BY b.scope, b.bucket
  HAVING sum(b.started) <> 0 OR sum(b.ended) <> 0
) c;
--> statement-breakpoint
CREATE VIEW "analytics"."daily_runs" AS
SELECT g.day, split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.pipeline_id, g.user_id, g.source_type, g.runs, g.succeeded, g.failed, g.terminated, g.skipped, g.active, g.lost,
  g.succeeded::double precision / nullif(g.succeeded + g.failed, 0) AS success_rate,
  g.queue_seconds / nullif(g.queued_runs, 0) AS mean_queue_seconds, g.run_seconds::double precision / nullif(g.timed, 0) AS mean_seconds,
  g.percentiles[1] AS p50_seconds, g.percentiles[2] AS p95_seconds, g.percentiles[3] AS p99_seconds
FROM (
  SELECT date_trunc('day', b.bucket) AS day, b.scope, b.pipeline_id, b.user_id, b.source_type, sum(b.runs)::bigint AS runs,
    sum(b.succeeded)::bigint AS succeeded, sum(b.failed)::bigint AS failed, sum(b.terminated)::bigint AS terminated,
    sum(b.skipped)::bigint AS skipped, sum(b.active)::bigint AS active, sum(b.lost)::bigint AS lost, sum(b.queued_runs)::bigint AS queued_runs,
    sum(b.queue_seconds) AS queue_seconds, sum(b.run_seconds)::bigint AS run_seconds, sum(cardinality(b.succeeded_seconds)) AS timed,
    (SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s)
      FROM (SELECT unnest(k.seconds) AS s FROM unnest(array_agg(b.pack)) k) u) AS percentiles
  FROM analytics.run_buckets b
  GROUP BY 1, b.scope, b.pipeline_id, b.user_id, b.source_type
) g;
--> statement-breakpoint
CREATE VIEW "analytics"."daily_runs_by_workspace" AS
SELECT g.day, split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.runs, g.succeeded, g.failed, g.terminated, g.skipped, g.active, g.lost,
  g.succeeded::double precision / nullif(g.succeeded + g.failed, 0) AS success_rate,
  g.queue_seconds / nullif(g.queued_runs, 0) AS mean_queue_seconds, g.run_seconds::double precision / nullif(g.timed, 0) AS mean_seconds,
  g.percentiles[1] AS p50_seconds, g.percentiles[2] AS p95_seconds, g.percentiles[3] AS p99_seconds
FROM (
  SELECT date_trunc('day', b.bucket) AS day, b.scope, sum(b.runs)::bigint AS runs,
    sum(b.succeeded)::bigint AS succeeded, sum(b.failed)::bigint AS failed, sum(b.terminated)::bigint AS terminated,
    sum(b.skipped)::bigint AS skipped, sum(b.active)::bigint AS active, sum(b.lost)::bigint AS lost, sum(b.queued_runs)::bigint AS queued_runs,
    sum(b.queue_seconds) AS queue_seconds, sum(b.run_seconds)::bigint AS run_seconds, sum(cardinality(b.succeeded_seconds)) AS timed,
    (SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s)
      FROM (SELECT unnest(k.seconds) AS s FROM unnest(array_agg(ROW(b.succeeded_seconds)::analytics.pack)) k) u) AS percentiles
  FROM pai.current_run_rollup b WHERE b.grain = 'workspace'
  GROUP BY 1, b.scope
) g;
--> statement-breakpoint
CREATE VIEW "analytics"."daily_runs_by_pipeline" AS
SELECT g.day, split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.pipeline_id, g.runs, g.succeeded, g.failed, g.terminated, g.skipped, g.active, g.lost,
  g.succeeded::double precision / nullif(g.succeeded + g.failed, 0) AS success_rate,
  g.queue_seconds / nullif(g.queued_runs, 0) AS mean_queue_seconds, g.run_seconds::double precision / nullif(g.timed, 0) AS mean_seconds,
  g.percentiles[1] AS p50_seconds, g.percentiles[2] AS p95_seconds, g.percentiles[3] AS p99_seconds
FROM (
  SELECT date_trunc('day', b.bucket) AS day, b.scope, b.pipeline_id, sum(b.runs)::bigint AS runs,
    sum(b.succeeded)::bigint AS succeeded, sum(b.failed)::bigint AS failed, sum(b.terminated)::bigint AS terminated,
    sum(b.skipped)::bigint AS skipped, sum(b.active)::bigint AS active, sum(b.lost)::bigint AS lost, sum(b.queued_runs)::bigint AS queued_runs,
    sum(b.queue_seconds) AS queue_seconds, sum(b.run_seconds)::bigint AS run_seconds, sum(cardinality(b.succeeded_seconds)) AS timed,
    (SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s)
      FROM (SELECT unnest(k.seconds) AS s FROM unnest(array_agg(ROW(b.succeeded_seconds)::analytics.pack)) k) u) AS percentiles
  FROM pai.current_run_rollup b WHERE b.grain = 'pipeline'
  GROUP BY 1, b.scope, b.pipeline_id
) g;
--> statement-breakpoint
CREATE VIEW "analytics"."daily_runs_by_user" AS
SELECT g.day, split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.user_id, g.runs, g.succeeded, g.failed, g.terminated, g.skipped, g.active, g.lost,
  g.succeeded::double precision / nullif(g.succeeded + g.failed, 0) AS success_rate,
  g.queue_seconds / nullif(g.queued_runs, 0) AS mean_queue_seconds, g.run_seconds::double precision / nullif(g.timed, 0) AS mean_seconds,
  g.percentiles[1] AS p50_seconds, g.percentiles[2] AS p95_seconds, g.percentiles[3] AS p99_seconds
FROM (
  SELECT date_trunc('day', b.bucket) AS day, b.scope, b.user_id, sum(b.runs)::bigint AS runs,
    sum(b.succeeded)::bigint AS succeeded, sum(b.failed)::bigint AS failed, sum(b.terminated)::bigint AS terminated,
    sum(b.skipped)::bigint AS skipped, sum(b.active)::bigint AS active, sum(b.lost)::bigint AS lost, sum(b.queued_runs)::bigint AS queued_runs,
    sum(b.queue_seconds) AS queue_seconds, sum(b.run_seconds)::bigint AS run_seconds, sum(cardinality(b.succeeded_seconds)) AS timed,
    (SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s)
      FROM (SELECT unnest(k.seconds) AS s FROM unnest(array_agg(ROW(b.succeeded_seconds)::analytics.pack)) k) u) AS percentiles
  FROM pai.current_run_rollup b WHERE b.grain = 'user'
  GROUP BY 1, b.scope, b.user_id
) g;
--> statement-breakpoint
CREATE VIEW "analytics"."daily_runs_by_source_type" AS
SELECT g.day, split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.source_type, g.runs, g.succeeded, g.failed, g.terminated, g.skipped, g.active, g.lost,
  g.succeeded::double precision / nullif(g.succeeded + g.failed, 0) AS success_rate,
  g.queue_seconds / nullif(g.queued_runs, 0) AS mean_queue_seconds, g.run_seconds::double precision / nullif(g.timed, 0) AS mean_seconds,
  g.percentiles[1] AS p50_seconds, g.percentiles[2] AS p95_seconds, g.percentiles[3] AS p99_seconds
FROM (
  SELECT date_trunc('day', b.bucket) AS day, b.scope, b.source_type, sum(b.runs)::bigint AS runs,
    sum(b.succeeded)::bigint AS succeeded, sum(b.failed)::bigint AS failed, sum(b.terminated)::bigint AS terminated,
    sum(b.skipped)::bigint AS skipped, sum(b.active)::bigint AS active, sum(b.lost)::bigint AS lost, sum(b.queued_runs)::bigint AS queued_runs,
    sum(b.queue_seconds) AS queue_seconds, sum(b.run_seconds)::bigint AS run_seconds, sum(cardinality(b.succeeded_seconds)) AS timed,
    (SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s)
      FROM (SELECT unnest(k.seconds) AS s FROM unnest(array_agg(ROW(b.succeeded_seconds)::analytics.pack)) k) u) AS percentiles
  FROM pai.current_run_rollup b WHERE b.grain = 'source_type'
  GROUP BY 1, b.scope, b.source_type
) g;
--> statement-breakpoint
CREATE VIEW "analytics"."hourly_runs" AS
SELECT g.hour, split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.pipeline_id, g.user_id, g.source_type, g.runs, g.succeeded, g.failed, g.terminated, g.skipped, g.active, g.lost,
  g.succeeded::double precision / nullif(g.succeeded + g.failed, 0) AS success_rate,
  g.queue_seconds / nullif(g.queued_runs, 0) AS mean_queue_seconds, g.run_seconds::double precision / nullif(g.timed, 0) AS mean_seconds,
  g.percentiles[1] AS p50_seconds, g.percentiles[2] AS p95_seconds, g.percentiles[3] AS p99_seconds
FROM (
  SELECT date_trunc('hour', b.bucket) AS hour, b.scope, b.pipeline_id, b.user_id, b.source_type, sum(b.runs)::bigint AS runs,
    sum(b.succeeded)::bigint AS succeeded, sum(b.failed)::bigint AS failed, sum(b.terminated)::bigint AS terminated,
    sum(b.skipped)::bigint AS skipped, sum(b.active)::bigint AS active, sum(b.lost)::bigint AS lost, sum(b.queued_runs)::bigint AS queued_runs,
    sum(b.queue_seconds) AS queue_seconds, sum(b.run_seconds)::bigint AS run_seconds, sum(cardinality(b.succeeded_seconds)) AS timed,
    (SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s)
      FROM (SELECT unnest(k.seconds) AS s FROM unnest(array_agg(b.pack)) k) u) AS percentiles
  FROM analytics.run_buckets b
  GROUP BY 1, b.scope, b.pipeline_id, b.user_id, b.source_type
) g;
--> statement-breakpoint
CREATE VIEW "analytics"."hourly_runs_by_workspace" AS
SELECT g.hour, split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.runs, g.succeeded, g.failed, g.terminated, g.skipped, g.active, g.lost,
  g.succeeded::double precision / nullif(g.succeeded + g.failed, 0) AS success_rate,
  g.queue_seconds / nullif(g.queued_runs, 0) AS mean_queue_seconds, g.run_seconds::double precision / nullif(g.timed, 0) AS mean_seconds,
  g.percentiles[1] AS p50_seconds, g.percentiles[2] AS p95_seconds, g.percentiles[3] AS p99_seconds
FROM (
  SELECT date_trunc('hour', b.bucket) AS hour, b.scope, sum(b.runs)::bigint AS runs,
    sum(b.succeeded)::bigint AS succeeded, sum(b.failed)::bigint AS failed, sum(b.terminated)::bigint AS terminated,
    sum(b.skipped)::bigint AS skipped, sum(b.active)::bigint AS active, sum(b.lost)::bigint AS lost, sum(b.queued_runs)::bigint AS queued_runs,
    sum(b.queue_seconds) AS queue_seconds, sum(b.run_seconds)::bigint AS run_seconds, sum(cardinality(b.succeeded_seconds)) AS timed,
    (SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s)
      FROM (SELECT unnest(k.seconds) AS s FROM unnest(array_agg(ROW(b.succeeded_seconds)::analytics.pack)) k) u) AS percentiles
  FROM pai.current_run_rollup b WHERE b.grain = 'workspace'
  GROUP BY 1, b.scope
) g;
--> statement-breakpoint
CREATE VIEW "analytics"."hourly_runs_by_pipeline" AS
SELECT g.hour, split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.pipeline_id, g.runs, g.succeeded, g.failed, g.terminated, g.skipped, g.active, g.lost,
  g.succeeded::double precision / nullif(g.succeeded + g.failed, 0) AS success_rate,
  g.queue_seconds / nullif(g.queued_runs, 0) AS mean_queue_seconds, g.run_seconds::double precision / nullif(g.timed, 0) AS mean_seconds,
  g.percentiles[1] AS p50_seconds, g.percentiles[2] AS p95_seconds, g.percentiles[3] AS p99_seconds
FROM (
  SELECT date_trunc('hour', b.bucket) AS hour, b.scope, b.pipeline_id, sum(b.runs)::bigint AS runs,
    sum(b.succeeded)::bigint AS succeeded, sum(b.failed)::bigint AS failed, sum(b.terminated)::bigint AS terminated,
    sum(b.skipped)::bigint AS skipped, sum(b.active)::bigint AS active, sum(b.lost)::bigint AS lost, sum(b.queued_runs)::bigint AS queued_runs,
    sum(b.queue_seconds) AS queue_seconds, sum(b.run_seconds)::bigint AS run_seconds, sum(cardinality(b.succeeded_seconds)) AS timed,
    (SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s)
      FROM (SELECT unnest(k.seconds) AS s FROM unnest(array_agg(ROW(b.succeeded_seconds)::analytics.pack)) k) u) AS percentiles
  FROM pai.current_run_rollup b WHERE b.grain = 'pipeline'
  GROUP BY 1, b.scope, b.pipeline_id
) g;
--> statement-breakpoint
CREATE VIEW "analytics"."hourly_runs_by_user" AS
SELECT g.hour, split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.user_id, g.runs, g.succeeded, g.failed, g.terminated, g.skipped, g.active, g.lost,
  g.succeeded::double precision / nullif(g.succeeded + g.failed, 0) AS success_rate,
  g.queue_seconds / nullif(g.queued_runs, 0) AS mean_queue_seconds, g.run_seconds::double precision / nullif(g.timed, 0) AS mean_seconds,
  g.percentiles[1] AS p50_seconds, g.percentiles[2] AS p95_seconds, g.percentiles[3] AS p99_seconds
FROM (
  SELECT date_trunc('hour', b.bucket) AS hour, b.scope, b.user_id, sum(b.runs)::bigint AS runs,
    sum(b.succeeded)::bigint AS succeeded, sum(b.failed)::bigint AS failed, sum(b.terminated)::bigint AS terminated,
    sum(b.skipped)::bigint AS skipped, sum(b.active)::bigint AS active, sum(b.lost)::bigint AS lost, sum(b.queued_runs)::bigint AS queued_runs,
    sum(b.queue_seconds) AS queue_seconds, sum(b.run_seconds)::bigint AS run_seconds, sum(cardinality(b.succeeded_seconds)) AS timed,
    (SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s)
      FROM (SELECT unnest(k.seconds) AS s FROM unnest(array_agg(ROW(b.succeeded_seconds)::analytics.pack)) k) u) AS percentiles
  FROM pai.current_run_rollup b WHERE b.grain = 'user'
  GROUP BY 1, b.scope, b.user_id
) g;
--> statement-breakpoint
CREATE VIEW "analytics"."hourly_runs_by_source_type" AS
SELECT g.hour, split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.source_type, g.runs, g.succeeded, g.failed, g.terminated, g.skipped, g.active, g.lost,
  g.succeeded::double precision / nullif(g.succeeded + g.failed, 0) AS success_rate,
  g.queue_seconds / nullif(g.queued_runs, 0) AS mean_queue_seconds, g.run_seconds::double precision / nullif(g.timed, 0) AS mean_seconds,
  g.percentiles[1] AS p50_seconds, g.percentiles[2] AS p95_seconds, g.percentiles[3] AS p99_seconds
FROM (
  SELECT date_trunc('hour', b.bucket) AS hour, b.scope, b.source_type, sum(b.runs)::bigint AS runs,
    sum(b.succeeded)::bigint AS succeeded, sum(b.failed)::bigint AS failed, sum(b.terminated)::bigint AS terminated,
    sum(b.skipped)::bigint AS skipped, sum(b.active)::bigint AS active, sum(b.lost)::bigint AS lost, sum(b.queued_runs)::bigint AS queued_runs,
    sum(b.queue_seconds) AS queue_seconds, sum(b.run_seconds)::bigint AS run_seconds, sum(cardinality(b.succeeded_seconds)) AS timed,
    (SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s)
      FROM (SELECT unnest(k.seconds) AS s FROM unnest(array_agg(ROW(b.succeeded_seconds)::analytics.pack)) k) u) AS percentiles
  FROM pai.current_run_rollup b WHERE b.grain = 'source_type'
  GROUP BY 1, b.scope, b.source_type
) g;
--> statement-breakpoint
CREATE VIEW "analytics"."pipelines" AS
SELECT split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.pipeline_id,
  l.name AS latest_name, l.pipeline_run_id AS latest_pipeline_run_id, l.status AS latest_status, l.gmt_create_time AS latest_created_at,
  g.runs, g.succeeded, g.failed, g.active, g.succeeded::double precision / nullif(g.succeeded + g.failed, 0) AS success_rate,
  g.run_seconds::double precision / nullif(g.timed, 0) AS mean_seconds
FROM (
  SELECT scope, pipeline_id, sum(runs)::bigint AS runs, sum(succeeded)::bigint AS succeeded, sum(failed)::bigint AS failed,
    sum(active)::bigint AS active, sum(run_seconds)::bigint AS run_seconds, sum(cardinality(succeeded_seconds)) AS timed
  FROM pai.current_run_rollup WHERE grain = 'pipeline' GROUP BY scope, pipeline_id
) g
LEFT JOIN LATERAL (
  SELECT r.name, r.pipeline_run_id, r.status, r.gmt_create_time FROM pai.pipeline_runs r
  WHERE r.pipeline_id = g.pipeline_id AND r.scope = g.scope AND r.gmt_create_time IS NOT NULL ORDER BY r.gmt_create_time DESC, r.pipeline_run_id DESC LIMIT 1
) l ON true;
--> statement-breakpoint
CREATE VIEW "analytics"."pipeline_trends" AS
SELECT split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.pipeline_id,
  (SELECT r.name FROM pai.pipeline_runs r WHERE r.pipeline_id = g.pipeline_id AND r.scope = g.scope
    AND r.gmt_create_time IS NOT NULL ORDER BY r.gmt_create_time DESC, r.pipeline_run_id DESC LIMIT 1) AS latest_name,
  g.recent_runs, g.recent_seconds / nullif(g.recent_timed, 0) AS recent_mean_seconds,
  g.recent_succeeded::double precision / nullif(g.recent_succeeded + g.recent_failed, 0) AS recent_success_rate,
  g.before_runs, g.before_seconds / nullif(g.before_timed, 0) AS before_mean_seconds,
  g.before_succeeded::double precision / nullif(g.before_succeeded + g.before_failed, 0) AS before_success_rate,
  (g.recent_seconds / nullif(g.recent_timed, 0)) / nullif(g.before_seconds / nullif(g.before_timed, 0), 0) AS slowdown
FROM (
  SELECT w.scope, w.pipeline_id,
    coalesce(sum(w.runs) FILTER (WHERE w.is_recent), 0)::bigint AS recent_runs,
    coalesce(sum(w.succeeded) FILTER (WHERE w.is_recent), 0)::bigint AS recent_succeeded,
    coalesce(sum(w.failed) FILTER (WHERE w.is_recent), 0)::bigint AS recent_failed,
    coalesce(sum(w.seconds) FILTER (WHERE w.is_recent), 0)::double precision AS recent_seconds,
    sum(w.timed) FILTER (WHERE w.is_recent) AS recent_timed,
    coalesce(sum(w.runs) FILTER (WHERE NOT w.is_recent), 0)::bigint AS before_runs,
    coalesce(sum(w.succeeded) FILTER (WHERE NOT w.is_recent), 0)::bigint AS before_succeeded,
    coalesce(sum(w.failed) FILTER (WHERE NOT w.is_recent), 0)::bigint AS before_failed,
    coalesce(sum(w.seconds) FILTER (WHERE NOT w.is_recent), 0)::double precision AS before_seconds,
    sum(w.timed) FILTER (WHERE NOT w.is_recent) AS before_timed
  FROM (
    -- Which of the two it is, once a row: ten sums that each asked for it took twice as long.
    SELECT b.scope, b.pipeline_id, b.bucket >= now() - interval '7 days' AS is_recent, sum(b.runs) AS runs, sum(b.succeeded) AS succeeded,
      sum(b.failed) AS failed, sum(b.run_seconds) AS seconds, sum(cardinality(b.succeeded_seconds)) AS timed
    FROM pai.current_run_rollup b
    WHERE b.grain = 'pipeline' AND b.bucket >= now() - interval '35 days'
    GROUP BY 1, 2, 3
  ) w
  GROUP BY w.scope, w.pipeline_id
) g;
--> statement-breakpoint
CREATE VIEW "analytics"."nodes" AS
SELECT s.pipeline_run_id, s.node_id, s.node_type, s.node_name, s.region, s.scope, split_part(s.scope, ':', 2) AS workspace_id, s.pipeline_id,
  s.status, s.outcome, s.started_at, s.finished_at, s.run_seconds,
  CASE WHEN s.total > 0 AND s.run_seconds IS NOT NULL THEN least(s.run_seconds / s.total, 1) END AS share, s.is_root,
  s.place = 1 AND NOT s.is_root AND s.missing_since IS NULL AND s.run_seconds IS NOT NULL AS is_critical,
  s.runtime_info, s.missing_since
FROM (
  SELECT t.*, rank() OVER (PARTITION BY t.pipeline_run_id ORDER BY t.is_root OR t.missing_since IS NOT NULL, t.run_seconds DESC NULLS LAST,
    t.node_id, t.node_type) AS place
  FROM (
    SELECT n.pipeline_run_id, n.node_id, n.node_type, n.node_name, r.region, r.scope, r.pipeline_id, n.status,
      pai.node_outcome(n.status, n.missing_since) AS outcome, n.started_at, n.finished_at, n.runtime_info, n.missing_since,
      coalesce(n.node_id = r.node_id, false) AS is_root,
      CASE WHEN pai.node_outcome(n.status, n.missing_since) = 'active' THEN pai.node_seconds(n.started_at, now())
        ELSE pai.node_seconds(n.started_at, n.finished_at) END AS run_seconds,
      CASE WHEN pai.run_outcome(r.status, r.deleted_at, r.missing_since) = 'active' THEN pai.node_seconds(r.started_at, now())
        ELSE coalesce(pai.node_seconds(r.started_at, r.finished_at), r.duration) END AS total
    FROM pai.pipeline_run_nodes n JOIN pai.pipeline_runs r ON r.pipeline_run_id = n.pipeline_run_id
  ) t
) s;
--> statement-breakpoint
CREATE VIEW "analytics"."pipeline_nodes" AS
SELECT split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.pipeline_id, g.node_name, g.node_type,
  g.nodes, g.succeeded, g.failed, g.seconds / nullif(g.timed, 0) AS mean_seconds,
  g.percentiles[1] AS p50_seconds, g.percentiles[2] AS p95_seconds,
  g.seconds / nullif(sum(g.seconds) OVER (PARTITION BY g.scope, g.pipeline_id), 0) AS share
FROM (
  SELECT scope, pipeline_id, node_name, node_type, sum(nodes)::bigint AS nodes, sum(succeeded)::bigint AS succeeded, sum(failed)::bigint AS failed,
    sum(seconds) AS seconds, sum(cardinality(succeeded_seconds)) AS timed, (SELECT percentile_disc(ARRAY[0.5, 0.95]::double precision[]) WITHIN GROUP (ORDER BY u.s)
      FROM (SELECT unnest(k.seconds) AS s FROM unnest(array_agg(pack)) k) u) AS percentiles
  FROM analytics.node_buckets GROUP BY scope, pipeline_id, node_name, node_type
) g;
--> statement-breakpoint
CREATE VIEW "analytics"."node_outputs" AS
SELECT pipeline_run_id, node_id, id AS output_id, name, type, producer, metadata, value, gmt_create_time AS created_at, deleted_at FROM pai.node_outputs;
--> statement-breakpoint
CREATE VIEW "analytics"."failures" AS
SELECT split_part(g.scope, ':', 1) AS region, g.scope, split_part(g.scope, ':', 2) AS workspace_id, g.pattern, g.runs, g.pipelines,
  g.first_at, g.last_at, g.last_pipeline_run_id, r.message AS last_message
FROM (
  SELECT scope, pattern, sum(runs)::bigint AS runs, count(DISTINCT pipeline_id) AS pipelines, min(bucket) AS first_at, max(last_at) AS last_at,
    (array_agg(last_pipeline_run_id ORDER BY last_at DESC, last_pipeline_run_id DESC))[1] AS last_pipeline_run_id
  FROM analytics.failure_buckets GROUP BY scope, pattern
) g
LEFT JOIN pai.pipeline_runs r ON r.pipeline_run_id = g.last_pipeline_run_id;
--> statement-breakpoint
CREATE VIEW "analytics"."history" AS
SELECT event_id, entity, entity_id, node_id, node_type, region, scope, kind, from_status, to_status, changes, source_time, observed_at, request_id
FROM pai.change_events;
--> statement-breakpoint
-- An interval lasts until the next status, or until the run was dropped by the source; that of an ended run has no end.
CREATE VIEW "analytics"."status_history" AS
SELECT i.pipeline_run_id, i.status, i.from_time, i.to_time,
  CASE WHEN i.to_time IS NOT NULL THEN pai.node_seconds(i.from_time, i.to_time)
    WHEN i.is_current AND pai.run_outcome(i.status, NULL, NULL) = 'active' THEN pai.node_seconds(i.from_time, now()) END AS seconds,
  i.is_current, i.observed_at, i.request_id
FROM (
  SELECT e.entity_id AS pipeline_run_id, e.to_status AS status, e.at AS from_time, e.kind, e.observed_at, e.request_id,
    lead(e.at) OVER w AS to_time, lead(e.event_id) OVER w IS NULL AS is_current
  FROM (
    SELECT c.entity_id, c.event_id, c.kind, c.to_status, coalesce(c.source_time, c.observed_at) AS at, c.observed_at, c.request_id
    FROM pai.change_events c
    WHERE c.entity = 'pipeline_run'
      AND (c.kind IN ('discovered', 'deleted', 'missing', 'restored', 'pruned') OR c.from_status IS DISTINCT FROM c.to_status)
  ) e
  WINDOW w AS (PARTITION BY e.entity_id ORDER BY e.event_id)
) i
WHERE i.kind NOT IN ('deleted', 'missing', 'pruned');
--> statement-breakpoint
CREATE VIEW "analytics"."run_params" AS SELECT run_id, key, value FROM pai.run_params WHERE deleted_at IS NULL;
--> statement-breakpoint
CREATE VIEW "analytics"."run_labels" AS SELECT run_id, key, value FROM pai.run_labels WHERE deleted_at IS NULL;
--> statement-breakpoint
CREATE VIEW "analytics"."metric_points" AS
SELECT m.run_id, r.name AS run_name, r.experiment_id, r.scope, m.key, m.step, m.timestamp AS time, m.value
FROM pai.run_metrics m JOIN pai.runs r ON r.run_id = m.run_id;
--> statement-breakpoint
-- PAI does not tell which way a metric should go; the name does, most often.
CREATE VIEW "analytics"."metric_summary" AS
SELECT r.run_id, r.experiment_id, r.scope, s.key, s.points, s.latest_value, s.latest_step, s.latest_time,
  s.min_value, s.min_step, s.max_value, s.max_step, k.lower_is_better,
  CASE WHEN k.lower_is_better THEN s.min_value ELSE s.max_value END AS best_value
FROM pai.runs r
CROSS JOIN LATERAL (
  SELECT m.run_id, m.key, count(*) AS points,
    (array_agg(m.value ORDER BY m.step DESC, m.timestamp DESC))[1] AS latest_value, max(m.step) AS latest_step,
    (array_agg(m.timestamp ORDER BY m.step DESC, m.timestamp DESC))[1] AS latest_time,
    min(m.value) FILTER (WHERE m.value <> 'NaN') AS min_value,
    (array_agg(m.step ORDER BY m.value, m.step) FILTER (WHERE m.value <> 'NaN'))[1] AS min_step,
    max(m.value) FILTER (WHERE m.value <> 'NaN') AS max_value,
    (array_agg(m.step ORDER BY m.value DESC, m.step) FILTER (WHERE m.value <> 'NaN'))[1] AS max_step
  FROM pai.run_metrics m WHERE m.run_id = r.run_id GROUP BY m.run_id, m.key
) s
CROSS JOIN LATERAL (
  SELECT s.key ~* '(loss|error|perplexity|latency|divergence|(^|[^a-z])(err|r?mse|mae|mape|wer|cer|ppl)([^a-z]|$))' AS lower_is_better
) k;
--> statement-breakpoint
CREATE VIEW "analytics"."experiments" AS
SELECT experiment_id, region, scope, split_part(scope, ':', 2) AS workspace_id, count(*) AS runs,
  min(gmt_create_time) AS first_created_at, max(gmt_create_time) AS last_created_at
FROM pai.runs GROUP BY experiment_id, region, scope;
--> statement-breakpoint
CREATE VIEW "analytics"."experiment_runs" AS
SELECT r.run_id, r.name, r.region, r.scope, split_part(r.scope, ':', 2) AS workspace_id, r.experiment_id, r.user_id, r.owner_id, r.source_type, r.source_id,
  (SELECT p.pipeline_run_id FROM pai.pipeline_runs p WHERE p.pipeline_run_id = r.source_id) AS pipeline_run_id,
  r.gmt_create_time AS created_at, r.gmt_modified_time AS modified_at,
  (SELECT coalesce(jsonb_object_agg(p.key, p.value), '{}') FROM pai.run_params p WHERE p.run_id = r.run_id AND p.deleted_at IS NULL) AS params,
  (SELECT coalesce(jsonb_object_agg(l.key, l.value), '{}') FROM pai.run_labels l WHERE l.run_id = r.run_id AND l.deleted_at IS NULL) AS labels,
  (SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}') FROM (SELECT DISTINCT ON (key) key, value FROM pai.run_metrics
    WHERE run_id = r.run_id ORDER BY key, step DESC, timestamp DESC) m) AS metrics,
  (SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}') FROM (SELECT key, min(value) AS value FROM pai.run_metrics
    WHERE run_id = r.run_id AND value <> 'NaN' GROUP BY key) m) AS metrics_min,
  (SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}') FROM (SELECT key, max(value) AS value FROM pai.run_metrics
    WHERE run_id = r.run_id AND value <> 'NaN' GROUP BY key) m) AS metrics_max,
  r.deleted_at, r.missing_since
FROM pai.runs r;
--> statement-breakpoint
CREATE VIEW "analytics"."experiment_metrics" AS
SELECT b.experiment_id, b.scope, b.key, b.runs, b.lower_is_better, b.best_value, b.best_run_id, r.name AS best_run_name
FROM (
  SELECT s.experiment_id, s.scope, s.key, count(*) AS runs, s.lower_is_better,
    CASE WHEN s.lower_is_better THEN min(s.best_value) ELSE max(s.best_value) END AS best_value,
    (array_agg(s.run_id ORDER BY CASE WHEN s.lower_is_better THEN s.best_value ELSE -s.best_value END, s.run_id)
      FILTER (WHERE s.best_value IS NOT NULL))[1] AS best_run_id
  FROM analytics.metric_summary s GROUP BY s.experiment_id, s.scope, s.key, s.lower_is_better
) b LEFT JOIN pai.runs r ON r.run_id = b.best_run_id;
--> statement-breakpoint
-- Two ways in which a pipeline run belongs to an experiment: an experiment run says that it comes from the pipeline run, or
-- the pipeline run's Options name the experiment.
CREATE VIEW "analytics"."run_experiments" AS
SELECT p.pipeline_run_id, r.experiment_id, r.run_id, 'source_id' AS evidence
FROM pai.runs r JOIN pai.pipeline_runs p ON p.pipeline_run_id = r.source_id
UNION ALL
SELECT d.pipeline_run_id, d.options #>> '{mlflow,experimentId}', NULL, 'options'
FROM pai.pipeline_run_details d WHERE d.options #>> '{mlflow,experimentId}' IS NOT NULL;
--> statement-breakpoint
CREATE VIEW "analytics"."mirror_passes" AS
SELECT id, split_part(scope, ':', 1) AS region, scope, stream, started_at, finished_at,
  extract(epoch FROM finished_at - started_at)::double precision AS seconds, outcome, calls, rows_read, inserted, updated, unchanged, stale, quarantined, error
FROM pai.sync_passes;
--> statement-breakpoint
CREATE VIEW "analytics"."mirror_freshness" AS
SELECT split_part(l.scope, ':', 1) AS region, l.scope, l.stream, c.watermark, p.started_at AS last_started_at, s.finished_at AS last_succeeded_at,
  extract(epoch FROM now() - s.started_at)::double precision AS age_seconds, e.outcome AS last_outcome,
  CASE WHEN p.finished_at IS NULL AND l.expires_at > now() THEN p.started_at END AS running_since, e.error AS last_error, f.failed AS failed_in_a_row,
  CASE WHEN l.expires_at > now() THEN l.holder END AS holder
FROM pai.sync_leases l
LEFT JOIN pai.sync_cursors c ON c.scope = l.scope AND c.stream = l.stream
LEFT JOIN LATERAL (SELECT a.started_at, a.finished_at FROM pai.sync_passes a WHERE a.scope = l.scope AND a.stream = l.stream
  ORDER BY a.id DESC LIMIT 1) p ON true
LEFT JOIN LATERAL (SELECT a.id, a.started_at, a.finished_at FROM pai.sync_passes a WHERE a.scope = l.scope AND a.stream = l.stream
  AND a.outcome = 'succeeded' ORDER BY a.id DESC LIMIT 1) s ON true
LEFT JOIN LATERAL (SELECT a.outcome, a.error FROM pai.sync_passes a WHERE a.scope = l.scope AND a.stream = l.stream
  AND a.finished_at IS NOT NULL ORDER BY a.id DESC LIMIT 1) e ON true
CROSS JOIN LATERAL (SELECT count(*) AS failed FROM pai.sync_passes a WHERE a.scope = l.scope AND a.stream = l.stream
  AND a.id > coalesce(s.id, 0) AND a.outcome = 'failed') f;
--> statement-breakpoint
CREATE VIEW "analytics"."mirror_budgets" AS
SELECT region, name, pace, pace < 1 OR coalesce(paused_until > now(), false) AS is_throttled, paused_until, slowed_at FROM pai.call_budgets;
--> statement-breakpoint
CREATE VIEW "analytics"."mirror_lag" AS
SELECT e.region, e.scope, e.entity, e.source_time, e.observed_at, extract(epoch FROM e.observed_at - e.source_time)::double precision AS lag_seconds
FROM analytics.scopes s
CROSS JOIN LATERAL (
  SELECT c.region, c.scope, c.entity, c.source_time, c.observed_at FROM pai.change_events c
  WHERE c.scope = s.scope AND c.kind <> 'discovered' AND c.kind = 'changed' AND c.source_time IS NOT NULL
    AND c.observed_at > now() - interval '24 hours'
) e;
--> statement-breakpoint
CREATE VIEW "analytics"."mirror_quarantine" AS
SELECT id, region, scope, stream, operation, entity, entity_id, error, request_id, first_seen_at, resolved_at, resolution FROM pai.quarantine;
--> statement-breakpoint
CREATE VIEW "analytics"."mirror_retries" AS
SELECT split_part(scope, ':', 1) AS region, scope, stream, entity_id, attempts, failed_at, retry_at, error FROM pai.sync_retries;
--> statement-breakpoint
CREATE VIEW "analytics"."mirror_tables" AS
SELECT c.relname::text AS table_name,
  CASE WHEN c.relkind = 'p' THEN (SELECT coalesce(sum(greatest(p.reltuples, 0)), 0)::bigint
      FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid WHERE i.inhparent = c.oid)
    ELSE greatest(c.reltuples, 0)::bigint END AS estimated_rows,
  CASE WHEN c.relkind = 'p' THEN (SELECT coalesce(sum(pg_total_relation_size(i.inhrelid)), 0)::bigint FROM pg_inherits i WHERE i.inhparent = c.oid)
    ELSE pg_total_relation_size(c.oid) END AS bytes
FROM pg_class c
WHERE c.relnamespace = 'pai'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition;
--> statement-breakpoint
-- Takes back, one after the other, the changes that were seen after that time. In UTC, as the history was written.
CREATE FUNCTION "analytics"."run_as_of"(id text, at timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE SET timezone = 'UTC' SET search_path = pg_catalog AS $$
DECLARE
  document jsonb;
  seen timestamptz;
  event record;
  last_kind text;
  last_at timestamptz;
BEGIN
  SELECT r.first_seen_at, to_jsonb(r) - ARRAY['nodes_revision', 'details_revision', 'nodes_open', 'nodes_fetched_at'] INTO seen, document
  FROM pai.pipeline_runs r WHERE r.pipeline_run_id = id;
  IF document IS NULL THEN
    SELECT r.first_seen_at, to_jsonb(r)
      || coalesce((SELECT jsonb_object_agg('params.' || p.key, p.value) FROM pai.run_params p WHERE p.run_id = id AND p.deleted_at IS NULL), '{}')
      || coalesce((SELECT jsonb_object_agg('labels.' || l.key, l.value) FROM pai.run_labels l WHERE l.run_id = id AND l.deleted_at IS NULL), '{}')
    INTO seen, document FROM pai.runs r WHERE r.run_id = id;
  END IF;
  -- The discovery may lie in a part of the history that was dropped.
  IF seen > at IS NOT FALSE AND NOT EXISTS (SELECT FROM pai.change_events e
      WHERE e.entity_id = id AND e.entity IN ('pipeline_run', 'run') AND e.observed_at <= at) THEN
    RETURN NULL;
  END IF;
  document := coalesce(document, '{}') - ARRAY['deleted_at', 'missing_since', 'updated_at', 'observed_at', 'answer_request_id', 'revision'];
  FOR event IN
    SELECT e.changes FROM pai.change_events e
    WHERE e.entity_id = id AND e.entity IN ('pipeline_run', 'run') AND e.observed_at > at AND e.changes IS NOT NULL
    ORDER BY e.event_id DESC
  LOOP
    SELECT document || coalesce(jsonb_object_agg(c.key, c.value -> 0), '{}') INTO document
    FROM jsonb_each(event.changes) c WHERE jsonb_typeof(c.value) = 'array';
  END LOOP;
  SELECT e.kind, e.observed_at INTO last_kind, last_at FROM pai.change_events e
  WHERE e.entity_id = id AND e.entity IN ('pipeline_run', 'run') AND e.observed_at <= at
    AND e.kind IN ('discovered', 'restored', 'deleted', 'missing', 'pruned')
  ORDER BY e.event_id DESC LIMIT 1;
  RETURN (SELECT coalesce(jsonb_object_agg(d.key, d.value) FILTER (WHERE d.value <> 'null'), '{}') FROM jsonb_each(document) d)
    || CASE last_kind WHEN 'deleted' THEN jsonb_build_object('deleted_at', last_at) WHEN 'missing' THEN jsonb_build_object('missing_since', last_at)
      WHEN 'pruned' THEN jsonb_build_object('pruned_at', last_at) ELSE '{}' END;
END
$$;
--> statement-breakpoint
-- Roles belong to the whole server. Whoever may not make one still gives it the rights once an administrator has made it.
CREATE FUNCTION "pai"."ensure_reader"() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  setting text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pai_reader') THEN
    BEGIN
      CREATE ROLE pai_reader NOLOGIN;
      FOREACH setting IN ARRAY ARRAY['statement_timeout = 30000', 'default_transaction_read_only = on', 'jit = off',
        'work_mem = 32768', 'random_page_cost = 1.1', 'hash_mem_multiplier = 8', 'idle_in_transaction_session_timeout = 60000', 'search_path = analytics, pai']
      LOOP
        EXECUTE 'ALTER ROLE pai_reader SET ' || setting;
      END LOOP;
    EXCEPTION
      -- Another database of the server was migrated at this moment.
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE WARNING 'the role pai_reader cannot be made: %', SQLERRM USING HINT = 'pai-mirror reader says how.';
        RETURN;
    END;
  END IF;
  BEGIN
    IF NOT has_schema_privilege('pai_reader', 'pai', 'usage') OR NOT has_schema_privilege('pai_reader', 'analytics', 'usage') THEN
      GRANT USAGE ON SCHEMA pai, analytics TO pai_reader;
    END IF;
    IF EXISTS (SELECT FROM pg_class c WHERE c.relnamespace IN ('pai'::regnamespace, 'analytics'::regnamespace)
        AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT has_table_privilege('pai_reader', c.oid, 'select')) THEN
      GRANT SELECT ON ALL TABLES IN SCHEMA pai, analytics TO pai_reader;
    END IF;
  EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'the role pai_reader cannot be given the right to read: %', SQLERRM USING HINT = 'The owner of the tables can.';
  END;
END
$$;
--> statement-breakpoint
COMMENT ON VIEW "pai"."current_run_rollup" IS 'run_rollup as it is now: what is due is computed from the tables.';
COMMENT ON COLUMN "pai"."current_run_rollup"."grain" IS 'What the row sums up: all (every combination has a row), or workspace, pipeline, user, source_type (the others together, their columns null).';
COMMENT ON COLUMN "pai"."current_run_rollup"."bucket" IS 'Start of the quarter hour in which the runs were created.';
COMMENT ON COLUMN "pai"."current_run_rollup"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "pai"."current_run_rollup"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "pai"."current_run_rollup"."user_id" IS 'UserId.';
COMMENT ON COLUMN "pai"."current_run_rollup"."source_type" IS 'SourceType.';
COMMENT ON COLUMN "pai"."current_run_rollup"."runs" IS 'Runs.';
COMMENT ON COLUMN "pai"."current_run_rollup"."succeeded" IS 'Of these Succeeded.';
COMMENT ON COLUMN "pai"."current_run_rollup"."failed" IS 'Of these Failed.';
COMMENT ON COLUMN "pai"."current_run_rollup"."terminated" IS 'Of these Terminated.';
COMMENT ON COLUMN "pai"."current_run_rollup"."skipped" IS 'Of these Skipped.';
COMMENT ON COLUMN "pai"."current_run_rollup"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "pai"."current_run_rollup"."lost" IS 'Of these deleted or missing at the source before an end was seen.';
COMMENT ON COLUMN "pai"."current_run_rollup"."queued_runs" IS 'Runs that have started, whose time in the queue is known.';
COMMENT ON COLUMN "pai"."current_run_rollup"."queue_seconds" IS 'Sum of their seconds from creation to start.';
COMMENT ON COLUMN "pai"."current_run_rollup"."run_seconds" IS 'Sum of the seconds of the succeeded runs.';
COMMENT ON COLUMN "pai"."current_run_rollup"."succeeded_seconds" IS 'Seconds of each succeeded run, ascending.';
COMMENT ON SCHEMA "analytics" IS 'Views for people: the public face of the mirror. A view keeps its columns.';
COMMENT ON VIEW "analytics"."scopes" IS 'The workspaces that the mirror knows.';
COMMENT ON COLUMN "analytics"."scopes"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."scopes"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."scopes"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON VIEW "analytics"."run_details" IS 'What GetPipelineRun says of a pipeline run.';
COMMENT ON COLUMN "analytics"."run_details"."pipeline_run_id" IS 'PipelineRunId.';
COMMENT ON COLUMN "analytics"."run_details"."manifest" IS 'Manifest: the definition that was run.';
COMMENT ON COLUMN "analytics"."run_details"."arguments" IS 'Arguments: the inputs of the run.';
COMMENT ON COLUMN "analytics"."run_details"."options" IS 'Options of the run.';
COMMENT ON COLUMN "analytics"."run_details"."fetched_at" IS 'When the call was sent.';
COMMENT ON VIEW "analytics"."pipeline_runs" IS 'Pipeline runs with their times in the queue and at work, outcome, error and link.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."pipeline_run_id" IS 'PipelineRunId.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."name" IS 'Name.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."user_id" IS 'UserId.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."source_type" IS 'SourceType.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."source_id" IS 'SourceId.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."status" IS 'Status, in PAI''s word.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."outcome" IS 'succeeded, failed, terminated, skipped or active; deleted or missing where the source dropped the run before its end was seen.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."created_at" IS 'GmtCreateTime.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."started_at" IS 'StartedAt.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."finished_at" IS 'FinishedAt.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."modified_at" IS 'GmtModifiedTime.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."queue_seconds" IS 'Seconds from creation to start; null before the start.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."run_seconds" IS 'Duration, else seconds from start to end; so far for an active run.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."error" IS 'Message of a failed run.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."error_pattern" IS 'The same without what differs from run to run: ids, numbers, URLs.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."url" IS 'Page of the run in the PAI console: PipelineRunUri, else made from region, workspace and id.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."root_node_id" IS 'Id of the root node.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."experiment_id" IS 'Experiment that the Options name (mlflow.experimentId).';
COMMENT ON COLUMN "analytics"."pipeline_runs"."deleted_at" IS 'Since when the source is known to have deleted it.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."missing_since" IS 'Since when the source does not name it any more.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."first_seen_at" IS 'When the mirror stored it first.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."updated_at" IS 'When the mirror last changed it.';
COMMENT ON COLUMN "analytics"."pipeline_runs"."revision" IS 'Grows with every change that the mirror saw.';
COMMENT ON VIEW "analytics"."active_runs" IS 'Pipeline runs that are not at an end, beside what is usual for their pipeline.';
COMMENT ON COLUMN "analytics"."active_runs"."pipeline_run_id" IS 'PipelineRunId.';
COMMENT ON COLUMN "analytics"."active_runs"."name" IS 'Name.';
COMMENT ON COLUMN "analytics"."active_runs"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."active_runs"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."active_runs"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."active_runs"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."active_runs"."user_id" IS 'UserId.';
COMMENT ON COLUMN "analytics"."active_runs"."source_type" IS 'SourceType.';
COMMENT ON COLUMN "analytics"."active_runs"."status" IS 'Status, in PAI''s word.';
COMMENT ON COLUMN "analytics"."active_runs"."created_at" IS 'GmtCreateTime.';
COMMENT ON COLUMN "analytics"."active_runs"."started_at" IS 'StartedAt.';
COMMENT ON COLUMN "analytics"."active_runs"."elapsed_seconds" IS 'Seconds since the start; null before it.';
COMMENT ON COLUMN "analytics"."active_runs"."p50_seconds" IS 'Median seconds of the pipeline''s latest succeeded runs (200 at most).';
COMMENT ON COLUMN "analytics"."active_runs"."p95_seconds" IS 'Seconds within which 95 % of these ended.';
COMMENT ON COLUMN "analytics"."active_runs"."compared_runs" IS 'How many these are.';
COMMENT ON COLUMN "analytics"."active_runs"."is_stuck" IS 'It takes longer than 95 % of these did; false with fewer than 5 to compare with.';
COMMENT ON COLUMN "analytics"."active_runs"."running_nodes" IS 'Names of its nodes that are under way.';
COMMENT ON COLUMN "analytics"."active_runs"."url" IS 'Page of the run in the PAI console: PipelineRunUri, else made from region, workspace and id.';
COMMENT ON VIEW "analytics"."stuck_runs" IS 'Active runs that take longer than 95 % of the latest succeeded runs of their pipeline.';
COMMENT ON COLUMN "analytics"."stuck_runs"."pipeline_run_id" IS 'PipelineRunId.';
COMMENT ON COLUMN "analytics"."stuck_runs"."name" IS 'Name.';
COMMENT ON COLUMN "analytics"."stuck_runs"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."stuck_runs"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."stuck_runs"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."stuck_runs"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."stuck_runs"."user_id" IS 'UserId.';
COMMENT ON COLUMN "analytics"."stuck_runs"."source_type" IS 'SourceType.';
COMMENT ON COLUMN "analytics"."stuck_runs"."status" IS 'Status, in PAI''s word.';
COMMENT ON COLUMN "analytics"."stuck_runs"."created_at" IS 'GmtCreateTime.';
COMMENT ON COLUMN "analytics"."stuck_runs"."started_at" IS 'StartedAt.';
COMMENT ON COLUMN "analytics"."stuck_runs"."elapsed_seconds" IS 'Seconds since the start; null before it.';
COMMENT ON COLUMN "analytics"."stuck_runs"."p50_seconds" IS 'Median seconds of the pipeline''s latest succeeded runs (200 at most).';
COMMENT ON COLUMN "analytics"."stuck_runs"."p95_seconds" IS 'Seconds within which 95 % of these ended.';
COMMENT ON COLUMN "analytics"."stuck_runs"."compared_runs" IS 'How many these are.';
COMMENT ON COLUMN "analytics"."stuck_runs"."is_stuck" IS 'It takes longer than 95 % of these did; false with fewer than 5 to compare with.';
COMMENT ON COLUMN "analytics"."stuck_runs"."running_nodes" IS 'Names of its nodes that are under way.';
COMMENT ON COLUMN "analytics"."stuck_runs"."url" IS 'Page of the run in the PAI console: PipelineRunUri, else made from region, workspace and id.';
COMMENT ON VIEW "analytics"."run_buckets" IS 'Pipeline runs by the quarter hour of their creation: the base of all counts over time, for any interval and any filter.';
COMMENT ON COLUMN "analytics"."run_buckets"."bucket" IS 'Start of a quarter hour (UTC): that of the creation of the runs.';
COMMENT ON COLUMN "analytics"."run_buckets"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."run_buckets"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."run_buckets"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."run_buckets"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."run_buckets"."user_id" IS 'UserId.';
COMMENT ON COLUMN "analytics"."run_buckets"."source_type" IS 'SourceType.';
COMMENT ON COLUMN "analytics"."run_buckets"."runs" IS 'Runs.';
COMMENT ON COLUMN "analytics"."run_buckets"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."run_buckets"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."run_buckets"."terminated" IS 'Of these terminated by a user.';
COMMENT ON COLUMN "analytics"."run_buckets"."skipped" IS 'Of these skipped.';
COMMENT ON COLUMN "analytics"."run_buckets"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "analytics"."run_buckets"."lost" IS 'Of these dropped by the source before an end was seen.';
COMMENT ON COLUMN "analytics"."run_buckets"."queued_runs" IS 'Runs that have started, whose time in the queue is known.';
COMMENT ON COLUMN "analytics"."run_buckets"."queue_seconds" IS 'Sum of their seconds from creation to start.';
COMMENT ON COLUMN "analytics"."run_buckets"."run_seconds" IS 'Sum of the seconds of the succeeded runs.';
COMMENT ON COLUMN "analytics"."run_buckets"."succeeded_seconds" IS 'Seconds of each succeeded run, ascending.';
COMMENT ON COLUMN "analytics"."run_buckets"."pack" IS 'The same as one value: percentiles(array_agg(pack)) gives the 50th, 95th and 99th percentile over several rows.';
COMMENT ON VIEW "analytics"."daily_runs" IS 'Pipeline runs a day by workspace, pipeline, user and source type: counts, success rate and times.';
COMMENT ON COLUMN "analytics"."daily_runs"."day" IS 'Start of the day in the session''s time zone; runs count on the day of their creation.';
COMMENT ON COLUMN "analytics"."daily_runs"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."daily_runs"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."daily_runs"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."daily_runs"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."daily_runs"."user_id" IS 'UserId.';
COMMENT ON COLUMN "analytics"."daily_runs"."source_type" IS 'SourceType.';
COMMENT ON COLUMN "analytics"."daily_runs"."runs" IS 'Runs.';
COMMENT ON COLUMN "analytics"."daily_runs"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."daily_runs"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."daily_runs"."terminated" IS 'Of these terminated by a user.';
COMMENT ON COLUMN "analytics"."daily_runs"."skipped" IS 'Of these skipped.';
COMMENT ON COLUMN "analytics"."daily_runs"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "analytics"."daily_runs"."lost" IS 'Of these dropped by the source before an end was seen.';
COMMENT ON COLUMN "analytics"."daily_runs"."success_rate" IS 'succeeded / (succeeded + failed), 0 to 1; null without either.';
COMMENT ON COLUMN "analytics"."daily_runs"."mean_queue_seconds" IS 'Mean seconds from creation to start.';
COMMENT ON COLUMN "analytics"."daily_runs"."mean_seconds" IS 'Mean seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."daily_runs"."p50_seconds" IS 'Median seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."daily_runs"."p95_seconds" IS 'Seconds within which 95 % of the succeeded ones ended.';
COMMENT ON COLUMN "analytics"."daily_runs"."p99_seconds" IS 'Seconds within which 99 % of the succeeded ones ended.';
COMMENT ON VIEW "analytics"."daily_runs_by_workspace" IS 'Pipeline runs a day by workspace: counts, success rate and times.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."day" IS 'Start of the day in the session''s time zone; runs count on the day of their creation.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."runs" IS 'Runs.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."terminated" IS 'Of these terminated by a user.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."skipped" IS 'Of these skipped.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."lost" IS 'Of these dropped by the source before an end was seen.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."success_rate" IS 'succeeded / (succeeded + failed), 0 to 1; null without either.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."mean_queue_seconds" IS 'Mean seconds from creation to start.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."mean_seconds" IS 'Mean seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."p50_seconds" IS 'Median seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."p95_seconds" IS 'Seconds within which 95 % of the succeeded ones ended.';
COMMENT ON COLUMN "analytics"."daily_runs_by_workspace"."p99_seconds" IS 'Seconds within which 99 % of the succeeded ones ended.';
COMMENT ON VIEW "analytics"."daily_runs_by_pipeline" IS 'Pipeline runs a day by pipeline: counts, success rate and times.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."day" IS 'Start of the day in the session''s time zone; runs count on the day of their creation.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."runs" IS 'Runs.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."terminated" IS 'Of these terminated by a user.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."skipped" IS 'Of these skipped.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."lost" IS 'Of these dropped by the source before an end was seen.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."success_rate" IS 'succeeded / (succeeded + failed), 0 to 1; null without either.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."mean_queue_seconds" IS 'Mean seconds from creation to start.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."mean_seconds" IS 'Mean seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."p50_seconds" IS 'Median seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."p95_seconds" IS 'Seconds within which 95 % of the succeeded ones ended.';
COMMENT ON COLUMN "analytics"."daily_runs_by_pipeline"."p99_seconds" IS 'Seconds within which 99 % of the succeeded ones ended.';
COMMENT ON VIEW "analytics"."daily_runs_by_user" IS 'Pipeline runs a day by user: counts, success rate and times.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."day" IS 'Start of the day in the session''s time zone; runs count on the day of their creation.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."user_id" IS 'UserId.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."runs" IS 'Runs.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."terminated" IS 'Of these terminated by a user.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."skipped" IS 'Of these skipped.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."lost" IS 'Of these dropped by the source before an end was seen.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."success_rate" IS 'succeeded / (succeeded + failed), 0 to 1; null without either.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."mean_queue_seconds" IS 'Mean seconds from creation to start.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."mean_seconds" IS 'Mean seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."p50_seconds" IS 'Median seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."p95_seconds" IS 'Seconds within which 95 % of the succeeded ones ended.';
COMMENT ON COLUMN "analytics"."daily_runs_by_user"."p99_seconds" IS 'Seconds within which 99 % of the succeeded ones ended.';
COMMENT ON VIEW "analytics"."daily_runs_by_source_type" IS 'Pipeline runs a day by source type: counts, success rate and times.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."day" IS 'Start of the day in the session''s time zone; runs count on the day of their creation.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."source_type" IS 'SourceType.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."runs" IS 'Runs.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."terminated" IS 'Of these terminated by a user.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."skipped" IS 'Of these skipped.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."lost" IS 'Of these dropped by the source before an end was seen.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."success_rate" IS 'succeeded / (succeeded + failed), 0 to 1; null without either.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."mean_queue_seconds" IS 'Mean seconds from creation to start.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."mean_seconds" IS 'Mean seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."p50_seconds" IS 'Median seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."p95_seconds" IS 'Seconds within which 95 % of the succeeded ones ended.';
COMMENT ON COLUMN "analytics"."daily_runs_by_source_type"."p99_seconds" IS 'Seconds within which 99 % of the succeeded ones ended.';
COMMENT ON VIEW "analytics"."hourly_runs" IS 'Pipeline runs a hour by workspace, pipeline, user and source type: counts, success rate and times.';
COMMENT ON COLUMN "analytics"."hourly_runs"."hour" IS 'Start of the hour in the session''s time zone; runs count in the hour of their creation.';
COMMENT ON COLUMN "analytics"."hourly_runs"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."hourly_runs"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."hourly_runs"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."hourly_runs"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."hourly_runs"."user_id" IS 'UserId.';
COMMENT ON COLUMN "analytics"."hourly_runs"."source_type" IS 'SourceType.';
COMMENT ON COLUMN "analytics"."hourly_runs"."runs" IS 'Runs.';
COMMENT ON COLUMN "analytics"."hourly_runs"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."hourly_runs"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."hourly_runs"."terminated" IS 'Of these terminated by a user.';
COMMENT ON COLUMN "analytics"."hourly_runs"."skipped" IS 'Of these skipped.';
COMMENT ON COLUMN "analytics"."hourly_runs"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "analytics"."hourly_runs"."lost" IS 'Of these dropped by the source before an end was seen.';
COMMENT ON COLUMN "analytics"."hourly_runs"."success_rate" IS 'succeeded / (succeeded + failed), 0 to 1; null without either.';
COMMENT ON COLUMN "analytics"."hourly_runs"."mean_queue_seconds" IS 'Mean seconds from creation to start.';
COMMENT ON COLUMN "analytics"."hourly_runs"."mean_seconds" IS 'Mean seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."hourly_runs"."p50_seconds" IS 'Median seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."hourly_runs"."p95_seconds" IS 'Seconds within which 95 % of the succeeded ones ended.';
COMMENT ON COLUMN "analytics"."hourly_runs"."p99_seconds" IS 'Seconds within which 99 % of the succeeded ones ended.';
COMMENT ON VIEW "analytics"."hourly_runs_by_workspace" IS 'Pipeline runs a hour by workspace: counts, success rate and times.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."hour" IS 'Start of the hour in the session''s time zone; runs count in the hour of their creation.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."runs" IS 'Runs.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."terminated" IS 'Of these terminated by a user.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."skipped" IS 'Of these skipped.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."lost" IS 'Of these dropped by the source before an end was seen.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."success_rate" IS 'succeeded / (succeeded + failed), 0 to 1; null without either.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."mean_queue_seconds" IS 'Mean seconds from creation to start.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."mean_seconds" IS 'Mean seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."p50_seconds" IS 'Median seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."p95_seconds" IS 'Seconds within which 95 % of the succeeded ones ended.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_workspace"."p99_seconds" IS 'Seconds within which 99 % of the succeeded ones ended.';
COMMENT ON VIEW "analytics"."hourly_runs_by_pipeline" IS 'Pipeline runs a hour by pipeline: counts, success rate and times.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."hour" IS 'Start of the hour in the session''s time zone; runs count in the hour of their creation.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."runs" IS 'Runs.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."terminated" IS 'Of these terminated by a user.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."skipped" IS 'Of these skipped.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."lost" IS 'Of these dropped by the source before an end was seen.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."success_rate" IS 'succeeded / (succeeded + failed), 0 to 1; null without either.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."mean_queue_seconds" IS 'Mean seconds from creation to start.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."mean_seconds" IS 'Mean seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."p50_seconds" IS 'Median seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."p95_seconds" IS 'Seconds within which 95 % of the succeeded ones ended.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_pipeline"."p99_seconds" IS 'Seconds within which 99 % of the succeeded ones ended.';
COMMENT ON VIEW "analytics"."hourly_runs_by_user" IS 'Pipeline runs a hour by user: counts, success rate and times.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."hour" IS 'Start of the hour in the session''s time zone; runs count in the hour of their creation.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."user_id" IS 'UserId.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."runs" IS 'Runs.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."terminated" IS 'Of these terminated by a user.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."skipped" IS 'Of these skipped.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."lost" IS 'Of these dropped by the source before an end was seen.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."success_rate" IS 'succeeded / (succeeded + failed), 0 to 1; null without either.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."mean_queue_seconds" IS 'Mean seconds from creation to start.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."mean_seconds" IS 'Mean seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."p50_seconds" IS 'Median seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."p95_seconds" IS 'Seconds within which 95 % of the succeeded ones ended.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_user"."p99_seconds" IS 'Seconds within which 99 % of the succeeded ones ended.';
COMMENT ON VIEW "analytics"."hourly_runs_by_source_type" IS 'Pipeline runs a hour by source type: counts, success rate and times.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."hour" IS 'Start of the hour in the session''s time zone; runs count in the hour of their creation.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."source_type" IS 'SourceType.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."runs" IS 'Runs.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."terminated" IS 'Of these terminated by a user.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."skipped" IS 'Of these skipped.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."lost" IS 'Of these dropped by the source before an end was seen.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."success_rate" IS 'succeeded / (succeeded + failed), 0 to 1; null without either.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."mean_queue_seconds" IS 'Mean seconds from creation to start.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."mean_seconds" IS 'Mean seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."p50_seconds" IS 'Median seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."p95_seconds" IS 'Seconds within which 95 % of the succeeded ones ended.';
COMMENT ON COLUMN "analytics"."hourly_runs_by_source_type"."p99_seconds" IS 'Seconds within which 99 % of the succeeded ones ended.';
COMMENT ON VIEW "analytics"."pipelines" IS 'Pipelines, with their latest run and what became of all their runs.';
COMMENT ON COLUMN "analytics"."pipelines"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."pipelines"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."pipelines"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."pipelines"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."pipelines"."latest_name" IS 'Name of the pipeline''s latest run: PAI tells no name of the pipeline itself.';
COMMENT ON COLUMN "analytics"."pipelines"."latest_pipeline_run_id" IS 'PipelineRunId of the latest run.';
COMMENT ON COLUMN "analytics"."pipelines"."latest_status" IS 'Its status.';
COMMENT ON COLUMN "analytics"."pipelines"."latest_created_at" IS 'Its GmtCreateTime.';
COMMENT ON COLUMN "analytics"."pipelines"."runs" IS 'Runs.';
COMMENT ON COLUMN "analytics"."pipelines"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."pipelines"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."pipelines"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "analytics"."pipelines"."success_rate" IS 'succeeded / (succeeded + failed), 0 to 1; null without either.';
COMMENT ON COLUMN "analytics"."pipelines"."mean_seconds" IS 'Mean seconds of the succeeded ones.';
COMMENT ON VIEW "analytics"."pipeline_trends" IS 'The last 7 days of each pipeline against the 28 days before: which one got slower, or fails more.';
COMMENT ON COLUMN "analytics"."pipeline_trends"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."pipeline_trends"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."pipeline_trends"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."pipeline_trends"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."pipeline_trends"."latest_name" IS 'Name of the pipeline''s latest run: PAI tells no name of the pipeline itself.';
COMMENT ON COLUMN "analytics"."pipeline_trends"."recent_runs" IS 'Runs of the last 7 days.';
COMMENT ON COLUMN "analytics"."pipeline_trends"."recent_mean_seconds" IS 'Mean seconds of the succeeded ones of these.';
COMMENT ON COLUMN "analytics"."pipeline_trends"."recent_success_rate" IS 'succeeded / (succeeded + failed) of these.';
COMMENT ON COLUMN "analytics"."pipeline_trends"."before_runs" IS 'Runs of the 28 days before.';
COMMENT ON COLUMN "analytics"."pipeline_trends"."before_mean_seconds" IS 'Mean seconds of the succeeded ones of these.';
COMMENT ON COLUMN "analytics"."pipeline_trends"."before_success_rate" IS 'succeeded / (succeeded + failed) of these.';
COMMENT ON COLUMN "analytics"."pipeline_trends"."slowdown" IS 'recent_mean_seconds / before_mean_seconds: above 1 is slower.';
COMMENT ON VIEW "analytics"."nodes" IS 'Nodes of pipeline runs with their share of the run''s time, and which one took longest.';
COMMENT ON COLUMN "analytics"."nodes"."pipeline_run_id" IS 'PipelineRunId.';
COMMENT ON COLUMN "analytics"."nodes"."node_id" IS 'NodeId.';
COMMENT ON COLUMN "analytics"."nodes"."node_type" IS 'Logical or Physical.';
COMMENT ON COLUMN "analytics"."nodes"."node_name" IS 'NodeName.';
COMMENT ON COLUMN "analytics"."nodes"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."nodes"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."nodes"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."nodes"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."nodes"."status" IS 'Status, in PAI''s word.';
COMMENT ON COLUMN "analytics"."nodes"."outcome" IS 'succeeded, failed, terminated, skipped, active, or missing where the source does not name it any more.';
COMMENT ON COLUMN "analytics"."nodes"."started_at" IS 'StartedAt.';
COMMENT ON COLUMN "analytics"."nodes"."finished_at" IS 'FinishedAt.';
COMMENT ON COLUMN "analytics"."nodes"."run_seconds" IS 'Seconds from start to end; so far for an active node.';
COMMENT ON COLUMN "analytics"."nodes"."share" IS 'run_seconds of the node / seconds of the run. Nodes run side by side, so shares may add up to more than 1.';
COMMENT ON COLUMN "analytics"."nodes"."is_root" IS 'It is the root node, which lasts as long as the run.';
COMMENT ON COLUMN "analytics"."nodes"."is_critical" IS 'The one node of the run, the root aside, that took longest. A composite node counts with what it contains.';
COMMENT ON COLUMN "analytics"."nodes"."runtime_info" IS 'RuntimeInfo.';
COMMENT ON COLUMN "analytics"."nodes"."missing_since" IS 'Since when the source does not name it any more.';
COMMENT ON VIEW "analytics"."node_buckets" IS 'Nodes by the quarter hour in which their run was created, root nodes aside: the base of all node times over time.';
COMMENT ON COLUMN "analytics"."node_buckets"."bucket" IS 'Start of a quarter hour (UTC): that of the creation of the runs.';
COMMENT ON COLUMN "analytics"."node_buckets"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."node_buckets"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."node_buckets"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."node_buckets"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."node_buckets"."node_name" IS 'NodeName.';
COMMENT ON COLUMN "analytics"."node_buckets"."node_type" IS 'Logical or Physical.';
COMMENT ON COLUMN "analytics"."node_buckets"."nodes" IS 'Nodes, one a run.';
COMMENT ON COLUMN "analytics"."node_buckets"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."node_buckets"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."node_buckets"."seconds" IS 'Sum of the seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."node_buckets"."succeeded_seconds" IS 'Seconds of each succeeded one, ascending.';
COMMENT ON COLUMN "analytics"."node_buckets"."pack" IS 'The same as one value: node_percentiles(array_agg(pack)) gives the 50th, 95th and 99th percentile over several rows.';
COMMENT ON VIEW "analytics"."pipeline_nodes" IS 'Nodes of a pipeline over all its runs, root nodes aside: which one costs the time.';
COMMENT ON COLUMN "analytics"."pipeline_nodes"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."pipeline_nodes"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."pipeline_nodes"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."pipeline_nodes"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."pipeline_nodes"."node_name" IS 'NodeName.';
COMMENT ON COLUMN "analytics"."pipeline_nodes"."node_type" IS 'Logical or Physical.';
COMMENT ON COLUMN "analytics"."pipeline_nodes"."nodes" IS 'Nodes, one a run.';
COMMENT ON COLUMN "analytics"."pipeline_nodes"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."pipeline_nodes"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."pipeline_nodes"."mean_seconds" IS 'Mean seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."pipeline_nodes"."p50_seconds" IS 'Median seconds of the succeeded ones.';
COMMENT ON COLUMN "analytics"."pipeline_nodes"."p95_seconds" IS 'Seconds within which 95 % of the succeeded ones ended.';
COMMENT ON COLUMN "analytics"."pipeline_nodes"."share" IS 'Share of the seconds of all succeeded nodes of the pipeline, 0 to 1.';
COMMENT ON VIEW "analytics"."node_outputs" IS 'Outputs of nodes.';
COMMENT ON COLUMN "analytics"."node_outputs"."pipeline_run_id" IS 'PipelineRunId.';
COMMENT ON COLUMN "analytics"."node_outputs"."node_id" IS 'NodeId.';
COMMENT ON COLUMN "analytics"."node_outputs"."output_id" IS 'Id of the output.';
COMMENT ON COLUMN "analytics"."node_outputs"."name" IS 'Name.';
COMMENT ON COLUMN "analytics"."node_outputs"."type" IS 'Type.';
COMMENT ON COLUMN "analytics"."node_outputs"."producer" IS 'Producer: the node that made it.';
COMMENT ON COLUMN "analytics"."node_outputs"."metadata" IS 'Metadata.';
COMMENT ON COLUMN "analytics"."node_outputs"."value" IS 'Value: where the output is, or what it is.';
COMMENT ON COLUMN "analytics"."node_outputs"."created_at" IS 'GmtCreateTime.';
COMMENT ON COLUMN "analytics"."node_outputs"."deleted_at" IS 'Since when an answer about the node does not name the output.';
COMMENT ON VIEW "analytics"."failure_buckets" IS 'Failed runs by the quarter hour of their creation and by the pattern of their message.';
COMMENT ON COLUMN "analytics"."failure_buckets"."bucket" IS 'Start of a quarter hour (UTC): that of the creation of the runs.';
COMMENT ON COLUMN "analytics"."failure_buckets"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."failure_buckets"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."failure_buckets"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."failure_buckets"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "analytics"."failure_buckets"."pattern" IS 'Message without what differs from run to run: ids, numbers, URLs.';
COMMENT ON COLUMN "analytics"."failure_buckets"."runs" IS 'Failed runs.';
COMMENT ON COLUMN "analytics"."failure_buckets"."last_at" IS 'When the last of them was created.';
COMMENT ON COLUMN "analytics"."failure_buckets"."last_pipeline_run_id" IS 'The latest of them.';
COMMENT ON VIEW "analytics"."failures" IS 'Failed runs of all times by the pattern of their message.';
COMMENT ON COLUMN "analytics"."failures"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."failures"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."failures"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."failures"."pattern" IS 'Message without what differs from run to run: ids, numbers, URLs.';
COMMENT ON COLUMN "analytics"."failures"."runs" IS 'Failed runs.';
COMMENT ON COLUMN "analytics"."failures"."pipelines" IS 'Pipelines that they are of.';
COMMENT ON COLUMN "analytics"."failures"."first_at" IS 'Quarter hour in which the first of them was created.';
COMMENT ON COLUMN "analytics"."failures"."last_at" IS 'When the last of them was created.';
COMMENT ON COLUMN "analytics"."failures"."last_pipeline_run_id" IS 'The last of them.';
COMMENT ON COLUMN "analytics"."failures"."last_message" IS 'Its message.';
COMMENT ON VIEW "analytics"."history" IS 'Every change that the mirror saw, of pipeline runs, nodes and experiment runs. Give an entity_id.';
COMMENT ON COLUMN "analytics"."history"."event_id" IS 'Ascends.';
COMMENT ON COLUMN "analytics"."history"."entity" IS 'pipeline_run, node or run.';
COMMENT ON COLUMN "analytics"."history"."entity_id" IS 'PipelineRunId (also for nodes) or RunId.';
COMMENT ON COLUMN "analytics"."history"."node_id" IS 'NodeId, for nodes.';
COMMENT ON COLUMN "analytics"."history"."node_type" IS 'Logical or Physical, for nodes.';
COMMENT ON COLUMN "analytics"."history"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."history"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."history"."kind" IS 'discovered, changed, deleted, missing, restored or pruned.';
COMMENT ON COLUMN "analytics"."history"."from_status" IS 'Status before.';
COMMENT ON COLUMN "analytics"."history"."to_status" IS 'Status after.';
COMMENT ON COLUMN "analytics"."history"."changes" IS 'Column to [old, new] for each changed column.';
COMMENT ON COLUMN "analytics"."history"."source_time" IS 'When it happened by the source''s clock, where the answer tells.';
COMMENT ON COLUMN "analytics"."history"."observed_at" IS 'When the call whose answer showed it was sent, by the mirror''s clock.';
COMMENT ON COLUMN "analytics"."history"."request_id" IS 'RequestId of the answer that proves it.';
COMMENT ON VIEW "analytics"."status_history" IS 'How long a pipeline run was in which status. Give a pipeline_run_id.';
COMMENT ON COLUMN "analytics"."status_history"."pipeline_run_id" IS 'PipelineRunId.';
COMMENT ON COLUMN "analytics"."status_history"."status" IS 'Status, in PAI''s word.';
COMMENT ON COLUMN "analytics"."status_history"."from_time" IS 'Since when: by the source''s clock where the answer tells, else when it was observed.';
COMMENT ON COLUMN "analytics"."status_history"."to_time" IS 'Until when; null for the present status.';
COMMENT ON COLUMN "analytics"."status_history"."seconds" IS 'Seconds in the status; so far for an active one; null for an end.';
COMMENT ON COLUMN "analytics"."status_history"."is_current" IS 'It is the last that is known.';
COMMENT ON COLUMN "analytics"."status_history"."observed_at" IS 'When the call whose answer showed it was sent, by the mirror''s clock.';
COMMENT ON COLUMN "analytics"."status_history"."request_id" IS 'RequestId of the answer that proves it.';
COMMENT ON VIEW "analytics"."concurrency" IS 'How many pipeline runs were under way, a row each quarter hour in which that changed.';
COMMENT ON COLUMN "analytics"."concurrency"."bucket" IS 'Start of the quarter hour.';
COMMENT ON COLUMN "analytics"."concurrency"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."concurrency"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."concurrency"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."concurrency"."started" IS 'Runs that started in it.';
COMMENT ON COLUMN "analytics"."concurrency"."ended" IS 'Runs that ended in it, or were dropped by the source.';
COMMENT ON COLUMN "analytics"."concurrency"."running" IS 'Runs under way at its end.';
COMMENT ON VIEW "analytics"."run_params" IS 'Params of experiment runs, a row each.';
COMMENT ON COLUMN "analytics"."run_params"."run_id" IS 'RunId of the experiment run.';
COMMENT ON COLUMN "analytics"."run_params"."key" IS 'Key.';
COMMENT ON COLUMN "analytics"."run_params"."value" IS 'Value.';
COMMENT ON VIEW "analytics"."run_labels" IS 'Labels of experiment runs, a row each.';
COMMENT ON COLUMN "analytics"."run_labels"."run_id" IS 'RunId of the experiment run.';
COMMENT ON COLUMN "analytics"."run_labels"."key" IS 'Key.';
COMMENT ON COLUMN "analytics"."run_labels"."value" IS 'Value.';
COMMENT ON VIEW "analytics"."metric_points" IS 'Metric points of experiment runs.';
COMMENT ON COLUMN "analytics"."metric_points"."run_id" IS 'RunId of the experiment run.';
COMMENT ON COLUMN "analytics"."metric_points"."run_name" IS 'Name of the run.';
COMMENT ON COLUMN "analytics"."metric_points"."experiment_id" IS 'ExperimentId.';
COMMENT ON COLUMN "analytics"."metric_points"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."metric_points"."key" IS 'Key.';
COMMENT ON COLUMN "analytics"."metric_points"."step" IS 'Step.';
COMMENT ON COLUMN "analytics"."metric_points"."time" IS 'Timestamp.';
COMMENT ON COLUMN "analytics"."metric_points"."value" IS 'Value.';
COMMENT ON VIEW "analytics"."metric_summary" IS 'Metrics of experiment runs: latest, least, greatest and best value.';
COMMENT ON COLUMN "analytics"."metric_summary"."run_id" IS 'RunId of the experiment run.';
COMMENT ON COLUMN "analytics"."metric_summary"."experiment_id" IS 'ExperimentId.';
COMMENT ON COLUMN "analytics"."metric_summary"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."metric_summary"."key" IS 'Key.';
COMMENT ON COLUMN "analytics"."metric_summary"."points" IS 'Points.';
COMMENT ON COLUMN "analytics"."metric_summary"."latest_value" IS 'Value at the last step.';
COMMENT ON COLUMN "analytics"."metric_summary"."latest_step" IS 'Last step.';
COMMENT ON COLUMN "analytics"."metric_summary"."latest_time" IS 'Timestamp of the last step.';
COMMENT ON COLUMN "analytics"."metric_summary"."min_value" IS 'Least value, NaN aside.';
COMMENT ON COLUMN "analytics"."metric_summary"."min_step" IS 'First step with it.';
COMMENT ON COLUMN "analytics"."metric_summary"."max_value" IS 'Greatest value, NaN aside.';
COMMENT ON COLUMN "analytics"."metric_summary"."max_step" IS 'First step with it.';
COMMENT ON COLUMN "analytics"."metric_summary"."lower_is_better" IS 'Judged by the key: loss, error, RMSE and the like. PAI does not tell.';
COMMENT ON COLUMN "analytics"."metric_summary"."best_value" IS 'min_value where lower is better, else max_value.';
COMMENT ON VIEW "analytics"."experiments" IS 'Experiments that have runs.';
COMMENT ON COLUMN "analytics"."experiments"."experiment_id" IS 'ExperimentId.';
COMMENT ON COLUMN "analytics"."experiments"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."experiments"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."experiments"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."experiments"."runs" IS 'Experiment runs.';
COMMENT ON COLUMN "analytics"."experiments"."first_created_at" IS 'GmtCreateTime of the first.';
COMMENT ON COLUMN "analytics"."experiments"."last_created_at" IS 'GmtCreateTime of the last.';
COMMENT ON VIEW "analytics"."experiment_runs" IS 'Experiment runs; params, labels and metrics as one object each: params ->> ''lr''.';
COMMENT ON COLUMN "analytics"."experiment_runs"."run_id" IS 'RunId of the experiment run.';
COMMENT ON COLUMN "analytics"."experiment_runs"."name" IS 'Name.';
COMMENT ON COLUMN "analytics"."experiment_runs"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."experiment_runs"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."experiment_runs"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."experiment_runs"."experiment_id" IS 'ExperimentId.';
COMMENT ON COLUMN "analytics"."experiment_runs"."user_id" IS 'UserId.';
COMMENT ON COLUMN "analytics"."experiment_runs"."owner_id" IS 'OwnerId.';
COMMENT ON COLUMN "analytics"."experiment_runs"."source_type" IS 'SourceType.';
COMMENT ON COLUMN "analytics"."experiment_runs"."source_id" IS 'SourceId.';
COMMENT ON COLUMN "analytics"."experiment_runs"."pipeline_run_id" IS 'The pipeline run that SourceId names, if the mirror has it.';
COMMENT ON COLUMN "analytics"."experiment_runs"."created_at" IS 'GmtCreateTime.';
COMMENT ON COLUMN "analytics"."experiment_runs"."modified_at" IS 'GmtModifiedTime.';
COMMENT ON COLUMN "analytics"."experiment_runs"."params" IS 'Key to value.';
COMMENT ON COLUMN "analytics"."experiment_runs"."labels" IS 'Key to value.';
COMMENT ON COLUMN "analytics"."experiment_runs"."metrics" IS 'Key to value at the last step.';
COMMENT ON COLUMN "analytics"."experiment_runs"."metrics_min" IS 'Key to least value.';
COMMENT ON COLUMN "analytics"."experiment_runs"."metrics_max" IS 'Key to greatest value.';
COMMENT ON COLUMN "analytics"."experiment_runs"."deleted_at" IS 'Since when the source is known to have deleted it.';
COMMENT ON COLUMN "analytics"."experiment_runs"."missing_since" IS 'Since when the source does not name it any more.';
COMMENT ON VIEW "analytics"."experiment_metrics" IS 'The best run of an experiment by each metric.';
COMMENT ON COLUMN "analytics"."experiment_metrics"."experiment_id" IS 'ExperimentId.';
COMMENT ON COLUMN "analytics"."experiment_metrics"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."experiment_metrics"."key" IS 'Key.';
COMMENT ON COLUMN "analytics"."experiment_metrics"."runs" IS 'Runs that log it.';
COMMENT ON COLUMN "analytics"."experiment_metrics"."lower_is_better" IS 'Judged by the key: loss, error, RMSE and the like. PAI does not tell.';
COMMENT ON COLUMN "analytics"."experiment_metrics"."best_value" IS 'Best value of all runs.';
COMMENT ON COLUMN "analytics"."experiment_metrics"."best_run_id" IS 'RunId of the run that has it.';
COMMENT ON COLUMN "analytics"."experiment_metrics"."best_run_name" IS 'Its name.';
COMMENT ON VIEW "analytics"."run_experiments" IS 'Which pipeline run belongs to which experiment, and why.';
COMMENT ON COLUMN "analytics"."run_experiments"."pipeline_run_id" IS 'PipelineRunId.';
COMMENT ON COLUMN "analytics"."run_experiments"."experiment_id" IS 'ExperimentId.';
COMMENT ON COLUMN "analytics"."run_experiments"."run_id" IS 'RunId of the experiment run; null where only the Options name the experiment.';
COMMENT ON COLUMN "analytics"."run_experiments"."evidence" IS 'source_id (the experiment run names the pipeline run) or options (mlflow.experimentId of the pipeline run).';
COMMENT ON VIEW "analytics"."mirror_passes" IS 'What the mirror did: one row an execution of a stream in a scope.';
COMMENT ON COLUMN "analytics"."mirror_passes"."id" IS 'Ascends.';
COMMENT ON COLUMN "analytics"."mirror_passes"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."mirror_passes"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."mirror_passes"."stream" IS 'Stream, such as pipeline-runs.';
COMMENT ON COLUMN "analytics"."mirror_passes"."started_at" IS 'Start, by the database''s clock.';
COMMENT ON COLUMN "analytics"."mirror_passes"."finished_at" IS 'End; null while it runs.';
COMMENT ON COLUMN "analytics"."mirror_passes"."seconds" IS 'How long it took.';
COMMENT ON COLUMN "analytics"."mirror_passes"."outcome" IS 'succeeded, failed, stopped, or abandoned where its process died.';
COMMENT ON COLUMN "analytics"."mirror_passes"."calls" IS 'Calls to PAI, retries included.';
COMMENT ON COLUMN "analytics"."mirror_passes"."rows_read" IS 'Items that the answers carried.';
COMMENT ON COLUMN "analytics"."mirror_passes"."inserted" IS 'Rows inserted.';
COMMENT ON COLUMN "analytics"."mirror_passes"."updated" IS 'Rows updated.';
COMMENT ON COLUMN "analytics"."mirror_passes"."unchanged" IS 'Rows that were the same already.';
COMMENT ON COLUMN "analytics"."mirror_passes"."stale" IS 'Rows refused because a newer observation was stored.';
COMMENT ON COLUMN "analytics"."mirror_passes"."quarantined" IS 'Items put into quarantine.';
COMMENT ON COLUMN "analytics"."mirror_passes"."error" IS 'What failed.';
COMMENT ON VIEW "analytics"."mirror_freshness" IS 'How fresh each stream of each scope is.';
COMMENT ON COLUMN "analytics"."mirror_freshness"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."mirror_freshness"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."mirror_freshness"."stream" IS 'Stream, such as pipeline-runs.';
COMMENT ON COLUMN "analytics"."mirror_freshness"."watermark" IS 'Modification time, by the source''s clock, up to which the stream is complete.';
COMMENT ON COLUMN "analytics"."mirror_freshness"."last_started_at" IS 'Start of the last pass.';
COMMENT ON COLUMN "analytics"."mirror_freshness"."last_succeeded_at" IS 'End of the last pass that succeeded.';
COMMENT ON COLUMN "analytics"."mirror_freshness"."age_seconds" IS 'Seconds since the start of that: how old the mirror''s knowledge is at most. Null before the first success.';
COMMENT ON COLUMN "analytics"."mirror_freshness"."last_outcome" IS 'How the last pass that has ended ended.';
COMMENT ON COLUMN "analytics"."mirror_freshness"."running_since" IS 'Start of the pass that is under way.';
COMMENT ON COLUMN "analytics"."mirror_freshness"."last_error" IS 'What failed in the last pass that has ended.';
COMMENT ON COLUMN "analytics"."mirror_freshness"."failed_in_a_row" IS 'Passes that failed since the last success.';
COMMENT ON COLUMN "analytics"."mirror_freshness"."holder" IS 'Process that runs it now.';
COMMENT ON VIEW "analytics"."mirror_budgets" IS 'Pace of the calls to PAI.';
COMMENT ON COLUMN "analytics"."mirror_budgets"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."mirror_budgets"."name" IS 'Budget: flow, listRuns or listWorkspaces.';
COMMENT ON COLUMN "analytics"."mirror_budgets"."pace" IS 'Share of the configured rate that is used now.';
COMMENT ON COLUMN "analytics"."mirror_budgets"."is_throttled" IS 'The pace is lowered, or no call is allowed for now.';
COMMENT ON COLUMN "analytics"."mirror_budgets"."paused_until" IS 'No call before this time.';
COMMENT ON COLUMN "analytics"."mirror_budgets"."slowed_at" IS 'When the pace was lowered last.';
COMMENT ON VIEW "analytics"."mirror_lag" IS 'From a change at the source to its observation, for the changes of the last 24 hours whose answers tell when they happened.';
COMMENT ON COLUMN "analytics"."mirror_lag"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."mirror_lag"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."mirror_lag"."entity" IS 'pipeline_run, node or run.';
COMMENT ON COLUMN "analytics"."mirror_lag"."source_time" IS 'When it happened by the source''s clock.';
COMMENT ON COLUMN "analytics"."mirror_lag"."observed_at" IS 'When the call whose answer showed it was sent, by the mirror''s clock.';
COMMENT ON COLUMN "analytics"."mirror_lag"."lag_seconds" IS 'Seconds between the two.';
COMMENT ON VIEW "analytics"."mirror_quarantine" IS 'Items that could not be decoded or stored.';
COMMENT ON COLUMN "analytics"."mirror_quarantine"."id" IS 'Ascends.';
COMMENT ON COLUMN "analytics"."mirror_quarantine"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."mirror_quarantine"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."mirror_quarantine"."stream" IS 'Stream, such as pipeline-runs.';
COMMENT ON COLUMN "analytics"."mirror_quarantine"."operation" IS 'PAI operation whose answer carried the item.';
COMMENT ON COLUMN "analytics"."mirror_quarantine"."entity" IS 'What the item is.';
COMMENT ON COLUMN "analytics"."mirror_quarantine"."entity_id" IS 'Its id, where that could be read.';
COMMENT ON COLUMN "analytics"."mirror_quarantine"."error" IS 'What was found and what was expected.';
COMMENT ON COLUMN "analytics"."mirror_quarantine"."request_id" IS 'RequestId of the answer.';
COMMENT ON COLUMN "analytics"."mirror_quarantine"."first_seen_at" IS 'When it was put here.';
COMMENT ON COLUMN "analytics"."mirror_quarantine"."resolved_at" IS 'When it was settled; null while it is not.';
COMMENT ON COLUMN "analytics"."mirror_quarantine"."resolution" IS 'How it was settled.';
COMMENT ON VIEW "analytics"."mirror_retries" IS 'Calls for one run that failed and will be tried again.';
COMMENT ON COLUMN "analytics"."mirror_retries"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."mirror_retries"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."mirror_retries"."stream" IS 'Stream, such as pipeline-runs.';
COMMENT ON COLUMN "analytics"."mirror_retries"."entity_id" IS 'PipelineRunId.';
COMMENT ON COLUMN "analytics"."mirror_retries"."attempts" IS 'Failures in a row.';
COMMENT ON COLUMN "analytics"."mirror_retries"."failed_at" IS 'Last failure.';
COMMENT ON COLUMN "analytics"."mirror_retries"."retry_at" IS 'Not tried again before this time.';
COMMENT ON COLUMN "analytics"."mirror_retries"."error" IS 'The last failure.';
COMMENT ON VIEW "analytics"."mirror_tables" IS 'Size of the mirror''s tables.';
COMMENT ON COLUMN "analytics"."mirror_tables"."table_name" IS 'Table of schema pai.';
COMMENT ON COLUMN "analytics"."mirror_tables"."estimated_rows" IS 'Rows, as of the last ANALYZE or VACUUM.';
COMMENT ON COLUMN "analytics"."mirror_tables"."bytes" IS 'Bytes on disk, indexes included.';
COMMENT ON TYPE "analytics"."pack" IS 'Seconds of runs: an array of these may hold arrays of any length.';
COMMENT ON TYPE "analytics"."node_pack" IS 'Seconds of nodes: an array of these may hold arrays of any length.';
COMMENT ON FUNCTION "analytics"."percentiles"("analytics"."pack"[]) IS 'The 50th, 95th and 99th percentile (percentile_disc) of all that is packed: percentiles(array_agg(pack)) over run_buckets.';
COMMENT ON FUNCTION "analytics"."node_percentiles"("analytics"."node_pack"[]) IS 'The same for node_buckets.';
COMMENT ON FUNCTION "pai"."ensure_reader"() IS 'Makes the role pai_reader, if there is none, and gives it the right to read both schemas.';
COMMENT ON FUNCTION "analytics"."run_as_of"(text, timestamptz) IS 'A pipeline run or experiment run as the mirror knew it at that time, from its history; null when it was not known yet.';
