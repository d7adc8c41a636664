/**
 * What PAI says, in the shape in which the mirror keeps it. Names are PAI's own, in camelCase.
 * `null` means that the answer did not carry the field (or carried JSON null).
 */

/**
 * A point in time in UTC with exactly six fractional digits, `2021-01-30T12:51:33.028000Z`: PostgreSQL's precision,
 * and text order is time order.
 */
export type Instant = string;

/** An int64 as decimal text: a JavaScript number is exact only up to 2^53. */
export type Int64 = string;

/** A float64 in a form that PostgreSQL's double precision reads, `NaN` and `Infinity` included. */
export type Float64 = string;

/** The text of one JSON document that PostgreSQL's jsonb takes as it stands. */
export type JsonText = string;

/** A JSON document that PAI sends inside a string: `json` where it parses, else the untouched text in `raw`. */
export interface JsonDocument {
  readonly json: JsonText | null;
  readonly raw: string | null;
}

/** One item of ListPipelineRuns; GetPipelineRun carries the same fields. */
export interface PipelineRun {
  readonly pipelineRunId: string;
  readonly name: string | null;
  readonly status: string | null;
  readonly userId: string | null;
  readonly parentUserId: string | null;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
  /** The root node. Empty until the workflow is initialised. */
  readonly nodeId: string | null;
  /** Seconds. */
  readonly duration: Int64 | null;
  readonly workspaceId: string | null;
  readonly message: string | null;
  readonly sourceType: string | null;
  readonly sourceId: string | null;
  readonly gmtCreateTime: Instant | null;
  readonly gmtModifiedTime: Instant | null;
  readonly pipelineId: string | null;
  readonly accessibility: string | null;
  readonly pipelineRunUri: string | null;
  /** Fields this version does not know, as one JSON object; null when there are none. */
  readonly extra: JsonText | null;
}

/** One item of `PipelineRuns` in ListPipelineRunsStatus. */
export interface PipelineRunStatus {
  readonly pipelineRunId: string;
  readonly status: string | null;
  readonly name: string | null;
  readonly userId: string | null;
  readonly parentUserId: string | null;
  readonly nodeId: string | null;
  readonly sourceId: string | null;
  readonly isDeleted: boolean | null;
  readonly extra: JsonText | null;
}

/** GetPipelineRun with Verbose. */
export interface PipelineRunDetails {
  readonly run: PipelineRun;
  readonly manifest: JsonDocument;
  readonly arguments: JsonDocument;
  readonly options: JsonDocument;
}

/** One item of ListPipelineRunNodeStatus; run and type come from the request. */
export interface PipelineRunNode {
  readonly pipelineRunId: string;
  readonly nodeId: string;
  /** `Logical` or `Physical`. */
  readonly nodeType: string;
  readonly nodeName: string | null;
  readonly status: string | null;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
  readonly runtimeInfo: JsonDocument;
  readonly extra: JsonText | null;
}

/** One item of `Nodes` in ListPipelineRunsStatus. */
export interface NodeStatus {
  readonly pipelineRunId: string;
  readonly nodeId: string;
  readonly nodeName: string | null;
  readonly status: string | null;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
  readonly inputArtifactArchived: boolean | null;
  readonly outputArtifactArchived: boolean | null;
  readonly extra: JsonText | null;
}

/** One item of `Outputs` in ListPipelineRunsStatus. */
export interface NodeOutput {
  readonly pipelineRunId: string;
  readonly id: string;
  readonly nodeId: string | null;
  readonly name: string | null;
  readonly type: string | null;
  readonly metadata: JsonText | null;
  readonly value: JsonDocument;
  readonly producer: string | null;
  readonly gmtCreateTime: Instant | null;
  readonly expandedArtifactIndex: Int64 | null;
  readonly expandableArtifactName: string | null;
  readonly extra: JsonText | null;
}

export interface RunParam {
  readonly key: string;
  readonly value: string | null;
}

export interface RunLabel {
  readonly key: string;
  readonly value: string | null;
  readonly gmtCreateTime: Instant | null;
  readonly gmtModifiedTime: Instant | null;
}

export interface RunMetric {
  readonly key: string;
  /** 0 when the answer omits it. */
  readonly step: Int64;
  /** PAI sends milliseconds since 1970; the epoch when the answer omits it. */
  readonly timestamp: Instant;
  readonly value: Float64 | null;
}

/** One item of ListRuns with Verbose (an experiment run). The three lists are null when the answer has no such field. */
export interface ExperimentRun {
  readonly runId: string;
  readonly name: string | null;
  readonly experimentId: string | null;
  readonly workspaceId: string | null;
  readonly userId: string | null;
  readonly ownerId: string | null;
  readonly sourceType: string | null;
  readonly sourceId: string | null;
  readonly accessibility: string | null;
  readonly gmtCreateTime: Instant | null;
  readonly gmtModifiedTime: Instant | null;
  /** The RequestId that the run itself carries (not that of the answer). */
  readonly requestId: string | null;
  readonly params: readonly RunParam[] | null;
  readonly labels: readonly RunLabel[] | null;
  readonly metrics: readonly RunMetric[] | null;
  readonly extra: JsonText | null;
  /** Lists with members that are in quarantine: what such a list does not name may still be in it. */
  readonly unreadable?: readonly RunList[];
}

/** The lists inside an experiment run. */
export type RunList = 'params' | 'labels' | 'metrics';

export interface Workspace {
  readonly workspaceId: string;
  readonly workspaceName: string | null;
}

/** An item that could not be decoded (or stored): kept in quarantine, its page goes on. */
export interface Rejected {
  /** `pipeline_run`, `node`, `node_output`, `run`, … */
  readonly entity: string;
  /** Null when not even the id could be read. */
  readonly entityId: string | null;
  /** The run that the call asked for, or that the item hangs on; absent where there is none. */
  readonly parentId?: string | null;
  /** The item as JSON text. */
  readonly raw: string;
  /** What was found and what was expected. */
  readonly error: string;
}
