/** The calls' own time: the same calls by the project's own client at the same concurrency, and nothing else. */

import type { Scope } from '../src/domain/scope.js';
import type { PaiClient } from '../src/pai/client.js';
import { chunk } from '../src/util/chunk.js';

const NEVER = new AbortController().signal;

/** Seconds until all of them are answered; `concurrency` at once. */
export async function timeCalls<T>(
  items: readonly T[],
  concurrency: number,
  call: (item: T) => Promise<unknown>,
): Promise<number> {
  const waiting = items[Symbol.iterator]();
  const started = performance.now();
  const work = async (): Promise<void> => {
    for (let next = waiting.next(); !next.done; next = waiting.next()) await call(next.value);
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return (performance.now() - started) / 1_000;
}

export interface CallShape {
  readonly concurrency: number;
  readonly statusBatch: number;
}

/** ListPipelineRunsStatus of so many runs. */
export function timeStatusCalls(
  client: PaiClient,
  scope: Scope,
  ids: readonly string[],
  shape: CallShape,
): Promise<number> {
  return timeCalls([...chunk(ids, shape.statusBatch)], shape.concurrency, (pipelineRunIds) =>
    client.listPipelineRunsStatus(scope, { pipelineRunIds }, NEVER),
  );
}

export interface NodeCalls {
  /** Runs whose trees are fetched, with their root nodes. */
  readonly trees: readonly { readonly pipelineRunId: string; readonly nodeId: string }[];
  /** Nodes that are asked for in batches. */
  readonly nodes: readonly { readonly pipelineRunId: string; readonly nodeId: string }[];
}

/** The service's own default. */
const NODE_DEPTH = 10;

/** First all trees, then all batches, as a pass of `nodes` does it. */
export async function timeNodeCalls(
  client: PaiClient,
  scope: Scope,
  { trees, nodes }: NodeCalls,
  shape: CallShape,
): Promise<number> {
  const treeSeconds = await timeCalls(trees, shape.concurrency, (node) =>
    client.listPipelineRunNodeStatus(scope, { ...node, depth: NODE_DEPTH, type: 'Logical' }, NEVER),
  );
  const batchSeconds = await timeCalls([...chunk(nodes, shape.statusBatch)], shape.concurrency, (batch) =>
    client.listPipelineRunsStatus(scope, { nodes: batch }, NEVER),
  );
  return treeSeconds + batchSeconds;
}
