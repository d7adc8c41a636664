/** How ListRuns is merged into `runs` and its three child tables. */
import type { ExperimentRun, RunLabel, RunMetric, RunParam } from '../../domain/entities.js';
import { runLabels, runMetrics, runParams, runs } from '../schema/runs.js';
import * as rules from '../upsert/rules.js';
import type { History, Row, Rule, UpsertSpec } from '../upsert/spec.js';

const HISTORY = {
  kind: 'row',
  entity: 'run',
  entityId: 'runId',
  sourceTime: ['gmtModifiedTime'],
} as const satisfies History;

const FIELDS = [
  'name',
  'experimentId',
  'workspaceId',
  'userId',
  'ownerId',
  'sourceType',
  'sourceId',
  'accessibility',
  'gmtCreateTime',
  'gmtModifiedTime',
  'requestId',
  'extra',
] as const satisfies readonly (keyof ExperimentRun)[];

const LISTED: UpsertSpec = {
  table: runs,
  keys: ['runId'],
  merge: {
    ...Object.fromEntries(FIELDS.map((field) => [field, rules.versioned])),
    // Nobody documents whether it is the run's for ever or new with every answer.
    requestId: rules.perVersion,
    ...rules.present,
  },
  moved: 'i.gmt_modified_time is distinct from k.gmt_modified_time',
  observed: 'observedAt',
  remembers: true,
  guardsOthers: true,
  staleWhen: rules.olderVersion,
  lateButNewWhen: rules.newerVersion,
  history: HISTORY,
};

export const LISTED_EXPERIMENT_RUNS: UpsertSpec = {
  ...LISTED,
  afterPruning: { ...LISTED, history: { ...HISTORY, comesBack: true } },
};

export const MISSING_EXPERIMENT_RUNS: UpsertSpec = {
  table: runs,
  keys: ['runId'],
  insertNew: false,
  merge: {
    missingSince: rules.always(
      'case when k.deleted_at is null then coalesce(k.missing_since, i.observed_at) else k.missing_since end',
    ),
  },
  observed: 'observedAt',
  remembers: true,
  history: { ...HISTORY, sourceTime: [] },
};

/** A field that the answer names, or (`gone`) no longer names: it keeps its last value under a tombstone. */
const named: Rule = (c) => `case when i.gone then k.${c} else i.${c} end`;
const tombstone = rules.always('case when i.gone then coalesce(k.deleted_at, i.observed_at) end');
const FIELD_INPUT = { gone: 'boolean', history: 'boolean', sourceTime: 'timestamptz' };

export const RUN_PARAMS: UpsertSpec = {
  table: runParams,
  keys: ['runId', 'key'],
  inputOnly: FIELD_INPUT,
  merge: { value: named, deletedAt: tombstone },
  observed: null,
  history: { kind: 'fields', prefix: 'params' },
};

export const RUN_LABELS: UpsertSpec = {
  table: runLabels,
  keys: ['runId', 'key'],
  inputOnly: FIELD_INPUT,
  merge: { value: named, gmtCreateTime: named, gmtModifiedTime: named, deletedAt: tombstone },
  observed: null,
  history: { kind: 'fields', prefix: 'labels' },
};

/** Points are only ever added or corrected: nothing of them is history. */
export const RUN_METRICS: UpsertSpec = {
  table: runMetrics,
  keys: ['runId', 'key', 'step', 'timestamp'],
  merge: { value: rules.take },
  observed: null,
};

/** Without the three lists, which have tables of their own, and what is known of them. */
export function experimentRunRow(run: ExperimentRun): Row {
  const { params, labels, metrics, unreadable, ...fields } = run;
  return fields;
}

/** `history` false: the run is new, and its first params are part of its discovery. */
export const fieldRow = (
  run: Pick<ExperimentRun, 'runId' | 'gmtModifiedTime'>,
  field: RunParam | RunLabel,
  history: boolean,
): Row => ({
  runId: run.runId,
  ...field,
  gone: false,
  history,
  sourceTime: run.gmtModifiedTime,
});

export const goneFieldRow = (runId: string, key: string, sourceTime: string | null): Row => ({
  runId,
  key,
  value: null,
  gmtCreateTime: null,
  gmtModifiedTime: null,
  gone: true,
  history: true,
  sourceTime,
});

export const metricRow = (run: Pick<ExperimentRun, 'runId'>, metric: RunMetric): Row => ({
  runId: run.runId,
  ...metric,
});
