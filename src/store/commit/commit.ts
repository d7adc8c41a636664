import type { ClientBase } from 'pg';
import { type Effect, noEffect, type Observed, type WriteBatch } from '../../domain/batch.js';
import type { Scope } from '../../domain/scope.js';
import { scopeName } from '../../domain/scope.js';
import type { Stream } from '../../domain/streams.js';
import { writeCursor } from '../cursors.js';
import { holdOffPruning } from '../pruning-lock.js';
import { TOLD_DELETED } from '../schema/columns.js';
import type { CommitContext } from './context.js';
import { writeNodes } from './nodes.js';
import { writeAbsentRuns, writeDetails, writePipelineRuns } from './pipeline-runs.js';
import { lockQuarantine, quarantineRejected, resolveSuperseded } from './quarantine.js';
import type { PendingObservations } from './recent.js';
import { settleRetried } from './retried.js';
import { forgetFailures, forgetSettled, recordFailures } from './retries.js';
import { writeRunMembers } from './run-members.js';
import { writeAbsentExperimentRuns, writeExperimentRuns } from './runs.js';
import { keepToldDeleted, noteToldDeleted } from './told-deleted.js';
import { resolveVanished } from './vanished.js';

/** What most commits need not think of. */
interface Rarities {
  readonly quarantine: boolean;
  readonly toldDeleted: boolean;
  readonly pruned: boolean;
}

async function readRarities(client: ClientBase, scope: string): Promise<Rarities> {
  const { rows } = await client.query<Rarities>(
    `select exists (select from pai.quarantine where scope = $1 and resolved_at is null) as quarantine,
       exists (select from pai.sync_retries where scope = $1 and stream = ${TOLD_DELETED}) as "toldDeleted",
       exists (select from pai.pruned_runs) as pruned`,
    [scope],
  );
  return rows[0] as Rarities;
}

/** Runs that a stream without a revision to reach has asked for, and about which it got an answer. */
function answeredBy(stream: Stream, batch: WriteBatch): string[] {
  const items = <T>(groups: readonly Observed<T>[] | undefined): T[] => (groups ?? []).flatMap((group) => group.items);
  if (stream === 'reconcile') {
    // What the list shows (again) is not asked for by name any more.
    return items(batch.pipelineRuns).map((run) => run.pipelineRunId);
  }
  if (stream !== 'status') return [];
  return items(batch.pipelineRunStatuses).map((run) => run.pipelineRunId);
}

async function settleFailures(context: CommitContext, batch: WriteBatch): Promise<void> {
  const ids = (fetched: WriteBatch['nodesFetched']) => (fetched ?? []).map((one) => one.pipelineRunId);
  await forgetFailures(context, ['nodes'], ids(batch.nodesFetched));
  await forgetFailures(context, ['details'], ids(batch.detailsFetched));
  // For `status` the failures of a deleted run stay until the list has confirmed it (failuresOverBefore).
  const gone = context.stream === 'reconcile' ? (batch.pipelineRunsDeleted ?? []).flatMap(({ items }) => items) : [];
  await forgetFailures(context, ['nodes', 'details', 'status', 'reconcile'], gone);
  if (batch.failuresOverBefore !== undefined) await forgetSettled(context, batch.failuresOverBefore);
  await forgetFailures(context, [context.stream], answeredBy(context.stream, batch));
  await recordFailures(context, batch.failures ?? []);
}

/**
 * Writes a batch inside the caller's transaction, tables always in the same order. The cursor comes last, so that it
 * can only ever be seen together with everything before it.
 */
export async function writeBatch(
  client: ClientBase,
  lease: { readonly scope: Scope; readonly stream: Stream },
  batch: WriteBatch,
  options: {
    readonly careful: boolean;
    readonly observations: PendingObservations;
    /** Awaited before anything that two commits of one pass share: quarantine, and at last the cursor. */
    readonly turn: () => Promise<void>;
  },
): Promise<Effect> {
  const scope = { region: lease.scope.region, name: scopeName(lease.scope) };
  // By a statement of its own: the next one must see what was pruned until then.
  await holdOffPruning(client);
  const rarities = await readRarities(client, scope.name);
  const context: CommitContext = {
    client,
    scope,
    stream: lease.stream,
    effect: noEffect(),
    ...options,
    hasQuarantine: rarities.quarantine,
    hasToldDeleted: rarities.toldDeleted,
    hasPruned: rarities.pruned,
    rejected: (batch.rejected ?? []).flatMap(({ evidence, operation, items }) =>
      items.map((item) => ({ ...item, evidence, operation })),
    ),
    good: [],
  };
  await noteToldDeleted(context, batch);
  await writePipelineRuns(context, batch);
  await keepToldDeleted(context, batch);
  await writeDetails(context, batch);
  await writeNodes(context, batch);
  await writeExperimentRuns(context, batch);
  await writeRunMembers(context, batch);
  await writeAbsentRuns(context, batch);
  await writeAbsentExperimentRuns(context, batch);
  // The lock is one for the scope: who waits for the commit before it must not hold what that one needs.
  if (context.hasQuarantine || context.rejected.length > 0) await options.turn();
  await lockQuarantine(context);
  if (batch.retried) await settleRetried(context, batch.retried);
  await resolveSuperseded(context);
  // One item that was decoded again is no answer to a whole question.
  if (!batch.retried) await resolveVanished(context, batch);
  await quarantineRejected(context);
  await settleFailures(context, batch);
  await options.turn();
  if (batch.cursor) await writeCursor(client, scope.name, batch.cursorName ?? lease.stream, batch.cursor);
  return context.effect;
}
