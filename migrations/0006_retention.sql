CREATE TABLE "pai"."pruned_runs" (
	"entity_id" text NOT NULL,
	"entity" text NOT NULL,
	"region" text NOT NULL,
	"scope" text NOT NULL,
	"status" text,
	"gmt_modified_time" timestamp with time zone,
	"pruned_at" timestamp with time zone NOT NULL,
	CONSTRAINT "pruned_runs_entity_id_entity_pk" PRIMARY KEY("entity_id","entity")
);
--> statement-breakpoint
COMMENT ON TABLE "pai"."pruned_runs" IS 'Runs that retention took out of the mirror, one row a run: what the source still shows of them is passed over. Their last state is in change_events, kind pruned.';
COMMENT ON COLUMN "pai"."pruned_runs"."entity_id" IS 'PipelineRunId or RunId.';
COMMENT ON COLUMN "pai"."pruned_runs"."entity" IS 'pipeline_run or run.';
COMMENT ON COLUMN "pai"."pruned_runs"."region" IS 'Region of the scope.';
COMMENT ON COLUMN "pai"."pruned_runs"."scope" IS 'Scope, region:workspaceId, that the run belonged to.';
COMMENT ON COLUMN "pai"."pruned_runs"."status" IS 'Status when it was pruned; null for experiment runs.';
COMMENT ON COLUMN "pai"."pruned_runs"."gmt_modified_time" IS 'GmtModifiedTime when it was pruned. A run that the list shows with a later one is stored again.';
COMMENT ON COLUMN "pai"."pruned_runs"."pruned_at" IS 'When it was pruned, by the database''s clock.';
COMMENT ON COLUMN "pai"."change_events"."kind" IS 'discovered, changed, deleted, missing, restored (it is there again, also after it was pruned) or pruned (retention took the run out of the mirror).';
COMMENT ON COLUMN "pai"."change_events"."from_status" IS 'Status before; null for discovered. Of a run that is restored after it was pruned: the one that it had then.';
COMMENT ON COLUMN "pai"."change_events"."changes" IS 'Column to [old, new] for each changed column; null for discovered. Params and labels are named params.KEY and labels.KEY. For pruned: every column that had a value, [value, null], and what hung on the run: nodes (key, name, status and times of each), details.arguments, details.options; params.KEY, labels.KEY, metrics.KEY (the last point and how many there were).';
COMMENT ON COLUMN "pai"."change_events"."request_id" IS 'RequestId of the answer that proves it; null for pruned.';
--> statement-breakpoint
SELECT "pai"."describe_change_event_partition"(c.relname) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'pai.change_events'::regclass AND c.relnamespace = 'pai'::regnamespace;
--> statement-breakpoint
-- The last state of a pruned run comes whole from its event, the mirror's own columns included.
CREATE OR REPLACE FUNCTION "analytics"."run_as_of"(id text, at timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE SET timezone = 'UTC' SET search_path = pg_catalog AS $$
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
$$;
--> statement-breakpoint
COMMENT ON FUNCTION "analytics"."run_as_of"(text, timestamptz) IS 'A pipeline run or experiment run as the mirror knew it at that time, from its history, also after it was pruned; null when it was not known yet.';
