/**
 * The fewest calls with which PAI's interface lets a pass ask for what there was to ask for: pure arithmetic. What a pass
 * makes beyond it is told beside it: a page that was read again because rows moved, a retry, a batch that was halved.
 */

/** Pages of a list, up to the row behind which nothing is needed; an empty list takes a call, too. */
export const pagesFor = (rows: number, pageSize: number): number => Math.max(1, Math.ceil(rows / pageSize));

/** ListPipelineRunsStatus for so many runs, or so many nodes: never both in one call. */
export const batchesFor = (subjects: number, statusBatch: number): number => Math.ceil(subjects / statusBatch);

/** ListPipelineRunNodeStatus answers one type of one run's tree. */
export const callsForTrees = (runs: number, nodeTypes: number): number => runs * nodeTypes;
