CREATE SCHEMA IF NOT EXISTS "pai";
--> statement-breakpoint
CREATE SEQUENCE "pai"."change_events_event_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "pai"."quarantine" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "pai"."quarantine_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"scope" text NOT NULL,
	"region" text NOT NULL,
	"stream" text NOT NULL,
	"operation" text NOT NULL,
	"entity" text NOT NULL,
	"entity_id" text,
	"raw" text NOT NULL,
	"fingerprint" text NOT NULL,
	"error" text NOT NULL,
	"request_id" text,
	"observed_at" timestamp with time zone NOT NULL,
	"first_seen_at" timestamp with time zone NOT NULL,
	"resolved_at" timestamp with time zone,
	"resolution" text
);
--> statement-breakpoint
CREATE TABLE "pai"."sync_cursors" (
	"scope" text NOT NULL,
	"stream" text NOT NULL,
	"watermark" timestamp with time zone,
	"state" jsonb NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "sync_cursors_scope_stream_pk" PRIMARY KEY("scope","stream")
);
--> statement-breakpoint
CREATE TABLE "pai"."sync_leases" (
	"scope" text NOT NULL,
	"stream" text NOT NULL,
	"holder" text NOT NULL,
	"fence" bigint NOT NULL,
	"acquired_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "sync_leases_scope_stream_pk" PRIMARY KEY("scope","stream")
);
--> statement-breakpoint
CREATE TABLE "pai"."sync_passes" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "pai"."sync_passes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"scope" text NOT NULL,
	"stream" text NOT NULL,
	"fence" bigint NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone,
	"outcome" text,
	"calls" bigint DEFAULT 0 NOT NULL,
	"rows_read" bigint DEFAULT 0 NOT NULL,
	"inserted" bigint DEFAULT 0 NOT NULL,
	"updated" bigint DEFAULT 0 NOT NULL,
	"unchanged" bigint DEFAULT 0 NOT NULL,
	"stale" bigint DEFAULT 0 NOT NULL,
	"quarantined" bigint DEFAULT 0 NOT NULL,
	"error" text
);
--> statement-breakpoint
CREATE TABLE "pai"."sync_retries" (
	"scope" text NOT NULL,
	"stream" text NOT NULL,
	"entity_id" text NOT NULL,
	"attempts" integer NOT NULL,
	"failed_at" timestamp with time zone NOT NULL,
	"retry_at" timestamp with time zone NOT NULL,
	"error" text NOT NULL,
	CONSTRAINT "sync_retries_scope_stream_entity_id_pk" PRIMARY KEY("scope","stream","entity_id")
);
--> statement-breakpoint
CREATE TABLE "pai"."change_events" (
	"event_id" bigint DEFAULT nextval('pai.change_events_event_id_seq') NOT NULL,
	"entity" text NOT NULL,
	"entity_id" text NOT NULL,
	"node_id" text,
	"node_type" text,
	"region" text NOT NULL,
	"scope" text NOT NULL,
	"kind" text NOT NULL,
	"from_status" text,
	"to_status" text,
	"changes" jsonb,
	"source_time" timestamp with time zone,
	"observed_at" timestamp with time zone NOT NULL,
	"request_id" text,
	CONSTRAINT "change_events_entity_id_event_id_observed_at_pk" PRIMARY KEY("entity_id","event_id","observed_at")
) PARTITION BY RANGE ("observed_at");
--> statement-breakpoint
CREATE TABLE "pai"."node_outputs" (
	"pipeline_run_id" text NOT NULL,
	"id" text NOT NULL,
	"node_id" text,
	"name" text,
	"type" text,
	"metadata" jsonb,
	"value" jsonb,
	"value_raw" text,
	"producer" text,
	"gmt_create_time" timestamp with time zone,
	"expanded_artifact_index" bigint,
	"expandable_artifact_name" text,
	"region" text NOT NULL,
	"first_seen_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"observed_at" timestamp with time zone NOT NULL,
	"answer_request_id" text,
	"deleted_at" timestamp with time zone,
	"extra" jsonb,
	CONSTRAINT "node_outputs_pipeline_run_id_id_pk" PRIMARY KEY("pipeline_run_id","id")
);
--> statement-breakpoint
CREATE TABLE "pai"."pipeline_run_nodes" (
	"pipeline_run_id" text NOT NULL,
	"node_id" text NOT NULL,
	"node_type" text NOT NULL,
	"node_name" text,
	"status" text,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"runtime_info" jsonb,
	"runtime_info_raw" text,
	"input_artifact_archived" boolean,
	"output_artifact_archived" boolean,
	"region" text NOT NULL,
	"first_seen_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"scope" text NOT NULL,
	"observed_at" timestamp with time zone NOT NULL,
	"answer_request_id" text,
	"revision" bigint NOT NULL,
	"deleted_at" timestamp with time zone,
	"missing_since" timestamp with time zone,
	"extra" jsonb,
	"outputs_revision" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "pipeline_run_nodes_pipeline_run_id_node_id_node_type_pk" PRIMARY KEY("pipeline_run_id","node_id","node_type")
);
--> statement-breakpoint
CREATE TABLE "pai"."pipeline_run_details" (
	"pipeline_run_id" text PRIMARY KEY NOT NULL,
	"manifest" jsonb,
	"manifest_raw" text,
	"arguments" jsonb,
	"arguments_raw" text,
	"options" jsonb,
	"options_raw" text,
	"region" text NOT NULL,
	"first_seen_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"scope" text NOT NULL,
	"fetched_at" timestamp with time zone NOT NULL,
	"answer_request_id" text
);
--> statement-breakpoint
CREATE TABLE "pai"."pipeline_runs" (
	"pipeline_run_id" text PRIMARY KEY NOT NULL,
	"name" text,
	"status" text,
	"user_id" text,
	"parent_user_id" text,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"node_id" text,
	"duration" bigint,
	"workspace_id" text,
	"message" text,
	"source_type" text,
	"source_id" text,
	"gmt_create_time" timestamp with time zone,
	"gmt_modified_time" timestamp with time zone,
	"pipeline_id" text,
	"accessibility" text,
	"pipeline_run_uri" text,
	"region" text NOT NULL,
	"first_seen_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"scope" text NOT NULL,
	"observed_at" timestamp with time zone NOT NULL,
	"answer_request_id" text,
	"revision" bigint NOT NULL,
	"deleted_at" timestamp with time zone,
	"missing_since" timestamp with time zone,
	"extra" jsonb,
	"nodes_revision" bigint DEFAULT 0 NOT NULL,
	"details_revision" bigint DEFAULT 0 NOT NULL,
	"nodes_open" boolean DEFAULT false NOT NULL,
	"nodes_fetched_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "pai"."run_labels" (
	"run_id" text NOT NULL,
	"key" text NOT NULL,
	"value" text,
	"gmt_create_time" timestamp with time zone,
	"gmt_modified_time" timestamp with time zone,
	"region" text NOT NULL,
	"first_seen_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "run_labels_run_id_key_pk" PRIMARY KEY("run_id","key")
);
--> statement-breakpoint
CREATE TABLE "pai"."run_metrics" (
	"run_id" text NOT NULL,
	"key" text NOT NULL,
	"step" bigint NOT NULL,
	"timestamp" timestamp with time zone NOT NULL,
	"value" double precision,
	"region" text NOT NULL,
	"first_seen_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "run_metrics_run_id_key_step_timestamp_pk" PRIMARY KEY("run_id","key","step","timestamp")
);
--> statement-breakpoint
CREATE TABLE "pai"."run_params" (
	"run_id" text NOT NULL,
	"key" text NOT NULL,
	"value" text,
	"region" text NOT NULL,
	"first_seen_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "run_params_run_id_key_pk" PRIMARY KEY("run_id","key")
);
--> statement-breakpoint
CREATE TABLE "pai"."runs" (
	"run_id" text PRIMARY KEY NOT NULL,
	"name" text,
	"experiment_id" text,
	"workspace_id" text,
	"user_id" text,
	"owner_id" text,
	"source_type" text,
	"source_id" text,
	"accessibility" text,
	"gmt_create_time" timestamp with time zone,
	"gmt_modified_time" timestamp with time zone,
	"request_id" text,
	"region" text NOT NULL,
	"first_seen_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"scope" text NOT NULL,
	"observed_at" timestamp with time zone NOT NULL,
	"answer_request_id" text,
	"revision" bigint NOT NULL,
	"deleted_at" timestamp with time zone,
	"missing_since" timestamp with time zone,
	"extra" jsonb
);
--> statement-breakpoint
CREATE INDEX "quarantine_unresolved" ON "pai"."quarantine" USING btree ("scope") WHERE resolved_at is null;--> statement-breakpoint
CREATE INDEX "sync_passes_latest" ON "pai"."sync_passes" USING btree ("scope","stream","id");--> statement-breakpoint
CREATE INDEX "change_events_observed" ON "pai"."change_events" USING btree ("scope","observed_at");--> statement-breakpoint
CREATE INDEX "pipeline_run_nodes_due_outputs" ON "pai"."pipeline_run_nodes" USING btree ("scope","pipeline_run_id","node_id") WHERE outputs_revision < revision and missing_since is null;--> statement-breakpoint
CREATE INDEX "pipeline_runs_active" ON "pai"."pipeline_runs" USING btree ("scope","pipeline_run_id") WHERE deleted_at is null and (status is null or status not in ('Succeeded', 'Failed', 'Terminated', 'Skipped'));--> statement-breakpoint
CREATE INDEX "pipeline_runs_due_nodes" ON "pai"."pipeline_runs" USING btree ("scope","pipeline_run_id") WHERE nodes_revision < revision and deleted_at is null and missing_since is null and node_id <> '';--> statement-breakpoint
CREATE INDEX "pipeline_runs_due_details" ON "pai"."pipeline_runs" USING btree ("scope","pipeline_run_id") WHERE details_revision < revision and deleted_at is null and missing_since is null;--> statement-breakpoint
CREATE INDEX "pipeline_runs_nodes_open" ON "pai"."pipeline_runs" USING btree ("scope","pipeline_run_id") WHERE nodes_open;--> statement-breakpoint
CREATE INDEX "pipeline_runs_missing" ON "pai"."pipeline_runs" USING btree ("scope","pipeline_run_id") WHERE missing_since is not null and deleted_at is null;--> statement-breakpoint
CREATE INDEX "pipeline_runs_created" ON "pai"."pipeline_runs" USING btree ("scope","gmt_create_time");--> statement-breakpoint
CREATE INDEX "pipeline_runs_modified" ON "pai"."pipeline_runs" USING btree ("scope","gmt_modified_time");--> statement-breakpoint
CREATE INDEX "runs_created" ON "pai"."runs" USING btree ("scope","gmt_create_time");--> statement-breakpoint
CREATE INDEX "runs_experiment" ON "pai"."runs" USING btree ("experiment_id","gmt_create_time");