/** Decodes an item of quarantine once more, as the operation that brought it would today. Pure. */
import type { Observed, RunMember, WriteBatch } from '../../domain/batch.js';
import type { Rejected } from '../../domain/entities.js';
import type { QuarantineEntry } from '../../domain/quarantine.js';
import { isObject, type JsonObject, mayHoldUnstorable, parseExact } from '../json.js';
import { FieldError } from './fields.js';
import { nodeDecoder, nodeKind } from './nodes.js';
import { decodeItem, type Kind, type Page } from './page.js';
import { decodeListedRun, detailsDecoder, detailsKind, PIPELINE_RUN } from './pipeline-run.js';
import { decodeLabel, decodeMetric, decodeParam, labelKind, metricKind, paramKind } from './run-lists.js';
import { RUN, runDecoder } from './runs.js';
import { decodeNodeStatus, decodeOutput, decodeRunStatus, OUTPUT, POLLED_NODE } from './status.js';

/** What to store, or why it still cannot be. */
export type DecodedAgain = { readonly batch: WriteBatch } | { readonly error: string };

type Context = Pick<Page, 'suspicious' | 'rejected'>;

/** How the items of one operation and entity are read, and where they go. */
interface Way {
  readonly kind: (entry: QuarantineEntry) => Kind;
  readonly decode: (entry: QuarantineEntry, context: Context) => (item: JsonObject) => unknown;
  readonly place: (observed: Observed<never>[], entry: QuarantineEntry) => WriteBatch;
}

const LISTED: Way = {
  kind: () => PIPELINE_RUN,
  decode: () => decodeListedRun,
  place: (pipelineRuns) => ({ pipelineRuns }),
};

const POLLED: Way = {
  kind: () => PIPELINE_RUN,
  decode: () => decodeRunStatus,
  place: (pipelineRunStatuses) => ({ pipelineRunStatuses }),
};

const POLLED_NODES: Way = {
  kind: () => POLLED_NODE,
  decode: () => decodeNodeStatus,
  place: (nodeStatuses) => ({ nodeStatuses }),
};

const OUTPUTS: Way = { kind: () => OUTPUT, decode: () => decodeOutput, place: (nodeOutputs) => ({ nodeOutputs }) };

const DETAILS: Way = {
  kind: (entry) => detailsKind(parentOf(entry)),
  decode: (entry) => detailsDecoder(parentOf(entry)),
  place: (pipelineRunDetails) => ({ pipelineRunDetails }),
};

/** One node proves nothing about the others, so the tree is not complete. */
const TREE_NODES: Way = {
  kind: (entry) => nodeKind(askedFor(entry)),
  decode: (entry) => nodeDecoder(askedFor(entry)),
  place: ([observed], entry) => {
    const { evidence, items: nodes } = observed as Observed<never>;
    const { pipelineRunId, type: nodeType } = askedFor(entry);
    return { nodeTrees: [{ evidence, pipelineRunId, nodeType, nodes, complete: false }] };
  },
};

const RUNS: Way = {
  kind: () => RUN,
  decode: (_, context) => runDecoder(context),
  place: (experimentRuns) => ({ experimentRuns }),
};

const memberWay = (
  list: RunMember['list'],
  kind: (runId: string) => Kind,
  decode: (item: JsonObject) => unknown,
): Way => ({
  kind: (entry) => kind(parentOf(entry)),
  decode: () => decode,
  place: ([observed], entry) => {
    const { evidence, items } = observed as Observed<never>;
    const runId = parentOf(entry);
    return { experimentRunMembers: [{ evidence, items: items.map((member) => ({ runId, list, member })) }] };
  },
});

const WAYS: { readonly [operation: string]: { readonly [entity: string]: Way } } = {
  ListPipelineRuns: { pipeline_run: LISTED },
  ListPipelineRunsStatus: { pipeline_run: POLLED, node: POLLED_NODES, node_output: OUTPUTS },
  GetPipelineRun: { pipeline_run: DETAILS, pipeline_run_details: DETAILS },
  ListPipelineRunNodeStatus: { node: TREE_NODES },
  ListRuns: {
    run: RUNS,
    run_param: memberWay('params', paramKind, decodeParam),
    run_label: memberWay('labels', labelKind, decodeLabel),
    run_metric: memberWay('metrics', metricKind, decodeMetric),
  },
};

/** Entries of versions that kept no run beside the item have it in their id. */
function parentOf({ parentId, entityId, entity }: QuarantineEntry): string {
  const parent = parentId ?? entityId?.split('/')[0];
  if (parent === undefined) throw new FieldError('parent_id', null, `the run that the ${entity} belongs to`);
  return parent;
}

/** Node and type were in the question and not in the answer. `flow-1/node-2/Logical` has kept them. */
function askedFor(entry: QuarantineEntry): { readonly pipelineRunId: string; readonly type: string } {
  const type = /\/(Logical|Physical)$/.exec(entry.entityId ?? '')?.[1];
  if (type === undefined) {
    throw new FieldError(
      'entity_id',
      entry.entityId,
      'an id that ends in the type of the node; a later tree settles it',
    );
  }
  return { pipelineRunId: parentOf(entry), type };
}

export function decodeAgain(entry: QuarantineEntry): DecodedAgain {
  const way = WAYS[entry.operation]?.[entry.entity];
  if (way === undefined) return { error: `this version knows no ${entry.entity} of ${entry.operation}` };
  try {
    return entry.form === 'entity' ? asDecoded(entry, way) : asAnswered(entry, way);
  } catch (error) {
    if (error instanceof FieldError) return { error: error.message };
    if (error instanceof SyntaxError) return { error: `raw is not JSON: ${error.message}` };
    throw error;
  }
}

function asAnswered(entry: QuarantineEntry, way: Way): DecodedAgain {
  const rejected: Rejected[] = [];
  const context = { suspicious: mayHoldUnstorable(entry.raw), rejected };
  const item = decodeItem(context, parseExact(entry.raw), way.kind(entry), way.decode(entry, context));
  if (item === null) return { error: rejected.at(-1)?.error ?? entry.error };
  const batch = way.place([observe(entry, item)], entry);
  const { evidence, operation } = entry;
  return { batch: rejected.length === 0 ? batch : { ...batch, rejected: [{ evidence, operation, items: rejected }] } };
}

/** The item was decoded well and refused by the database, which may take it today. */
function asDecoded(entry: QuarantineEntry, way: Way): DecodedAgain {
  const item: unknown = JSON.parse(entry.raw);
  if (!isObject(item)) throw new FieldError('raw', item, `a decoded ${entry.entity}`);
  return { batch: way.place([observe(entry, item)], entry) };
}

/** What a way decodes fits where it places it: the table above pairs them. */
const observe = (entry: QuarantineEntry, item: unknown): Observed<never> => ({
  evidence: entry.evidence,
  items: [item as never],
});
