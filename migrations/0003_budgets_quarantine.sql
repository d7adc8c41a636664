-- Unlogged: it is written before every call, needs no flush that way, and after a crash it begins anew.
CREATE UNLOGGED TABLE "pai"."call_budgets" (
	"region" text NOT NULL,
	"name" text NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"pace" double precision NOT NULL,
	"paused_until" timestamp with time zone,
	"slowed_at" timestamp with time zone,
	CONSTRAINT "call_budgets_region_name_pk" PRIMARY KEY("region","name")
);
--> statement-breakpoint
ALTER TABLE "pai"."quarantine" ADD COLUMN "parent_id" text;--> statement-breakpoint
ALTER TABLE "pai"."quarantine" ADD COLUMN "form" text DEFAULT 'answer' NOT NULL;--> statement-breakpoint
COMMENT ON COLUMN "pai"."quarantine"."parent_id" IS 'The run that the item hangs on: the PipelineRunId that the call asked for or the item names; for params, labels and metrics the RunId; else null.';
COMMENT ON COLUMN "pai"."quarantine"."form" IS 'What raw is: answer (the item as PAI sent it) or entity (as it was decoded, where the database refused that).';
COMMENT ON TABLE "pai"."call_budgets" IS 'The pace of the calls to PAI, shared by all replicas: one row a region and budget.';
COMMENT ON COLUMN "pai"."call_budgets"."region" IS 'Region.';
COMMENT ON COLUMN "pai"."call_budgets"."name" IS 'Budget: flow, listRuns or listWorkspaces.';
COMMENT ON COLUMN "pai"."call_budgets"."due_at" IS 'When the next call is due, by the database''s clock.';
COMMENT ON COLUMN "pai"."call_budgets"."pace" IS 'Share of the configured rate that is used now; less than 1 after throttling or failures.';
COMMENT ON COLUMN "pai"."call_budgets"."paused_until" IS 'No call before this time: the source asked for a pause.';
COMMENT ON COLUMN "pai"."call_budgets"."slowed_at" IS 'When the pace was lowered last.';
COMMENT ON COLUMN "pai"."quarantine"."resolution" IS 'How: superseded by a later good answer, retried, or vanished (the whole was answered without it).';
COMMENT ON TABLE "pai"."sync_retries" IS 'Calls for one run that failed, to be tried again; under stream told-deleted the runs that the poll calls deleted.';
