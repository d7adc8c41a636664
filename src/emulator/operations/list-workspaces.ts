import { jsonArray } from '../wire.js';
import type { Call } from './operation.js';
import { pageOf } from './parameters.js';

/** `GET /api/v1/workspaces`. */
export function listWorkspaces(call: Call): string {
  const { world, wire, parameters } = call;
  const page = pageOf(parameters, world.quirks.clampPageSize);
  const name = parameters.text('WorkspaceName');
  const all = world.workspaces();
  const found = name === null ? all : all.filter((workspace) => workspace.workspaceName === name);
  const shown = found.slice(page.offset, page.offset + page.limit);
  const items = jsonArray(shown.map((workspace) => wire.workspace(workspace, workspace === all[0])));
  return `{"RequestId":"${call.requestId}","TotalCount":${found.length},"Workspaces":${items}}`;
}
