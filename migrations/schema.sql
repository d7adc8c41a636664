create sequence pai.change_events_event_id_seq as bigint increment 1 start 1 cache 1;
comment on sequence pai.change_events_event_id_seq is 'Source of change_events.event_id.';

create type analytics.node_pack as (
  seconds double precision[]
);
comment on type analytics.node_pack is 'Seconds of nodes: an array of these may hold arrays of any length.';

create type analytics.pack as (
  seconds integer[]
);
comment on type analytics.pack is 'Seconds of runs: an array of these may hold arrays of any length.';

CREATE OR REPLACE FUNCTION pai.compute_failure_rollup(scopes text[], buckets timestamp with time zone[])
 RETURNS SETOF pai.failure_rollup
 LANGUAGE sql
 STABLE
AS $function$
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
$function$;
comment on function pai.compute_failure_rollup(scopes text[], buckets timestamp with time zone[]) is 'Rows of failure_rollup for these quarter hours, computed from the tables.';

CREATE OR REPLACE FUNCTION pai.compute_node_rollup(scopes text[], buckets timestamp with time zone[])
 RETURNS SETOF pai.node_rollup
 LANGUAGE sql
 STABLE
AS $function$
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
$function$;
comment on function pai.compute_node_rollup(scopes text[], buckets timestamp with time zone[]) is 'Rows of node_rollup for these quarter hours, computed from the tables.';

CREATE OR REPLACE FUNCTION pai.compute_run_rollup(scopes text[], buckets timestamp with time zone[])
 RETURNS SETOF pai.run_rollup
 LANGUAGE sql
 STABLE
AS $function$
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
$function$;
comment on function pai.compute_run_rollup(scopes text[], buckets timestamp with time zone[]) is 'Rows of run_rollup for these quarter hours, computed from the tables.';

CREATE OR REPLACE FUNCTION pai.describe_change_event_partition(partition_name text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
  note record;
BEGIN
  FOR note IN
    SELECT a.attname, d.description FROM pg_description d
    LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0
    WHERE d.classoid = 'pg_class'::regclass AND d.objoid = 'pai.change_events'::regclass
  LOOP
    IF note.attname IS NULL THEN
      EXECUTE format('COMMENT ON TABLE pai.%I IS %L', partition_name, 'One part of change_events. ' || note.description);
    ELSE
      EXECUTE format('COMMENT ON COLUMN pai.%I.%I IS %L', partition_name, note.attname, note.description);
    END IF;
  END LOOP;
END
$function$;
comment on function pai.describe_change_event_partition(partition_name text) is 'Gives a partition of change_events the comments of the table and its columns.';

CREATE OR REPLACE FUNCTION pai.due_node_buckets()
 RETURNS TABLE(scope text, bucket timestamp with time zone)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT d.scope, d.bucket FROM pai.rollup_due d WHERE d.nodes
  UNION
  SELECT r.scope, pai.rollup_bucket(r.gmt_create_time, r.started_at, r.first_seen_at)
  FROM (SELECT DISTINCT pipeline_run_id FROM pai.node_due) n
  CROSS JOIN LATERAL (SELECT p.scope, p.gmt_create_time, p.started_at, p.first_seen_at FROM pai.pipeline_runs p
    WHERE p.pipeline_run_id = n.pipeline_run_id OFFSET 0) r
$function$;
comment on function pai.due_node_buckets() is 'Quarter hours whose sums of nodes are to be computed anew.';

CREATE OR REPLACE FUNCTION pai.ensure_change_event_partitions(months_ahead integer)
 RETURNS SETOF text
 LANGUAGE plpgsql
AS $function$
DECLARE
  month_start timestamp;
  lower_bound timestamptz;
  upper_bound timestamptz;
  partition_name text;
BEGIN
  FOR i IN 0..months_ahead LOOP
    month_start := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => i);
    lower_bound := month_start AT TIME ZONE 'UTC';
    upper_bound := (month_start + interval '1 month') AT TIME ZONE 'UTC';
    partition_name := 'change_events_' || to_char(month_start, 'YYYY_MM');
    CONTINUE WHEN to_regclass('pai.' || partition_name) IS NOT NULL;
    -- The default partition may hold events of that month already: then the month stays there.
    CONTINUE WHEN EXISTS (
      SELECT FROM pai.change_events_default d WHERE d.observed_at >= lower_bound AND d.observed_at < upper_bound);
    BEGIN
      EXECUTE format('CREATE TABLE pai.%I PARTITION OF pai.change_events FOR VALUES FROM (%L) TO (%L)',
        partition_name, lower_bound, upper_bound);
      EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON pai.%I '
        'FOR EACH STATEMENT EXECUTE FUNCTION pai.refuse_history_change()', partition_name);
      PERFORM pai.describe_change_event_partition(partition_name);
    EXCEPTION
      -- An event of that month was written between the look and the creation.
      WHEN check_violation THEN CONTINUE;
    END;
    RETURN NEXT partition_name;
  END LOOP;
END
$function$;
comment on function pai.ensure_change_event_partitions(months_ahead integer) is 'Creates the monthly partitions of change_events from this month up to so many months ahead; returns the names of the new ones.';

CREATE OR REPLACE FUNCTION pai.ensure_reader()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
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
$function$;
comment on function pai.ensure_reader() is 'Makes the role pai_reader, if there is none, and gives it the right to read both schemas.';

CREATE OR REPLACE FUNCTION pai.error_pattern(message text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT CASE WHEN message IS NULL OR btrim(message, E' \t\r\n') = '' THEN '(no message)' ELSE
    left(btrim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(left(btrim(message, E' \t\r\n'), 1000),
      '[a-z][a-z0-9+.-]*://\S+', '<url>', 'gi'),
      '\m(?=[0-9a-z]*[0-9])(?=[0-9a-z]*[a-z])[0-9a-z]{12,}\M|\m[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\M', '<id>', 'gi'),
      '(?<![0-9])(?<![A-Z]-)[0-9]+(?:\.[0-9]+)?', '<n>', 'g'),
      '\s+', ' ', 'g')), 300) END
$function$;
comment on function pai.error_pattern(message text) is 'A message without what differs from run to run: ids, numbers, URLs, white space.';

