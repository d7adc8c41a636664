-- The history is partitioned by month and append-only. drizzle-kit knows neither, so this part is written by hand.
ALTER SEQUENCE "pai"."change_events_event_id_seq" OWNED BY "pai"."change_events"."event_id";
--> statement-breakpoint
-- Takes the events of months that have no partition, so that a missing partition never stops the mirror.
CREATE TABLE "pai"."change_events_default" PARTITION OF "pai"."change_events" DEFAULT;
--> statement-breakpoint
CREATE FUNCTION "pai"."refuse_history_change"() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of %.% refused: the history is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation',
          HINT = 'Old history is pruned by detaching or dropping whole monthly partitions.';
END
$$;
--> statement-breakpoint
-- Refuses also a statement that would touch no row.
CREATE TRIGGER "append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "pai"."change_events"
FOR EACH STATEMENT EXECUTE FUNCTION "pai"."refuse_history_change"();
--> statement-breakpoint
-- A statement trigger does not see what is done to a partition by its own name; PostgreSQL copies row triggers to every
-- partition, present and future. They cost nothing on INSERT.
CREATE TRIGGER "append_only_rows" BEFORE UPDATE OR DELETE ON "pai"."change_events"
FOR EACH ROW EXECUTE FUNCTION "pai"."refuse_history_change"();
--> statement-breakpoint
CREATE TRIGGER "append_only_truncate" BEFORE TRUNCATE ON "pai"."change_events_default"
FOR EACH STATEMENT EXECUTE FUNCTION "pai"."refuse_history_change"();
--> statement-breakpoint
-- Comments are not inherited, and tools that show a partition show its own.
CREATE FUNCTION "pai"."describe_change_event_partition"(partition_name text) RETURNS void
LANGUAGE plpgsql AS $$
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
$$;
--> statement-breakpoint
CREATE FUNCTION "pai"."ensure_change_event_partitions"(months_ahead integer) RETURNS SETOF text
LANGUAGE plpgsql AS $$
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
$$;
