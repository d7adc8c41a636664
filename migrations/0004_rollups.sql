CREATE TABLE "pai"."concurrency_due" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "pai"."concurrency_due_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"scope" text NOT NULL,
	"bucket" timestamp with time zone NOT NULL,
	"started" bigint NOT NULL,
	"ended" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pai"."concurrency_rollup" (
	"scope" text NOT NULL,
	"bucket" timestamp with time zone NOT NULL,
	"started" bigint NOT NULL,
	"ended" bigint NOT NULL,
	CONSTRAINT "concurrency_rollup_scope_bucket_pk" PRIMARY KEY("scope","bucket")
);
--> statement-breakpoint
CREATE TABLE "pai"."failure_rollup" (
	"bucket" timestamp with time zone NOT NULL,
	"scope" text NOT NULL,
	"pipeline_id" text,
	"pattern" text NOT NULL,
	"runs" bigint NOT NULL,
	"last_pipeline_run_id" text NOT NULL,
	"last_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pai"."node_due" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "pai"."node_due_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"pipeline_run_id" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pai"."node_rollup" (
	"pipeline_id" text,
	"node_name" text,
	"node_type" text NOT NULL,
	"scope" text NOT NULL,
	"bucket" timestamp with time zone NOT NULL,
	"nodes" bigint NOT NULL,
	"succeeded" bigint NOT NULL,
	"failed" bigint NOT NULL,
	"seconds" double precision NOT NULL,
	"succeeded_seconds" double precision[] NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pai"."rollup_due" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "pai"."rollup_due_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"scope" text NOT NULL,
	"bucket" timestamp with time zone NOT NULL,
	"runs" boolean NOT NULL,
	"nodes" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pai"."run_rollup" (
	"grain" text NOT NULL,
	"bucket" timestamp with time zone NOT NULL,
	"scope" text NOT NULL,
	"pipeline_id" text,
	"user_id" text,
	"source_type" text,
	"runs" bigint NOT NULL,
	"succeeded" bigint NOT NULL,
	"failed" bigint NOT NULL,
	"terminated" bigint NOT NULL,
	"skipped" bigint NOT NULL,
	"active" bigint NOT NULL,
	"lost" bigint NOT NULL,
	"queued_runs" bigint NOT NULL,
	"queue_seconds" double precision NOT NULL,
	"run_seconds" bigint NOT NULL,
	"succeeded_seconds" integer[] NOT NULL
);
--> statement-breakpoint
CREATE INDEX "failure_rollup_bucket" ON "pai"."failure_rollup" USING btree ("bucket","scope");--> statement-breakpoint
CREATE INDEX "failure_rollup_pipeline" ON "pai"."failure_rollup" USING btree ("pipeline_id","bucket");--> statement-breakpoint
CREATE INDEX "node_rollup_pipeline" ON "pai"."node_rollup" USING btree ("pipeline_id","bucket");--> statement-breakpoint
CREATE INDEX "node_rollup_bucket" ON "pai"."node_rollup" USING btree ("bucket","scope");--> statement-breakpoint
CREATE INDEX "run_rollup_grain" ON "pai"."run_rollup" USING btree ("grain","bucket");--> statement-breakpoint
CREATE INDEX "run_rollup_bucket" ON "pai"."run_rollup" USING btree ("bucket","scope");--> statement-breakpoint
CREATE INDEX "run_rollup_pipeline" ON "pai"."run_rollup" USING btree ("pipeline_id","bucket");--> statement-breakpoint
CREATE INDEX "sync_passes_succeeded" ON "pai"."sync_passes" USING btree ("scope","stream","id") WHERE outcome = 'succeeded';--> statement-breakpoint
CREATE INDEX "sync_passes_started" ON "pai"."sync_passes" USING btree ("started_at");--> statement-breakpoint
CREATE INDEX "change_events_changed" ON "pai"."change_events" USING btree ("scope","observed_at") WHERE kind <> 'discovered';--> statement-breakpoint
-- By time first, for all workspaces at once; with the scope in it, one workspace is found without a look at the rows of others.
CREATE INDEX "pipeline_runs_created_at" ON "pai"."pipeline_runs" USING btree ("gmt_create_time","scope");--> statement-breakpoint
DROP INDEX "pai"."pipeline_runs_created";--> statement-breakpoint
CREATE INDEX "pipeline_runs_pipeline" ON "pai"."pipeline_runs" USING btree ("pipeline_id","gmt_create_time");--> statement-breakpoint
-- What the words and times of a run mean, in one place: the sums and the views use these. They answer for
-- everything that a column can hold, infinite times and more seconds than an interval has too: a row that they refused would
-- make every view fail. Constants have their types: a call that fits exactly is PostgreSQL's own, whatever functions a
-- session's search_path offers. (Before 2000 from another origin: up to 14.11 and 16.2 date_bin was a step too low for
-- quarter hours before its origin.)
CREATE FUNCTION "pai"."quarter_hour"(at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN at < timestamptz '2000-01-01 00:00:00+00'
    THEN date_bin(interval '15 minutes', at, timestamptz '4714-11-24 00:00:00+00 BC')
    ELSE date_bin(interval '15 minutes', at, timestamptz '2000-01-01 00:00:00+00') END
$$;
--> statement-breakpoint
CREATE FUNCTION "pai"."rollup_bucket"(created timestamptz, started timestamptz, first_seen timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT pai.quarter_hour(coalesce(created, started, first_seen))
$$;
--> statement-breakpoint
CREATE FUNCTION "pai"."run_outcome"(status text, deleted_at timestamptz, missing_since timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE status WHEN 'Succeeded' THEN 'succeeded' WHEN 'Failed' THEN 'failed' WHEN 'Terminated' THEN 'terminated'
    WHEN 'Skipped' THEN 'skipped'
    ELSE CASE WHEN deleted_at IS NOT NULL THEN 'deleted' WHEN missing_since IS NOT NULL THEN 'missing' ELSE 'active' END END
$$;
--> statement-breakpoint
CREATE FUNCTION "pai"."node_outcome"(status text, missing_since timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE status WHEN 'Succeeded' THEN 'succeeded' WHEN 'Succeed' THEN 'succeeded' WHEN 'Failed' THEN 'failed'
    WHEN 'Terminated' THEN 'terminated' WHEN 'Skipped' THEN 'skipped'
    ELSE CASE WHEN missing_since IS NOT NULL THEN 'missing' ELSE 'active' END END
$$;
--> statement-breakpoint
CREATE FUNCTION "pai"."run_seconds"(duration bigint, started timestamptz, finished timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN duration IS NOT NULL THEN least(greatest(duration, 0), 2147483647)
    WHEN isfinite(started) AND isfinite(finished)
      THEN least(greatest(floor(extract(epoch FROM finished) - extract(epoch FROM started)), 0), 2147483647)::bigint END
$$;
--> statement-breakpoint
CREATE FUNCTION "pai"."queue_seconds"(created timestamptz, started timestamptz) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN started >= created AND isfinite(created) AND isfinite(started)
    THEN (extract(epoch FROM started) - extract(epoch FROM created))::double precision END
$$;
--> statement-breakpoint
CREATE FUNCTION "pai"."node_seconds"(started timestamptz, finished timestamptz) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN isfinite(started) AND isfinite(finished)
    THEN greatest((extract(epoch FROM finished) - extract(epoch FROM started))::double precision, 0) END
$$;
--> statement-breakpoint
-- When a run stopped taking its place: null while it is under way. A rerun run keeps its old FinishedAt for a while.
CREATE FUNCTION "pai"."run_ended_at"(status text, started timestamptz, finished timestamptz, modified timestamptz,
  deleted_at timestamptz, missing_since timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN started IS NULL THEN NULL
    WHEN status IN ('Succeeded', 'Failed', 'Terminated', 'Skipped') THEN greatest(started, coalesce(finished, modified, started))
    WHEN deleted_at IS NOT NULL OR missing_since IS NOT NULL THEN greatest(started, coalesce(deleted_at, missing_since)) END
$$;
--> statement-breakpoint
-- What failures of one cause have in common: ids, numbers, paths and white space are taken out, codes such as
-- ODPS-0130131 stay.
CREATE FUNCTION "pai"."error_pattern"(message text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN message IS NULL OR btrim(message, E' \t\r\n') = '' THEN '(no message)' ELSE
    left(btrim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(left(btrim(message, E' \t\r\n'), 1000),
      '[a-z][a-z0-9+.-]*://\S+', '<url>', 'gi'),
      '\m(?=[0-9a-z]*[0-9])(?=[0-9a-z]*[a-z])[0-9a-z]{12,}\M|\m[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\M', '<id>', 'gi'),
      '(?<![0-9])(?<![A-Z]-)[0-9]+(?:\.[0-9]+)?', '<n>', 'g'),
      '\s+', ' ', 'g')), 300) END
$$;
--> statement-breakpoint
-- The sums of some quarter hours, from the tables. They end with their last microsecond and not before the next: there is
-- none after the last, nor after infinity.
CREATE FUNCTION "pai"."compute_run_rollup"(scopes text[], buckets timestamptz[]) RETURNS SETOF "pai"."run_rollup"
LANGUAGE sql STABLE AS $$
  SELECT CASE grouping(r.pipeline_id, r.user_id, r.source_type) WHEN 0 THEN 'all' WHEN 3 THEN 'pipeline' WHEN 5 THEN 'user'
      WHEN 6 THEN 'source_type' ELSE 'workspace' END,
    b.bucket, b.scope, r.pipeline_id, r.user_id, r.source_type, count(*),
    count(*) FILTER (WHERE r.outcome = 'succeeded'), count(*) FILTER (WHERE r.outcome = 'failed'),
    count(*) FILTER (WHERE r.outcome = 'terminated'), count(*) FILTER (WHERE r.outcome = 'skipped'),
    count(*) FILTER (WHERE r.outcome = 'active'), count(*) FILTER (WHERE r.outcome IN ('missing', 'deleted')),
    count(r.queue_seconds), coalesce(sum(r.queue_seconds), 0),
    coalesce(sum(r.seconds) FILTER (WHERE r.outcome = 'succeeded'), 0)::bigint,
    coalesce(array_agg(r.seconds ORDER BY r.seconds) FILTER (WHERE r.outcome = 'succeeded' AND r.seconds IS NOT NULL), '{}')
  FROM unnest(scopes, buckets) AS b(scope, bucket)
  CROSS JOIN LATERAL (
    SELECT p.pipeline_id, p.user_id, p.source_type, pai.queue_seconds(p.gmt_create_time, p.started_at) AS queue_seconds,
      pai.run_outcome(p.status, p.deleted_at, p.missing_since) AS outcome,
      pai.run_seconds(p.duration, p.started_at, p.finished_at)::integer AS seconds
    FROM pai.pipeline_runs p
    WHERE p.scope = b.scope AND p.gmt_create_time >= b.bucket AND p.gmt_create_time <= b.bucket + interval '14 minutes 59.999999 seconds'
    UNION ALL
    SELECT p.pipeline_id, p.user_id, p.source_type, NULL, pai.run_outcome(p.status, p.deleted_at, p.missing_since),
      pai.run_seconds(p.duration, p.started_at, p.finished_at)::integer
    FROM pai.pipeline_runs p
    WHERE p.scope = b.scope AND p.gmt_create_time IS NULL AND pai.rollup_bucket(NULL, p.started_at, p.first_seen_at) = b.bucket
  ) r
  GROUP BY GROUPING SETS ((b.bucket, b.scope, r.pipeline_id, r.user_id, r.source_type), (b.bucket, b.scope),
    (b.bucket, b.scope, r.pipeline_id), (b.bucket, b.scope, r.user_id), (b.bucket, b.scope, r.source_type))
$$;
--> statement-breakpoint
CREATE FUNCTION "pai"."compute_failure_rollup"(scopes text[], buckets timestamptz[]) RETURNS SETOF "pai"."failure_rollup"
LANGUAGE sql STABLE AS $$
  SELECT b.bucket, b.scope, r.pipeline_id, r.pattern, count(*),
    (array_agg(r.pipeline_run_id ORDER BY r.created DESC, r.pipeline_run_id DESC))[1], max(r.created)
  FROM unnest(scopes, buckets) AS b(scope, bucket)
  CROSS JOIN LATERAL (
    SELECT p.pipeline_run_id, p.pipeline_id, p.gmt_create_time AS created, pai.error_pattern(p.message) AS pattern
    FROM pai.pipeline_runs p
    WHERE p.scope = b.scope AND p.gmt_create_time >= b.bucket AND p.gmt_create_time <= b.bucket + interval '14 minutes 59.999999 seconds'
      AND p.status = 'Failed'
    UNION ALL
    SELECT p.pipeline_run_id, p.pipeline_id, coalesce(p.started_at, p.first_seen_at), pai.error_pattern(p.message)
    FROM pai.pipeline_runs p
    WHERE p.scope = b.scope AND p.gmt_create_time IS NULL AND pai.rollup_bucket(NULL, p.started_at, p.first_seen_at) = b.bucket
      AND p.status = 'Failed'
  ) r
  GROUP BY b.bucket, b.scope, r.pipeline_id, r.pattern
$$;
--> statement-breakpoint
-- The root node lasts as long as its run and says nothing about where the time went.
CREATE FUNCTION "pai"."compute_node_rollup"(scopes text[], buckets timestamptz[]) RETURNS SETOF "pai"."node_rollup"
LANGUAGE sql STABLE AS $$
  SELECT r.pipeline_id, r.node_name, r.node_type, b.scope, b.bucket, count(*),
    count(*) FILTER (WHERE r.outcome = 'succeeded'), count(*) FILTER (WHERE r.outcome = 'failed'),
    coalesce(sum(r.seconds) FILTER (WHERE r.outcome = 'succeeded'), 0),
    coalesce(array_agg(r.seconds ORDER BY r.seconds) FILTER (WHERE r.outcome = 'succeeded' AND r.seconds IS NOT NULL), '{}')
  FROM unnest(scopes, buckets) AS b(scope, bucket)
  CROSS JOIN LATERAL (
    SELECT p.pipeline_id, n.node_name, n.node_type, pai.node_outcome(n.status, n.missing_since) AS outcome,
      pai.node_seconds(n.started_at, n.finished_at) AS seconds
    FROM pai.pipeline_runs p
    JOIN pai.pipeline_run_nodes n ON n.pipeline_run_id = p.pipeline_run_id AND n.node_id IS DISTINCT FROM p.node_id
    WHERE p.scope = b.scope AND p.gmt_create_time >= b.bucket AND p.gmt_create_time <= b.bucket + interval '14 minutes 59.999999 seconds'
    UNION ALL
    SELECT p.pipeline_id, n.node_name, n.node_type, pai.node_outcome(n.status, n.missing_since),
      pai.node_seconds(n.started_at, n.finished_at)
    FROM pai.pipeline_runs p
    JOIN pai.pipeline_run_nodes n ON n.pipeline_run_id = p.pipeline_run_id AND n.node_id IS DISTINCT FROM p.node_id
    WHERE p.scope = b.scope AND p.gmt_create_time IS NULL AND pai.rollup_bucket(NULL, p.started_at, p.first_seen_at) = b.bucket
  ) r
  WHERE r.outcome <> 'missing'
  GROUP BY r.pipeline_id, r.node_name, r.node_type, b.scope, b.bucket
$$;
--> statement-breakpoint
-- Triggers and not the writer's code: whoever writes, the sums know. In the writer's own transaction, so that a row and
-- the note about its quarter hour are seen together or not at all. A plan of theirs lives as long as the session and was
-- made for the first statement, often of one row: rows before and after are therefore joined by FULL JOIN, which never
-- compares each with each (48 seconds for 5,000 rows), and sees a changed key as a row that went and one that came. Starts
-- and ends are rows of their own and no VALUES beside each row, which took 30 ms for 3,000 rows and not 5.
CREATE FUNCTION "pai"."note_new_runs"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO pai.rollup_due (scope, bucket, runs, nodes)
  SELECT DISTINCT n.scope, pai.rollup_bucket(n.gmt_create_time, n.started_at, n.first_seen_at), true, true FROM new_rows n;
  INSERT INTO pai.concurrency_due (scope, bucket, started, ended)
  SELECT m.scope, pai.quarter_hour(m.at), sum(m.started), sum(m.ended)
  FROM (
    SELECT scope, started_at AS at, 1 AS started, 0 AS ended FROM new_rows
    UNION ALL SELECT scope, pai.run_ended_at(status, started_at, finished_at, gmt_modified_time, deleted_at, missing_since), 0, 1 FROM new_rows
  ) m
  WHERE m.at IS NOT NULL
  GROUP BY 1, 2;
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE FUNCTION "pai"."note_changed_runs"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO pai.rollup_due (scope, bucket, runs, nodes)
  SELECT m.scope, m.bucket, true, bool_or(m.nodes)
  FROM (
    SELECT s.scope, pai.rollup_bucket(s.created, s.started, s.seen) AS bucket,
      (o.pipeline_run_id, o.scope, pai.rollup_bucket(o.gmt_create_time, o.started_at, o.first_seen_at), o.pipeline_id, o.node_id)
        IS DISTINCT FROM
      (n.pipeline_run_id, n.scope, pai.rollup_bucket(n.gmt_create_time, n.started_at, n.first_seen_at), n.pipeline_id, n.node_id) AS nodes
    FROM old_rows o FULL JOIN new_rows n ON n.pipeline_run_id = o.pipeline_run_id
    CROSS JOIN LATERAL (VALUES (o.scope, o.gmt_create_time, o.started_at, o.first_seen_at),
      (n.scope, n.gmt_create_time, n.started_at, n.first_seen_at)) AS s(scope, created, started, seen)
    WHERE s.scope IS NOT NULL AND (o.scope, o.gmt_create_time, o.pipeline_id, o.node_id, o.user_id, o.source_type, o.status,
        o.started_at, o.first_seen_at, o.finished_at, o.duration, o.message, o.deleted_at, o.missing_since)
      IS DISTINCT FROM (n.scope, n.gmt_create_time, n.pipeline_id, n.node_id, n.user_id, n.source_type, n.status,
        n.started_at, n.first_seen_at, n.finished_at, n.duration, n.message, n.deleted_at, n.missing_since)
  ) m
  GROUP BY m.scope, m.bucket;
  -- What did not change cancels out.
  INSERT INTO pai.concurrency_due (scope, bucket, started, ended)
  SELECT m.scope, pai.quarter_hour(m.at), sum(m.started), sum(m.ended)
  FROM (
    SELECT scope, started_at AS at, -1 AS started, 0 AS ended FROM old_rows
    UNION ALL SELECT scope, pai.run_ended_at(status, started_at, finished_at, gmt_modified_time, deleted_at, missing_since), 0, -1 FROM old_rows
    UNION ALL SELECT scope, started_at, 1, 0 FROM new_rows
    UNION ALL SELECT scope, pai.run_ended_at(status, started_at, finished_at, gmt_modified_time, deleted_at, missing_since), 0, 1 FROM new_rows
  ) m
  WHERE m.at IS NOT NULL
  GROUP BY 1, 2
  HAVING sum(m.started) <> 0 OR sum(m.ended) <> 0;
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE FUNCTION "pai"."note_removed_runs"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO pai.rollup_due (scope, bucket, runs, nodes)
  SELECT DISTINCT o.scope, pai.rollup_bucket(o.gmt_create_time, o.started_at, o.first_seen_at), true, true FROM old_rows o;
  INSERT INTO pai.concurrency_due (scope, bucket, started, ended)
  SELECT m.scope, pai.quarter_hour(m.at), sum(m.started), sum(m.ended)
  FROM (
    SELECT scope, started_at AS at, -1 AS started, 0 AS ended FROM old_rows
    UNION ALL SELECT scope, pai.run_ended_at(status, started_at, finished_at, gmt_modified_time, deleted_at, missing_since), 0, -1 FROM old_rows
  ) m
  WHERE m.at IS NOT NULL
  GROUP BY 1, 2;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- Of nodes the run is noted and not its quarter hour: another transaction, which this one cannot see, may be moving the run
-- to another one at this moment.
CREATE FUNCTION "pai"."note_new_nodes"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO pai.node_due (pipeline_run_id) SELECT DISTINCT pipeline_run_id FROM new_rows;
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE FUNCTION "pai"."note_changed_nodes"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO pai.node_due (pipeline_run_id)
  SELECT DISTINCT coalesce(n.pipeline_run_id, o.pipeline_run_id)
  FROM old_rows o FULL JOIN new_rows n
    ON n.pipeline_run_id = o.pipeline_run_id AND n.node_id = o.node_id AND n.node_type = o.node_type
  WHERE (o.pipeline_run_id, o.node_name, o.status, o.started_at, o.finished_at, o.missing_since)
    IS DISTINCT FROM (n.pipeline_run_id, n.node_name, n.status, n.started_at, n.finished_at, n.missing_since);
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE FUNCTION "pai"."note_removed_nodes"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO pai.node_due (pipeline_run_id) SELECT DISTINCT pipeline_run_id FROM old_rows;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- The quarter hours whose sums of nodes are due. OFFSET 0 keeps it to one look into the index a run: the planner, which
-- knows nothing about how many are noted, would at times read all runs.
CREATE FUNCTION "pai"."due_node_buckets"() RETURNS TABLE (scope text, bucket timestamptz)
LANGUAGE sql STABLE AS $$
  SELECT d.scope, d.bucket FROM pai.rollup_due d WHERE d.nodes
  UNION
  SELECT r.scope, pai.rollup_bucket(r.gmt_create_time, r.started_at, r.first_seen_at)
  FROM (SELECT DISTINCT pipeline_run_id FROM pai.node_due) n
  CROSS JOIN LATERAL (SELECT p.scope, p.gmt_create_time, p.started_at, p.first_seen_at FROM pai.pipeline_runs p
    WHERE p.pipeline_run_id = n.pipeline_run_id OFFSET 0) r
$$;
--> statement-breakpoint
CREATE FUNCTION "pai"."note_no_runs"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  PERFORM pai.rebuild_rollups();
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- Puts the sums of these quarter hours, computed from the tables, in the place of those that are there.
CREATE FUNCTION "pai"."replace_rollups"(run_scopes text[], run_buckets timestamptz[], node_scopes text[], node_buckets timestamptz[])
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF cardinality(run_scopes) > 0 THEN
    DELETE FROM pai.run_rollup r USING unnest(run_scopes, run_buckets) AS b(scope, bucket)
    WHERE r.bucket = b.bucket AND r.scope = b.scope;
    INSERT INTO pai.run_rollup SELECT * FROM pai.compute_run_rollup(run_scopes, run_buckets);
    DELETE FROM pai.failure_rollup r USING unnest(run_scopes, run_buckets) AS b(scope, bucket)
    WHERE r.bucket = b.bucket AND r.scope = b.scope;
    INSERT INTO pai.failure_rollup SELECT * FROM pai.compute_failure_rollup(run_scopes, run_buckets);
  END IF;
  IF cardinality(node_scopes) > 0 THEN
    DELETE FROM pai.node_rollup r USING unnest(node_scopes, node_buckets) AS b(scope, bucket)
    WHERE r.bucket = b.bucket AND r.scope = b.scope;
    INSERT INTO pai.node_rollup SELECT * FROM pai.compute_node_rollup(node_scopes, node_buckets);
  END IF;
END
$$;
--> statement-breakpoint
-- Brings the sums of the newest quarter hours that are due up to date, at most so many; returns how many it looked at. One
-- at a time: a second caller finds 0. What is noted as due while this runs stays due, and so does what cannot be computed.
-- Without JIT, whose compiler took longer than the work.
CREATE FUNCTION "pai"."refresh_rollups"(max_buckets integer DEFAULT 500) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog SET jit = off AS $$
DECLARE
  due record;
  one record;
BEGIN
  -- In this order: who empties a table waits for the end of this, and does not meet it half way.
  LOCK TABLE pai.pipeline_runs, pai.pipeline_run_nodes IN ACCESS SHARE MODE;
  IF NOT pg_try_advisory_xact_lock(hashtextextended('pai.rollup_due', 0)) THEN
    RETURN 0;
  END IF;
  WITH moved AS (DELETE FROM pai.concurrency_due RETURNING scope, bucket, started, ended)
  INSERT INTO pai.concurrency_rollup AS c (scope, bucket, started, ended)
  SELECT m.scope, m.bucket, sum(m.started), sum(m.ended) FROM moved m GROUP BY m.scope, m.bucket
  ON CONFLICT (scope, bucket) DO UPDATE SET started = c.started + excluded.started, ended = c.ended + excluded.ended;
  -- A run that is not there yet will note all of its quarter hour when it comes.
  WITH named AS (DELETE FROM pai.node_due RETURNING pipeline_run_id)
  INSERT INTO pai.rollup_due (scope, bucket, runs, nodes)
  SELECT DISTINCT r.scope, pai.rollup_bucket(r.gmt_create_time, r.started_at, r.first_seen_at), false, true
  FROM (SELECT DISTINCT pipeline_run_id FROM named) n
  CROSS JOIN LATERAL (SELECT p.scope, p.gmt_create_time, p.started_at, p.first_seen_at FROM pai.pipeline_runs p
    WHERE p.pipeline_run_id = n.pipeline_run_id OFFSET 0) r;
  -- The deletion comes first: what the statements after it read is at least as new as what was noted.
  WITH taken AS (
    DELETE FROM pai.rollup_due d
    USING (SELECT scope, bucket FROM pai.rollup_due GROUP BY scope, bucket ORDER BY bucket DESC, scope LIMIT max_buckets) b
    WHERE d.scope = b.scope AND d.bucket = b.bucket
    RETURNING d.scope, d.bucket, d.runs, d.nodes
  ), buckets AS (
    SELECT scope, bucket, bool_or(runs) AS runs, bool_or(nodes) AS nodes FROM taken GROUP BY scope, bucket
  )
  SELECT count(*)::integer AS buckets,
    coalesce(array_agg(scope) FILTER (WHERE runs), '{}') AS run_scopes, coalesce(array_agg(bucket) FILTER (WHERE runs), '{}') AS run_buckets,
    coalesce(array_agg(scope) FILTER (WHERE nodes), '{}') AS node_scopes, coalesce(array_agg(bucket) FILTER (WHERE nodes), '{}') AS node_buckets
  INTO due FROM buckets;
  BEGIN
    PERFORM pai.replace_rollups(due.run_scopes, due.run_buckets, due.node_scopes, due.node_buckets);
    RETURN due.buckets;
  EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'sums of % quarter hours: %; they are computed one by one', due.buckets, SQLERRM;
  END;
  FOR one IN
    SELECT b.scope, b.bucket, b.is_run
    FROM (SELECT scope, bucket, true FROM unnest(due.run_scopes, due.run_buckets) AS r(scope, bucket)
      UNION ALL SELECT scope, bucket, false FROM unnest(due.node_scopes, due.node_buckets) AS n(scope, bucket)) AS b(scope, bucket, is_run)
  LOOP
    BEGIN
      IF one.is_run THEN
        PERFORM pai.replace_rollups(ARRAY[one.scope], ARRAY[one.bucket], '{}', '{}');
      ELSE
        PERFORM pai.replace_rollups('{}', '{}', ARRAY[one.scope], ARRAY[one.bucket]);
      END IF;
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'sums of % in %: %; they stay due', one.bucket, one.scope, SQLERRM;
      INSERT INTO pai.rollup_due (scope, bucket, runs, nodes) VALUES (one.scope, one.bucket, one.is_run, NOT one.is_run);
    END;
  END LOOP;
  RETURN due.buckets;
END
$$;
--> statement-breakpoint
-- From nothing, for a database that was filled before there were sums, or whose sums somebody has changed.
CREATE FUNCTION "pai"."rebuild_rollups"() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  -- What a refresh has computed and not committed could not be thrown away.
  PERFORM pg_advisory_xact_lock(hashtextextended('pai.rollup_due', 0));
  LOCK TABLE pai.pipeline_runs, pai.pipeline_run_nodes IN SHARE MODE;
  DELETE FROM pai.run_rollup;
  DELETE FROM pai.failure_rollup;
  DELETE FROM pai.node_rollup;
  DELETE FROM pai.concurrency_rollup;
  DELETE FROM pai.rollup_due;
  DELETE FROM pai.node_due;
  DELETE FROM pai.concurrency_due;
  INSERT INTO pai.rollup_due (scope, bucket, runs, nodes)
  SELECT DISTINCT scope, pai.rollup_bucket(gmt_create_time, started_at, first_seen_at), true, true FROM pai.pipeline_runs;
  INSERT INTO pai.concurrency_rollup (scope, bucket, started, ended)
  SELECT m.scope, pai.quarter_hour(m.at), sum(m.started), sum(m.ended)
  FROM (
    SELECT scope, started_at AS at, 1 AS started, 0 AS ended FROM pai.pipeline_runs
    UNION ALL SELECT scope, pai.run_ended_at(status, started_at, finished_at, gmt_modified_time, deleted_at, missing_since), 0, 1 FROM pai.pipeline_runs
  ) m
  WHERE m.at IS NOT NULL
  GROUP BY 1, 2;
END
$$;
--> statement-breakpoint
CREATE TRIGGER "note_new" AFTER INSERT ON "pai"."pipeline_runs" REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION "pai"."note_new_runs"();
--> statement-breakpoint
CREATE TRIGGER "note_changed" AFTER UPDATE ON "pai"."pipeline_runs" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION "pai"."note_changed_runs"();
--> statement-breakpoint
CREATE TRIGGER "note_removed" AFTER DELETE ON "pai"."pipeline_runs" REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION "pai"."note_removed_runs"();
--> statement-breakpoint
CREATE TRIGGER "note_emptied" AFTER TRUNCATE ON "pai"."pipeline_runs"
FOR EACH STATEMENT EXECUTE FUNCTION "pai"."note_no_runs"();
--> statement-breakpoint
CREATE TRIGGER "note_new" AFTER INSERT ON "pai"."pipeline_run_nodes" REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION "pai"."note_new_nodes"();
--> statement-breakpoint
CREATE TRIGGER "note_changed" AFTER UPDATE ON "pai"."pipeline_run_nodes" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION "pai"."note_changed_nodes"();
--> statement-breakpoint
CREATE TRIGGER "note_removed" AFTER DELETE ON "pai"."pipeline_run_nodes" REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION "pai"."note_removed_nodes"();
--> statement-breakpoint
CREATE TRIGGER "note_emptied" AFTER TRUNCATE ON "pai"."pipeline_run_nodes"
FOR EACH STATEMENT EXECUTE FUNCTION "pai"."note_no_runs"();
--> statement-breakpoint
SELECT pai.rebuild_rollups();
--> statement-breakpoint
COMMENT ON TABLE "pai"."run_rollup" IS 'Sums for the views: runs by the quarter hour of their creation, and by scope, pipeline, user and source type.';
COMMENT ON COLUMN "pai"."run_rollup"."grain" IS 'What the row sums up: all (every combination has a row), or workspace, pipeline, user, source_type (the others together, their columns null).';
COMMENT ON COLUMN "pai"."run_rollup"."bucket" IS 'Start of the quarter hour in which the runs were created.';
COMMENT ON COLUMN "pai"."run_rollup"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "pai"."run_rollup"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "pai"."run_rollup"."user_id" IS 'UserId.';
COMMENT ON COLUMN "pai"."run_rollup"."source_type" IS 'SourceType.';
COMMENT ON COLUMN "pai"."run_rollup"."runs" IS 'Runs.';
COMMENT ON COLUMN "pai"."run_rollup"."succeeded" IS 'Of these Succeeded.';
COMMENT ON COLUMN "pai"."run_rollup"."failed" IS 'Of these Failed.';
COMMENT ON COLUMN "pai"."run_rollup"."terminated" IS 'Of these Terminated.';
COMMENT ON COLUMN "pai"."run_rollup"."skipped" IS 'Of these Skipped.';
COMMENT ON COLUMN "pai"."run_rollup"."active" IS 'Of these not at an end.';
COMMENT ON COLUMN "pai"."run_rollup"."lost" IS 'Of these deleted or missing at the source before an end was seen.';
COMMENT ON COLUMN "pai"."run_rollup"."queued_runs" IS 'Runs that have started, whose time in the queue is known.';
COMMENT ON COLUMN "pai"."run_rollup"."queue_seconds" IS 'Sum of their seconds from creation to start.';
COMMENT ON COLUMN "pai"."run_rollup"."run_seconds" IS 'Sum of the seconds of the succeeded runs.';
COMMENT ON COLUMN "pai"."run_rollup"."succeeded_seconds" IS 'Seconds of each succeeded run, ascending.';
COMMENT ON TABLE "pai"."failure_rollup" IS 'Sums for the views: failed runs by the quarter hour of their creation, and by scope, pipeline and pattern of the message.';
COMMENT ON COLUMN "pai"."failure_rollup"."bucket" IS 'Start of the quarter hour in which the runs were created.';
COMMENT ON COLUMN "pai"."failure_rollup"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "pai"."failure_rollup"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "pai"."failure_rollup"."pattern" IS 'Message without ids, numbers and paths; (no message) where there is none.';
COMMENT ON COLUMN "pai"."failure_rollup"."runs" IS 'Failed runs.';
COMMENT ON COLUMN "pai"."failure_rollup"."last_pipeline_run_id" IS 'The one of them that was created last.';
COMMENT ON COLUMN "pai"."failure_rollup"."last_at" IS 'When that was.';
COMMENT ON TABLE "pai"."node_rollup" IS 'Sums for the views: nodes by the quarter hour in which their run was created, and by pipeline and name. Without root nodes.';
COMMENT ON COLUMN "pai"."node_rollup"."pipeline_id" IS 'PipelineId.';
COMMENT ON COLUMN "pai"."node_rollup"."node_name" IS 'NodeName.';
COMMENT ON COLUMN "pai"."node_rollup"."node_type" IS 'Logical or Physical.';
COMMENT ON COLUMN "pai"."node_rollup"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "pai"."node_rollup"."bucket" IS 'Start of the quarter hour in which the runs were created.';
COMMENT ON COLUMN "pai"."node_rollup"."nodes" IS 'Nodes, one a run.';
COMMENT ON COLUMN "pai"."node_rollup"."succeeded" IS 'Of these succeeded.';
COMMENT ON COLUMN "pai"."node_rollup"."failed" IS 'Of these failed.';
COMMENT ON COLUMN "pai"."node_rollup"."seconds" IS 'Sum of the seconds of the succeeded nodes.';
COMMENT ON COLUMN "pai"."node_rollup"."succeeded_seconds" IS 'Seconds of each succeeded node, ascending.';
COMMENT ON TABLE "pai"."concurrency_rollup" IS 'Sums for the views: runs that started and that ended in each quarter hour.';
COMMENT ON COLUMN "pai"."concurrency_rollup"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "pai"."concurrency_rollup"."bucket" IS 'Start of the quarter hour.';
COMMENT ON COLUMN "pai"."concurrency_rollup"."started" IS 'Runs that started in it.';
COMMENT ON COLUMN "pai"."concurrency_rollup"."ended" IS 'Runs that ended in it, or were dropped by the source.';
COMMENT ON TABLE "pai"."rollup_due" IS 'Quarter hours whose sums are to be computed anew; written by triggers, taken by refresh_rollups. Until then the views compute them.';
COMMENT ON COLUMN "pai"."rollup_due"."id" IS 'Ascends.';
COMMENT ON COLUMN "pai"."rollup_due"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "pai"."rollup_due"."bucket" IS 'Start of the quarter hour.';
COMMENT ON COLUMN "pai"."rollup_due"."runs" IS 'run_rollup and failure_rollup are due.';
COMMENT ON COLUMN "pai"."rollup_due"."nodes" IS 'node_rollup is due.';
COMMENT ON TABLE "pai"."node_due" IS 'Runs whose nodes have changed: node_rollup is due for their quarter hours. Written by triggers, taken by refresh_rollups.';
COMMENT ON COLUMN "pai"."node_due"."id" IS 'Ascends.';
COMMENT ON COLUMN "pai"."node_due"."pipeline_run_id" IS 'PipelineRunId.';
COMMENT ON TABLE "pai"."concurrency_due" IS 'What is to be added to concurrency_rollup; the views add it by themselves until then.';
COMMENT ON COLUMN "pai"."concurrency_due"."id" IS 'Ascends.';
COMMENT ON COLUMN "pai"."concurrency_due"."scope" IS 'Scope, region:workspaceId.';
COMMENT ON COLUMN "pai"."concurrency_due"."bucket" IS 'Start of the quarter hour.';
COMMENT ON COLUMN "pai"."concurrency_due"."started" IS 'Runs that started in it, less those that turned out not to.';
COMMENT ON COLUMN "pai"."concurrency_due"."ended" IS 'Runs that ended in it, less those that turned out not to.';
COMMENT ON FUNCTION "pai"."quarter_hour"(timestamptz) IS 'Start of the quarter hour (UTC) of a time.';
COMMENT ON FUNCTION "pai"."rollup_bucket"(timestamptz, timestamptz, timestamptz) IS 'The quarter hour (UTC) to which a run is counted: that of its creation, else of its start, else when it was first seen.';
COMMENT ON FUNCTION "pai"."run_outcome"(text, timestamptz, timestamptz) IS 'succeeded, failed, terminated, skipped, active; deleted or missing for a run that the source dropped before its end was seen.';
COMMENT ON FUNCTION "pai"."node_outcome"(text, timestamptz) IS 'succeeded, failed, terminated, skipped, active or missing.';
COMMENT ON FUNCTION "pai"."run_seconds"(bigint, timestamptz, timestamptz) IS 'Duration, else whole seconds from start to end; null where neither is known, at most 2147483647.';
COMMENT ON FUNCTION "pai"."queue_seconds"(timestamptz, timestamptz) IS 'Seconds from creation to start; null unless both are known and in this order.';
COMMENT ON FUNCTION "pai"."node_seconds"(timestamptz, timestamptz) IS 'Seconds from start to end; null unless both are known.';
COMMENT ON FUNCTION "pai"."run_ended_at"(text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz) IS 'When a run that has started stopped running: its end, or when the source dropped it; null while it is under way.';
COMMENT ON FUNCTION "pai"."error_pattern"(text) IS 'A message without what differs from run to run: ids, numbers, URLs, white space.';
COMMENT ON FUNCTION "pai"."compute_run_rollup"(text[], timestamptz[]) IS 'Rows of run_rollup for these quarter hours, computed from the tables.';
COMMENT ON FUNCTION "pai"."compute_failure_rollup"(text[], timestamptz[]) IS 'Rows of failure_rollup for these quarter hours, computed from the tables.';
COMMENT ON FUNCTION "pai"."compute_node_rollup"(text[], timestamptz[]) IS 'Rows of node_rollup for these quarter hours, computed from the tables.';
COMMENT ON FUNCTION "pai"."note_new_runs"() IS 'Trigger function: notes which sums new runs change.';
COMMENT ON FUNCTION "pai"."note_changed_runs"() IS 'Trigger function: notes which sums changed runs change.';
COMMENT ON FUNCTION "pai"."note_removed_runs"() IS 'Trigger function: notes which sums removed runs change.';
COMMENT ON FUNCTION "pai"."note_new_nodes"() IS 'Trigger function: notes which sums new nodes change.';
COMMENT ON FUNCTION "pai"."note_changed_nodes"() IS 'Trigger function: notes which sums changed nodes change.';
COMMENT ON FUNCTION "pai"."note_removed_nodes"() IS 'Trigger function: notes which sums removed nodes change.';
COMMENT ON FUNCTION "pai"."note_no_runs"() IS 'Trigger function: a table was emptied, so all sums are computed anew.';
COMMENT ON FUNCTION "pai"."due_node_buckets"() IS 'Quarter hours whose sums of nodes are to be computed anew.';
COMMENT ON FUNCTION "pai"."replace_rollups"(text[], timestamptz[], text[], timestamptz[]) IS 'Computes the sums of these quarter hours anew: of runs the first two arrays, of nodes the others.';
COMMENT ON FUNCTION "pai"."refresh_rollups"(integer) IS 'Brings the sums of the newest quarter hours that are due up to date, at most so many; returns how many it looked at.';
COMMENT ON FUNCTION "pai"."rebuild_rollups"() IS 'Throws all sums away and notes every quarter hour as due.';
