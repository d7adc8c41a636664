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
