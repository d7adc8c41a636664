import type { Workspace } from '../../domain/entities.js';
import type { JsonObject } from '../json.js';
import { requiredId, text } from './fields.js';
import { decodeList, idFrom, type Kind, listOf, type Page, totalCountOf } from './page.js';

const WORKSPACE: Kind = { entity: 'workspace', id: idFrom('WorkspaceId') };

const decodeWorkspace = (item: JsonObject): Workspace => ({
  workspaceId: requiredId(item, 'WorkspaceId'),
  workspaceName: text(item, 'WorkspaceName'),
});

/** ListWorkspaces; of a workspace only id and name are of interest. */
export function decodeWorkspaces(page: Page) {
  const list = listOf(page, 'Workspaces');
  return {
    items: decodeList(page, list, WORKSPACE, decodeWorkspace),
    received: list.length,
    totalCount: totalCountOf(page),
  };
}
