/**
 * Stream `nodes`: the node tree of every run that is new or changed, and between changes the nodes of active runs in
 * batches, which is the only way to their outputs. A node that moved makes its run's tree due again (only the tree has
 * RuntimeInfo), so the two steps alternate until nothing is due. A pass that follows up fetches the trees that were made
 * due and their outputs; the batches are for the ticks (2,000 active runs of five nodes are a hundred calls, and `status`
 * may write every few seconds).
 */
import type { NodesAnswer, StatusAnswer } from '../domain/answers.js';
import type { NodeKey, ObservedTree, WriteBatch } from '../domain/batch.js';
import { PaiError } from '../domain/errors.js';
import { chunk } from '../util/chunk.js';
import { type Asked, askStatus, type Question } from './ask-status.js';
import { getDetails } from './details.js';
import { dueRuns, isGone, storeEach, unreadable } from './each-run.js';
import { joinBatches, type StatusBatch, transactionsFor } from './join-batches.js';
import { runParts } from './parts.js';
import type { Pass } from './pass.js';
import { batchesFor, callsForTrees } from './plan-calls.js';
import { STATUS_GROUPS, statusRows } from './poll.js';
import type { DueRun } from './ports.js';
import { readAhead, untilFailure } from './read-ahead.js';

/** Trees that are stored in one transaction at most. */
const TREES_PER_COMMIT = 16;

/** Batches of nodes taken from the database at once. */
const BATCHES_PER_QUERY = 16;

/** Over a source that keeps moving the steps would alternate for ever; the next pass goes on. */
const MAX_ROUNDS = 3;

export async function nodes(pass: Pass): Promise<void> {
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    let answered = 0;
    const pollStep = async (): Promise<void> => {
      answered = await pollNodes(pass, round > 1 || pass.followsUp);
    };
    await runParts(pass, [() => fetchTrees(pass), pollStep]);
    if (answered === 0) return;
  }
}

async function fetchTrees(pass: Pass): Promise<void> {
  const total = await pass.store.countDue(pass.scope, 'nodes');
  const due = dueRuns(pass, (query) => pass.store.runsDueForNodes(pass.scope, query));
  await storeEach(pass, due, {
    phase: 'node trees',
    total,
    groupSize: TREES_PER_COMMIT,
    callsEach: callsForTrees(1, pass.settings.nodeTypes.length),
    fetch: (run) => fetchTree(pass, run),
    toBatch: treeBatch,
  });
}

/** One call a node type; a run whose every type was read counts as fetched. */
async function fetchTree(pass: Pass, run: DueRun): Promise<readonly { type: string; answer: NodesAnswer }[]> {
  const trees: { type: string; answer: NodesAnswer }[] = [];
  for (const type of pass.settings.nodeTypes) {
    const node = { pipelineRunId: run.pipelineRunId, nodeId: run.nodeId, depth: pass.settings.nodeDepth, type };
    const answer = await pass
      .call(
        () => pass.source.listPipelineRunNodeStatus(pass.scope, node, pass.signal),
        (found) => found.nodes.length,
      )
      .catch((error: unknown) => explainAbsence(pass, run, error));
    trees.push({ type, answer });
  }
  return trees;
}

/**
 * The operation speaks of a node: whether the run exists is for the run's own operation to say. A run whose root node is
 * unknown would else be missing after every pass, and be back after every reconcile.
 */
async function explainAbsence(pass: Pass, run: DueRun, error: unknown): Promise<never> {
  if (!isGone(error)) throw error;
  await getDetails(pass, run.pipelineRunId).catch((other: unknown) => {
    pass.signal.throwIfAborted();
    // Where that operation fails, this one has to do: reconcile asks again before it calls the run deleted.
    throw isGone(other) ? other : error;
  });
  throw new PaiError(`the run exists, its root node ${run.nodeId} does not: ${error.message}`, {
    code: 'PAI_NO_ROOT_NODE',
    retryable: true,
    blast: 'item',
    operation: error.operation,
    requestId: error.requestId,
    cause: error,
  });
}

