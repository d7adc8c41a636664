import type { Evidence } from './answers.js';
import type {
  ExperimentRun,
  Instant,
  NodeOutput,
  NodeStatus,
  PipelineRun,
  PipelineRunDetails,
  PipelineRunNode,
  PipelineRunStatus,
  Rejected,
  RunLabel,
  RunMetric,
  RunParam,
} from './entities.js';

/** Items together with the answer that they came from. */
export interface Observed<T> {
  readonly evidence: Evidence;
  readonly items: readonly T[];
}

/** The whole answer of one ListPipelineRunNodeStatus call: nodes that it does not name any more are missing. */
export interface ObservedTree {
  readonly evidence: Evidence;
  readonly pipelineRunId: string;
  readonly nodeType: string;
  readonly nodes: readonly PipelineRunNode[];
  /** False when an item was rejected (or the answer was not the run's own): then absence proves nothing. */
  readonly complete: boolean;
}

/** Work that was done for a run at the revision at which it was found due; a newer revision stays due. */
export interface Fetched {
  readonly pipelineRunId: string;
  readonly revision: string;
}

export interface NodeKey {
  readonly pipelineRunId: string;
  readonly nodeId: string;
}

/** One run (or node) whose call failed: it stays due, and is tried again later. */
export interface ItemFailure {
  readonly entityId: string;
  readonly error: string;
}

/** One member of a list inside an experiment run, by itself. */
export type RunMember = { readonly runId: string } & (
  | { readonly list: 'params'; readonly member: RunParam }
  | { readonly list: 'labels'; readonly member: RunLabel }
  | { readonly list: 'metrics'; readonly member: RunMetric }
);

/** An entry of quarantine that was decoded again; the rest of the batch is what came of it. */
export interface Retried {
  readonly id: string;
  readonly entity: string;
  /** Of the content that was decoded. */
  readonly fingerprint: string;
  /** Why it still cannot be decoded; null when it could. */
  readonly error: string | null;
}

/** Everything that an operation has to say was asked for, from `startedAt` on, and answered. */
export interface CompleteWalk {
  readonly operation: string;
  /** Those of its entities that were asked for. */
  readonly entities: readonly string[];
  readonly startedAt: Instant;
  /** Fingerprints of all items that could not be read on the way. */
  readonly stillBad: readonly string[];
}

/** Where a stream stands in a scope. `state` is the stream's own business, plain JSON. */
export interface Cursor {
  /** The modification time up to which the stream is complete. */
  readonly watermark: Instant | null;
  readonly state: CursorState;
}

export type CursorState = { readonly [key: string]: string | number | boolean | null };

/** Everything that one transaction writes: rows, history, bookkeeping, cursor. All of it commits, or nothing. */
export interface WriteBatch {
  readonly pipelineRuns?: readonly Observed<PipelineRun>[];
  readonly pipelineRunStatuses?: readonly Observed<PipelineRunStatus>[];
  readonly pipelineRunDetails?: readonly Observed<PipelineRunDetails>[];
  /** Runs whose details are now those of `revision`. */
  readonly detailsFetched?: readonly Fetched[];
  readonly nodeTrees?: readonly ObservedTree[];
  /** Runs whose node tree is now that of `revision`. */
  readonly nodesFetched?: readonly Fetched[];
  readonly nodeStatuses?: readonly Observed<NodeStatus>[];
  readonly nodeOutputs?: readonly Observed<NodeOutput>[];
  /** Nodes whose outputs were asked for, and with which answer. */
  readonly nodesPolled?: readonly Observed<NodeKey>[];
  readonly experimentRuns?: readonly Observed<ExperimentRun>[];
  /** Members of runs that are stored already. */
  readonly experimentRunMembers?: readonly Observed<RunMember>[];
  /** Ids that an answer should have named and did not. */
  readonly pipelineRunsMissing?: readonly Observed<string>[];
  readonly experimentRunsMissing?: readonly Observed<string>[];
  /** Missing runs which GetPipelineRun confirmed to be gone. */
  readonly pipelineRunsDeleted?: readonly Observed<string>[];
  readonly rejected?: readonly (Observed<Rejected> & { readonly operation: string })[];
  /** What is in quarantine of it and did not come up again has vanished from the source. */
  readonly completeWalk?: CompleteWalk;
  /** The batch holds this one item and nothing else. */
  readonly retried?: Retried;
  readonly failures?: readonly ItemFailure[];
  /** The list was walked whole from this time on: older failures of what nobody has to ask for any more are over. */
  readonly failuresOverBefore?: Instant;
  readonly cursor?: Cursor;
  /** Default: the stream's own name. */
  readonly cursorName?: string;
}

export interface RowCounts {
  inserted: number;
  updated: number;
  unchanged: number;
}

/** What a committed batch did. */
export interface Effect extends RowCounts {
  /** Rows refused because a newer observation is stored already. */
  stale: number;
  /** Items put into quarantine now (not those that were there before). */
  quarantined: number;
  /** The first few of those items, for the log. */
  quarantinedItems?: readonly QuarantinedItem[];
  /** By table name. */
  readonly tables: { [table: string]: RowCounts };
}

/** What a log line says of an item in quarantine. */
export type QuarantinedItem = Pick<Rejected, 'entity' | 'entityId' | 'error'> & { readonly operation: string };

/** Items that an effect names; all of them are counted. */
const ITEMS_NAMED = 5;
const ERROR_SHOWN = 300;

export const noEffect = (): Effect => ({ inserted: 0, updated: 0, unchanged: 0, stale: 0, quarantined: 0, tables: {} });

/** Counts items that were put into quarantine, and names the first of them. */
export function noteQuarantined(effect: Effect, items: readonly QuarantinedItem[]): void {
  effect.quarantined += items.length;
  nameQuarantined(effect, items);
}

function nameQuarantined(effect: Effect, items: readonly QuarantinedItem[]): void {
  const known = effect.quarantinedItems ?? [];
  const named = items.slice(0, ITEMS_NAMED - known.length).map(({ operation, entity, entityId, error }) => ({
    operation,
    entity,
    entityId,
    error: error.length > ERROR_SHOWN ? `${error.slice(0, ERROR_SHOWN)}…` : error,
  }));
  if (named.length > 0) effect.quarantinedItems = [...known, ...named];
}

/** Adds `more` to `total` in place. */
export function addEffect(total: Effect, more: Effect): Effect {
  total.inserted += more.inserted;
  total.updated += more.updated;
  total.unchanged += more.unchanged;
  total.stale += more.stale;
  total.quarantined += more.quarantined;
  nameQuarantined(total, more.quarantinedItems ?? []);
  for (const [table, counts] of Object.entries(more.tables)) {
    const sum = (total.tables[table] ??= { inserted: 0, updated: 0, unchanged: 0 });
    sum.inserted += counts.inserted;
    sum.updated += counts.updated;
    sum.unchanged += counts.unchanged;
  }
  return total;
}
