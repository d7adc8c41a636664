import { getPipelineRun } from './operations/get-pipeline-run.js';
import { listPipelineRunNodeStatus } from './operations/list-pipeline-run-node-status.js';
import { listPipelineRuns } from './operations/list-pipeline-runs.js';
import { listPipelineRunsStatus } from './operations/list-pipeline-runs-status.js';
import { listRunMetrics } from './operations/list-run-metrics.js';
import { listRuns } from './operations/list-runs.js';
import { listWorkspaces } from './operations/list-workspaces.js';
import type { Operation } from './operations/operation.js';
import { Refusal } from './refusal.js';

export interface Route {
  readonly name: string;
  readonly method: string;
  /** Segments behind `/api/v1`; `*` stands for an id. */
  readonly segments: readonly string[];
  readonly version: string;
  readonly handle: Operation;
}

const PAI_FLOW = '2021-02-02';
const AI_WORKSPACE = '2021-02-04';

function route(name: string, method: string, path: string, version: string, handle: Operation): Route {
  return { name, method, segments: path.split('/'), version, handle };
}

const ROUTES: readonly Route[] = [
  route('ListPipelineRuns', 'GET', 'pipelineruns', PAI_FLOW, listPipelineRuns),
  route('ListPipelineRunsStatus', 'PUT', 'pipelineruns', PAI_FLOW, listPipelineRunsStatus),
  route('GetPipelineRun', 'GET', 'pipelineruns/*', PAI_FLOW, getPipelineRun),
  route('ListPipelineRunNodeStatus', 'GET', 'pipelineruns/*/nodes/*/status', PAI_FLOW, listPipelineRunNodeStatus),
  route('ListRuns', 'GET', 'runs', AI_WORKSPACE, listRuns),
  route('ListRunMetrics', 'GET', 'runs/*/metrics', AI_WORKSPACE, listRunMetrics),
  route('ListWorkspaces', 'GET', 'workspaces', AI_WORKSPACE, listWorkspaces),
];

export const OPERATION_NAMES: readonly string[] = ROUTES.map(({ name }) => name);

const fits = (pattern: readonly string[], segments: readonly string[]): boolean =>
  pattern.length === segments.length &&
  pattern.every((part, at) => (part === '*' ? segments[at] !== '' : part === segments[at]));

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Refusal(
      400,
      'InvalidParameter',
      `The path contains "${segment}", which is not percent-encoded properly.`,
    );
  }
}

/** Null for a path that is none of PAI's. `path` are its variable parts, not decoded yet. */
export function findRoute(method: string, pathname: string): { route: Route; path: string[] } | null {
  const [empty, api, v1, ...segments] = pathname.split('/');
  if (empty !== '' || api !== 'api' || v1 !== 'v1') return null;
  const found = ROUTES.find((candidate) => candidate.method === method && fits(candidate.segments, segments));
  if (!found) return null;
  return { route: found, path: segments.filter((_, at) => found.segments[at] === '*') };
}

export const decodePath = (path: readonly string[]): string[] => path.map(decode);

/** Both products answer on one port, so the version says which one the caller means. Headers that are missing are let pass here. */
export function checkProduct(route: Route, version: string | undefined, action: string | undefined): void {
  if (version !== undefined && version !== route.version) {
    throw new Refusal(
      400,
      'InvalidVersion',
      `Version ${version} is wrong for ${route.name}: expected ${route.version}.`,
    );
  }
  if (action !== undefined && action !== route.name) {
    throw new Refusal(
      404,
      'InvalidAction.NotFound',
      `Action ${action} does not belong to this path: expected ${route.name}.`,
    );
  }
}
