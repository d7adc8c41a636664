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

/** Lists are put together, each row keeps the evidence of its own answer; of what is no list, the cursor, the last one stays. */
export function joinBatches(batches: readonly WriteBatch[]): WriteBatch {
  const joined: { [part: string]: unknown } = {};
  for (const batch of batches) {
    for (const [part, value] of Object.entries(batch)) {
      const before = joined[part];
      if (Array.isArray(value) && Array.isArray(before)) before.push(...(value as unknown[]));
      else joined[part] = Array.isArray(value) ? [...(value as unknown[])] : value;
    }
  }
  return joined;
}

/** Nothing of it is for quarantine. */
export const isClean = ({ rejected = [] }: Pick<WriteBatch, 'rejected'>): boolean =>
  rejected.every(({ items }) => items.length === 0);

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
