/** The two sides that the engine talks to. `pai` and `emulator` know nothing of these files; `app` plugs them in. */
import type {
  DetailsAnswer,
  ListAnswer,
  NodesAnswer,
  PipelineRunSortKey,
  RunsAnswer,
  SortOrder,
  StatusAnswer,
  WorkspacesAnswer,
} from '../domain/answers.js';
import type { Cursor, Effect, NodeKey, WriteBatch } from '../domain/batch.js';
import type { Instant, Int64, PipelineRun } from '../domain/entities.js';
import type { Scope } from '../domain/scope.js';
import type { Stream } from '../domain/streams.js';

/** PAI. Every method throws PaiError once its retries are used up, and the signal's reason when it aborts. */
export interface Source {
  listPipelineRuns(
    scope: Scope,
    page: {
      readonly pageNumber: number;
      readonly pageSize: number;
      readonly sortBy: PipelineRunSortKey;
      readonly order: SortOrder;
      /** Only runs of this source. Without it PAI lists them all or, as its page can be read, only those of UNKNOWN. */
      readonly sourceType?: string;
    },
    signal: AbortSignal,
  ): Promise<ListAnswer<PipelineRun>>;

  /** Asks either for runs or for nodes, never for both in one call (PAI then answers the nodes only). */
  listPipelineRunsStatus(
    scope: Scope,
    subject: { readonly pipelineRunIds: readonly string[] } | { readonly nodes: readonly NodeKey[] },
    signal: AbortSignal,
  ): Promise<StatusAnswer>;

  /** With Verbose. `PaiError.notFound` tells that the run does not exist. */
  getPipelineRun(scope: Scope, pipelineRunId: string, signal: AbortSignal): Promise<DetailsAnswer>;

  /** The node and its children down to `depth` levels, flat. */
  listPipelineRunNodeStatus(
    scope: Scope,
    node: { readonly pipelineRunId: string; readonly nodeId: string; readonly depth: number; readonly type: string },
    signal: AbortSignal,
  ): Promise<NodesAnswer>;

  /** With Verbose, newest creation first. `pageToken` null asks for the first page. */
  listRuns(
    scope: Scope,
    page: { readonly pageToken: Int64 | null; readonly maxResults: number },
    signal: AbortSignal,
  ): Promise<RunsAnswer>;

  listWorkspaces(
    region: string,
    page: { readonly pageNumber: number; readonly pageSize: number },
    signal: AbortSignal,
  ): Promise<WorkspacesAnswer>;
}

/** The right to run one stream in one scope. */
export interface Lease {
  readonly scope: Scope;
  readonly stream: Stream;
  /** Grows with every change of owner; every write checks it. */
  readonly fence: string;
  /** How long it is valid without renewal, milliseconds. */
  readonly ttlMs: number;
}

export interface PassOutcome {
  readonly outcome: 'succeeded' | 'failed' | 'stopped';
  readonly calls: number;
  readonly rowsRead: number;
  readonly effect: Effect;
  readonly error: string | null;
}

/** A run that needs a call: `revision` is handed back when the call is done. */
export interface DueRun {
  readonly pipelineRunId: string;
  /** The root node. */
  readonly nodeId: string;
  readonly revision: string;
}

/**
 * Which due items a query returns: those after `after` in key order, at most `limit`, without those whose last failure
 * is not older than `failedBefore` or, when that is null, whose backoff is not over.
 */
export interface DueQuery<K> {
  readonly after: K | null;
  readonly limit: number;
  readonly failedBefore: Instant | null;
}

/** Ids seen during one reconcile walk, kept by the database and not in memory. */
export interface SeenIds {
  add(ids: readonly string[]): Promise<void>;
  /** Distinct ids so far. */
  count(): Promise<number>;
  /** Ids that the mirror holds as present in the scope, known before `firstSeenBefore`, and not seen; in id order. */
  unseen(query: {
    readonly after: string | null;
    readonly limit: number;
    readonly firstSeenBefore: Instant;
  }): Promise<string[]>;
  close(): Promise<void>;
}

