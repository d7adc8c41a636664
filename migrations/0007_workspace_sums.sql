-- Counts over time are answered from this alone: the rows of one grain lie scattered among those of the others, and reading
-- them cost nearly the whole table (21,809 of 29,700 pages for a million runs, now 332). 3 MB; made in less than a second.
CREATE INDEX "run_rollup_workspace" ON "pai"."run_rollup" USING btree ("bucket","scope","runs","succeeded","failed","terminated","skipped","active","lost") WHERE grain = 'workspace';
--> statement-breakpoint
-- As IMMUTABLE they were called row by row, 30 microseconds each: extract() of a time is STABLE, whatever part is asked for,
-- and PostgreSQL puts no function in line that promises more than its body does. Nothing is indexed by them.
ALTER FUNCTION "pai"."run_seconds"(bigint, timestamptz, timestamptz) STABLE;
--> statement-breakpoint
ALTER FUNCTION "pai"."queue_seconds"(timestamptz, timestamptz) STABLE;
--> statement-breakpoint
ALTER FUNCTION "pai"."node_seconds"(timestamptz, timestamptz) STABLE;
--> statement-breakpoint
-- The hours and days of the other views are computed, so that no index bounds them; these quarter hours are stored.
CREATE VIEW "analytics"."run_buckets_by_workspace" AS
SELECT r.bucket, split_part(r.scope, ':', 1) AS region, r.scope, split_part(r.scope, ':', 2) AS workspace_id,
  r.runs, r.succeeded, r.failed, r.terminated, r.skipped, r.active, r.lost
FROM pai.current_run_rollup r WHERE r.grain = 'workspace';
--> statement-breakpoint
COMMENT ON VIEW "analytics"."run_buckets_by_workspace" IS 'Pipeline runs by the quarter hour of their creation and by workspace, counts alone: the quickest base of counts over time.';
COMMENT ON COLUMN "analytics"."run_buckets_by_workspace"."bucket" IS 'Start of a quarter hour (UTC): that of the creation of the runs.';
COMMENT ON COLUMN "analytics"."run_buckets_by_workspace"."region" IS 'Region, such as cn-shanghai.';
COMMENT ON COLUMN "analytics"."run_buckets_by_workspace"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "analytics"."run_buckets_by_workspace"."workspace_id" IS 'Workspace: the part of scope after the region.';
COMMENT ON COLUMN "analytics"."run_buckets_by_workspace"."runs" IS 'Runs.';
COMMENT ON COLUMN "analytics"."run_buckets_by_workspace"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "analytics"."run_buckets_by_workspace"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "analytics"."run_buckets_by_workspace"."terminated" IS 'Of these terminated by a user.';
COMMENT ON COLUMN "analytics"."run_buckets_by_workspace"."skipped" IS 'Of these skipped.';
COMMENT ON COLUMN "analytics"."run_buckets_by_workspace"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "analytics"."run_buckets_by_workspace"."lost" IS 'Of these dropped by the source before an end was seen.';
--> statement-breakpoint
-- What is usual is computed once for each pipeline, whatever PostgreSQL expects: where it expects a single active run (it has
-- not looked at the table yet, or did while nothing ran) it was computed for all pipelines once for every active run: 7 s
-- instead of 0.1 for 76 runs of 23 pipelines.
CREATE OR REPLACE VIEW "analytics"."active_runs" AS
WITH active AS (
  SELECT r.* FROM pai.pipeline_runs r
  WHERE r.deleted_at IS NULL AND (r.status IS NULL OR r.status NOT IN ('Succeeded', 'Failed', 'Terminated', 'Skipped'))
    AND r.missing_since IS NULL
), usual AS MATERIALIZED (
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
