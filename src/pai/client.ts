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
import type { NodeKey } from '../domain/batch.js';
import type { CallReport } from '../domain/call-report.js';
import type { Int64, PipelineRun } from '../domain/entities.js';
import type { Scope } from '../domain/scope.js';
import type { Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import { Caller } from './caller.js';
import type { CredentialSource } from './credentials.js';
import { decodeNodes } from './decode/nodes.js';
import { decodePipelineRunDetails, decodePipelineRuns } from './decode/pipeline-run.js';
import { decodeRuns } from './decode/runs.js';
import { decodeStatuses } from './decode/status.js';
import { decodeWorkspaces } from './decode/workspaces.js';
import { type EndpointOf, endpointTable } from './endpoints.js';
import type { BudgetName } from './operations.js';
import * as operations from './operations.js';
import { type Budget, RateLimiter } from './rate-limit.js';
import { DEFAULT_RETRY, type RetryPolicy } from './retry.js';
import { Transport } from './transport.js';

const DEFAULT_CALL_TIMEOUT_MS = 30_000;
/** A page of 100 runs has 60 kB, a large manifest some MB. Decoded, an answer takes ten times its size. */
const DEFAULT_MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const DEFAULT_MAX_BYTES_IN_FLIGHT = 256 * 1024 * 1024;
const DEFAULT_MAX_CALLS = 64;

/** Calls a second in one region; 0 sets no limit. */
export interface CallLimits {
  /** The four operations of PAIFlow together. No quota is published. */
  readonly flow: number;
  /** Published: 50 in 3 seconds. */
  readonly listRuns: number;
  /** Published: 50 a second. */
  readonly listWorkspaces: number;
}

export const DEFAULT_LIMITS: CallLimits = { flow: 5, listRuns: 15, listWorkspaces: 20 };

export interface PaiClientOptions {
  readonly credentials: CredentialSource;
  /** A host, host:port or URL for each product and region. */
  readonly endpoints: EndpointOf;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is left out keeps its default. */
  readonly limits?: Partial<CallLimits>;
  /** Replaces `limits`, for a budget that all replicas share. Called once a region and name. */
  readonly newBudget?: (name: BudgetName, region: string) => Budget;
  /** One call, body included. Milliseconds, default 30,000. */
  readonly callTimeoutMs?: number;
  /** Default 64 MB. */
  readonly maxAnswerBytes?: number;
  /** Of all answers that are being received. Default 256 MB. */
  readonly maxBytesInFlight?: number;
  /** Calls of one budget, and with them sockets, at once; urgent ones (util/urgency.ts) apart. Default 64. */
  readonly maxCalls?: number;
  readonly retry?: RetryPolicy;
  /** Plain http to other machines than this one. */
  readonly allowHttp?: boolean;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string;
  readonly random?: () => number;
  /** Told of every attempt. */
  readonly onCall?: (report: CallReport) => void;
}

/**
 * PAI, typed: the six operations that the mirror reads. Every method throws PaiError once retries are used up, and the
 * signal's reason as soon as that aborts. Items that cannot be decoded are in the answer's `rejected`.
 */
export class PaiClient {
  private readonly caller: Caller;

  constructor(options: PaiClientOptions) {
    const { clock, credentials, logger } = options;
    this.caller = new Caller({
      transport: new Transport({
        callTimeoutMs: options.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS,
        maxAnswerBytes: options.maxAnswerBytes ?? DEFAULT_MAX_ANSWER_BYTES,
        maxBytesInFlight: options.maxBytesInFlight ?? DEFAULT_MAX_BYTES_IN_FLIGHT,
        ca: options.ca,
      }),
      credentials,
      endpointOf: endpointTable(options.endpoints, { allowHttp: options.allowHttp ?? false }),
      budgetOf: budgetTable(options.newBudget ?? localBudgets({ ...DEFAULT_LIMITS, ...options.limits }, clock)),
      retry: options.retry ?? DEFAULT_RETRY,
      maxCalls: options.maxCalls ?? DEFAULT_MAX_CALLS,
      clock,
      logger,
      random: options.random ?? Math.random,
      onCall: options.onCall ?? (() => {}),
    });
  }

  listPipelineRuns(
    scope: Scope,
    page: {
      readonly pageNumber: number;
      readonly pageSize: number;
      readonly sortBy: PipelineRunSortKey;
      readonly order: SortOrder;
      readonly sourceType?: string;
    },
    signal: AbortSignal,
  ): Promise<ListAnswer<PipelineRun>> {
    return this.caller.call(scope.region, operations.listPipelineRuns(scope, page), decodePipelineRuns, signal);
  }

  /** Runs or nodes, never both: PAI would answer the nodes only. */
  listPipelineRunsStatus(
    scope: Scope,
    subject: { readonly pipelineRunIds: readonly string[] } | { readonly nodes: readonly NodeKey[] },
    signal: AbortSignal,
  ): Promise<StatusAnswer> {
    return this.caller.call(scope.region, operations.listPipelineRunsStatus(scope, subject), decodeStatuses, signal);
  }

  async getPipelineRun(scope: Scope, pipelineRunId: string, signal: AbortSignal): Promise<DetailsAnswer> {
    const request = operations.getPipelineRun(pipelineRunId);
    return this.caller.call(scope.region, request, (page) => decodePipelineRunDetails(page, pipelineRunId), signal);
  }

  async listPipelineRunNodeStatus(
    scope: Scope,
    node: { readonly pipelineRunId: string; readonly nodeId: string; readonly depth: number; readonly type: string },
    signal: AbortSignal,
  ): Promise<NodesAnswer> {
    const request = operations.listPipelineRunNodeStatus(node);
    return this.caller.call(scope.region, request, (page) => decodeNodes(page, node), signal);
  }

  /** Newest creation first; `pageToken` null asks for the first page. */
  listRuns(
    scope: Scope,
    page: { readonly pageToken: Int64 | null; readonly maxResults: number },
    signal: AbortSignal,
  ): Promise<RunsAnswer> {
    return this.caller.call(scope.region, operations.listRuns(scope, page), decodeRuns, signal);
  }

  listWorkspaces(
    region: string,
    page: { readonly pageNumber: number; readonly pageSize: number },
    signal: AbortSignal,
  ): Promise<WorkspacesAnswer> {
    return this.caller.call(region, operations.listWorkspaces(page), decodeWorkspaces, signal);
  }
}

const localBudgets =
  (limits: CallLimits, clock: Clock) =>
  (name: BudgetName): Budget =>
    new RateLimiter(limits[name], clock);

/** One budget for each region and name, made when it is first needed. */
function budgetTable(newBudget: (name: BudgetName, region: string) => Budget) {
  const budgets = new Map<string, Budget>();
  return (name: BudgetName, region: string): Budget => {
    const key = `${name} ${region}`;
    const budget = budgets.get(key) ?? newBudget(name, region);
    budgets.set(key, budget);
    return budget;
  };
}