export function treeBatch(
  fetched: readonly { run: DueRun; value: readonly { type: string; answer: NodesAnswer }[] }[],
): WriteBatch {
  const trees = fetched.flatMap(({ run, value }) =>
    value.map(({ type, answer }): ObservedTree & { answer: NodesAnswer } => ({
      evidence: answer,
      pipelineRunId: run.pipelineRunId,
      nodeType: type,
      nodes: answer.nodes,
      complete: answer.rejected.length === 0,
      answer,
    })),
  );
  return {
    nodeTrees: trees,
    nodesFetched: fetched
      .filter(isWhole)
      .map(({ run }) => ({ pipelineRunId: run.pipelineRunId, revision: run.revision })),
    // With an item in quarantine the tree is asked for again, later: the source may have mended it by then.
    failures: fetched.filter((tree) => !isWhole(tree)).map(({ run }) => unreadable(run)),
    rejected: trees.map(({ answer }) => ({
      evidence: answer,
      items: answer.rejected,
      operation: 'ListPipelineRunNodeStatus',
    })),
  };
}

const isWhole = ({ value }: { readonly value: readonly { answer: NodesAnswer }[] }): boolean =>
  value.every(({ answer }) => answer.rejected.length === 0);

/** Returns how many nodes were answered. */
async function pollNodes(pass: Pass, outputsOnly: boolean): Promise<number> {
  let asked = 0;
  let named = 0;
  let failed = 0;
  const question: Question<NodeKey> = {
    ask: (keys) => pass.source.listPipelineRunsStatus(pass.scope, { nodes: keys }, pass.signal),
    idOf: (key) => key.pipelineRunId,
    absentIn: absentNodes,
  };
  const { concurrency } = pass.settings;
  const groups = readAhead(nodeBatches(pass, outputsOnly), { concurrency, ...STATUS_GROUPS }, (keys) =>
    askStatus(pass, keys, question),
  );
  for await (const group of groups) {
    const { good, error } = untilFailure(group);
    const batches = good.map(({ value }) => nodeAnswersBatch(value));
    for (const batch of transactionsFor(batches)) await pass.commit(batch);
    if (error !== null) throw error.reason;
    for (const batch of batches) named += (batch.nodesPolled ?? []).reduce((all, { items }) => all + items.length, 0);
    for (const { item, value } of good) {
      failed += value.failures.length;
      asked += item.length;
    }
    pass.progress('nodes', asked, null);
  }
  pass.needed(batchesFor(asked, pass.settings.statusBatch));
  if (failed === 0 && !outputsOnly) await pass.walkedAll('ListPipelineRunsStatus', ['node', 'node_output']);
  return named;
}

function absentNodes(asked: readonly NodeKey[], answer: StatusAnswer): NodeKey[] {
  if (answer.rejected.length > 0) return [];
  const nameOf = (key: NodeKey): string => JSON.stringify([key.pipelineRunId, key.nodeId]);
  const named = new Set(answer.nodes.map(nameOf));
  return asked.filter((key) => !named.has(nameOf(key)));
}

/**
 * A node that the answer does not name was not answered for: its run may be gone for a while, and its outputs have to be
 * asked for when it is back. So are nodes with outputs that nobody could read: the source may have mended them by then.
 */
function nodeAnswersBatch({ answered, failures }: Asked<NodeKey>): StatusBatch {
  const batches = answered.map(({ subjects, answer }): StatusBatch => {
    const absent = new Set(absentNodes(subjects, answer));
    const mayBeUnread = unreadOutputs(answer);
    const named = subjects.filter((key) => !absent.has(key) && !mayBeUnread(key));
    return { ...statusRows(answer), nodesPolled: [{ evidence: answer, items: named }] };
  });
  return joinBatches([...batches, { failures }]);
}

/** Tells of a node whether one of its outputs may be among those in quarantine. */
function unreadOutputs(answer: StatusAnswer): (key: NodeKey) => boolean {
  const bad = answer.rejected.filter(({ entity }) => entity === 'node_output');
  const runs = new Set(bad.map(({ parentId }) => parentId ?? null));
  return (key) => bad.length > 0 && (runs.has(null) || runs.has(key.pipelineRunId));
}

async function* nodeBatches(pass: Pass, outputsOnly: boolean): AsyncGenerator<readonly NodeKey[]> {
  const limit = pass.settings.statusBatch * BATCHES_PER_QUERY;
  for (let after: NodeKey | null = null; ; ) {
    const keys: readonly NodeKey[] = await pass.store.nodesDueForPoll(pass.scope, { after, limit, outputsOnly });
    yield* chunk(keys, pass.settings.statusBatch);
    if (keys.length < limit) return;
    after = keys.at(-1) as NodeKey;
  }
}