CREATE OR REPLACE FUNCTION pai.node_outcome(status text, missing_since timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT CASE status WHEN 'Succeeded' THEN 'succeeded' WHEN 'Succeed' THEN 'succeeded' WHEN 'Failed' THEN 'failed'
    WHEN 'Terminated' THEN 'terminated' WHEN 'Skipped' THEN 'skipped'
    ELSE CASE WHEN missing_since IS NOT NULL THEN 'missing' ELSE 'active' END END
$function$;
comment on function pai.node_outcome(status text, missing_since timestamp with time zone) is 'succeeded, failed, terminated, skipped, active or missing.';

CREATE OR REPLACE FUNCTION pai.node_seconds(started timestamp with time zone, finished timestamp with time zone)
 RETURNS double precision
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  SELECT CASE WHEN isfinite(started) AND isfinite(finished)
    THEN greatest((extract(epoch FROM finished) - extract(epoch FROM started))::double precision, 0) END
$function$;
comment on function pai.node_seconds(started timestamp with time zone, finished timestamp with time zone) is 'Seconds from start to end; null unless both are known.';

CREATE OR REPLACE FUNCTION pai.note_changed_nodes()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
BEGIN
  INSERT INTO pai.node_due (pipeline_run_id)
  SELECT DISTINCT coalesce(n.pipeline_run_id, o.pipeline_run_id)
  FROM old_rows o FULL JOIN new_rows n
    ON n.pipeline_run_id = o.pipeline_run_id AND n.node_id = o.node_id AND n.node_type = o.node_type
  WHERE (o.pipeline_run_id, o.node_name, o.status, o.started_at, o.finished_at, o.missing_since)
    IS DISTINCT FROM (n.pipeline_run_id, n.node_name, n.status, n.started_at, n.finished_at, n.missing_since);
  RETURN NULL;
END
$function$;
comment on function pai.note_changed_nodes() is 'Trigger function: notes which sums changed nodes change.';

CREATE OR REPLACE FUNCTION pai.note_changed_runs()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
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
$function$;
comment on function pai.note_changed_runs() is 'Trigger function: notes which sums changed runs change.';

CREATE OR REPLACE FUNCTION pai.note_new_nodes()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
BEGIN
  INSERT INTO pai.node_due (pipeline_run_id) SELECT DISTINCT pipeline_run_id FROM new_rows;
  RETURN NULL;
END
$function$;
comment on function pai.note_new_nodes() is 'Trigger function: notes which sums new nodes change.';

CREATE OR REPLACE FUNCTION pai.note_new_runs()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
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
$function$;
comment on function pai.note_new_runs() is 'Trigger function: notes which sums new runs change.';

CREATE OR REPLACE FUNCTION pai.note_no_runs()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
BEGIN
  PERFORM pai.rebuild_rollups();
  RETURN NULL;
END
$function$;
comment on function pai.note_no_runs() is 'Trigger function: a table was emptied, so all sums are computed anew.';

CREATE OR REPLACE FUNCTION pai.note_removed_nodes()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
BEGIN
  INSERT INTO pai.node_due (pipeline_run_id) SELECT DISTINCT pipeline_run_id FROM old_rows;
  RETURN NULL;
END
$function$;
comment on function pai.note_removed_nodes() is 'Trigger function: notes which sums removed nodes change.';

CREATE OR REPLACE FUNCTION pai.note_removed_runs()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
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
$function$;
comment on function pai.note_removed_runs() is 'Trigger function: notes which sums removed runs change.';

CREATE OR REPLACE FUNCTION pai.quarter_hour(at timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT CASE WHEN at < timestamptz '2000-01-01 00:00:00+00'
    THEN date_bin(interval '15 minutes', at, timestamptz '4714-11-24 00:00:00+00 BC')
    ELSE date_bin(interval '15 minutes', at, timestamptz '2000-01-01 00:00:00+00') END
$function$;
comment on function pai.quarter_hour(at timestamp with time zone) is 'Start of the quarter hour (UTC) of a time.';

CREATE OR REPLACE FUNCTION pai.queue_seconds(created timestamp with time zone, started timestamp with time zone)
 RETURNS double precision
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  SELECT CASE WHEN started >= created AND isfinite(created) AND isfinite(started)
    THEN (extract(epoch FROM started) - extract(epoch FROM created))::double precision END
$function$;
comment on function pai.queue_seconds(created timestamp with time zone, started timestamp with time zone) is 'Seconds from creation to start; null unless both are known and in this order.';

CREATE OR REPLACE FUNCTION pai.rebuild_rollups()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
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
$function$;
comment on function pai.rebuild_rollups() is 'Throws all sums away and notes every quarter hour as due.';

CREATE OR REPLACE FUNCTION pai.refresh_rollups(max_buckets integer DEFAULT 500)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
 SET jit TO 'off'
AS $function$
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
$function$;
comment on function pai.refresh_rollups(max_buckets integer) is 'Brings the sums of the newest quarter hours that are due up to date, at most so many; returns how many it looked at.';

CREATE OR REPLACE FUNCTION pai.refuse_history_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION '% of %.% refused: the history is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation',
          HINT = 'Old history is pruned by detaching or dropping whole monthly partitions.';
END
$function$;
comment on function pai.refuse_history_change() is 'Trigger function that keeps change_events append-only.';

CREATE OR REPLACE FUNCTION pai.replace_rollups(run_scopes text[], run_buckets timestamp with time zone[], node_scopes text[], node_buckets timestamp with time zone[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
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
$function$;
comment on function pai.replace_rollups(run_scopes text[], run_buckets timestamp with time zone[], node_scopes text[], node_buckets timestamp with time zone[]) is 'Computes the sums of these quarter hours anew: of runs the first two arrays, of nodes the others.';

CREATE OR REPLACE FUNCTION pai.rollup_bucket(created timestamp with time zone, started timestamp with time zone, first_seen timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT pai.quarter_hour(coalesce(created, started, first_seen))
$function$;
comment on function pai.rollup_bucket(created timestamp with time zone, started timestamp with time zone, first_seen timestamp with time zone) is 'The quarter hour (UTC) to which a run is counted: that of its creation, else of its start, else when it was first seen.';

CREATE OR REPLACE FUNCTION pai.run_ended_at(status text, started timestamp with time zone, finished timestamp with time zone, modified timestamp with time zone, deleted_at timestamp with time zone, missing_since timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT CASE WHEN started IS NULL THEN NULL
    WHEN status IN ('Succeeded', 'Failed', 'Terminated', 'Skipped') THEN greatest(started, coalesce(finished, modified, started))
    WHEN deleted_at IS NOT NULL OR missing_since IS NOT NULL THEN greatest(started, coalesce(deleted_at, missing_since)) END
$function$;
comment on function pai.run_ended_at(status text, started timestamp with time zone, finished timestamp with time zone, modified timestamp with time zone, deleted_at timestamp with time zone, missing_since timestamp with time zone) is 'When a run that has started stopped running: its end, or when the source dropped it; null while it is under way.';

CREATE OR REPLACE FUNCTION pai.run_outcome(status text, deleted_at timestamp with time zone, missing_since timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT CASE status WHEN 'Succeeded' THEN 'succeeded' WHEN 'Failed' THEN 'failed' WHEN 'Terminated' THEN 'terminated'
    WHEN 'Skipped' THEN 'skipped'
    ELSE CASE WHEN deleted_at IS NOT NULL THEN 'deleted' WHEN missing_since IS NOT NULL THEN 'missing' ELSE 'active' END END
$function$;
comment on function pai.run_outcome(status text, deleted_at timestamp with time zone, missing_since timestamp with time zone) is 'succeeded, failed, terminated, skipped, active; deleted or missing for a run that the source dropped before its end was seen.';

CREATE OR REPLACE FUNCTION pai.run_seconds(duration bigint, started timestamp with time zone, finished timestamp with time zone)
 RETURNS bigint
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  SELECT CASE WHEN duration IS NOT NULL THEN least(greatest(duration, 0), 2147483647)
    WHEN isfinite(started) AND isfinite(finished)
      THEN least(greatest(floor(extract(epoch FROM finished) - extract(epoch FROM started)), 0), 2147483647)::bigint END
$function$;
comment on function pai.run_seconds(duration bigint, started timestamp with time zone, finished timestamp with time zone) is 'Duration, else whole seconds from start to end; null where neither is known, at most 2147483647.';

CREATE OR REPLACE FUNCTION analytics.node_percentiles(packs analytics.node_pack[])
 RETURNS double precision[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s) FROM (SELECT unnest(k.seconds) AS s FROM unnest(packs) k) u
$function$;
comment on function analytics.node_percentiles(packs analytics.node_pack[]) is 'The same for node_buckets.';

CREATE OR REPLACE FUNCTION analytics.percentiles(packs analytics.pack[])
 RETURNS integer[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY u.s) FROM (SELECT unnest(k.seconds) AS s FROM unnest(packs) k) u
$function$;
comment on function analytics.percentiles(packs analytics.pack[]) is 'The 50th, 95th and 99th percentile (percentile_disc) of all that is packed: percentiles(array_agg(pack)) over run_buckets.';

CREATE OR REPLACE FUNCTION analytics.run_as_of(id text, at timestamp with time zone)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET "TimeZone" TO 'UTC'
 SET search_path TO 'pg_catalog'
AS $function$
DECLARE
  document jsonb;
  seen timestamptz;
  event record;
  last_kind text;
  last_at timestamptz;
BEGIN
  SELECT r.first_seen_at, to_jsonb(r) INTO seen, document
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
  document := coalesce(document, '{}');
  FOR event IN
    SELECT e.kind, e.changes FROM pai.change_events e
    WHERE e.entity_id = id AND e.entity IN ('pipeline_run', 'run') AND e.observed_at > at AND e.changes IS NOT NULL
    ORDER BY e.event_id DESC
  LOOP
    -- It lists every column that had a value; what came after it says nothing of the others.
    IF event.kind = 'pruned' THEN
      document := '{}';
    END IF;
    SELECT document || coalesce(jsonb_object_agg(c.key, c.value -> 0), '{}') INTO document
    FROM jsonb_each(event.changes) c WHERE jsonb_typeof(c.value) = 'array';
  END LOOP;
  SELECT e.kind, e.observed_at INTO last_kind, last_at FROM pai.change_events e
  WHERE e.entity_id = id AND e.entity IN ('pipeline_run', 'run') AND e.observed_at <= at
    AND e.kind IN ('discovered', 'restored', 'deleted', 'missing', 'pruned')
  ORDER BY e.event_id DESC LIMIT 1;
  document := document - ARRAY['deleted_at', 'missing_since', 'updated_at', 'observed_at', 'answer_request_id', 'revision',
    'nodes_revision', 'details_revision', 'nodes_open', 'nodes_fetched_at'];
  -- Nulls inside of a document stay.
  RETURN (SELECT coalesce(jsonb_object_agg(d.key, d.value) FILTER (WHERE d.value <> 'null'), '{}') FROM jsonb_each(document) d)
    || CASE last_kind WHEN 'deleted' THEN jsonb_build_object('deleted_at', last_at) WHEN 'missing' THEN jsonb_build_object('missing_since', last_at)
      WHEN 'pruned' THEN jsonb_build_object('pruned_at', last_at) ELSE '{}' END;
END
$function$;
comment on function analytics.run_as_of(id text, at timestamp with time zone) is 'A pipeline run or experiment run as the mirror knew it at that time, from its history, also after it was pruned; null when it was not known yet.';

create unlogged table pai.call_budgets (
  region text not null,
  name text not null,
  due_at timestamp with time zone not null,
  pace double precision not null,
  paused_until timestamp with time zone,
  slowed_at timestamp with time zone,
  constraint call_budgets_region_name_pk PRIMARY KEY (region, name)
);
comment on table pai.call_budgets is 'The pace of the calls to PAI, shared by all replicas: one row a region and budget.';
comment on column pai.call_budgets.region is 'Region.';
comment on column pai.call_budgets.name is 'Budget: flow, listRuns or listWorkspaces.';
comment on column pai.call_budgets.due_at is 'When the next call is due, by the database''s clock.';
comment on column pai.call_budgets.pace is 'Share of the configured rate that is used now; less than 1 after throttling or failures.';
comment on column pai.call_budgets.paused_until is 'No call before this time: the source asked for a pause.';
comment on column pai.call_budgets.slowed_at is 'When the pace was lowered last.';

create table pai.change_events (
  event_id bigint default nextval('pai.change_events_event_id_seq'::regclass) not null,
  entity text not null,
  entity_id text not null,
  node_id text,
  node_type text,
  region text not null,
  scope text not null,
  kind text not null,
  from_status text,
  to_status text,
  changes jsonb,
  source_time timestamp with time zone,
  observed_at timestamp with time zone not null,
  request_id text,
  constraint change_events_entity_id_event_id_observed_at_pk PRIMARY KEY (entity_id, event_id, observed_at)
) partition by RANGE (observed_at);
CREATE INDEX change_events_changed ON ONLY pai.change_events USING btree (scope, observed_at) WHERE (kind <> 'discovered'::text);
CREATE INDEX change_events_observed ON ONLY pai.change_events USING btree (scope, observed_at);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pai.change_events FOR EACH STATEMENT EXECUTE FUNCTION pai.refuse_history_change();
CREATE TRIGGER append_only_rows BEFORE DELETE OR UPDATE ON pai.change_events FOR EACH ROW EXECUTE FUNCTION pai.refuse_history_change();
comment on table pai.change_events is 'History of every change that the mirror saw. Append-only, one partition a month of observed_at (UTC).';
comment on column pai.change_events.event_id is 'Ascends; of one entity in the order in which the changes were stored.';
comment on column pai.change_events.entity is 'pipeline_run, node or run.';
comment on column pai.change_events.entity_id is 'PipelineRunId (also for nodes) or RunId.';
comment on column pai.change_events.node_id is 'NodeId, for nodes.';
comment on column pai.change_events.node_type is 'Logical or Physical, for nodes.';
comment on column pai.change_events.region is 'Region of the scope.';
comment on column pai.change_events.scope is 'Scope whose pass saw the change.';
comment on column pai.change_events.kind is 'discovered, changed, deleted, missing, restored (it is there again, also after it was pruned) or pruned (retention took the run out of the mirror).';
comment on column pai.change_events.from_status is 'Status before; null for discovered. Of a run that is restored after it was pruned: the one that it had then.';
comment on column pai.change_events.to_status is 'Status after.';
comment on column pai.change_events.changes is 'Column to [old, new] for each changed column; null for discovered. Params and labels are named params.KEY and labels.KEY. For pruned: every column that had a value, [value, null], and what hung on the run: nodes (key, name, status and times of each), details.arguments, details.options; params.KEY, labels.KEY, metrics.KEY (the last point and how many there were).';
comment on column pai.change_events.source_time is 'When it happened by the source''s clock: GmtModifiedTime of a run, FinishedAt or else StartedAt of a node; null where the answer tells no time.';
comment on column pai.change_events.observed_at is 'When the call whose answer showed the change was sent, by the mirror''s clock.';
comment on column pai.change_events.request_id is 'RequestId of the answer that proves it; null for pruned.';

create table pai.change_events_default partition of pai.change_events DEFAULT;
CREATE TRIGGER append_only_statements BEFORE DELETE OR UPDATE ON pai.change_events_default FOR EACH STATEMENT EXECUTE FUNCTION pai.refuse_history_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON pai.change_events_default FOR EACH STATEMENT EXECUTE FUNCTION pai.refuse_history_change();
comment on table pai.change_events_default is 'One part of change_events. History of every change that the mirror saw. Append-only, one partition a month of observed_at (UTC).';
comment on column pai.change_events_default.event_id is 'Ascends; of one entity in the order in which the changes were stored.';
comment on column pai.change_events_default.entity is 'pipeline_run, node or run.';
comment on column pai.change_events_default.entity_id is 'PipelineRunId (also for nodes) or RunId.';
comment on column pai.change_events_default.node_id is 'NodeId, for nodes.';
comment on column pai.change_events_default.node_type is 'Logical or Physical, for nodes.';
comment on column pai.change_events_default.region is 'Region of the scope.';
comment on column pai.change_events_default.scope is 'Scope whose pass saw the change.';
comment on column pai.change_events_default.kind is 'discovered, changed, deleted, missing, restored (it is there again, also after it was pruned) or pruned (retention took the run out of the mirror).';
comment on column pai.change_events_default.from_status is 'Status before; null for discovered. Of a run that is restored after it was pruned: the one that it had then.';
comment on column pai.change_events_default.to_status is 'Status after.';
comment on column pai.change_events_default.changes is 'Column to [old, new] for each changed column; null for discovered. Params and labels are named params.KEY and labels.KEY. For pruned: every column that had a value, [value, null], and what hung on the run: nodes (key, name, status and times of each), details.arguments, details.options; params.KEY, labels.KEY, metrics.KEY (the last point and how many there were).';
comment on column pai.change_events_default.source_time is 'When it happened by the source''s clock: GmtModifiedTime of a run, FinishedAt or else StartedAt of a node; null where the answer tells no time.';
comment on column pai.change_events_default.observed_at is 'When the call whose answer showed the change was sent, by the mirror''s clock.';
comment on column pai.change_events_default.request_id is 'RequestId of the answer that proves it; null for pruned.';

create table pai.concurrency_due (
  id bigint generated always as identity not null,
  scope text not null,
  bucket timestamp with time zone not null,
  started bigint not null,
  ended bigint not null,
  constraint concurrency_due_pkey PRIMARY KEY (id)
);
comment on table pai.concurrency_due is 'What is to be added to concurrency_rollup; the views add it by themselves until then.';
comment on column pai.concurrency_due.id is 'Ascends.';
comment on column pai.concurrency_due.scope is 'Scope, region:workspaceId.';
comment on column pai.concurrency_due.bucket is 'Start of the quarter hour.';
comment on column pai.concurrency_due.started is 'Runs that started in it, less those that turned out not to.';
comment on column pai.concurrency_due.ended is 'Runs that ended in it, less those that turned out not to.';

create table pai.concurrency_rollup (
  scope text not null,
  bucket timestamp with time zone not null,
  started bigint not null,
  ended bigint not null,
  constraint concurrency_rollup_scope_bucket_pk PRIMARY KEY (scope, bucket)
);
comment on table pai.concurrency_rollup is 'Sums for the views: runs that started and that ended in each quarter hour.';
comment on column pai.concurrency_rollup.scope is 'Scope, region:workspaceId.';
comment on column pai.concurrency_rollup.bucket is 'Start of the quarter hour.';
comment on column pai.concurrency_rollup.started is 'Runs that started in it.';
comment on column pai.concurrency_rollup.ended is 'Runs that ended in it, or were dropped by the source.';

create table pai.failure_rollup (
  bucket timestamp with time zone not null,
  scope text not null,
  pipeline_id text,
  pattern text not null,
  runs bigint not null,
  last_pipeline_run_id text not null,
  last_at timestamp with time zone not null
);
CREATE INDEX failure_rollup_bucket ON pai.failure_rollup USING btree (bucket, scope);
CREATE INDEX failure_rollup_pipeline ON pai.failure_rollup USING btree (pipeline_id, bucket);
comment on table pai.failure_rollup is 'Sums for the views: failed runs by the quarter hour of their creation, and by scope, pipeline and pattern of the message.';
comment on column pai.failure_rollup.bucket is 'Start of the quarter hour in which the runs were created.';
comment on column pai.failure_rollup.scope is 'Scope, region:workspaceId.';
comment on column pai.failure_rollup.pipeline_id is 'PipelineId.';
comment on column pai.failure_rollup.pattern is 'Message without ids, numbers and paths; (no message) where there is none.';
comment on column pai.failure_rollup.runs is 'Failed runs.';
comment on column pai.failure_rollup.last_pipeline_run_id is 'The one of them that was created last.';
comment on column pai.failure_rollup.last_at is 'When that was.';

create table pai.node_due (
  id bigint generated always as identity not null,
  pipeline_run_id text not null,
  constraint node_due_pkey PRIMARY KEY (id)
);
comment on table pai.node_due is 'Runs whose nodes have changed: node_rollup is due for their quarter hours. Written by triggers, taken by refresh_rollups.';
comment on column pai.node_due.id is 'Ascends.';
comment on column pai.node_due.pipeline_run_id is 'PipelineRunId.';

create table pai.node_outputs (
  pipeline_run_id text not null,
  id text not null,
  node_id text,
  name text,
  type text,
  metadata jsonb,
  value jsonb,
  value_raw text,
  producer text,
  gmt_create_time timestamp with time zone,
  expanded_artifact_index bigint,
  expandable_artifact_name text,
  region text not null,
  first_seen_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  observed_at timestamp with time zone not null,
  answer_request_id text,
  deleted_at timestamp with time zone,
  extra jsonb,
  constraint node_outputs_pipeline_run_id_id_pk PRIMARY KEY (pipeline_run_id, id)
);
comment on table pai.node_outputs is 'Outputs of nodes, from ListPipelineRunsStatus; kept, with a tombstone, when a later answer does not name them.';
comment on column pai.node_outputs.pipeline_run_id is 'PipelineRunId of the run.';
comment on column pai.node_outputs.id is 'Id of the output.';
comment on column pai.node_outputs.node_id is 'NodeId of the node that has the output.';
comment on column pai.node_outputs.name is 'Name.';
comment on column pai.node_outputs.type is 'Type: what kind of output it is.';
comment on column pai.node_outputs.metadata is 'Metadata, as one JSON document.';
comment on column pai.node_outputs.value is 'Value: where the output is, or what it is. Null where the text is no JSON.';
comment on column pai.node_outputs.value_raw is 'value as PAI sent it, only where that text is no JSON.';
comment on column pai.node_outputs.producer is 'Producer: the node that made it.';
comment on column pai.node_outputs.gmt_create_time is 'GmtCreateTime.';
comment on column pai.node_outputs.expanded_artifact_index is 'ExpandedArtifactIndex: position within an expanded artifact.';
comment on column pai.node_outputs.expandable_artifact_name is 'ExpandableArtifactName.';
comment on column pai.node_outputs.region is 'Region in which the row was listed, such as cn-shanghai.';
comment on column pai.node_outputs.first_seen_at is 'When the mirror stored the row first, by the database''s clock.';
comment on column pai.node_outputs.updated_at is 'When the mirror last changed the row, by the database''s clock.';
comment on column pai.node_outputs.observed_at is 'When the call whose answer last changed the row was sent, by the mirror''s clock; an older answer is refused.';
comment on column pai.node_outputs.answer_request_id is 'RequestId of the answer that last changed the row.';
comment on column pai.node_outputs.deleted_at is 'Tombstone: when an answer about the node no longer named the output, as after a rerun; cleared when it is named again.';
comment on column pai.node_outputs.extra is 'Fields of the answer that this version does not know, as one object.';

create table pai.node_rollup (
  pipeline_id text,
  node_name text,
  node_type text not null,
  scope text not null,
  bucket timestamp with time zone not null,
  nodes bigint not null,
  succeeded bigint not null,
  failed bigint not null,
  seconds double precision not null,
  succeeded_seconds double precision[] not null
);
CREATE INDEX node_rollup_bucket ON pai.node_rollup USING btree (bucket, scope);
CREATE INDEX node_rollup_pipeline ON pai.node_rollup USING btree (pipeline_id, bucket);
comment on table pai.node_rollup is 'Sums for the views: nodes by the quarter hour in which their run was created, and by pipeline and name. Without root nodes.';
comment on column pai.node_rollup.pipeline_id is 'PipelineId.';
comment on column pai.node_rollup.node_name is 'NodeName.';
comment on column pai.node_rollup.node_type is 'Logical or Physical.';
comment on column pai.node_rollup.scope is 'Scope, region:workspaceId.';
comment on column pai.node_rollup.bucket is 'Start of the quarter hour in which the runs were created.';
comment on column pai.node_rollup.nodes is 'Nodes, one a run.';
comment on column pai.node_rollup.succeeded is 'Of these succeeded.';
comment on column pai.node_rollup.failed is 'Of these failed.';
comment on column pai.node_rollup.seconds is 'Sum of the seconds of the succeeded nodes.';
comment on column pai.node_rollup.succeeded_seconds is 'Seconds of each succeeded node, ascending.';

create table pai.pipeline_run_details (
  pipeline_run_id text not null,
  manifest jsonb,
  manifest_raw text,
  arguments jsonb,
  arguments_raw text,
  options jsonb,
  options_raw text,
  region text not null,
  first_seen_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  scope text not null,
  fetched_at timestamp with time zone not null,
  answer_request_id text,
  constraint pipeline_run_details_pkey PRIMARY KEY (pipeline_run_id)
);
comment on table pai.pipeline_run_details is 'What only GetPipelineRun says of a pipeline run, one row a run.';
comment on column pai.pipeline_run_details.pipeline_run_id is 'PipelineRunId.';
comment on column pai.pipeline_run_details.manifest is 'Manifest: the definition that was run. Null where the text is no JSON.';
comment on column pai.pipeline_run_details.manifest_raw is 'manifest as PAI sent it, only where that text is no JSON.';
comment on column pai.pipeline_run_details.arguments is 'Arguments: the inputs of the run. Null where the text is no JSON.';
comment on column pai.pipeline_run_details.arguments_raw is 'arguments as PAI sent it, only where that text is no JSON.';
comment on column pai.pipeline_run_details.options is 'Options of the run. Null where the text is no JSON.';
comment on column pai.pipeline_run_details.options_raw is 'options as PAI sent it, only where that text is no JSON.';
comment on column pai.pipeline_run_details.region is 'Region in which the row was listed, such as cn-shanghai.';
comment on column pai.pipeline_run_details.first_seen_at is 'When the mirror stored the row first, by the database''s clock.';
comment on column pai.pipeline_run_details.updated_at is 'When the mirror last changed the row, by the database''s clock.';
comment on column pai.pipeline_run_details.scope is 'Scope, region:workspaceId, under which the row was listed; workspace_id keeps what PAI says itself.';
comment on column pai.pipeline_run_details.fetched_at is 'When the call whose answer last changed the row was sent, by the mirror''s clock.';
comment on column pai.pipeline_run_details.answer_request_id is 'RequestId of the answer that last changed the row.';

create table pai.pipeline_run_nodes (
  pipeline_run_id text not null,
  node_id text not null,
  node_type text not null,
  node_name text,
  status text,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  runtime_info jsonb,
  runtime_info_raw text,
  input_artifact_archived boolean,
  output_artifact_archived boolean,
  region text not null,
  first_seen_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  scope text not null,
  observed_at timestamp with time zone not null,
  answer_request_id text,
  revision bigint not null,
  deleted_at timestamp with time zone,
  missing_since timestamp with time zone,
  extra jsonb,
  outputs_revision bigint default 0 not null,
  constraint pipeline_run_nodes_pipeline_run_id_node_id_node_type_pk PRIMARY KEY (pipeline_run_id, node_id, node_type)
);
CREATE INDEX pipeline_run_nodes_due_outputs ON pai.pipeline_run_nodes USING btree (scope, pipeline_run_id, node_id) WHERE ((outputs_revision < revision) AND (missing_since IS NULL));
CREATE TRIGGER note_changed AFTER UPDATE ON pai.pipeline_run_nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pai.note_changed_nodes();
CREATE TRIGGER note_emptied AFTER TRUNCATE ON pai.pipeline_run_nodes FOR EACH STATEMENT EXECUTE FUNCTION pai.note_no_runs();
CREATE TRIGGER note_new AFTER INSERT ON pai.pipeline_run_nodes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pai.note_new_nodes();
CREATE TRIGGER note_removed AFTER DELETE ON pai.pipeline_run_nodes REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION pai.note_removed_nodes();
comment on table pai.pipeline_run_nodes is 'Nodes of pipeline runs, one row a node and type, from ListPipelineRunNodeStatus and ListPipelineRunsStatus.';
comment on column pai.pipeline_run_nodes.pipeline_run_id is 'PipelineRunId of the run.';
comment on column pai.pipeline_run_nodes.node_id is 'NodeId.';
comment on column pai.pipeline_run_nodes.node_type is 'Type that was asked for: Logical or Physical.';
comment on column pai.pipeline_run_nodes.node_name is 'NodeName.';
comment on column pai.pipeline_run_nodes.status is 'Status. Final are Succeeded, Succeed, Failed, Terminated and Skipped; every other word counts as active.';
comment on column pai.pipeline_run_nodes.started_at is 'StartedAt; null before the node starts.';
comment on column pai.pipeline_run_nodes.finished_at is 'FinishedAt.';
comment on column pai.pipeline_run_nodes.runtime_info is 'RuntimeInfo of the node. Null where the text is no JSON.';
comment on column pai.pipeline_run_nodes.runtime_info_raw is 'runtime_info as PAI sent it, only where that text is no JSON.';
comment on column pai.pipeline_run_nodes.input_artifact_archived is 'InputArtifactArchived.';
comment on column pai.pipeline_run_nodes.output_artifact_archived is 'OutputArtifactArchived.';
comment on column pai.pipeline_run_nodes.region is 'Region in which the row was listed, such as cn-shanghai.';
comment on column pai.pipeline_run_nodes.first_seen_at is 'When the mirror stored the row first, by the database''s clock.';
comment on column pai.pipeline_run_nodes.updated_at is 'When the mirror last changed the row, by the database''s clock.';
comment on column pai.pipeline_run_nodes.scope is 'Scope, region:workspaceId, under which the row was listed; workspace_id keeps what PAI says itself.';
comment on column pai.pipeline_run_nodes.observed_at is 'When the call whose answer last changed the row was sent, by the mirror''s clock; an older answer is refused.';
comment on column pai.pipeline_run_nodes.answer_request_id is 'RequestId of the answer that last changed the row.';
comment on column pai.pipeline_run_nodes.revision is '1 when the row was stored first, 1 more with every change.';
comment on column pai.pipeline_run_nodes.deleted_at is 'Tombstone; the source tells no deletion of a node, so it stays null.';
comment on column pai.pipeline_run_nodes.missing_since is 'Since when answers that should name it do not; cleared when it is named again.';
comment on column pai.pipeline_run_nodes.extra is 'Fields of the answer that this version does not know, as one object.';
comment on column pai.pipeline_run_nodes.outputs_revision is 'Revision at which the outputs were asked for; lower than revision means that they are due.';

create table pai.pipeline_runs (
  pipeline_run_id text not null,
  name text,
  status text,
  user_id text,
  parent_user_id text,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  node_id text,
  duration bigint,
  workspace_id text,
  message text,
  source_type text,
  source_id text,
  gmt_create_time timestamp with time zone,
  gmt_modified_time timestamp with time zone,
  pipeline_id text,
  accessibility text,
  pipeline_run_uri text,
  region text not null,
  first_seen_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  scope text not null,
  observed_at timestamp with time zone not null,
  answer_request_id text,
  revision bigint not null,
  deleted_at timestamp with time zone,
  missing_since timestamp with time zone,
  extra jsonb,
  nodes_revision bigint default 0 not null,
  details_revision bigint default 0 not null,
  nodes_open boolean default false not null,
  nodes_fetched_at timestamp with time zone,
  constraint pipeline_runs_pkey PRIMARY KEY (pipeline_run_id)
);
CREATE INDEX pipeline_runs_active ON pai.pipeline_runs USING btree (scope, pipeline_run_id) WHERE ((deleted_at IS NULL) AND ((status IS NULL) OR (status <> ALL (ARRAY['Succeeded'::text, 'Failed'::text, 'Terminated'::text, 'Skipped'::text]))));
CREATE INDEX pipeline_runs_created_at ON pai.pipeline_runs USING btree (gmt_create_time, scope);
CREATE INDEX pipeline_runs_due_details ON pai.pipeline_runs USING btree (scope, pipeline_run_id) WHERE ((details_revision < revision) AND (deleted_at IS NULL) AND (missing_since IS NULL));
CREATE INDEX pipeline_runs_due_nodes ON pai.pipeline_runs USING btree (scope, pipeline_run_id) WHERE ((nodes_revision < revision) AND (deleted_at IS NULL) AND (missing_since IS NULL) AND (node_id <> ''::text));
CREATE INDEX pipeline_runs_missing ON pai.pipeline_runs USING btree (scope, pipeline_run_id) WHERE ((missing_since IS NOT NULL) AND (deleted_at IS NULL));
CREATE INDEX pipeline_runs_modified ON pai.pipeline_runs USING btree (scope, gmt_modified_time);
CREATE INDEX pipeline_runs_nodes_open ON pai.pipeline_runs USING btree (scope, pipeline_run_id) WHERE nodes_open;
CREATE INDEX pipeline_runs_pipeline ON pai.pipeline_runs USING btree (pipeline_id, gmt_create_time);
CREATE TRIGGER note_changed AFTER UPDATE ON pai.pipeline_runs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pai.note_changed_runs();
CREATE TRIGGER note_emptied AFTER TRUNCATE ON pai.pipeline_runs FOR EACH STATEMENT EXECUTE FUNCTION pai.note_no_runs();
CREATE TRIGGER note_new AFTER INSERT ON pai.pipeline_runs REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pai.note_new_runs();
CREATE TRIGGER note_removed AFTER DELETE ON pai.pipeline_runs REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION pai.note_removed_runs();
comment on table pai.pipeline_runs is 'Pipeline runs: every field of ListPipelineRuns, one row a run. Rows stay when the source drops the run.';
comment on column pai.pipeline_runs.pipeline_run_id is 'PipelineRunId.';
comment on column pai.pipeline_runs.name is 'Name, as it came.';
comment on column pai.pipeline_runs.status is 'Status. Final are Succeeded, Failed, Terminated and Skipped; every other word counts as active.';
comment on column pai.pipeline_runs.user_id is 'UserId: who started the run.';
comment on column pai.pipeline_runs.parent_user_id is 'ParentUserId: the account that the user belongs to.';
comment on column pai.pipeline_runs.started_at is 'StartedAt.';
comment on column pai.pipeline_runs.finished_at is 'FinishedAt.';
comment on column pai.pipeline_runs.node_id is 'NodeId: the root node; empty until the workflow is initialised.';
comment on column pai.pipeline_runs.duration is 'Duration, in seconds.';
comment on column pai.pipeline_runs.workspace_id is 'WorkspaceId, as PAI sent it.';
comment on column pai.pipeline_runs.message is 'Message: why the run failed, as it came.';
comment on column pai.pipeline_runs.source_type is 'SourceType: where the run was submitted from.';
comment on column pai.pipeline_runs.source_id is 'SourceId: the task within that source.';
comment on column pai.pipeline_runs.gmt_create_time is 'GmtCreateTime.';
comment on column pai.pipeline_runs.gmt_modified_time is 'GmtModifiedTime: the source''s own version of the run.';
comment on column pai.pipeline_runs.pipeline_id is 'PipelineId of the pipeline that was run.';
comment on column pai.pipeline_runs.accessibility is 'Accessibility: PUBLIC or PRIVATE within the workspace.';
comment on column pai.pipeline_runs.pipeline_run_uri is 'PipelineRunUri; the last one known, since answers may leave it out.';
comment on column pai.pipeline_runs.region is 'Region in which the row was listed, such as cn-shanghai.';
comment on column pai.pipeline_runs.first_seen_at is 'When the mirror stored the row first, by the database''s clock.';
comment on column pai.pipeline_runs.updated_at is 'When the mirror last changed the row, by the database''s clock.';
comment on column pai.pipeline_runs.scope is 'Scope, region:workspaceId, under which the row was listed; workspace_id keeps what PAI says itself.';
comment on column pai.pipeline_runs.observed_at is 'When the call whose answer last changed the row was sent, by the mirror''s clock; an older answer is refused.';
comment on column pai.pipeline_runs.answer_request_id is 'RequestId of the answer that last changed the row.';
comment on column pai.pipeline_runs.revision is '1 when the row was stored first, 1 more with every change.';
comment on column pai.pipeline_runs.deleted_at is 'Tombstone: when the source was found to have deleted it; the row itself is kept.';
comment on column pai.pipeline_runs.missing_since is 'Since when answers that should name it do not; cleared when it is named again.';
comment on column pai.pipeline_runs.extra is 'Fields of the answer that this version does not know, as one object.';
comment on column pai.pipeline_runs.nodes_revision is 'Revision whose node tree is stored; lower than revision means that the tree is due, -1 that a node was seen to move.';
comment on column pai.pipeline_runs.details_revision is 'Revision whose details are stored; lower than revision means that they are due.';
comment on column pai.pipeline_runs.nodes_open is 'True while nodes of the run may still move, also for up to 24 hours after the run''s own end.';
comment on column pai.pipeline_runs.nodes_fetched_at is 'When nodes_revision was last written, by the database''s clock.';

create table pai.pruned_runs (
  entity_id text not null,
  entity text not null,
  region text not null,
  scope text not null,
  status text,
  gmt_modified_time timestamp with time zone,
  pruned_at timestamp with time zone not null,
  constraint pruned_runs_entity_id_entity_pk PRIMARY KEY (entity_id, entity)
);
comment on table pai.pruned_runs is 'Runs that retention took out of the mirror, one row a run: what the source still shows of them is passed over. Their last state is in change_events, kind pruned.';
comment on column pai.pruned_runs.entity_id is 'PipelineRunId or RunId.';
comment on column pai.pruned_runs.entity is 'pipeline_run or run.';
comment on column pai.pruned_runs.region is 'Region of the scope.';
comment on column pai.pruned_runs.scope is 'Scope, region:workspaceId, that the run belonged to.';
comment on column pai.pruned_runs.status is 'Status when it was pruned; null for experiment runs.';
comment on column pai.pruned_runs.gmt_modified_time is 'GmtModifiedTime when it was pruned. A run that the list shows with a later one is stored again.';
comment on column pai.pruned_runs.pruned_at is 'When it was pruned, by the database''s clock.';

create table pai.quarantine (
  id bigint generated always as identity not null,
  scope text not null,
  region text not null,
  stream text not null,
  operation text not null,
  entity text not null,
  entity_id text,
  raw text not null,
  fingerprint text not null,
  error text not null,
  request_id text,
  observed_at timestamp with time zone not null,
  first_seen_at timestamp with time zone not null,
  resolved_at timestamp with time zone,
  resolution text,
  parent_id text,
  form text default 'answer'::text not null,
  constraint quarantine_pkey PRIMARY KEY (id)
);
CREATE INDEX quarantine_unresolved ON pai.quarantine USING btree (scope) WHERE (resolved_at IS NULL);
comment on table pai.quarantine is 'Items that could not be decoded or stored.';
comment on column pai.quarantine.id is 'Ascends.';
comment on column pai.quarantine.scope is 'Scope, region:workspaceId.';
comment on column pai.quarantine.region is 'Region of the scope.';
comment on column pai.quarantine.stream is 'Stream, such as pipeline-runs.';
comment on column pai.quarantine.operation is 'PAI operation whose answer carried the item.';
comment on column pai.quarantine.entity is 'What the item is: pipeline_run, node, node_output, run and so on.';
comment on column pai.quarantine.entity_id is 'Its id; null where not even that could be read.';
comment on column pai.quarantine.raw is E'The item as JSON text; NUL bytes are written as \\u0000.';
comment on column pai.quarantine.fingerprint is 'SHA-256 of raw, in hexadecimal: the same item is kept once.';
comment on column pai.quarantine.error is 'What was found and what was expected.';
comment on column pai.quarantine.request_id is 'RequestId of the answer.';
comment on column pai.quarantine.observed_at is 'When its call was sent, by the mirror''s clock.';
comment on column pai.quarantine.first_seen_at is 'When it was put here, by the database''s clock.';
comment on column pai.quarantine.resolved_at is 'When it was settled; null while it is not.';
comment on column pai.quarantine.resolution is 'How: superseded by a later good answer, retried, or vanished (the whole was answered without it).';
comment on column pai.quarantine.parent_id is 'The run that the item hangs on: the PipelineRunId that the call asked for or the item names; for params, labels and metrics the RunId; else null.';
comment on column pai.quarantine.form is 'What raw is: answer (the item as PAI sent it) or entity (as it was decoded, where the database refused that).';

create table pai.rollup_due (
  id bigint generated always as identity not null,
  scope text not null,
  bucket timestamp with time zone not null,
  runs boolean not null,
  nodes boolean not null,
  constraint rollup_due_pkey PRIMARY KEY (id)
);
comment on table pai.rollup_due is 'Quarter hours whose sums are to be computed anew; written by triggers, taken by refresh_rollups. Until then the views compute them.';
comment on column pai.rollup_due.id is 'Ascends.';
comment on column pai.rollup_due.scope is 'Scope, region:workspaceId.';
comment on column pai.rollup_due.bucket is 'Start of the quarter hour.';
comment on column pai.rollup_due.runs is 'run_rollup and failure_rollup are due.';
comment on column pai.rollup_due.nodes is 'node_rollup is due.';

create table pai.run_labels (
  run_id text not null,
  key text not null,
  value text,
  gmt_create_time timestamp with time zone,
  gmt_modified_time timestamp with time zone,
  region text not null,
  first_seen_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  constraint run_labels_run_id_key_pk PRIMARY KEY (run_id, key)
);
comment on table pai.run_labels is 'Labels of experiment runs.';
comment on column pai.run_labels.run_id is 'RunId of the experiment run.';
comment on column pai.run_labels.key is 'Key.';
comment on column pai.run_labels.value is 'Value; the last one known where deleted_at is set.';
comment on column pai.run_labels.gmt_create_time is 'GmtCreateTime of the label.';
comment on column pai.run_labels.gmt_modified_time is 'GmtModifiedTime of the label.';
comment on column pai.run_labels.region is 'Region in which the row was listed, such as cn-shanghai.';
comment on column pai.run_labels.first_seen_at is 'When the mirror stored the row first, by the database''s clock.';
comment on column pai.run_labels.updated_at is 'When the mirror last changed the row, by the database''s clock.';
comment on column pai.run_labels.deleted_at is 'Since when an answer with the run''s labels does not name the key.';

create table pai.run_metrics (
  run_id text not null,
  key text not null,
  step bigint not null,
  "timestamp" timestamp with time zone not null,
  value double precision,
  region text not null,
  first_seen_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  constraint run_metrics_run_id_key_step_timestamp_pk PRIMARY KEY (run_id, key, step, "timestamp")
);
comment on table pai.run_metrics is 'Metric points of experiment runs: all that were ever seen.';
comment on column pai.run_metrics.run_id is 'RunId of the experiment run.';
comment on column pai.run_metrics.key is 'Key.';
comment on column pai.run_metrics.step is 'Step; 0 where the answer has none.';
comment on column pai.run_metrics."timestamp" is 'Timestamp, which PAI sends in milliseconds since 1970; the epoch where the answer has none.';
comment on column pai.run_metrics.value is 'Value.';
comment on column pai.run_metrics.region is 'Region in which the row was listed, such as cn-shanghai.';
comment on column pai.run_metrics.first_seen_at is 'When the mirror stored the row first, by the database''s clock.';
comment on column pai.run_metrics.updated_at is 'When the mirror last changed the row, by the database''s clock.';
comment on column pai.run_metrics.deleted_at is 'Tombstone; points are never removed, so it stays null.';

create table pai.run_params (
  run_id text not null,
  key text not null,
  value text,
  region text not null,
  first_seen_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  constraint run_params_run_id_key_pk PRIMARY KEY (run_id, key)
);
comment on table pai.run_params is 'Params of experiment runs.';
comment on column pai.run_params.run_id is 'RunId of the experiment run.';
comment on column pai.run_params.key is 'Key.';
comment on column pai.run_params.value is 'Value; the last one known where deleted_at is set.';
comment on column pai.run_params.region is 'Region in which the row was listed, such as cn-shanghai.';
comment on column pai.run_params.first_seen_at is 'When the mirror stored the row first, by the database''s clock.';
comment on column pai.run_params.updated_at is 'When the mirror last changed the row, by the database''s clock.';
comment on column pai.run_params.deleted_at is 'Since when an answer with the run''s params does not name the key.';

create table pai.run_rollup (
  grain text not null,
  bucket timestamp with time zone not null,
  scope text not null,
  pipeline_id text,
  user_id text,
  source_type text,
  runs bigint not null,
  succeeded bigint not null,
  failed bigint not null,
  terminated bigint not null,
  skipped bigint not null,
  active bigint not null,
  lost bigint not null,
  queued_runs bigint not null,
  queue_seconds double precision not null,
  run_seconds bigint not null,
  succeeded_seconds integer[] not null
);
CREATE INDEX run_rollup_bucket ON pai.run_rollup USING btree (bucket, scope);
CREATE INDEX run_rollup_grain ON pai.run_rollup USING btree (grain, bucket);
CREATE INDEX run_rollup_pipeline ON pai.run_rollup USING btree (pipeline_id, bucket);
CREATE INDEX run_rollup_workspace ON pai.run_rollup USING btree (bucket, scope, runs, succeeded, failed, terminated, skipped, active, lost) WHERE (grain = 'workspace'::text);
comment on table pai.run_rollup is 'Sums for the views: runs by the quarter hour of their creation, and by scope, pipeline, user and source type.';
comment on column pai.run_rollup.grain is 'What the row sums up: all (every combination has a row), or workspace, pipeline, user, source_type (the others together, their columns null).';
comment on column pai.run_rollup.bucket is 'Start of the quarter hour in which the runs were created.';
comment on column pai.run_rollup.scope is 'Scope, region:workspaceId.';
comment on column pai.run_rollup.pipeline_id is 'PipelineId.';
comment on column pai.run_rollup.user_id is 'UserId.';
comment on column pai.run_rollup.source_type is 'SourceType.';
comment on column pai.run_rollup.runs is 'Runs.';
comment on column pai.run_rollup.succeeded is 'Of these Succeeded.';
comment on column pai.run_rollup.failed is 'Of these Failed.';
comment on column pai.run_rollup.terminated is 'Of these Terminated.';
comment on column pai.run_rollup.skipped is 'Of these Skipped.';
comment on column pai.run_rollup.active is 'Of these not at an end.';
comment on column pai.run_rollup.lost is 'Of these deleted or missing at the source before an end was seen.';
comment on column pai.run_rollup.queued_runs is 'Runs that have started, whose time in the queue is known.';
comment on column pai.run_rollup.queue_seconds is 'Sum of their seconds from creation to start.';
comment on column pai.run_rollup.run_seconds is 'Sum of the seconds of the succeeded runs.';
comment on column pai.run_rollup.succeeded_seconds is 'Seconds of each succeeded run, ascending.';

create table pai.runs (
  run_id text not null,
  name text,
  experiment_id text,
  workspace_id text,
  user_id text,
  owner_id text,
  source_type text,
  source_id text,
  accessibility text,
  gmt_create_time timestamp with time zone,
  gmt_modified_time timestamp with time zone,
  request_id text,
  region text not null,
  first_seen_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  scope text not null,
  observed_at timestamp with time zone not null,
  answer_request_id text,
  revision bigint not null,
  deleted_at timestamp with time zone,
  missing_since timestamp with time zone,
  extra jsonb,
  constraint runs_pkey PRIMARY KEY (run_id)
);
CREATE INDEX runs_created ON pai.runs USING btree (scope, gmt_create_time);
CREATE INDEX runs_experiment ON pai.runs USING btree (experiment_id, gmt_create_time);
comment on table pai.runs is 'Experiment runs: every field of a Run of ListRuns, one row a run. Params, labels and metrics have tables of their own.';
comment on column pai.runs.run_id is 'RunId.';
comment on column pai.runs.name is 'Name.';
comment on column pai.runs.experiment_id is 'ExperimentId.';
comment on column pai.runs.workspace_id is 'WorkspaceId, as PAI sent it.';
comment on column pai.runs.user_id is 'UserId: who made the run.';
comment on column pai.runs.owner_id is 'OwnerId: the account that owns it.';
comment on column pai.runs.source_type is 'SourceType: the kind of workload that logged the run.';
comment on column pai.runs.source_id is 'SourceId: that workload.';
comment on column pai.runs.accessibility is 'Accessibility: PUBLIC or PRIVATE within the workspace.';
comment on column pai.runs.gmt_create_time is 'GmtCreateTime.';
comment on column pai.runs.gmt_modified_time is 'GmtModifiedTime: the source''s own version of the run.';
comment on column pai.runs.request_id is 'RequestId that the run itself carries; the answer''s is answer_request_id.';
comment on column pai.runs.region is 'Region in which the row was listed, such as cn-shanghai.';
comment on column pai.runs.first_seen_at is 'When the mirror stored the row first, by the database''s clock.';
comment on column pai.runs.updated_at is 'When the mirror last changed the row, by the database''s clock.';
comment on column pai.runs.scope is 'Scope, region:workspaceId, under which the row was listed; workspace_id keeps what PAI says itself.';
comment on column pai.runs.observed_at is 'When the call whose answer last changed the row was sent, by the mirror''s clock; an older answer is refused.';
comment on column pai.runs.answer_request_id is 'RequestId of the answer that last changed the row.';
comment on column pai.runs.revision is '1 when the row was stored first, 1 more with every change.';
comment on column pai.runs.deleted_at is 'Tombstone: when the source was found to have deleted it; the row itself is kept.';
comment on column pai.runs.missing_since is 'Since when answers that should name it do not; cleared when it is named again.';
comment on column pai.runs.extra is 'Fields of the answer that this version does not know, as one object.';

create table pai.schema_migrations (
  tag text not null,
  hash text not null,
  applied_at timestamp with time zone default now() not null,
  constraint schema_migrations_pkey PRIMARY KEY (tag)
);
comment on table pai.schema_migrations is 'Migrations that were applied to this database.';
comment on column pai.schema_migrations.tag is 'File name without .sql.';
comment on column pai.schema_migrations.hash is 'SHA-256 of the file, in hexadecimal.';
comment on column pai.schema_migrations.applied_at is 'When it was applied, by the database''s clock.';

create table pai.sync_cursors (
  scope text not null,
  stream text not null,
  watermark timestamp with time zone,
  state jsonb not null,
  updated_at timestamp with time zone not null,
  constraint sync_cursors_scope_stream_pk PRIMARY KEY (scope, stream)
);
comment on table pai.sync_cursors is 'How far each stream is in each scope.';
comment on column pai.sync_cursors.scope is 'Scope, region:workspaceId.';
comment on column pai.sync_cursors.stream is 'Stream, such as pipeline-runs.';
comment on column pai.sync_cursors.watermark is 'Modification time, by the source''s clock, up to which the stream is complete.';
comment on column pai.sync_cursors.state is 'What the stream keeps for itself.';
comment on column pai.sync_cursors.updated_at is 'When the row was written, by the database''s clock.';

create table pai.sync_leases (
  scope text not null,
  stream text not null,
  holder text not null,
  fence bigint not null,
  acquired_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  constraint sync_leases_scope_stream_pk PRIMARY KEY (scope, stream)
);
comment on table pai.sync_leases is 'Which process may run a stream in a scope.';
comment on column pai.sync_leases.scope is 'Scope, region:workspaceId.';
comment on column pai.sync_leases.stream is 'Stream, such as pipeline-runs.';
comment on column pai.sync_leases.holder is 'host/pid/uuid of the process.';
comment on column pai.sync_leases.fence is 'Grows with every change of owner; every write checks it.';
comment on column pai.sync_leases.acquired_at is 'When the holder took it, by the database''s clock.';
comment on column pai.sync_leases.expires_at is 'Until when it is valid, by the database''s clock; -infinity once released.';

create table pai.sync_passes (
  id bigint generated always as identity not null,
  scope text not null,
  stream text not null,
  fence bigint not null,
  started_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  outcome text,
  calls bigint default 0 not null,
  rows_read bigint default 0 not null,
  inserted bigint default 0 not null,
  updated bigint default 0 not null,
  unchanged bigint default 0 not null,
  stale bigint default 0 not null,
  quarantined bigint default 0 not null,
  error text,
  constraint sync_passes_pkey PRIMARY KEY (id)
);
CREATE INDEX sync_passes_latest ON pai.sync_passes USING btree (scope, stream, id);
CREATE INDEX sync_passes_started ON pai.sync_passes USING btree (started_at);
CREATE INDEX sync_passes_succeeded ON pai.sync_passes USING btree (scope, stream, id) WHERE (outcome = 'succeeded'::text);
comment on table pai.sync_passes is 'One row a pass: one execution of a stream in a scope.';
comment on column pai.sync_passes.id is 'Ascends.';
comment on column pai.sync_passes.scope is 'Scope, region:workspaceId.';
comment on column pai.sync_passes.stream is 'Stream, such as pipeline-runs.';
comment on column pai.sync_passes.fence is 'Fence of the lease under which it ran.';
comment on column pai.sync_passes.started_at is 'Start, by the database''s clock.';
comment on column pai.sync_passes.finished_at is 'End, by the database''s clock; null while it runs.';
comment on column pai.sync_passes.outcome is 'succeeded, failed, stopped, or abandoned where its process died.';
comment on column pai.sync_passes.calls is 'Calls to PAI, retries included.';
comment on column pai.sync_passes.rows_read is 'Items that the answers carried.';
comment on column pai.sync_passes.inserted is 'Rows inserted.';
comment on column pai.sync_passes.updated is 'Rows updated.';
comment on column pai.sync_passes.unchanged is 'Rows that were the same already.';
comment on column pai.sync_passes.stale is 'Rows refused because a newer observation was stored.';
comment on column pai.sync_passes.quarantined is 'Items put into quarantine.';
comment on column pai.sync_passes.error is 'What failed; null when nothing did.';

create table pai.sync_retries (
  scope text not null,
  stream text not null,
  entity_id text not null,
  attempts integer not null,
  failed_at timestamp with time zone not null,
  retry_at timestamp with time zone not null,
  error text not null,
  constraint sync_retries_scope_stream_entity_id_pk PRIMARY KEY (scope, stream, entity_id)
);
comment on table pai.sync_retries is 'Calls for one run that failed, to be tried again; under stream told-deleted the runs that the poll calls deleted.';
comment on column pai.sync_retries.scope is 'Scope, region:workspaceId.';
comment on column pai.sync_retries.stream is 'Stream, such as pipeline-runs.';
comment on column pai.sync_retries.entity_id is 'PipelineRunId of the run.';
comment on column pai.sync_retries.attempts is 'Failures in a row.';
comment on column pai.sync_retries.failed_at is 'Last failure, by the database''s clock.';
comment on column pai.sync_retries.retry_at is 'Not tried again before this time.';
comment on column pai.sync_retries.error is 'The last failure.';

view pai.current_run_rollup (
  grain text,
  bucket timestamp with time zone,
  scope text,
  pipeline_id text,
  user_id text,
  source_type text,
  runs bigint,
  succeeded bigint,
  failed bigint,
  terminated bigint,
  skipped bigint,
  active bigint,
  lost bigint,
  queued_runs bigint,
  queue_seconds double precision,
  run_seconds bigint,
  succeeded_seconds integer[]
);
comment on view pai.current_run_rollup is 'run_rollup as it is now: what is due is computed from the tables.';
comment on column pai.current_run_rollup.grain is 'What the row sums up: all (every combination has a row), or workspace, pipeline, user, source_type (the others together, their columns null).';
comment on column pai.current_run_rollup.bucket is 'Start of the quarter hour in which the runs were created.';
comment on column pai.current_run_rollup.scope is 'Scope, region:workspaceId.';
comment on column pai.current_run_rollup.pipeline_id is 'PipelineId.';
comment on column pai.current_run_rollup.user_id is 'UserId.';
comment on column pai.current_run_rollup.source_type is 'SourceType.';
comment on column pai.current_run_rollup.runs is 'Runs.';
comment on column pai.current_run_rollup.succeeded is 'Of these Succeeded.';
comment on column pai.current_run_rollup.failed is 'Of these Failed.';
comment on column pai.current_run_rollup.terminated is 'Of these Terminated.';
comment on column pai.current_run_rollup.skipped is 'Of these Skipped.';
comment on column pai.current_run_rollup.active is 'Of these not at an end.';
comment on column pai.current_run_rollup.lost is 'Of these deleted or missing at the source before an end was seen.';
comment on column pai.current_run_rollup.queued_runs is 'Runs that have started, whose time in the queue is known.';
comment on column pai.current_run_rollup.queue_seconds is 'Sum of their seconds from creation to start.';
comment on column pai.current_run_rollup.run_seconds is 'Sum of the seconds of the succeeded runs.';
comment on column pai.current_run_rollup.succeeded_seconds is 'Seconds of each succeeded run, ascending.';

view analytics.active_runs (
  pipeline_run_id text,
  name text,
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  user_id text,
  source_type text,
  status text,
  created_at timestamp with time zone,
  started_at timestamp with time zone,
  elapsed_seconds bigint,
  p50_seconds bigint,
  p95_seconds bigint,
  compared_runs bigint,
  is_stuck boolean,
  running_nodes text,
  url text
);
comment on view analytics.active_runs is 'Pipeline runs that are not at an end, beside what is usual for their pipeline.';
comment on column analytics.active_runs.pipeline_run_id is 'PipelineRunId.';
comment on column analytics.active_runs.name is 'Name.';
comment on column analytics.active_runs.region is 'Region, such as cn-shanghai.';
comment on column analytics.active_runs.scope is 'Scope, region:workspaceId.';
comment on column analytics.active_runs.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.active_runs.pipeline_id is 'PipelineId.';
comment on column analytics.active_runs.user_id is 'UserId.';
comment on column analytics.active_runs.source_type is 'SourceType.';
comment on column analytics.active_runs.status is 'Status, in PAI''s word.';
comment on column analytics.active_runs.created_at is 'GmtCreateTime.';
comment on column analytics.active_runs.started_at is 'StartedAt.';
comment on column analytics.active_runs.elapsed_seconds is 'Seconds since the start; null before it.';
comment on column analytics.active_runs.p50_seconds is 'Median seconds of the pipeline''s latest succeeded runs (200 at most).';
comment on column analytics.active_runs.p95_seconds is 'Seconds within which 95 % of these ended.';
comment on column analytics.active_runs.compared_runs is 'How many these are.';
comment on column analytics.active_runs.is_stuck is 'It takes longer than 95 % of these did; false with fewer than 5 to compare with.';
comment on column analytics.active_runs.running_nodes is 'Names of its nodes that are under way.';
comment on column analytics.active_runs.url is 'Page of the run in the PAI console: PipelineRunUri, else made from region, workspace and id.';

view analytics.concurrency (
  bucket timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  started bigint,
  ended bigint,
  running bigint
);
comment on view analytics.concurrency is 'How many pipeline runs were under way, a row each quarter hour in which that changed.';
comment on column analytics.concurrency.bucket is 'Start of the quarter hour.';
comment on column analytics.concurrency.region is 'Region, such as cn-shanghai.';
comment on column analytics.concurrency.scope is 'Scope, region:workspaceId.';
comment on column analytics.concurrency.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.concurrency.started is 'Runs that started in it.';
comment on column analytics.concurrency.ended is 'Runs that ended in it, or were dropped by the source.';
comment on column analytics.concurrency.running is 'Runs under way at its end.';

view analytics.daily_runs (
  day timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  user_id text,
  source_type text,
  runs bigint,
  succeeded bigint,
  failed bigint,
  terminated bigint,
  skipped bigint,
  active bigint,
  lost bigint,
  success_rate double precision,
  mean_queue_seconds double precision,
  mean_seconds double precision,
  p50_seconds integer,
  p95_seconds integer,
  p99_seconds integer
);
comment on view analytics.daily_runs is 'Pipeline runs a day by workspace, pipeline, user and source type: counts, success rate and times.';
comment on column analytics.daily_runs.day is 'Start of the day in the session''s time zone; runs count on the day of their creation.';
comment on column analytics.daily_runs.region is 'Region, such as cn-shanghai.';
comment on column analytics.daily_runs.scope is 'Scope, region:workspaceId.';
comment on column analytics.daily_runs.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.daily_runs.pipeline_id is 'PipelineId.';
comment on column analytics.daily_runs.user_id is 'UserId.';
comment on column analytics.daily_runs.source_type is 'SourceType.';
comment on column analytics.daily_runs.runs is 'Runs.';
comment on column analytics.daily_runs.succeeded is 'Of these succeeded.';
comment on column analytics.daily_runs.failed is 'Of these failed.';
comment on column analytics.daily_runs.terminated is 'Of these terminated by a user.';
comment on column analytics.daily_runs.skipped is 'Of these skipped.';
comment on column analytics.daily_runs.active is 'Of these not at an end.';
comment on column analytics.daily_runs.lost is 'Of these dropped by the source before an end was seen.';
comment on column analytics.daily_runs.success_rate is 'succeeded / (succeeded + failed), 0 to 1; null without either.';
comment on column analytics.daily_runs.mean_queue_seconds is 'Mean seconds from creation to start.';
comment on column analytics.daily_runs.mean_seconds is 'Mean seconds of the succeeded ones.';
comment on column analytics.daily_runs.p50_seconds is 'Median seconds of the succeeded ones.';
comment on column analytics.daily_runs.p95_seconds is 'Seconds within which 95 % of the succeeded ones ended.';
comment on column analytics.daily_runs.p99_seconds is 'Seconds within which 99 % of the succeeded ones ended.';

view analytics.daily_runs_by_pipeline (
  day timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  runs bigint,
  succeeded bigint,
  failed bigint,
  terminated bigint,
  skipped bigint,
  active bigint,
  lost bigint,
  success_rate double precision,
  mean_queue_seconds double precision,
  mean_seconds double precision,
  p50_seconds integer,
  p95_seconds integer,
  p99_seconds integer
);
comment on view analytics.daily_runs_by_pipeline is 'Pipeline runs a day by pipeline: counts, success rate and times.';
comment on column analytics.daily_runs_by_pipeline.day is 'Start of the day in the session''s time zone; runs count on the day of their creation.';
comment on column analytics.daily_runs_by_pipeline.region is 'Region, such as cn-shanghai.';
comment on column analytics.daily_runs_by_pipeline.scope is 'Scope, region:workspaceId.';
comment on column analytics.daily_runs_by_pipeline.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.daily_runs_by_pipeline.pipeline_id is 'PipelineId.';
comment on column analytics.daily_runs_by_pipeline.runs is 'Runs.';
comment on column analytics.daily_runs_by_pipeline.succeeded is 'Of these succeeded.';
comment on column analytics.daily_runs_by_pipeline.failed is 'Of these failed.';
comment on column analytics.daily_runs_by_pipeline.terminated is 'Of these terminated by a user.';
comment on column analytics.daily_runs_by_pipeline.skipped is 'Of these skipped.';
comment on column analytics.daily_runs_by_pipeline.active is 'Of these not at an end.';
comment on column analytics.daily_runs_by_pipeline.lost is 'Of these dropped by the source before an end was seen.';
comment on column analytics.daily_runs_by_pipeline.success_rate is 'succeeded / (succeeded + failed), 0 to 1; null without either.';
comment on column analytics.daily_runs_by_pipeline.mean_queue_seconds is 'Mean seconds from creation to start.';
comment on column analytics.daily_runs_by_pipeline.mean_seconds is 'Mean seconds of the succeeded ones.';
comment on column analytics.daily_runs_by_pipeline.p50_seconds is 'Median seconds of the succeeded ones.';
comment on column analytics.daily_runs_by_pipeline.p95_seconds is 'Seconds within which 95 % of the succeeded ones ended.';
comment on column analytics.daily_runs_by_pipeline.p99_seconds is 'Seconds within which 99 % of the succeeded ones ended.';

view analytics.daily_runs_by_source_type (
  day timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  source_type text,
  runs bigint,
  succeeded bigint,
  failed bigint,
  terminated bigint,
  skipped bigint,
  active bigint,
  lost bigint,
  success_rate double precision,
  mean_queue_seconds double precision,
  mean_seconds double precision,
  p50_seconds integer,
  p95_seconds integer,
  p99_seconds integer
);
comment on view analytics.daily_runs_by_source_type is 'Pipeline runs a day by source type: counts, success rate and times.';
comment on column analytics.daily_runs_by_source_type.day is 'Start of the day in the session''s time zone; runs count on the day of their creation.';
comment on column analytics.daily_runs_by_source_type.region is 'Region, such as cn-shanghai.';
comment on column analytics.daily_runs_by_source_type.scope is 'Scope, region:workspaceId.';
comment on column analytics.daily_runs_by_source_type.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.daily_runs_by_source_type.source_type is 'SourceType.';
comment on column analytics.daily_runs_by_source_type.runs is 'Runs.';
comment on column analytics.daily_runs_by_source_type.succeeded is 'Of these succeeded.';
comment on column analytics.daily_runs_by_source_type.failed is 'Of these failed.';
comment on column analytics.daily_runs_by_source_type.terminated is 'Of these terminated by a user.';
comment on column analytics.daily_runs_by_source_type.skipped is 'Of these skipped.';
comment on column analytics.daily_runs_by_source_type.active is 'Of these not at an end.';
comment on column analytics.daily_runs_by_source_type.lost is 'Of these dropped by the source before an end was seen.';
comment on column analytics.daily_runs_by_source_type.success_rate is 'succeeded / (succeeded + failed), 0 to 1; null without either.';
comment on column analytics.daily_runs_by_source_type.mean_queue_seconds is 'Mean seconds from creation to start.';
comment on column analytics.daily_runs_by_source_type.mean_seconds is 'Mean seconds of the succeeded ones.';
comment on column analytics.daily_runs_by_source_type.p50_seconds is 'Median seconds of the succeeded ones.';
comment on column analytics.daily_runs_by_source_type.p95_seconds is 'Seconds within which 95 % of the succeeded ones ended.';
comment on column analytics.daily_runs_by_source_type.p99_seconds is 'Seconds within which 99 % of the succeeded ones ended.';

view analytics.daily_runs_by_user (
  day timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  user_id text,
  runs bigint,
  succeeded bigint,
  failed bigint,
  terminated bigint,
  skipped bigint,
  active bigint,
  lost bigint,
  success_rate double precision,
  mean_queue_seconds double precision,
  mean_seconds double precision,
  p50_seconds integer,
  p95_seconds integer,
  p99_seconds integer
);
comment on view analytics.daily_runs_by_user is 'Pipeline runs a day by user: counts, success rate and times.';
comment on column analytics.daily_runs_by_user.day is 'Start of the day in the session''s time zone; runs count on the day of their creation.';
comment on column analytics.daily_runs_by_user.region is 'Region, such as cn-shanghai.';
comment on column analytics.daily_runs_by_user.scope is 'Scope, region:workspaceId.';
comment on column analytics.daily_runs_by_user.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.daily_runs_by_user.user_id is 'UserId.';
comment on column analytics.daily_runs_by_user.runs is 'Runs.';
comment on column analytics.daily_runs_by_user.succeeded is 'Of these succeeded.';
comment on column analytics.daily_runs_by_user.failed is 'Of these failed.';
comment on column analytics.daily_runs_by_user.terminated is 'Of these terminated by a user.';
comment on column analytics.daily_runs_by_user.skipped is 'Of these skipped.';
comment on column analytics.daily_runs_by_user.active is 'Of these not at an end.';
comment on column analytics.daily_runs_by_user.lost is 'Of these dropped by the source before an end was seen.';
comment on column analytics.daily_runs_by_user.success_rate is 'succeeded / (succeeded + failed), 0 to 1; null without either.';
comment on column analytics.daily_runs_by_user.mean_queue_seconds is 'Mean seconds from creation to start.';
comment on column analytics.daily_runs_by_user.mean_seconds is 'Mean seconds of the succeeded ones.';
comment on column analytics.daily_runs_by_user.p50_seconds is 'Median seconds of the succeeded ones.';
comment on column analytics.daily_runs_by_user.p95_seconds is 'Seconds within which 95 % of the succeeded ones ended.';
comment on column analytics.daily_runs_by_user.p99_seconds is 'Seconds within which 99 % of the succeeded ones ended.';

view analytics.daily_runs_by_workspace (
  day timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  runs bigint,
  succeeded bigint,
  failed bigint,
  terminated bigint,
  skipped bigint,
  active bigint,
  lost bigint,
  success_rate double precision,
  mean_queue_seconds double precision,
  mean_seconds double precision,
  p50_seconds integer,
  p95_seconds integer,
  p99_seconds integer
);
comment on view analytics.daily_runs_by_workspace is 'Pipeline runs a day by workspace: counts, success rate and times.';
comment on column analytics.daily_runs_by_workspace.day is 'Start of the day in the session''s time zone; runs count on the day of their creation.';
comment on column analytics.daily_runs_by_workspace.region is 'Region, such as cn-shanghai.';
comment on column analytics.daily_runs_by_workspace.scope is 'Scope, region:workspaceId.';
comment on column analytics.daily_runs_by_workspace.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.daily_runs_by_workspace.runs is 'Runs.';
comment on column analytics.daily_runs_by_workspace.succeeded is 'Of these succeeded.';
comment on column analytics.daily_runs_by_workspace.failed is 'Of these failed.';
comment on column analytics.daily_runs_by_workspace.terminated is 'Of these terminated by a user.';
comment on column analytics.daily_runs_by_workspace.skipped is 'Of these skipped.';
comment on column analytics.daily_runs_by_workspace.active is 'Of these not at an end.';
comment on column analytics.daily_runs_by_workspace.lost is 'Of these dropped by the source before an end was seen.';
comment on column analytics.daily_runs_by_workspace.success_rate is 'succeeded / (succeeded + failed), 0 to 1; null without either.';
comment on column analytics.daily_runs_by_workspace.mean_queue_seconds is 'Mean seconds from creation to start.';
comment on column analytics.daily_runs_by_workspace.mean_seconds is 'Mean seconds of the succeeded ones.';
comment on column analytics.daily_runs_by_workspace.p50_seconds is 'Median seconds of the succeeded ones.';
comment on column analytics.daily_runs_by_workspace.p95_seconds is 'Seconds within which 95 % of the succeeded ones ended.';
comment on column analytics.daily_runs_by_workspace.p99_seconds is 'Seconds within which 99 % of the succeeded ones ended.';

view analytics.experiment_metrics (
  experiment_id text,
  scope text,
  key text,
  runs bigint,
  lower_is_better boolean,
  best_value double precision,
  best_run_id text,
  best_run_name text
);
comment on view analytics.experiment_metrics is 'The best run of an experiment by each metric.';
comment on column analytics.experiment_metrics.experiment_id is 'ExperimentId.';
comment on column analytics.experiment_metrics.scope is 'Scope, region:workspaceId.';
comment on column analytics.experiment_metrics.key is 'Key.';
comment on column analytics.experiment_metrics.runs is 'Runs that log it.';
comment on column analytics.experiment_metrics.lower_is_better is 'Judged by the key: loss, error, RMSE and the like. PAI does not tell.';
comment on column analytics.experiment_metrics.best_value is 'Best value of all runs.';
comment on column analytics.experiment_metrics.best_run_id is 'RunId of the run that has it.';
comment on column analytics.experiment_metrics.best_run_name is 'Its name.';

view analytics.experiment_runs (
  run_id text,
  name text,
  region text,
  scope text,
  workspace_id text,
  experiment_id text,
  user_id text,
  owner_id text,
  source_type text,
  source_id text,
  pipeline_run_id text,
  created_at timestamp with time zone,
  modified_at timestamp with time zone,
  params jsonb,
  labels jsonb,
  metrics jsonb,
  metrics_min jsonb,
  metrics_max jsonb,
  deleted_at timestamp with time zone,
  missing_since timestamp with time zone
);
comment on view analytics.experiment_runs is 'Experiment runs; params, labels and metrics as one object each: params ->> ''lr''.';
comment on column analytics.experiment_runs.run_id is 'RunId of the experiment run.';
comment on column analytics.experiment_runs.name is 'Name.';
comment on column analytics.experiment_runs.region is 'Region, such as cn-shanghai.';
comment on column analytics.experiment_runs.scope is 'Scope, region:workspaceId.';
comment on column analytics.experiment_runs.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.experiment_runs.experiment_id is 'ExperimentId.';
comment on column analytics.experiment_runs.user_id is 'UserId.';
comment on column analytics.experiment_runs.owner_id is 'OwnerId.';
comment on column analytics.experiment_runs.source_type is 'SourceType.';
comment on column analytics.experiment_runs.source_id is 'SourceId.';
comment on column analytics.experiment_runs.pipeline_run_id is 'The pipeline run that SourceId names, if the mirror has it.';
comment on column analytics.experiment_runs.created_at is 'GmtCreateTime.';
comment on column analytics.experiment_runs.modified_at is 'GmtModifiedTime.';
comment on column analytics.experiment_runs.params is 'Key to value.';
comment on column analytics.experiment_runs.labels is 'Key to value.';
comment on column analytics.experiment_runs.metrics is 'Key to value at the last step.';
comment on column analytics.experiment_runs.metrics_min is 'Key to least value.';
comment on column analytics.experiment_runs.metrics_max is 'Key to greatest value.';
comment on column analytics.experiment_runs.deleted_at is 'Since when the source is known to have deleted it.';
comment on column analytics.experiment_runs.missing_since is 'Since when the source does not name it any more.';

view analytics.experiments (
  experiment_id text,
  region text,
  scope text,
  workspace_id text,
  runs bigint,
  first_created_at timestamp with time zone,
  last_created_at timestamp with time zone
);
comment on view analytics.experiments is 'Experiments that have runs.';
comment on column analytics.experiments.experiment_id is 'ExperimentId.';
comment on column analytics.experiments.region is 'Region, such as cn-shanghai.';
comment on column analytics.experiments.scope is 'Scope, region:workspaceId.';
comment on column analytics.experiments.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.experiments.runs is 'Experiment runs.';
comment on column analytics.experiments.first_created_at is 'GmtCreateTime of the first.';
comment on column analytics.experiments.last_created_at is 'GmtCreateTime of the last.';

view analytics.failure_buckets (
  bucket timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  pattern text,
  runs bigint,
  last_pipeline_run_id text,
  last_at timestamp with time zone
);
comment on view analytics.failure_buckets is 'Failed runs by the quarter hour of their creation and by the pattern of their message.';
comment on column analytics.failure_buckets.bucket is 'Start of a quarter hour (UTC): that of the creation of the runs.';
comment on column analytics.failure_buckets.region is 'Region, such as cn-shanghai.';
comment on column analytics.failure_buckets.scope is 'Scope, region:workspaceId.';
comment on column analytics.failure_buckets.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.failure_buckets.pipeline_id is 'PipelineId.';
comment on column analytics.failure_buckets.pattern is 'Message without what differs from run to run: ids, numbers, URLs.';
comment on column analytics.failure_buckets.runs is 'Failed runs.';
comment on column analytics.failure_buckets.last_pipeline_run_id is 'The latest of them.';
comment on column analytics.failure_buckets.last_at is 'When the last of them was created.';

view analytics.failures (
  region text,
  scope text,
  workspace_id text,
  pattern text,
  runs bigint,
  pipelines bigint,
  first_at timestamp with time zone,
  last_at timestamp with time zone,
  last_pipeline_run_id text,
  last_message text
);
comment on view analytics.failures is 'Failed runs of all times by the pattern of their message.';
comment on column analytics.failures.region is 'Region, such as cn-shanghai.';
comment on column analytics.failures.scope is 'Scope, region:workspaceId.';
comment on column analytics.failures.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.failures.pattern is 'Message without what differs from run to run: ids, numbers, URLs.';
comment on column analytics.failures.runs is 'Failed runs.';
comment on column analytics.failures.pipelines is 'Pipelines that they are of.';
comment on column analytics.failures.first_at is 'Quarter hour in which the first of them was created.';
comment on column analytics.failures.last_at is 'When the last of them was created.';
comment on column analytics.failures.last_pipeline_run_id is 'The last of them.';
comment on column analytics.failures.last_message is 'Its message.';

view analytics.history (
  event_id bigint,
  entity text,
  entity_id text,
  node_id text,
  node_type text,
  region text,
  scope text,
  kind text,
  from_status text,
  to_status text,
  changes jsonb,
  source_time timestamp with time zone,
  observed_at timestamp with time zone,
  request_id text
);
comment on view analytics.history is 'Every change that the mirror saw, of pipeline runs, nodes and experiment runs. Give an entity_id.';
comment on column analytics.history.event_id is 'Ascends.';
comment on column analytics.history.entity is 'pipeline_run, node or run.';
comment on column analytics.history.entity_id is 'PipelineRunId (also for nodes) or RunId.';
comment on column analytics.history.node_id is 'NodeId, for nodes.';
comment on column analytics.history.node_type is 'Logical or Physical, for nodes.';
comment on column analytics.history.region is 'Region, such as cn-shanghai.';
comment on column analytics.history.scope is 'Scope, region:workspaceId.';
comment on column analytics.history.kind is 'discovered, changed, deleted, missing, restored or pruned.';
comment on column analytics.history.from_status is 'Status before.';
comment on column analytics.history.to_status is 'Status after.';
comment on column analytics.history.changes is 'Column to [old, new] for each changed column.';
comment on column analytics.history.source_time is 'When it happened by the source''s clock, where the answer tells.';
comment on column analytics.history.observed_at is 'When the call whose answer showed it was sent, by the mirror''s clock.';
comment on column analytics.history.request_id is 'RequestId of the answer that proves it.';

view analytics.hourly_runs (
  hour timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  user_id text,
  source_type text,
  runs bigint,
  succeeded bigint,
  failed bigint,
  terminated bigint,
  skipped bigint,
  active bigint,
  lost bigint,
  success_rate double precision,
  mean_queue_seconds double precision,
  mean_seconds double precision,
  p50_seconds integer,
  p95_seconds integer,
  p99_seconds integer
);
comment on view analytics.hourly_runs is 'Pipeline runs a hour by workspace, pipeline, user and source type: counts, success rate and times.';
comment on column analytics.hourly_runs.hour is 'Start of the hour in the session''s time zone; runs count in the hour of their creation.';
comment on column analytics.hourly_runs.region is 'Region, such as cn-shanghai.';
comment on column analytics.hourly_runs.scope is 'Scope, region:workspaceId.';
comment on column analytics.hourly_runs.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.hourly_runs.pipeline_id is 'PipelineId.';
comment on column analytics.hourly_runs.user_id is 'UserId.';
comment on column analytics.hourly_runs.source_type is 'SourceType.';
comment on column analytics.hourly_runs.runs is 'Runs.';
comment on column analytics.hourly_runs.succeeded is 'Of these succeeded.';
comment on column analytics.hourly_runs.failed is 'Of these failed.';
comment on column analytics.hourly_runs.terminated is 'Of these terminated by a user.';
comment on column analytics.hourly_runs.skipped is 'Of these skipped.';
comment on column analytics.hourly_runs.active is 'Of these not at an end.';
comment on column analytics.hourly_runs.lost is 'Of these dropped by the source before an end was seen.';
comment on column analytics.hourly_runs.success_rate is 'succeeded / (succeeded + failed), 0 to 1; null without either.';
comment on column analytics.hourly_runs.mean_queue_seconds is 'Mean seconds from creation to start.';
comment on column analytics.hourly_runs.mean_seconds is 'Mean seconds of the succeeded ones.';
comment on column analytics.hourly_runs.p50_seconds is 'Median seconds of the succeeded ones.';
comment on column analytics.hourly_runs.p95_seconds is 'Seconds within which 95 % of the succeeded ones ended.';
comment on column analytics.hourly_runs.p99_seconds is 'Seconds within which 99 % of the succeeded ones ended.';

view analytics.hourly_runs_by_pipeline (
  hour timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  runs bigint,
  succeeded bigint,
  failed bigint,
  terminated bigint,
  skipped bigint,
  active bigint,
  lost bigint,
  success_rate double precision,
  mean_queue_seconds double precision,
  mean_seconds double precision,
  p50_seconds integer,
  p95_seconds integer,
  p99_seconds integer
);
comment on view analytics.hourly_runs_by_pipeline is 'Pipeline runs a hour by pipeline: counts, success rate and times.';
comment on column analytics.hourly_runs_by_pipeline.hour is 'Start of the hour in the session''s time zone; runs count in the hour of their creation.';
comment on column analytics.hourly_runs_by_pipeline.region is 'Region, such as cn-shanghai.';
comment on column analytics.hourly_runs_by_pipeline.scope is 'Scope, region:workspaceId.';
comment on column analytics.hourly_runs_by_pipeline.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.hourly_runs_by_pipeline.pipeline_id is 'PipelineId.';
comment on column analytics.hourly_runs_by_pipeline.runs is 'Runs.';
comment on column analytics.hourly_runs_by_pipeline.succeeded is 'Of these succeeded.';
comment on column analytics.hourly_runs_by_pipeline.failed is 'Of these failed.';
comment on column analytics.hourly_runs_by_pipeline.terminated is 'Of these terminated by a user.';
comment on column analytics.hourly_runs_by_pipeline.skipped is 'Of these skipped.';
comment on column analytics.hourly_runs_by_pipeline.active is 'Of these not at an end.';
comment on column analytics.hourly_runs_by_pipeline.lost is 'Of these dropped by the source before an end was seen.';
comment on column analytics.hourly_runs_by_pipeline.success_rate is 'succeeded / (succeeded + failed), 0 to 1; null without either.';
comment on column analytics.hourly_runs_by_pipeline.mean_queue_seconds is 'Mean seconds from creation to start.';
comment on column analytics.hourly_runs_by_pipeline.mean_seconds is 'Mean seconds of the succeeded ones.';
comment on column analytics.hourly_runs_by_pipeline.p50_seconds is 'Median seconds of the succeeded ones.';
comment on column analytics.hourly_runs_by_pipeline.p95_seconds is 'Seconds within which 95 % of the succeeded ones ended.';
comment on column analytics.hourly_runs_by_pipeline.p99_seconds is 'Seconds within which 99 % of the succeeded ones ended.';

view analytics.hourly_runs_by_source_type (
  hour timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  source_type text,
  runs bigint,
  succeeded bigint,
  failed bigint,
  terminated bigint,
  skipped bigint,
  active bigint,
  lost bigint,
  success_rate double precision,
  mean_queue_seconds double precision,
  mean_seconds double precision,
  p50_seconds integer,
  p95_seconds integer,
  p99_seconds integer
);
comment on view analytics.hourly_runs_by_source_type is 'Pipeline runs a hour by source type: counts, success rate and times.';
comment on column analytics.hourly_runs_by_source_type.hour is 'Start of the hour in the session''s time zone; runs count in the hour of their creation.';
comment on column analytics.hourly_runs_by_source_type.region is 'Region, such as cn-shanghai.';
comment on column analytics.hourly_runs_by_source_type.scope is 'Scope, region:workspaceId.';
comment on column analytics.hourly_runs_by_source_type.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.hourly_runs_by_source_type.source_type is 'SourceType.';
comment on column analytics.hourly_runs_by_source_type.runs is 'Runs.';
comment on column analytics.hourly_runs_by_source_type.succeeded is 'Of these succeeded.';
comment on column analytics.hourly_runs_by_source_type.failed is 'Of these failed.';
comment on column analytics.hourly_runs_by_source_type.terminated is 'Of these terminated by a user.';
comment on column analytics.hourly_runs_by_source_type.skipped is 'Of these skipped.';
comment on column analytics.hourly_runs_by_source_type.active is 'Of these not at an end.';
comment on column analytics.hourly_runs_by_source_type.lost is 'Of these dropped by the source before an end was seen.';
comment on column analytics.hourly_runs_by_source_type.success_rate is 'succeeded / (succeeded + failed), 0 to 1; null without either.';
comment on column analytics.hourly_runs_by_source_type.mean_queue_seconds is 'Mean seconds from creation to start.';
comment on column analytics.hourly_runs_by_source_type.mean_seconds is 'Mean seconds of the succeeded ones.';
comment on column analytics.hourly_runs_by_source_type.p50_seconds is 'Median seconds of the succeeded ones.';
comment on column analytics.hourly_runs_by_source_type.p95_seconds is 'Seconds within which 95 % of the succeeded ones ended.';
comment on column analytics.hourly_runs_by_source_type.p99_seconds is 'Seconds within which 99 % of the succeeded ones ended.';

view analytics.hourly_runs_by_user (
  hour timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  user_id text,
  runs bigint,
  succeeded bigint,
  failed bigint,
  terminated bigint,
  skipped bigint,
  active bigint,
  lost bigint,
  success_rate double precision,
  mean_queue_seconds double precision,
  mean_seconds double precision,
  p50_seconds integer,
  p95_seconds integer,
  p99_seconds integer
);
comment on view analytics.hourly_runs_by_user is 'Pipeline runs a hour by user: counts, success rate and times.';
comment on column analytics.hourly_runs_by_user.hour is 'Start of the hour in the session''s time zone; runs count in the hour of their creation.';
comment on column analytics.hourly_runs_by_user.region is 'Region, such as cn-shanghai.';
comment on column analytics.hourly_runs_by_user.scope is 'Scope, region:workspaceId.';
comment on column analytics.hourly_runs_by_user.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.hourly_runs_by_user.user_id is 'UserId.';
comment on column analytics.hourly_runs_by_user.runs is 'Runs.';
comment on column analytics.hourly_runs_by_user.succeeded is 'Of these succeeded.';
comment on column analytics.hourly_runs_by_user.failed is 'Of these failed.';
comment on column analytics.hourly_runs_by_user.terminated is 'Of these terminated by a user.';
comment on column analytics.hourly_runs_by_user.skipped is 'Of these skipped.';
comment on column analytics.hourly_runs_by_user.active is 'Of these not at an end.';
comment on column analytics.hourly_runs_by_user.lost is 'Of these dropped by the source before an end was seen.';
comment on column analytics.hourly_runs_by_user.success_rate is 'succeeded / (succeeded + failed), 0 to 1; null without either.';
comment on column analytics.hourly_runs_by_user.mean_queue_seconds is 'Mean seconds from creation to start.';
comment on column analytics.hourly_runs_by_user.mean_seconds is 'Mean seconds of the succeeded ones.';
comment on column analytics.hourly_runs_by_user.p50_seconds is 'Median seconds of the succeeded ones.';
comment on column analytics.hourly_runs_by_user.p95_seconds is 'Seconds within which 95 % of the succeeded ones ended.';
comment on column analytics.hourly_runs_by_user.p99_seconds is 'Seconds within which 99 % of the succeeded ones ended.';

view analytics.hourly_runs_by_workspace (
  hour timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  runs bigint,
  succeeded bigint,
  failed bigint,
  terminated bigint,
  skipped bigint,
  active bigint,
  lost bigint,
  success_rate double precision,
  mean_queue_seconds double precision,
  mean_seconds double precision,
  p50_seconds integer,
  p95_seconds integer,
  p99_seconds integer
);
comment on view analytics.hourly_runs_by_workspace is 'Pipeline runs a hour by workspace: counts, success rate and times.';
comment on column analytics.hourly_runs_by_workspace.hour is 'Start of the hour in the session''s time zone; runs count in the hour of their creation.';
comment on column analytics.hourly_runs_by_workspace.region is 'Region, such as cn-shanghai.';
comment on column analytics.hourly_runs_by_workspace.scope is 'Scope, region:workspaceId.';
comment on column analytics.hourly_runs_by_workspace.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.hourly_runs_by_workspace.runs is 'Runs.';
comment on column analytics.hourly_runs_by_workspace.succeeded is 'Of these succeeded.';
comment on column analytics.hourly_runs_by_workspace.failed is 'Of these failed.';
comment on column analytics.hourly_runs_by_workspace.terminated is 'Of these terminated by a user.';
comment on column analytics.hourly_runs_by_workspace.skipped is 'Of these skipped.';
comment on column analytics.hourly_runs_by_workspace.active is 'Of these not at an end.';
comment on column analytics.hourly_runs_by_workspace.lost is 'Of these dropped by the source before an end was seen.';
comment on column analytics.hourly_runs_by_workspace.success_rate is 'succeeded / (succeeded + failed), 0 to 1; null without either.';
comment on column analytics.hourly_runs_by_workspace.mean_queue_seconds is 'Mean seconds from creation to start.';
comment on column analytics.hourly_runs_by_workspace.mean_seconds is 'Mean seconds of the succeeded ones.';
comment on column analytics.hourly_runs_by_workspace.p50_seconds is 'Median seconds of the succeeded ones.';
comment on column analytics.hourly_runs_by_workspace.p95_seconds is 'Seconds within which 95 % of the succeeded ones ended.';
comment on column analytics.hourly_runs_by_workspace.p99_seconds is 'Seconds within which 99 % of the succeeded ones ended.';

view analytics.metric_points (
  run_id text,
  run_name text,
  experiment_id text,
  scope text,
  key text,
  step bigint,
  "time" timestamp with time zone,
  value double precision
);
comment on view analytics.metric_points is 'Metric points of experiment runs.';
comment on column analytics.metric_points.run_id is 'RunId of the experiment run.';
comment on column analytics.metric_points.run_name is 'Name of the run.';
comment on column analytics.metric_points.experiment_id is 'ExperimentId.';
comment on column analytics.metric_points.scope is 'Scope, region:workspaceId.';
comment on column analytics.metric_points.key is 'Key.';
comment on column analytics.metric_points.step is 'Step.';
comment on column analytics.metric_points."time" is 'Timestamp.';
comment on column analytics.metric_points.value is 'Value.';

view analytics.metric_summary (
  run_id text,
  experiment_id text,
  scope text,
  key text,
  points bigint,
  latest_value double precision,
  latest_step bigint,
  latest_time timestamp with time zone,
  min_value double precision,
  min_step bigint,
  max_value double precision,
  max_step bigint,
  lower_is_better boolean,
  best_value double precision
);
comment on view analytics.metric_summary is 'Metrics of experiment runs: latest, least, greatest and best value.';
comment on column analytics.metric_summary.run_id is 'RunId of the experiment run.';
comment on column analytics.metric_summary.experiment_id is 'ExperimentId.';
comment on column analytics.metric_summary.scope is 'Scope, region:workspaceId.';
comment on column analytics.metric_summary.key is 'Key.';
comment on column analytics.metric_summary.points is 'Points.';
comment on column analytics.metric_summary.latest_value is 'Value at the last step.';
comment on column analytics.metric_summary.latest_step is 'Last step.';
comment on column analytics.metric_summary.latest_time is 'Timestamp of the last step.';
comment on column analytics.metric_summary.min_value is 'Least value, NaN aside.';
comment on column analytics.metric_summary.min_step is 'First step with it.';
comment on column analytics.metric_summary.max_value is 'Greatest value, NaN aside.';
comment on column analytics.metric_summary.max_step is 'First step with it.';
comment on column analytics.metric_summary.lower_is_better is 'Judged by the key: loss, error, RMSE and the like. PAI does not tell.';
comment on column analytics.metric_summary.best_value is 'min_value where lower is better, else max_value.';

view analytics.mirror_budgets (
  region text,
  name text,
  pace double precision,
  is_throttled boolean,
  paused_until timestamp with time zone,
  slowed_at timestamp with time zone
);
comment on view analytics.mirror_budgets is 'Pace of the calls to PAI.';
comment on column analytics.mirror_budgets.region is 'Region, such as cn-shanghai.';
comment on column analytics.mirror_budgets.name is 'Budget: flow, listRuns or listWorkspaces.';
comment on column analytics.mirror_budgets.pace is 'Share of the configured rate that is used now.';
comment on column analytics.mirror_budgets.is_throttled is 'The pace is lowered, or no call is allowed for now.';
comment on column analytics.mirror_budgets.paused_until is 'No call before this time.';
comment on column analytics.mirror_budgets.slowed_at is 'When the pace was lowered last.';

view analytics.mirror_freshness (
  region text,
  scope text,
  stream text,
  watermark timestamp with time zone,
  last_started_at timestamp with time zone,
  last_succeeded_at timestamp with time zone,
  age_seconds double precision,
  last_outcome text,
  running_since timestamp with time zone,
  last_error text,
  failed_in_a_row bigint,
  holder text
);
comment on view analytics.mirror_freshness is 'How fresh each stream of each scope is.';
comment on column analytics.mirror_freshness.region is 'Region, such as cn-shanghai.';
comment on column analytics.mirror_freshness.scope is 'Scope, region:workspaceId.';
comment on column analytics.mirror_freshness.stream is 'Stream, such as pipeline-runs.';
comment on column analytics.mirror_freshness.watermark is 'Modification time, by the source''s clock, up to which the stream is complete.';
comment on column analytics.mirror_freshness.last_started_at is 'Start of the last pass.';
comment on column analytics.mirror_freshness.last_succeeded_at is 'End of the last pass that succeeded.';
comment on column analytics.mirror_freshness.age_seconds is 'Seconds since the start of that: how old the mirror''s knowledge is at most. Null before the first success.';
comment on column analytics.mirror_freshness.last_outcome is 'How the last pass that has ended ended.';
comment on column analytics.mirror_freshness.running_since is 'Start of the pass that is under way.';
comment on column analytics.mirror_freshness.last_error is 'What failed in the last pass that has ended.';
comment on column analytics.mirror_freshness.failed_in_a_row is 'Passes that failed since the last success.';
comment on column analytics.mirror_freshness.holder is 'Process that runs it now.';

view analytics.mirror_lag (
  region text,
  scope text,
  entity text,
  source_time timestamp with time zone,
  observed_at timestamp with time zone,
  lag_seconds double precision
);
comment on view analytics.mirror_lag is 'From a change at the source to its observation, for the changes of the last 24 hours whose answers tell when they happened.';
comment on column analytics.mirror_lag.region is 'Region, such as cn-shanghai.';
comment on column analytics.mirror_lag.scope is 'Scope, region:workspaceId.';
comment on column analytics.mirror_lag.entity is 'pipeline_run, node or run.';
comment on column analytics.mirror_lag.source_time is 'When it happened by the source''s clock.';
comment on column analytics.mirror_lag.observed_at is 'When the call whose answer showed it was sent, by the mirror''s clock.';
comment on column analytics.mirror_lag.lag_seconds is 'Seconds between the two.';

view analytics.mirror_passes (
  id bigint,
  region text,
  scope text,
  stream text,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  seconds double precision,
  outcome text,
  calls bigint,
  rows_read bigint,
  inserted bigint,
  updated bigint,
  unchanged bigint,
  stale bigint,
  quarantined bigint,
  error text
);
comment on view analytics.mirror_passes is 'What the mirror did: one row an execution of a stream in a scope.';
comment on column analytics.mirror_passes.id is 'Ascends.';
comment on column analytics.mirror_passes.region is 'Region, such as cn-shanghai.';
comment on column analytics.mirror_passes.scope is 'Scope, region:workspaceId.';
comment on column analytics.mirror_passes.stream is 'Stream, such as pipeline-runs.';
comment on column analytics.mirror_passes.started_at is 'Start, by the database''s clock.';
comment on column analytics.mirror_passes.finished_at is 'End; null while it runs.';
comment on column analytics.mirror_passes.seconds is 'How long it took.';
comment on column analytics.mirror_passes.outcome is 'succeeded, failed, stopped, or abandoned where its process died.';
comment on column analytics.mirror_passes.calls is 'Calls to PAI, retries included.';
comment on column analytics.mirror_passes.rows_read is 'Items that the answers carried.';
comment on column analytics.mirror_passes.inserted is 'Rows inserted.';
comment on column analytics.mirror_passes.updated is 'Rows updated.';
comment on column analytics.mirror_passes.unchanged is 'Rows that were the same already.';
comment on column analytics.mirror_passes.stale is 'Rows refused because a newer observation was stored.';
comment on column analytics.mirror_passes.quarantined is 'Items put into quarantine.';
comment on column analytics.mirror_passes.error is 'What failed.';

view analytics.mirror_quarantine (
  id bigint,
  region text,
  scope text,
  stream text,
  operation text,
  entity text,
  entity_id text,
  error text,
  request_id text,
  first_seen_at timestamp with time zone,
  resolved_at timestamp with time zone,
  resolution text
);
comment on view analytics.mirror_quarantine is 'Items that could not be decoded or stored.';
comment on column analytics.mirror_quarantine.id is 'Ascends.';
comment on column analytics.mirror_quarantine.region is 'Region, such as cn-shanghai.';
comment on column analytics.mirror_quarantine.scope is 'Scope, region:workspaceId.';
comment on column analytics.mirror_quarantine.stream is 'Stream, such as pipeline-runs.';
comment on column analytics.mirror_quarantine.operation is 'PAI operation whose answer carried the item.';
comment on column analytics.mirror_quarantine.entity is 'What the item is.';
comment on column analytics.mirror_quarantine.entity_id is 'Its id, where that could be read.';
comment on column analytics.mirror_quarantine.error is 'What was found and what was expected.';
comment on column analytics.mirror_quarantine.request_id is 'RequestId of the answer.';
comment on column analytics.mirror_quarantine.first_seen_at is 'When it was put here.';
comment on column analytics.mirror_quarantine.resolved_at is 'When it was settled; null while it is not.';
comment on column analytics.mirror_quarantine.resolution is 'How it was settled.';

view analytics.mirror_retries (
  region text,
  scope text,
  stream text,
  entity_id text,
  attempts integer,
  failed_at timestamp with time zone,
  retry_at timestamp with time zone,
  error text
);
comment on view analytics.mirror_retries is 'Calls for one run that failed and will be tried again.';
comment on column analytics.mirror_retries.region is 'Region, such as cn-shanghai.';
comment on column analytics.mirror_retries.scope is 'Scope, region:workspaceId.';
comment on column analytics.mirror_retries.stream is 'Stream, such as pipeline-runs.';
comment on column analytics.mirror_retries.entity_id is 'PipelineRunId.';
comment on column analytics.mirror_retries.attempts is 'Failures in a row.';
comment on column analytics.mirror_retries.failed_at is 'Last failure.';
comment on column analytics.mirror_retries.retry_at is 'Not tried again before this time.';
comment on column analytics.mirror_retries.error is 'The last failure.';

view analytics.mirror_tables (
  table_name text,
  estimated_rows bigint,
  bytes bigint
);
comment on view analytics.mirror_tables is 'Size of the mirror''s tables.';
comment on column analytics.mirror_tables.table_name is 'Table of schema pai.';
comment on column analytics.mirror_tables.estimated_rows is 'Rows, as of the last ANALYZE or VACUUM.';
comment on column analytics.mirror_tables.bytes is 'Bytes on disk, indexes included.';

view analytics.node_buckets (
  bucket timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  node_name text,
  node_type text,
  nodes bigint,
  succeeded bigint,
  failed bigint,
  seconds double precision,
  succeeded_seconds double precision[],
  pack analytics.node_pack
);
comment on view analytics.node_buckets is 'Nodes by the quarter hour in which their run was created, root nodes aside: the base of all node times over time.';
comment on column analytics.node_buckets.bucket is 'Start of a quarter hour (UTC): that of the creation of the runs.';
comment on column analytics.node_buckets.region is 'Region, such as cn-shanghai.';
comment on column analytics.node_buckets.scope is 'Scope, region:workspaceId.';
comment on column analytics.node_buckets.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.node_buckets.pipeline_id is 'PipelineId.';
comment on column analytics.node_buckets.node_name is 'NodeName.';
comment on column analytics.node_buckets.node_type is 'Logical or Physical.';
comment on column analytics.node_buckets.nodes is 'Nodes, one a run.';
comment on column analytics.node_buckets.succeeded is 'Of these succeeded.';
comment on column analytics.node_buckets.failed is 'Of these failed.';
comment on column analytics.node_buckets.seconds is 'Sum of the seconds of the succeeded ones.';
comment on column analytics.node_buckets.succeeded_seconds is 'Seconds of each succeeded one, ascending.';
comment on column analytics.node_buckets.pack is 'The same as one value: node_percentiles(array_agg(pack)) gives the 50th, 95th and 99th percentile over several rows.';

view analytics.node_outputs (
  pipeline_run_id text,
  node_id text,
  output_id text,
  name text,
  type text,
  producer text,
  metadata jsonb,
  value jsonb,
  created_at timestamp with time zone,
  deleted_at timestamp with time zone
);
comment on view analytics.node_outputs is 'Outputs of nodes.';
comment on column analytics.node_outputs.pipeline_run_id is 'PipelineRunId.';
comment on column analytics.node_outputs.node_id is 'NodeId.';
comment on column analytics.node_outputs.output_id is 'Id of the output.';
comment on column analytics.node_outputs.name is 'Name.';
comment on column analytics.node_outputs.type is 'Type.';
comment on column analytics.node_outputs.producer is 'Producer: the node that made it.';
comment on column analytics.node_outputs.metadata is 'Metadata.';
comment on column analytics.node_outputs.value is 'Value: where the output is, or what it is.';
comment on column analytics.node_outputs.created_at is 'GmtCreateTime.';
comment on column analytics.node_outputs.deleted_at is 'Since when an answer about the node does not name the output.';

view analytics.nodes (
  pipeline_run_id text,
  node_id text,
  node_type text,
  node_name text,
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  status text,
  outcome text,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  run_seconds double precision,
  share double precision,
  is_root boolean,
  is_critical boolean,
  runtime_info jsonb,
  missing_since timestamp with time zone
);
comment on view analytics.nodes is 'Nodes of pipeline runs with their share of the run''s time, and which one took longest.';
comment on column analytics.nodes.pipeline_run_id is 'PipelineRunId.';
comment on column analytics.nodes.node_id is 'NodeId.';
comment on column analytics.nodes.node_type is 'Logical or Physical.';
comment on column analytics.nodes.node_name is 'NodeName.';
comment on column analytics.nodes.region is 'Region, such as cn-shanghai.';
comment on column analytics.nodes.scope is 'Scope, region:workspaceId.';
comment on column analytics.nodes.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.nodes.pipeline_id is 'PipelineId.';
comment on column analytics.nodes.status is 'Status, in PAI''s word.';
comment on column analytics.nodes.outcome is 'succeeded, failed, terminated, skipped, active, or missing where the source does not name it any more.';
comment on column analytics.nodes.started_at is 'StartedAt.';
comment on column analytics.nodes.finished_at is 'FinishedAt.';
comment on column analytics.nodes.run_seconds is 'Seconds from start to end; so far for an active node.';
comment on column analytics.nodes.share is 'run_seconds of the node / seconds of the run. Nodes run side by side, so shares may add up to more than 1.';
comment on column analytics.nodes.is_root is 'It is the root node, which lasts as long as the run.';
comment on column analytics.nodes.is_critical is 'The one node of the run, the root aside, that took longest. A composite node counts with what it contains.';
comment on column analytics.nodes.runtime_info is 'RuntimeInfo.';
comment on column analytics.nodes.missing_since is 'Since when the source does not name it any more.';

view analytics.pipeline_nodes (
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  node_name text,
  node_type text,
  nodes bigint,
  succeeded bigint,
  failed bigint,
  mean_seconds double precision,
  p50_seconds double precision,
  p95_seconds double precision,
  share double precision
);
comment on view analytics.pipeline_nodes is 'Nodes of a pipeline over all its runs, root nodes aside: which one costs the time.';
comment on column analytics.pipeline_nodes.region is 'Region, such as cn-shanghai.';
comment on column analytics.pipeline_nodes.scope is 'Scope, region:workspaceId.';
comment on column analytics.pipeline_nodes.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.pipeline_nodes.pipeline_id is 'PipelineId.';
comment on column analytics.pipeline_nodes.node_name is 'NodeName.';
comment on column analytics.pipeline_nodes.node_type is 'Logical or Physical.';
comment on column analytics.pipeline_nodes.nodes is 'Nodes, one a run.';
comment on column analytics.pipeline_nodes.succeeded is 'Of these succeeded.';
comment on column analytics.pipeline_nodes.failed is 'Of these failed.';
comment on column analytics.pipeline_nodes.mean_seconds is 'Mean seconds of the succeeded ones.';
comment on column analytics.pipeline_nodes.p50_seconds is 'Median seconds of the succeeded ones.';
comment on column analytics.pipeline_nodes.p95_seconds is 'Seconds within which 95 % of the succeeded ones ended.';
comment on column analytics.pipeline_nodes.share is 'Share of the seconds of all succeeded nodes of the pipeline, 0 to 1.';

view analytics.pipeline_runs (
  pipeline_run_id text,
  name text,
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  user_id text,
  source_type text,
  source_id text,
  status text,
  outcome text,
  created_at timestamp with time zone,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  modified_at timestamp with time zone,
  queue_seconds double precision,
  run_seconds bigint,
  error text,
  error_pattern text,
  url text,
  root_node_id text,
  experiment_id text,
  deleted_at timestamp with time zone,
  missing_since timestamp with time zone,
  first_seen_at timestamp with time zone,
  updated_at timestamp with time zone,
  revision bigint
);
comment on view analytics.pipeline_runs is 'Pipeline runs with their times in the queue and at work, outcome, error and link.';
comment on column analytics.pipeline_runs.pipeline_run_id is 'PipelineRunId.';
comment on column analytics.pipeline_runs.name is 'Name.';
comment on column analytics.pipeline_runs.region is 'Region, such as cn-shanghai.';
comment on column analytics.pipeline_runs.scope is 'Scope, region:workspaceId.';
comment on column analytics.pipeline_runs.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.pipeline_runs.pipeline_id is 'PipelineId.';
comment on column analytics.pipeline_runs.user_id is 'UserId.';
comment on column analytics.pipeline_runs.source_type is 'SourceType.';
comment on column analytics.pipeline_runs.source_id is 'SourceId.';
comment on column analytics.pipeline_runs.status is 'Status, in PAI''s word.';
comment on column analytics.pipeline_runs.outcome is 'succeeded, failed, terminated, skipped or active; deleted or missing where the source dropped the run before its end was seen.';
comment on column analytics.pipeline_runs.created_at is 'GmtCreateTime.';
comment on column analytics.pipeline_runs.started_at is 'StartedAt.';
comment on column analytics.pipeline_runs.finished_at is 'FinishedAt.';
comment on column analytics.pipeline_runs.modified_at is 'GmtModifiedTime.';
comment on column analytics.pipeline_runs.queue_seconds is 'Seconds from creation to start; null before the start.';
comment on column analytics.pipeline_runs.run_seconds is 'Duration, else seconds from start to end; so far for an active run.';
comment on column analytics.pipeline_runs.error is 'Message of a failed run.';
comment on column analytics.pipeline_runs.error_pattern is 'The same without what differs from run to run: ids, numbers, URLs.';
comment on column analytics.pipeline_runs.url is 'Page of the run in the PAI console: PipelineRunUri, else made from region, workspace and id.';
comment on column analytics.pipeline_runs.root_node_id is 'Id of the root node.';
comment on column analytics.pipeline_runs.experiment_id is 'Experiment that the Options name (mlflow.experimentId).';
comment on column analytics.pipeline_runs.deleted_at is 'Since when the source is known to have deleted it.';
comment on column analytics.pipeline_runs.missing_since is 'Since when the source does not name it any more.';
comment on column analytics.pipeline_runs.first_seen_at is 'When the mirror stored it first.';
comment on column analytics.pipeline_runs.updated_at is 'When the mirror last changed it.';
comment on column analytics.pipeline_runs.revision is 'Grows with every change that the mirror saw.';

view analytics.pipeline_trends (
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  latest_name text,
  recent_runs bigint,
  recent_mean_seconds double precision,
  recent_success_rate double precision,
  before_runs bigint,
  before_mean_seconds double precision,
  before_success_rate double precision,
  slowdown double precision
);
comment on view analytics.pipeline_trends is 'The last 7 days of each pipeline against the 28 days before: which one got slower, or fails more.';
comment on column analytics.pipeline_trends.region is 'Region, such as cn-shanghai.';
comment on column analytics.pipeline_trends.scope is 'Scope, region:workspaceId.';
comment on column analytics.pipeline_trends.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.pipeline_trends.pipeline_id is 'PipelineId.';
comment on column analytics.pipeline_trends.latest_name is 'Name of the pipeline''s latest run: PAI tells no name of the pipeline itself.';
comment on column analytics.pipeline_trends.recent_runs is 'Runs of the last 7 days.';
comment on column analytics.pipeline_trends.recent_mean_seconds is 'Mean seconds of the succeeded ones of these.';
comment on column analytics.pipeline_trends.recent_success_rate is 'succeeded / (succeeded + failed) of these.';
comment on column analytics.pipeline_trends.before_runs is 'Runs of the 28 days before.';
comment on column analytics.pipeline_trends.before_mean_seconds is 'Mean seconds of the succeeded ones of these.';
comment on column analytics.pipeline_trends.before_success_rate is 'succeeded / (succeeded + failed) of these.';
comment on column analytics.pipeline_trends.slowdown is 'recent_mean_seconds / before_mean_seconds: above 1 is slower.';

view analytics.pipelines (
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  latest_name text,
  latest_pipeline_run_id text,
  latest_status text,
  latest_created_at timestamp with time zone,
  runs bigint,
  succeeded bigint,
  failed bigint,
  active bigint,
  success_rate double precision,
  mean_seconds double precision
);
comment on view analytics.pipelines is 'Pipelines, with their latest run and what became of all their runs.';
comment on column analytics.pipelines.region is 'Region, such as cn-shanghai.';
comment on column analytics.pipelines.scope is 'Scope, region:workspaceId.';
comment on column analytics.pipelines.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.pipelines.pipeline_id is 'PipelineId.';
comment on column analytics.pipelines.latest_name is 'Name of the pipeline''s latest run: PAI tells no name of the pipeline itself.';
comment on column analytics.pipelines.latest_pipeline_run_id is 'PipelineRunId of the latest run.';
comment on column analytics.pipelines.latest_status is 'Its status.';
comment on column analytics.pipelines.latest_created_at is 'Its GmtCreateTime.';
comment on column analytics.pipelines.runs is 'Runs.';
comment on column analytics.pipelines.succeeded is 'Of these succeeded.';
comment on column analytics.pipelines.failed is 'Of these failed.';
comment on column analytics.pipelines.active is 'Of these not at an end.';
comment on column analytics.pipelines.success_rate is 'succeeded / (succeeded + failed), 0 to 1; null without either.';
comment on column analytics.pipelines.mean_seconds is 'Mean seconds of the succeeded ones.';

view analytics.run_buckets (
  bucket timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  user_id text,
  source_type text,
  runs bigint,
  succeeded bigint,
  failed bigint,
  terminated bigint,
  skipped bigint,
  active bigint,
  lost bigint,
  queued_runs bigint,
  queue_seconds double precision,
  run_seconds bigint,
  succeeded_seconds integer[],
  pack analytics.pack
);
comment on view analytics.run_buckets is 'Pipeline runs by the quarter hour of their creation: the base of all counts over time, for any interval and any filter.';
comment on column analytics.run_buckets.bucket is 'Start of a quarter hour (UTC): that of the creation of the runs.';
comment on column analytics.run_buckets.region is 'Region, such as cn-shanghai.';
comment on column analytics.run_buckets.scope is 'Scope, region:workspaceId.';
comment on column analytics.run_buckets.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.run_buckets.pipeline_id is 'PipelineId.';
comment on column analytics.run_buckets.user_id is 'UserId.';
comment on column analytics.run_buckets.source_type is 'SourceType.';
comment on column analytics.run_buckets.runs is 'Runs.';
comment on column analytics.run_buckets.succeeded is 'Of these succeeded.';
comment on column analytics.run_buckets.failed is 'Of these failed.';
comment on column analytics.run_buckets.terminated is 'Of these terminated by a user.';
comment on column analytics.run_buckets.skipped is 'Of these skipped.';
comment on column analytics.run_buckets.active is 'Of these not at an end.';
comment on column analytics.run_buckets.lost is 'Of these dropped by the source before an end was seen.';
comment on column analytics.run_buckets.queued_runs is 'Runs that have started, whose time in the queue is known.';
comment on column analytics.run_buckets.queue_seconds is 'Sum of their seconds from creation to start.';
comment on column analytics.run_buckets.run_seconds is 'Sum of the seconds of the succeeded runs.';
comment on column analytics.run_buckets.succeeded_seconds is 'Seconds of each succeeded run, ascending.';
comment on column analytics.run_buckets.pack is 'The same as one value: percentiles(array_agg(pack)) gives the 50th, 95th and 99th percentile over several rows.';

view analytics.run_buckets_by_workspace (
  bucket timestamp with time zone,
  region text,
  scope text,
  workspace_id text,
  runs bigint,
  succeeded bigint,
  failed bigint,
  terminated bigint,
  skipped bigint,
  active bigint,
  lost bigint
);
comment on view analytics.run_buckets_by_workspace is 'Pipeline runs by the quarter hour of their creation and by workspace, counts alone: the quickest base of counts over time.';
comment on column analytics.run_buckets_by_workspace.bucket is 'Start of a quarter hour (UTC): that of the creation of the runs.';
comment on column analytics.run_buckets_by_workspace.region is 'Region, such as cn-shanghai.';
comment on column analytics.run_buckets_by_workspace.scope is 'Scope, region:workspaceId.';
comment on column analytics.run_buckets_by_workspace.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.run_buckets_by_workspace.runs is 'Runs.';
comment on column analytics.run_buckets_by_workspace.succeeded is 'Of these succeeded.';
comment on column analytics.run_buckets_by_workspace.failed is 'Of these failed.';
comment on column analytics.run_buckets_by_workspace.terminated is 'Of these terminated by a user.';
comment on column analytics.run_buckets_by_workspace.skipped is 'Of these skipped.';
comment on column analytics.run_buckets_by_workspace.active is 'Of these not at an end.';
comment on column analytics.run_buckets_by_workspace.lost is 'Of these dropped by the source before an end was seen.';

view analytics.run_details (
  pipeline_run_id text,
  manifest jsonb,
  arguments jsonb,
  options jsonb,
  fetched_at timestamp with time zone
);
comment on view analytics.run_details is 'What GetPipelineRun says of a pipeline run.';
comment on column analytics.run_details.pipeline_run_id is 'PipelineRunId.';
comment on column analytics.run_details.manifest is 'Manifest: the definition that was run.';
comment on column analytics.run_details.arguments is 'Arguments: the inputs of the run.';
comment on column analytics.run_details.options is 'Options of the run.';
comment on column analytics.run_details.fetched_at is 'When the call was sent.';

view analytics.run_experiments (
  pipeline_run_id text,
  experiment_id text,
  run_id text,
  evidence text
);
comment on view analytics.run_experiments is 'Which pipeline run belongs to which experiment, and why.';
comment on column analytics.run_experiments.pipeline_run_id is 'PipelineRunId.';
comment on column analytics.run_experiments.experiment_id is 'ExperimentId.';
comment on column analytics.run_experiments.run_id is 'RunId of the experiment run; null where only the Options name the experiment.';
comment on column analytics.run_experiments.evidence is 'source_id (the experiment run names the pipeline run) or options (mlflow.experimentId of the pipeline run).';

view analytics.run_labels (
  run_id text,
  key text,
  value text
);
comment on view analytics.run_labels is 'Labels of experiment runs, a row each.';
comment on column analytics.run_labels.run_id is 'RunId of the experiment run.';
comment on column analytics.run_labels.key is 'Key.';
comment on column analytics.run_labels.value is 'Value.';

view analytics.run_params (
  run_id text,
  key text,
  value text
);
comment on view analytics.run_params is 'Params of experiment runs, a row each.';
comment on column analytics.run_params.run_id is 'RunId of the experiment run.';
comment on column analytics.run_params.key is 'Key.';
comment on column analytics.run_params.value is 'Value.';

view analytics.scopes (
  region text,
  scope text,
  workspace_id text
);
comment on view analytics.scopes is 'The workspaces that the mirror knows.';
comment on column analytics.scopes.region is 'Region, such as cn-shanghai.';
comment on column analytics.scopes.scope is 'Scope, region:workspaceId.';
comment on column analytics.scopes.workspace_id is 'Workspace: the part of scope after the region.';

view analytics.status_history (
  pipeline_run_id text,
  status text,
  from_time timestamp with time zone,
  to_time timestamp with time zone,
  seconds double precision,
  is_current boolean,
  observed_at timestamp with time zone,
  request_id text
);
comment on view analytics.status_history is 'How long a pipeline run was in which status. Give a pipeline_run_id.';
comment on column analytics.status_history.pipeline_run_id is 'PipelineRunId.';
comment on column analytics.status_history.status is 'Status, in PAI''s word.';
comment on column analytics.status_history.from_time is 'Since when: by the source''s clock where the answer tells, else when it was observed.';
comment on column analytics.status_history.to_time is 'Until when; null for the present status.';
comment on column analytics.status_history.seconds is 'Seconds in the status; so far for an active one; null for an end.';
comment on column analytics.status_history.is_current is 'It is the last that is known.';
comment on column analytics.status_history.observed_at is 'When the call whose answer showed it was sent, by the mirror''s clock.';
comment on column analytics.status_history.request_id is 'RequestId of the answer that proves it.';

view analytics.stuck_runs (
  pipeline_run_id text,
  name text,
  region text,
  scope text,
  workspace_id text,
  pipeline_id text,
  user_id text,
  source_type text,
  status text,
  created_at timestamp with time zone,
  started_at timestamp with time zone,
  elapsed_seconds bigint,
  p50_seconds bigint,
  p95_seconds bigint,
  compared_runs bigint,
  is_stuck boolean,
  running_nodes text,
  url text
);
comment on view analytics.stuck_runs is 'Active runs that take longer than 95 % of the latest succeeded runs of their pipeline.';
comment on column analytics.stuck_runs.pipeline_run_id is 'PipelineRunId.';
comment on column analytics.stuck_runs.name is 'Name.';
comment on column analytics.stuck_runs.region is 'Region, such as cn-shanghai.';
comment on column analytics.stuck_runs.scope is 'Scope, region:workspaceId.';
comment on column analytics.stuck_runs.workspace_id is 'Workspace: the part of scope after the region.';
comment on column analytics.stuck_runs.pipeline_id is 'PipelineId.';
comment on column analytics.stuck_runs.user_id is 'UserId.';
comment on column analytics.stuck_runs.source_type is 'SourceType.';
comment on column analytics.stuck_runs.status is 'Status, in PAI''s word.';
comment on column analytics.stuck_runs.created_at is 'GmtCreateTime.';
comment on column analytics.stuck_runs.started_at is 'StartedAt.';
comment on column analytics.stuck_runs.elapsed_seconds is 'Seconds since the start; null before it.';
comment on column analytics.stuck_runs.p50_seconds is 'Median seconds of the pipeline''s latest succeeded runs (200 at most).';
comment on column analytics.stuck_runs.p95_seconds is 'Seconds within which 95 % of these ended.';
comment on column analytics.stuck_runs.compared_runs is 'How many these are.';
comment on column analytics.stuck_runs.is_stuck is 'It takes longer than 95 % of these did; false with fewer than 5 to compare with.';
comment on column analytics.stuck_runs.running_nodes is 'Names of its nodes that are under way.';
comment on column analytics.stuck_runs.url is 'Page of the run in the PAI console: PipelineRunUri, else made from region, workspace and id.';
