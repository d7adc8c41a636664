import type {
  ExperimentRun,
  Instant,
  Int64,
  NodeOutput,
  NodeStatus,
  PipelineRunDetails,
  PipelineRunNode,
  PipelineRunStatus,
  Rejected,
  Workspace,
} from './entities.js';

/** What proves a row: the answer it came from. */
export interface Evidence {
  /** PAI's RequestId. */
  readonly requestId: string | null;
  /**
   * When the call was *sent*, by the mirror's clock: of two answers the one that was asked for later is the newer one,
   * whichever arrives first.
   */
  readonly observedAt: Instant;
}

/** What every decoded answer carries. */
export interface Answer extends Evidence {
  /** The source's own clock (the Date header of the answer); null when it sent none. */
  readonly serverTime: Instant | null;
  /** Calls that were made for it, retries included. */
  readonly attempts: number;
  /** Characters of the answer as it came: what is held in memory is bounded by it. */
  readonly size?: number;
  /** Items that could not be decoded. */
  readonly rejected: readonly Rejected[];
}

export interface ListAnswer<T> extends Answer {
  readonly items: readonly T[];
  /** Items in the answer, rejected ones included: what offsets count. */
  readonly received: number;
  readonly totalCount: number | null;
}

/** ListRuns: `nextPageToken` is null at the end (PAI says 0, or nothing). */
export interface RunsAnswer extends ListAnswer<ExperimentRun> {
  readonly nextPageToken: Int64 | null;
}

/** ListPipelineRunsStatus. */
export interface StatusAnswer extends Answer {
  readonly pipelineRuns: readonly PipelineRunStatus[];
  readonly nodes: readonly NodeStatus[];
  readonly outputs: readonly NodeOutput[];
}

/** ListPipelineRunNodeStatus. */
export interface NodesAnswer extends Answer {
  readonly nodes: readonly PipelineRunNode[];
}

/** GetPipelineRun; `details` is null when the item was rejected. */
export interface DetailsAnswer extends Answer {
  readonly details: PipelineRunDetails | null;
}

export type WorkspacesAnswer = ListAnswer<Workspace>;

export type PipelineRunSortKey =
  | 'PipelineId'
  | 'UserId'
  | 'ParentUserId'
  | 'StartedAt'
  | 'FinishedAt'
  | 'WorkflowServiceId'
  | 'Duration'
  | 'GmtCreateTime'
  | 'GmtModifiedTime';

export type SortOrder = 'ASC' | 'DESC';
