create sequence pai.change_events_event_id_seq as bigint increment 1 start 1 cache 1;
comment on sequence pai.change_events_event_id_seq is 'Source of change_events.event_id.';

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
comment on column pai.change_events.kind is 'discovered, changed, deleted, missing or restored.';
comment on column pai.change_events.from_status is 'Status before; null for discovered.';
comment on column pai.change_events.to_status is 'Status after.';
comment on column pai.change_events.changes is 'Column to [old, new] for each changed column; null for discovered. Params and labels are named params.KEY and labels.KEY.';
comment on column pai.change_events.source_time is 'When it happened by the source''s clock: GmtModifiedTime of a run, FinishedAt or else StartedAt of a node; null where the answer tells no time.';
comment on column pai.change_events.observed_at is 'When the call whose answer showed the change was sent, by the mirror''s clock.';
comment on column pai.change_events.request_id is 'RequestId of the answer that proves it.';

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
comment on column pai.change_events_default.kind is 'discovered, changed, deleted, missing or restored.';
comment on column pai.change_events_default.from_status is 'Status before; null for discovered.';
comment on column pai.change_events_default.to_status is 'Status after.';
comment on column pai.change_events_default.changes is 'Column to [old, new] for each changed column; null for discovered. Params and labels are named params.KEY and labels.KEY.';
comment on column pai.change_events_default.source_time is 'When it happened by the source''s clock: GmtModifiedTime of a run, FinishedAt or else StartedAt of a node; null where the answer tells no time.';
comment on column pai.change_events_default.observed_at is 'When the call whose answer showed the change was sent, by the mirror''s clock.';
comment on column pai.change_events_default.request_id is 'RequestId of the answer that proves it.';

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
CREATE INDEX pipeline_runs_created ON pai.pipeline_runs USING btree (scope, gmt_create_time);
CREATE INDEX pipeline_runs_due_details ON pai.pipeline_runs USING btree (scope, pipeline_run_id) WHERE ((details_revision < revision) AND (deleted_at IS NULL) AND (missing_since IS NULL));
CREATE INDEX pipeline_runs_due_nodes ON pai.pipeline_runs USING btree (scope, pipeline_run_id) WHERE ((nodes_revision < revision) AND (deleted_at IS NULL) AND (missing_since IS NULL) AND (node_id <> ''::text));
CREATE INDEX pipeline_runs_missing ON pai.pipeline_runs USING btree (scope, pipeline_run_id) WHERE ((missing_since IS NOT NULL) AND (deleted_at IS NULL));
CREATE INDEX pipeline_runs_modified ON pai.pipeline_runs USING btree (scope, gmt_modified_time);
CREATE INDEX pipeline_runs_nodes_open ON pai.pipeline_runs USING btree (scope, pipeline_run_id) WHERE nodes_open;
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
