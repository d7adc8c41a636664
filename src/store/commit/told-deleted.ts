/**
 * Runs that ListPipelineRunsStatus calls deleted (`IsDeleted`). Where the list goes on showing such a run in the same
 * version, the plain word outweighs the list: otherwise the run would be restored by one stream and deleted by the
 * other, in every round. It is polled on while the list shows it, so that the word can be taken back. What the list has
 * stopped showing is forgotten here by the next reconcile, and is a deleted run like any other.
 *
 * Kept in `sync_retries`, under a stream of its own: it is bookkeeping about a run, and no failure.
 */
import type { WriteBatch } from '../../domain/batch.js';
import { TOLD_DELETED } from '../schema/columns.js';
import type { CommitContext } from './context.js';

const itemsOf = <T>(groups: readonly { readonly items: readonly T[] }[] | undefined): T[] =>
  (groups ?? []).flatMap(({ items }) => items);

/** Before the runs are written: what an answer takes back, or does not know, is for the list to tell again. */
export async function noteToldDeleted(context: CommitContext, batch: WriteBatch): Promise<void> {
  const statuses = itemsOf(batch.pipelineRunStatuses);
  const deleted = statuses.filter((run) => run.isDeleted === true).map((run) => run.pipelineRunId);
  if (deleted.length > 0) {
    await context.client.query(
      `insert into pai.sync_retries (scope, stream, entity_id, attempts, failed_at, retry_at, error)
       select $1, ${TOLD_DELETED}, id, 1, clock_timestamp(), clock_timestamp(), 'ListPipelineRunsStatus: IsDeleted'
       from unnest($2::text[]) as told(id) order by id on conflict do nothing`,
      [context.scope.name, [...new Set(deleted)]],
    );
  }
  if (!context.hasToldDeleted) return;
  const back = [
    ...statuses.filter((run) => run.isDeleted !== true).map((run) => run.pipelineRunId),
    ...(context.stream === 'status' ? itemsOf(batch.pipelineRunsMissing) : []),
  ];
  if (back.length === 0) return;
  await context.client.query(
    `delete from pai.sync_retries where scope = $1 and stream = ${TOLD_DELETED} and entity_id = any($2::text[])`,
    [context.scope.name, back],
  );
}

/** After the runs are written: those that the list shows all the same are remembered beyond its walk. */
export async function keepToldDeleted(context: CommitContext, batch: WriteBatch): Promise<void> {
  const listed = context.hasToldDeleted ? itemsOf(batch.pipelineRuns).map((run) => run.pipelineRunId) : [];
  if (listed.length === 0) return;
  await context.client.query(
    `update pai.sync_retries s set failed_at = clock_timestamp() from pai.pipeline_runs r
     where s.scope = $1 and s.stream = ${TOLD_DELETED} and s.entity_id = any($2::text[])
       and r.pipeline_run_id = s.entity_id and r.deleted_at is not null`,
    [context.scope.name, listed],
  );
}
