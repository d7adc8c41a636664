/**
 * What the status page shows: the questions that it asks, and their answers as plain rows. The page knows no SQL and the
 * store no HTML; this is all that they share. Counts are numbers, times are Instants, durations are seconds; JSON documents
 * are text, so that no number in them passes through a double.
 */
import type { Instant } from './entities.js';

/** How fresh one stream of one scope is. */
export interface StreamFreshness {
  readonly scope: string;
  readonly stream: string;
  readonly watermark: Instant | null;
  readonly lastSucceededAt: Instant | null;
  /** Since the start of the last success. */
  readonly ageSeconds: number | null;
  /** Since the start of the last pass, whatever became of it. */
  readonly startedSecondsAgo: number | null;
  readonly isRunning: boolean;
  readonly lastOutcome: string | null;
  readonly lastError: string | null;
  readonly failedInARow: number;
}

export interface Budget {
  readonly region: string;
  readonly name: string;
  readonly pace: number;
  readonly pausedUntil: Instant | null;
}

/** What waits for a person, or for PAI. */
export interface Troubles {
  readonly quarantined: number;
  /** Calls for one run that have failed three times or more. */
  readonly failingItems: number;
  readonly throttled: readonly Budget[];
}

export interface ActiveRun {
  readonly id: string;
  readonly name: string | null;
  readonly scope: string;
  readonly pipelineId: string | null;
  readonly status: string | null;
  readonly createdAt: Instant | null;
  readonly startedAt: Instant | null;
  readonly elapsedSeconds: number | null;
  readonly p50Seconds: number | null;
  readonly p95Seconds: number | null;
  readonly comparedRuns: number;
  readonly isStuck: boolean;
  readonly runningNodes: string | null;
}

export interface ActiveRuns {
  readonly total: number;
  readonly stuck: number;
  /** The stuck ones first, then the longest. */
  readonly runs: readonly ActiveRun[];
}

/** Width of a bar in the chart of runs. Days are those of UTC. */
export type Step = 'hour' | 'day';

export interface OutcomeCounts {
  /** Start of the hour or day in which the runs were created. */
  readonly at: Instant;
  readonly succeeded: number;
  readonly failed: number;
  readonly terminated: number;
  readonly skipped: number;
  readonly active: number;
  /** Dropped by the source before an end was seen. */
  readonly lost: number;
}

export interface FailurePattern {
  readonly pattern: string | null;
  readonly runs: number;
  readonly lastRunId: string | null;
}

