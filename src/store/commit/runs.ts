import type { PgTable } from 'drizzle-orm/pg-core';
import type { WriteBatch } from '../../domain/batch.js';
import type { ExperimentRun } from '../../domain/entities.js';
import { idOfParts } from '../../domain/quarantine.js';
import { isEarlier } from '../clock.js';
import {
  experimentRunRow,
  fieldRow,
  goneFieldRow,
  LISTED_EXPERIMENT_RUNS,
  MISSING_EXPERIMENT_RUNS,
  metricRow,
  RUN_LABELS,
  RUN_METRICS,
  RUN_PARAMS,
} from '../entities/runs.js';
import { tableSql } from '../sql.js';
import { type Entry, newestByKey } from '../upsert/newest.js';
import type { Row, UpsertSpec } from '../upsert/spec.js';
import { type CommitContext, type Written, write } from './context.js';
import { toEntries } from './entries.js';

/** A listed run that the guard let through: its children may be written. */
interface Accepted {
  readonly entry: Entry;
  readonly run: ExperimentRun;
  readonly isNew: boolean;
}

/** An entry for a child row of a run. Quarantine names it by the row's key. */
export const childEntry = (
  { entry, run }: { readonly entry: Entry; readonly run: Pick<ExperimentRun, 'runId'> },
  entity: string,
  item: { readonly key: string; readonly step?: string; readonly timestamp?: string },
  row: Row,
): Entry => ({
  row,
  evidence: entry.evidence,
  item,
  operation: entry.operation,
  entity,
  entityId:
    item.step === undefined || item.timestamp === undefined
      ? idOfParts(run.runId, item.key)
      : idOfParts(run.runId, item.key, item.step, item.timestamp),
  parentId: run.runId,
});

/** The keys that the mirror holds of these runs and that their lists no longer name. */
async function unnamedKeys(
  context: CommitContext,
  table: PgTable,
  runIds: readonly string[],
  named: readonly Entry[],
): Promise<{ run_id: string; key: string }[]> {
  if (runIds.length === 0) return [];
  const { rows } = await context.client.query<{ run_id: string; key: string }>(
    `select c.run_id, c.key from ${tableSql(table)} c
     left join unnest($2::text[], $3::text[]) as named(run_id, key) on named.run_id = c.run_id and named.key = c.key
     where c.run_id = any($1::text[]) and c.deleted_at is null and named.run_id is null`,
    [runIds, named.map((entry) => entry.row.runId), named.map((entry) => entry.row.key)],
  );
  return rows;
}

/** Params or labels: where all of a run's list could be read, a key that it does not name gets a tombstone. */
async function writeFields(
  context: CommitContext,
  spec: UpsertSpec,
  field: 'params' | 'labels',
  accepted: readonly Accepted[],
): Promise<Written[]> {
  const entity = field === 'params' ? 'run_param' : 'run_label';
  const listed = accepted.filter(({ run }) => run[field] !== null);
  const named = listed.flatMap((one) =>
    (one.run[field] ?? []).map((item) => childEntry(one, entity, item, fieldRow(one.run, item, !one.isNew))),
  );
  // With members that nobody could read, a key that is not among the others may be one of them.
  const known = new Map(
    listed.filter((one) => !one.isNew && !one.run.unreadable?.includes(field)).map((one) => [one.run.runId, one]),
  );
  const gone = (await unnamedKeys(context, spec.table, [...known.keys()], named)).map(({ run_id, key }) => {
    const one = known.get(run_id) as Accepted;
    return childEntry(one, entity, { key }, goneFieldRow(run_id, key, one.run.gmtModifiedTime));
  });
  return (await write(context, spec, [...named, ...gone])).changes;
}

async function writeMetrics(context: CommitContext, accepted: readonly Accepted[]): Promise<Written[]> {
  const entries = accepted.flatMap((one) =>
    (one.run.metrics ?? []).map((metric) => childEntry(one, 'run_metric', metric, metricRow(one.run, metric))),
  );
  return (await write(context, RUN_METRICS, entries)).changes;
}

/**
 * A run whose children changed has a new revision and a newer observation, although its own row was the same: without
 * that, an older answer could put the children back. New metric points need no such guard, they never collide.
 */
export async function touchRuns(context: CommitContext, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  await context.client.query(
    `with touched as (
       select r.run_id, i.observed_at, i.request_id from pai.runs r
       join unnest($1::text[], $2::timestamptz[], $3::text[]) as i(run_id, observed_at, request_id) on r.run_id = i.run_id
       order by r.run_id for no key update of r)
     update pai.runs r set answer_request_id = t.request_id,
       observed_at = case when ${isEarlier('t.observed_at', 'r.observed_at')} then r.observed_at else t.observed_at end,
       updated_at = statement_timestamp(), revision = r.revision + 1
     from touched t where r.run_id = t.run_id`,
    [
      entries.map((entry) => entry.entityId),
      entries.map((entry) => entry.evidence.observedAt),
      entries.map((entry) => entry.evidence.requestId),
    ],
  );
}

/** ListRuns: the run's row first, its guard speaks for the children too. */
export async function writeExperimentRuns(context: CommitContext, batch: WriteBatch): Promise<void> {
  const naming = { operation: 'ListRuns', entity: 'run', id: (run: ExperimentRun) => run.runId };
  const all = toEntries(batch.experimentRuns ?? [], naming, experimentRunRow);
  const entries = newestByKey(all, LISTED_EXPERIMENT_RUNS.keys);
  if (entries.length === 0) return;

  const refusedBefore = context.rejected.length;
  const { changes, stale } = await write(context, LISTED_EXPERIMENT_RUNS, entries);
  const refused = new Set(context.rejected.slice(refusedBefore).map((item) => item.entityId));
  const skipped = new Set(stale);
  const inserted = new Set(changes.filter((change) => change.isNew).map((change) => change.entry));
  const accepted = entries
    .filter((entry) => !skipped.has(entry) && !refused.has(entry.entityId))
    .map((entry) => ({ entry, run: entry.item as ExperimentRun, isNew: inserted.has(entry) }));

  // Points that only an older answer of the batch shows are points all the same: ListRuns may show each key's latest.
  const byId = new Map(accepted.map((one) => [one.run.runId, one]));
  const shown = all.flatMap((entry) => {
    const one = byId.get(entry.entityId);
    return one === undefined ? [] : [{ ...one, entry, run: entry.item as ExperimentRun }];
  });
  const moved = [
    ...(await writeFields(context, RUN_PARAMS, 'params', accepted)),
    ...(await writeFields(context, RUN_LABELS, 'labels', accepted)),
    ...(await writeMetrics(context, shown)).filter((change) => !change.isNew),
  ];
  const movedIds = new Set(moved.map((change) => change.entry.parentId));
  const written = new Set(changes.map((change) => change.entry));
  await touchRuns(
    context,
    accepted.map(({ entry }) => entry).filter((entry) => movedIds.has(entry.entityId) && !written.has(entry)),
  );
}

export async function writeAbsentExperimentRuns(context: CommitContext, batch: WriteBatch): Promise<void> {
  const naming = { operation: 'ListRuns', entity: 'run_id', id: (id: string) => id };
  await write(
    context,
    MISSING_EXPERIMENT_RUNS,
    toEntries(batch.experimentRunsMissing ?? [], naming, (runId) => ({ runId })),
  );
}