/** PostgreSQL. Every method throws StoreError; `commit` also LeaseLostError. */
export interface Store {
  /** Nothing is kept: every commit is rolled back. */
  readonly dryRun: boolean;
  /** The database's clock, the one that all replicas share. */
  now(): Promise<Instant>;
  /**
   * Null while another process holds it, and when the last pass under it came to its end and began no longer than
   * `spacingMs` ago (default 0).
   */
  acquireLease(scope: Scope, stream: Stream, spacingMs?: number): Promise<Lease | null>;
  /** Extends the lease; throws LeaseLostError when another process has taken it. */
  renewLease(lease: Lease): Promise<void>;
  /** `ranToEnd` false (default true): the pass was broken off, so that `spacingMs` keeps nobody from the next one. */
  releaseLease(lease: Lease, ranToEnd?: boolean): Promise<void>;
  /** Opens the row in `sync_passes`; returns its id. Throws LeaseLostError. */
  startPass(lease: Lease): Promise<string>;
  /** Of a pass that lost its lease the row was closed by the new owner: then only its counts are added. */
  finishPass(passId: string, outcome: PassOutcome): Promise<void>;

  /** A stream may keep several cursors: then under names of its own. */
  readCursor(scope: Scope, name: string): Promise<Cursor | null>;
  /**
   * One transaction: checks the fence, writes rows, history, bookkeeping and cursor. A row that the database refuses is
   * put into quarantine and the rest is written.
   *
   * `previous` is the commit before this one, if it may still be under way: this one then ends after it, and not at all
   * where it fails. The two must not share a row.
   */
  commit(lease: Lease, batch: WriteBatch, previous?: Promise<unknown>): Promise<Effect>;

  /** Runs that are not at a known end or that are missing, and not deleted; in id order. */
  runsDueForPoll(
    scope: Scope,
    query: { readonly after: string | null; readonly limit: number },
  ): Promise<readonly string[]>;
  runsDueForNodes(scope: Scope, query: DueQuery<string>): Promise<readonly DueRun[]>;
  /** Nodes whose status may move (not with `outputsOnly`) or whose outputs were not asked for since they changed. */
  nodesDueForPoll(
    scope: Scope,
    query: { readonly after: NodeKey | null; readonly limit: number; readonly outputsOnly: boolean },
  ): Promise<readonly NodeKey[]>;
  runsDueForDetails(scope: Scope, query: DueQuery<string>): Promise<readonly DueRun[]>;
  /** Missing and not (yet) deleted, in id order. */
  missingPipelineRuns(
    scope: Scope,
    query: { readonly after: string | null; readonly limit: number },
  ): Promise<readonly string[]>;
  /** The same, without the runs that `status` has asked GetPipelineRun about and that wait for their next turn. */
  runsDueForConfirmation(scope: Scope, query: DueQuery<string>): Promise<readonly string[]>;
  /** Whether items of the operation are in quarantine and not settled. */
  hasQuarantine(scope: Scope, operation: string): Promise<boolean>;
  /** Whether a call for this run or node has failed in an earlier pass of the stream, and none has succeeded since. */
  hasFailed(scope: Scope, stream: Stream, entityId: string): Promise<boolean>;
  /** Rows that the mirror holds as present in the scope. */
  countPresent(scope: Scope, entity: 'pipeline_run' | 'run', sourceType?: string): Promise<number>;
  /** How many of these pipeline runs the mirror has never stored. */
  countUnknown(pipelineRunIds: readonly string[]): Promise<number>;
  /** How many runs wait for nodes, for details or for a poll: the total of a progress bar. */
  countDue(scope: Scope, stream: 'nodes' | 'details' | 'status'): Promise<number>;
  /** Opens an empty set for one walk; close it. */
  openSeenIds(scope: Scope, entity: 'pipeline_run' | 'run'): Promise<SeenIds>;
}