export const OUTCOMES = ['active', 'succeeded', 'failed', 'terminated', 'skipped', 'missing', 'deleted'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface RunSearch {
  /** In the name, or the beginning of the id; upper and lower case are the same. */
  readonly text: string | null;
  readonly outcome: Outcome | null;
  /** PAI's own word. */
  readonly status: string | null;
  readonly scope: string | null;
  readonly pipelineId: string | null;
  readonly userId: string | null;
  /** Created from then on, and before then. */
  readonly from: Instant | null;
  readonly to: Instant | null;
}

/** Behind this run the next page begins. Runs without a time of creation come last. */
export interface RunCursor {
  readonly createdAt: Instant | null;
  readonly id: string;
}

export interface RunRow {
  readonly id: string;
  readonly name: string | null;
  readonly scope: string;
  readonly pipelineId: string | null;
  readonly userId: string | null;
  readonly status: string | null;
  readonly outcome: string;
  readonly createdAt: Instant | null;
  readonly runSeconds: number | null;
}

export interface RunPage {
  readonly rows: readonly RunRow[];
  /** Null: there is no more. */
  readonly next: RunCursor | null;
  /** How many runs were looked at to find these. */
  readonly looked: number;
  /** The search was broken off, and goes on behind `next`. */
  readonly isPartial: boolean;
}

export interface RunDetail extends RunRow {
  readonly sourceType: string | null;
  readonly sourceId: string | null;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
  readonly modifiedAt: Instant | null;
  readonly queueSeconds: number | null;
  readonly error: string | null;
  readonly url: string | null;
  readonly deletedAt: Instant | null;
  readonly missingSince: Instant | null;
  readonly firstSeenAt: Instant;
  readonly updatedAt: Instant;
  readonly revision: number;
  readonly experimentIds: readonly string[];
  /** When these were read, by the database's clock. */
  readonly now: Instant;
}

export interface RunNode {
  readonly nodeId: string;
  readonly nodeType: string;
  readonly name: string | null;
  readonly status: string | null;
  readonly outcome: string;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
  readonly runSeconds: number | null;
  readonly isRoot: boolean;
  readonly isCritical: boolean;
}

export interface StatusInterval {
  readonly status: string | null;
  readonly from: Instant;
  readonly to: Instant | null;
  readonly seconds: number | null;
}

export interface HistoryEvent {
  readonly eventId: string;
  readonly entity: string;
  readonly nodeId: string | null;
  readonly kind: string;
  readonly fromStatus: string | null;
  readonly toStatus: string | null;
  /** Field, before, after. */
  readonly changes: readonly (readonly [string, string | null, string | null])[];
  readonly at: Instant;
  readonly requestId: string | null;
}

/** A JSON document, indented; `text` may be its beginning only. */
export interface JsonText {
  readonly text: string;
  readonly characters: number;
}

export const DOCUMENTS = ['manifest', 'arguments', 'options'] as const;
export type DocumentName = (typeof DOCUMENTS)[number];

export interface RunDocuments {
  readonly fetchedAt: Instant;
  readonly documents: Readonly<Record<DocumentName, JsonText | null>>;
}

export interface NodeOutput {
  readonly outputId: string;
  readonly nodeId: string | null;
  readonly name: string | null;
  readonly type: string | null;
  readonly producer: string | null;
  readonly value: JsonText | null;
  readonly deletedAt: Instant | null;
}

/** `total`: of all, where `rows` are a part. */
export interface Part<T> {
  readonly rows: readonly T[];
  readonly hasMore: boolean;
}

export interface Experiment {
  readonly experimentId: string;
  readonly scope: string;
  readonly runs: number;
  readonly firstCreatedAt: Instant | null;
  readonly lastCreatedAt: Instant | null;
}

export type Pairs = readonly (readonly [key: string, value: string | null])[];

export interface ExperimentRun {
  readonly runId: string;
  readonly name: string | null;
  readonly scope: string;
  readonly createdAt: Instant | null;
  readonly pipelineRunId: string | null;
  readonly params: Pairs;
  /** Latest values. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface BestMetric {
  readonly key: string;
  readonly runs: number;
  readonly lowerIsBetter: boolean;
  readonly bestValue: number | null;
  readonly bestRunId: string | null;
}

export interface BestMetrics {
  readonly metrics: readonly BestMetric[];
  /** Runs that were compared, the newest ones. */
  readonly compared: number;
}

/** One metric of one run; steps ascend, each once. */
export interface Curve {
  readonly runId: string;
  readonly key: string;
  readonly steps: readonly number[];
  /** Null: not a number, or infinite. */
  readonly values: readonly (number | null)[];
}

export interface QuarantinedItem {
  readonly id: string;
  readonly scope: string;
  readonly stream: string;
  readonly operation: string;
  readonly entity: string | null;
  readonly entityId: string | null;
  readonly error: string;
  readonly requestId: string | null;
  readonly firstSeenAt: Instant;
  readonly resolvedAt: Instant | null;
  readonly resolution: string | null;
}

export interface Pass {
  readonly id: string;
  readonly scope: string;
  readonly stream: string;
  readonly startedAt: Instant;
  readonly seconds: number | null;
  readonly outcome: string | null;
  readonly calls: number;
  readonly rowsRead: number;
  readonly written: number;
  readonly error: string | null;
}

/** The port. Each answer reads a bounded number of rows. All throw StoreError. */
export interface PageData {
  scopes(): Promise<readonly string[]>;
  freshness(): Promise<readonly StreamFreshness[]>;
  troubles(): Promise<Troubles>;
  activeRuns(most: number): Promise<ActiveRuns>;
  /** The last `count` hours or days, each of them, oldest first. */
  runsOverTime(step: Step, count: number): Promise<readonly OutcomeCounts[]>;
  failures(days: number, most: number): Promise<readonly FailurePattern[]>;
  searchRuns(search: RunSearch, after: RunCursor | null, most: number): Promise<RunPage>;
  /** Runs of any time whose id begins so. */
  runsById(prefix: string, most: number): Promise<readonly RunRow[]>;
  run(id: string): Promise<RunDetail | null>;
  nodes(runId: string, skip: number, most: number): Promise<Part<RunNode>>;
  intervals(runId: string, most: number): Promise<readonly StatusInterval[]>;
  /** Newest first; `before`: an event id. */
  history(entityId: string, before: string | null, most: number): Promise<Part<HistoryEvent>>;
  documents(runId: string, mostCharacters: number): Promise<RunDocuments | null>;
  outputs(runId: string, after: string | null, most: number): Promise<Part<NodeOutput>>;
  experiments(after: RunCursor | null, most: number): Promise<Part<Experiment>>;
  experiment(id: string): Promise<readonly Experiment[]>;
  /** With the first `mostKeys` metrics of each by name. */
  experimentRuns(id: string, after: RunCursor | null, most: number, mostKeys: number): Promise<Part<ExperimentRun>>;
  /** Of the newest `mostRuns` runs, or of as many as can be compared in time. */
  bestMetrics(id: string, mostRuns: number): Promise<BestMetrics>;
  /** Of the first `mostKeys` metrics of these runs, by name; long ones thinned out to `mostPoints` each. */
  curves(runIds: readonly string[], mostPoints: number, mostKeys: number): Promise<readonly Curve[]>;
  quarantine(all: boolean, before: string | null, most: number): Promise<Part<QuarantinedItem>>;
  passes(failedOnly: boolean, before: string | null, most: number): Promise<Part<Pass>>;
}
