/**
 * Settles what no good answer can settle: an item whose id could not be read, or that the source dropped while it was
 * bad. Each rule needs an answer to the whole question in which the item did not come up again.
 */
import type { CompleteWalk, WriteBatch } from '../../domain/batch.js';
import type { ExperimentRun, RunList } from '../../domain/entities.js';
import type { CommitContext } from './context.js';

/** Everything of one operation below one run was answered, and all of it could be read. */
interface WholeAnswer {
  readonly operation: string;
  readonly entity: string;
  readonly parentId: string;
  /** Only entries whose id ends like this, or that have none. */
  readonly suffix: string;
  readonly observedAt: string;
}

const ENTITY_OF: { readonly [list in RunList]: string } = {
  params: 'run_param',
  labels: 'run_label',
  metrics: 'run_metric',
};

/** A tree settles the nodes of its type; nodes without an id may be of any type, so they need all trees of the run. */
function wholeTrees(batch: WriteBatch): WholeAnswer[] {
  const trees = batch.nodeTrees ?? [];
  const broken = new Set(trees.filter((tree) => !tree.complete).map((tree) => tree.pipelineRunId));
  const whole = { operation: 'ListPipelineRunNodeStatus', entity: 'node' };
  return trees
    .filter((tree) => tree.complete)
    .map((tree) => ({
      ...whole,
      parentId: tree.pipelineRunId,
      suffix: broken.has(tree.pipelineRunId) ? `/${tree.nodeType}` : '',
      observedAt: tree.evidence.observedAt,
    }));
}

const wholeDetails = (batch: WriteBatch): WholeAnswer[] =>
  (batch.pipelineRunDetails ?? []).flatMap(({ evidence, items }) =>
    items.map(({ run }) => ({
      operation: 'GetPipelineRun',
      entity: 'pipeline_run',
      parentId: run.pipelineRunId,
      suffix: '',
      observedAt: evidence.observedAt,
    })),
  );

/** Of the runs that the guard let through: the lists that have no unreadable member. */
const wholeLists = (batch: WriteBatch): WholeAnswer[] =>
  (batch.experimentRuns ?? []).flatMap(({ evidence, items }) =>
    items.flatMap((run: ExperimentRun) =>
      (Object.keys(ENTITY_OF) as RunList[])
        .filter((list) => run[list] !== null && !run.unreadable?.includes(list))
        .map((list) => ({
          operation: 'ListRuns',
          entity: ENTITY_OF[list],
          parentId: run.runId,
          suffix: '',
          observedAt: evidence.observedAt,
        })),
    ),
  );

async function settleBelowRuns(context: CommitContext, whole: readonly WholeAnswer[]): Promise<void> {
  if (whole.length === 0) return;
  // What the database has refused in this very batch was in the answer, though it could be read.
  const refused = context.rejected.map((item) => item.entityId);
  await context.client.query(
    `update pai.quarantine q set resolved_at = statement_timestamp(), resolution = 'vanished'
     from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
       as w(operation, entity, parent_id, suffix, observed_at)
     where q.scope = $1 and q.resolved_at is null and q.operation = w.operation and q.entity = w.entity
       and q.parent_id = w.parent_id and q.observed_at <= w.observed_at
       and (w.suffix = '' or right(q.entity_id, length(w.suffix)) = w.suffix)
       and (q.entity_id is null or q.entity_id <> all($7::text[]))`,
    [
      context.scope.name,
      whole.map((one) => one.operation),
      whole.map((one) => one.entity),
      whole.map((one) => one.parentId),
      whole.map((one) => one.suffix),
      whole.map((one) => one.observedAt),
      refused.filter((id) => id !== null),
    ],
  );
}

/** A run that is deleted at the source is never sent again, and neither is anything below it. */
async function settleDeleted(context: CommitContext, batch: WriteBatch): Promise<void> {
  const told = (batch.pipelineRunStatuses ?? []).map(({ evidence, items }) => ({
    evidence,
    items: items.filter((run) => run.isDeleted).map((run) => run.pipelineRunId),
  }));
  const gone = [...(batch.pipelineRunsDeleted ?? []), ...told].flatMap(({ evidence, items }) =>
    items.map((id) => ({ id, observedAt: evidence.observedAt })),
  );
  if (gone.length === 0) return;
  await context.client.query(
    `update pai.quarantine q set resolved_at = statement_timestamp(), resolution = 'vanished'
     from unnest($2::text[], $3::timestamptz[]) as gone(id, observed_at)
     where q.scope = $1 and q.resolved_at is null and q.operation <> 'ListRuns' and q.observed_at <= gone.observed_at
       and (q.entity_id = gone.id or q.parent_id = gone.id)`,
    [context.scope.name, gone.map((one) => one.id), gone.map((one) => one.observedAt)],
  );
}

/**
 * Everything that the operation has to say was read, and none of it was this content. (What the database refused is known
 * by another text than that of the answer; such an item has an id, and settles by it.)
 */
async function settleWalk(context: CommitContext, walk: CompleteWalk): Promise<void> {
  await context.client.query(
    `update pai.quarantine q set resolved_at = statement_timestamp(), resolution = 'vanished'
     where q.scope = $1 and q.resolved_at is null and q.operation = $2 and q.entity = any($3::text[])
       and q.form = 'answer' and q.observed_at < $4::timestamptz and q.fingerprint <> all($5::text[])`,
    [context.scope.name, walk.operation, walk.entities, walk.startedAt, walk.stillBad],
  );
}

/** Call it before the batch's own bad items are put into quarantine. */
export async function resolveVanished(context: CommitContext, batch: WriteBatch): Promise<void> {
  if (!context.hasQuarantine) return;
  await settleBelowRuns(context, [...wholeTrees(batch), ...wholeDetails(batch), ...wholeLists(batch)]);
  await settleDeleted(context, batch);
  if (batch.completeWalk) await settleWalk(context, batch.completeWalk);
}
