/** How the three answers that speak of a pipeline run are merged into `pipeline_runs` and `pipeline_run_details`. */
import type { JsonDocument, PipelineRun, PipelineRunDetails, PipelineRunStatus } from '../../domain/entities.js';
import { wasToldDeleted } from '../schema/columns.js';
import { pipelineRunDetails, pipelineRuns } from '../schema/pipeline-runs.js';
import * as rules from '../upsert/rules.js';
import type { History, Row, Rule, UpsertSpec } from '../upsert/spec.js';

const HISTORY = {
  kind: 'row',
  entity: 'pipeline_run',
  entityId: 'pipelineRunId',
  status: 'status',
  sourceTime: ['gmtModifiedTime'],
} as const satisfies History;
/** A poll brings no modification time: the known one would be that of an earlier change. */
const POLL_HISTORY: History = { ...HISTORY, sourceTime: [] };

const FIELDS = [
  'name',
  'status',
  'userId',
  'parentUserId',
  'startedAt',
  'finishedAt',
  'nodeId',
  'duration',
  'workspaceId',
  'message',
  'sourceType',
  'sourceId',
  'gmtCreateTime',
  'gmtModifiedTime',
  'pipelineId',
  'accessibility',
  'pipelineRunUri',
  'extra',
] as const satisfies readonly (keyof PipelineRun)[];

const every = (rule: Rule, except: { [property: string]: Rule }): { [property: string]: Rule } => ({
  ...Object.fromEntries(FIELDS.map((field) => [field, rule])),
  ...except,
});

/**
 * A run that PAI has moved to another workspace goes to the scope whose list shows it as its own. Where two scopes list
 * it, only one of them is the workspace that the run names, so it does not go to and fro; where a scope has lost sight of
 * it, any other one that lists it takes it over.
 */
const followList = rules.always(
  `case when v.is_new or (not v.is_late and (k.missing_since is not null or k.deleted_at is not null
     or i.in_scope = i.in_region || ':' || i.workspace_id)) then i.in_scope else k.scope end`,
);

const LISTED: UpsertSpec = {
  table: pipelineRuns,
  keys: ['pipelineRunId'],
  merge: {
    ...every(rules.versioned, {
      status: rules.unlessLate(rules.versioned),
      nodeId: rules.rootNode,
      pipelineRunUri: rules.latest,
    }),
    ...rules.present,
    deletedAt: rules.unlessLate(
      rules.always(
        `case when k.deleted_at is not null and not v.moved and ${wasToldDeleted('k.scope', 'k.pipeline_run_id')} then k.deleted_at end`,
      ),
    ),
    scope: followList,
  },
  computed: ['scope'],
  moved: 'i.gmt_modified_time is distinct from k.gmt_modified_time or i.status is distinct from k.status',
  observed: 'observedAt',
  remembers: true,
  staleWhen: rules.olderVersion,
  lateButNewWhen: rules.newerVersion,
  history: HISTORY,
};

/** ListPipelineRuns, the authority on a run. */
export const LISTED_RUNS: UpsertSpec = {
  ...LISTED,
  afterPruning: { ...LISTED, history: { ...HISTORY, comesBack: true } },
};

/** ListPipelineRunsStatus: status and deletion; the rest only completes. */
export const POLLED_RUNS: UpsertSpec = {
  table: pipelineRuns,
  keys: ['pipelineRunId'],
  inputOnly: { isDeleted: 'boolean' },
  merge: {
    status: rules.latest,
    nodeId: rules.polledRootNode,
    name: rules.fill,
    userId: rules.fill,
    parentUserId: rules.fill,
    sourceId: rules.fill,
    extra: rules.initial,
    deletedAt: rules.always(
      'case when i.is_deleted then coalesce(k.deleted_at, i.observed_at) when i.is_deleted is null then k.deleted_at end',
    ),
    missingSince: rules.always('case when i.is_deleted then k.missing_since end'),
  },
  observed: 'observedAt',
  remembers: true,
  history: POLL_HISTORY,
};

/** The run inside GetPipelineRun: it exists, it has a status, and it may fill gaps of the list. */
export const DETAILED_RUNS: UpsertSpec = {
  table: pipelineRuns,
  keys: ['pipelineRunId'],
  merge: {
    ...every(rules.fill, { status: rules.latest, nodeId: rules.filledRootNode }),
    ...rules.present,
  },
  inputOnly: { sourceTime: 'timestamptz' },
  observed: 'observedAt',
  remembers: true,
  // The merged modification time is the list's; the one that proves this change came with this answer.
  history: { ...HISTORY, sourceTime: ['sourceTime'] },
};

export const RUN_DETAILS: UpsertSpec = {
  table: pipelineRunDetails,
  keys: ['pipelineRunId'],
  merge: {
    manifest: rules.take,
    manifestRaw: rules.take,
    arguments: rules.take,
    argumentsRaw: rules.take,
    options: rules.take,
    optionsRaw: rules.take,
  },
  observed: 'fetchedAt',
};

/** An answer that should name the run did not. */
export const MISSING_RUNS: UpsertSpec = {
  table: pipelineRuns,
  keys: ['pipelineRunId'],
  insertNew: false,
  merge: {
    status: rules.always('k.status'),
    missingSince: rules.always(
      'case when k.deleted_at is null then coalesce(k.missing_since, i.observed_at) else k.missing_since end',
    ),
  },
  computed: ['status'],
  observed: 'observedAt',
  remembers: true,
  history: POLL_HISTORY,
};

/** GetPipelineRun confirmed that the run is gone. */
export const DELETED_RUNS: UpsertSpec = {
  ...MISSING_RUNS,
  merge: { status: rules.always('k.status'), deletedAt: rules.always('coalesce(k.deleted_at, i.observed_at)') },
};

/** The entity's properties are the table's: nothing to rename. */
export const runRow = (run: PipelineRun): Row => run as PipelineRun & Row;

export const detailedRunRow = (run: PipelineRun): Row => ({ ...run, sourceTime: run.gmtModifiedTime });

export const runStatusRow = (run: PipelineRunStatus): Row => ({ ...run });

/** `{manifest, manifestRaw}` */
export const documentRow = (property: string, document: JsonDocument): Row => ({
  [property]: document.json,
  [`${property}Raw`]: document.raw,
});

export const runDetailsRow = (details: PipelineRunDetails): Row => ({
  pipelineRunId: details.run.pipelineRunId,
  ...documentRow('manifest', details.manifest),
  ...documentRow('arguments', details.arguments),
  ...documentRow('options', details.options),
});
