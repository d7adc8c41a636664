import type { WriteBatch } from '../domain/batch.js';

/** What the answers of ListPipelineRunsStatus write. */
export type StatusBatch = Pick<
  WriteBatch,
  | 'pipelineRunStatuses'
  | 'pipelineRunsMissing'
  | 'nodeStatuses'
  | 'nodeOutputs'
  | 'nodesPolled'
  | 'rejected'
  | 'failures'
>;

/** Each row keeps the evidence of its own answer. */
export const joinBatches = (batches: readonly StatusBatch[]): StatusBatch => ({
  pipelineRunStatuses: batches.flatMap((batch) => batch.pipelineRunStatuses ?? []),
  pipelineRunsMissing: batches.flatMap((batch) => batch.pipelineRunsMissing ?? []),
  nodeStatuses: batches.flatMap((batch) => batch.nodeStatuses ?? []),
  nodeOutputs: batches.flatMap((batch) => batch.nodeOutputs ?? []),
  nodesPolled: batches.flatMap((batch) => batch.nodesPolled ?? []),
  rejected: batches.flatMap((batch) => batch.rejected ?? []),
  failures: batches.flatMap((batch) => batch.failures ?? []),
});

const isClean = ({ rejected = [] }: StatusBatch): boolean => rejected.every(({ items }) => items.length === 0);

/**
 * The transactions for several answers, in their order. A transaction's own cost (the fence, what is rare, the flush to
 * disk) is more than that of a hundred rows that did not change, so answers share one; but not with an answer that holds
 * an item nobody could read: what that one leaves open would be left open for its neighbours, too.
 */
export function transactionsFor(batches: readonly StatusBatch[]): StatusBatch[] {
  const groups: StatusBatch[][] = [];
  let mayJoin = false;
  for (const batch of batches) {
    const clean = isClean(batch);
    if (clean && mayJoin) groups.at(-1)?.push(batch);
    else groups.push([batch]);
    mayJoin = clean;
  }
  return groups.map(joinBatches);
}
