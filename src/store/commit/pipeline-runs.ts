import type { Fetched, Observed, WriteBatch } from '../../domain/batch.js';
import type { PipelineRunDetails } from '../../domain/entities.js';
import {
  DELETED_RUNS,
  DETAILED_RUNS,
  detailedRunRow,
  LISTED_RUNS,
  MISSING_RUNS,
  POLLED_RUNS,
  RUN_DETAILS,
  runDetailsRow,
  runRow,
  runStatusRow,
} from '../entities/pipeline-runs.js';
import type { UpsertSpec } from '../upsert/spec.js';
import { type CommitContext, type Written, write } from './context.js';
import { toEntries } from './entries.js';
import { markDetailsFetched } from './fetched.js';

/** ListPipelineRuns and ListPipelineRunsStatus. */
export async function writePipelineRuns(context: CommitContext, batch: WriteBatch): Promise<void> {
  const id = (run: { pipelineRunId: string }) => run.pipelineRunId;
  const listed = { operation: 'ListPipelineRuns', entity: 'pipeline_run', id };
  const { changes } = await write(context, LISTED_RUNS, toEntries(batch.pipelineRuns ?? [], listed, runRow));
  await takeAlong(
    context,
    changes.filter(({ rescoped }) => rescoped).map(({ entry }) => entry.entityId),
  );
  const polled = { operation: 'ListPipelineRunsStatus', entity: 'pipeline_run', id };
  await write(context, POLLED_RUNS, toEntries(batch.pipelineRunStatuses ?? [], polled, runStatusRow));
}

/** What belongs to a run goes with it to another scope; that is neither a change of a node nor history. */
async function takeAlong({ client, scope }: CommitContext, pipelineRunIds: readonly string[]): Promise<void> {
  if (pipelineRunIds.length === 0) return;
  for (const table of ['pai.pipeline_run_details', 'pai.pipeline_run_nodes']) {
    await client.query(`update ${table} set scope = $1 where pipeline_run_id = any($2::text[]) and scope <> $1`, [
      scope.name,
      pipelineRunIds,
    ]);
  }
}

/**
 * A details answer may change the run itself, which makes a new revision. Details of the revision just before are then
 * those of the new one: else every such answer would make its own run due again.
 */
function countOwnChange(fetched: readonly Fetched[], changes: readonly Written[]): Fetched[] {
  const revisions = new Map(changes.map((change) => [change.entry.entityId, change.revision]));
  return fetched.map(({ pipelineRunId, revision }) => {
    const now = revisions.get(pipelineRunId);
    const own = now === BigInt(revision) + 1n;
    return { pipelineRunId, revision: own ? String(now) : revision };
  });
}

/** GetPipelineRun. */
export async function writeDetails(context: CommitContext, batch: WriteBatch): Promise<void> {
  const id = ({ run }: PipelineRunDetails): string => run.pipelineRunId;
  const naming = { operation: 'GetPipelineRun', id, parentId: id };
  const groups = batch.pipelineRunDetails ?? [];
  const runs = toEntries(groups, { ...naming, entity: 'pipeline_run' }, ({ run }) => detailedRunRow(run));
  const { changes } = await write(context, DETAILED_RUNS, runs);
  // By a name of their own: one of the two rows may be refused and the other not.
  await write(context, RUN_DETAILS, toEntries(groups, { ...naming, entity: 'pipeline_run_details' }, runDetailsRow));
  await markDetailsFetched(context.client, countOwnChange(batch.detailsFetched ?? [], changes));
}

/**
 * An operation that has told before that it does not know the run tells nothing new. When the list shows the run all the
 * same, it would be missing and back in every round, for ever. (`reconcile` sorts out by itself what the list has left
 * out before.)
 */
async function notToldBefore(
  context: CommitContext,
  groups: readonly Observed<string>[],
): Promise<readonly Observed<string>[]> {
  const ids = groups.flatMap(({ items }) => items);
  if (ids.length === 0) return groups;
  const { rows } = await context.client.query<{ id: string }>(
    'select entity_id as id from pai.sync_retries where scope = $1 and stream = $2 and entity_id = any($3::text[])',
    [context.scope.name, context.stream, ids],
  );
  const told = new Set(rows.map(({ id }) => id));
  return groups.map(({ evidence, items }) => ({ evidence, items: items.filter((id) => !told.has(id)) }));
}

/** Runs that answers leave out, and runs that are known to be gone. */
export async function writeAbsentRuns(context: CommitContext, batch: WriteBatch): Promise<void> {
  const mark = (spec: UpsertSpec, groups: WriteBatch['pipelineRunsMissing'], operation: string) =>
    write(
      context,
      spec,
      toEntries(groups ?? [], { operation, entity: 'pipeline_run_id', id: (id) => id }, (pipelineRunId) => ({
        pipelineRunId,
      })),
    );
  const missing = batch.pipelineRunsMissing ?? [];
  // What a walk of the list does not show is missing, whatever the other operations said before.
  const news = context.stream === 'reconcile' ? missing : await notToldBefore(context, missing);
  await mark(MISSING_RUNS, news, 'ListPipelineRuns');
  await mark(DELETED_RUNS, batch.pipelineRunsDeleted, 'GetPipelineRun');
}
