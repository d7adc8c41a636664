import type { PipelineRunNode } from '../../domain/entities.js';
import type { JsonObject } from '../json.js';
import { document, extra, identifier, requiredId, text, time } from './fields.js';
import { decodeList, type Kind, listOf, type Page } from './page.js';

/** Items do not say which run they belong to: the request does. */
const NODE_OF_RUN: Kind = { entity: 'node', id: ['NodeId'] };

const FIELDS = ['NodeId', 'NodeName', 'Status', 'StartedAt', 'FinishedAt', 'RuntimeInfo'] as const;
const KNOWN: ReadonlySet<string> = new Set(FIELDS);
const KNOWN_WITH_RUN: ReadonlySet<string> = new Set([...FIELDS, 'PipelineRunId']);

/** ListPipelineRunNodeStatus; its list is called Status, as is a field of the items. */
export function decodeNodes(page: Page, askedFor: { readonly pipelineRunId: string; readonly type: string }) {
  const decode = (item: JsonObject): PipelineRunNode => {
    // A node that names its run adds nothing, unless that is another run than the one asked for.
    const own = identifier(item, 'PipelineRunId') === askedFor.pipelineRunId;
    return {
      pipelineRunId: askedFor.pipelineRunId,
      nodeId: requiredId(item, 'NodeId'),
      nodeType: askedFor.type,
      nodeName: text(item, 'NodeName'),
      status: identifier(item, 'Status'),
      startedAt: time(item, 'StartedAt'),
      finishedAt: time(item, 'FinishedAt'),
      runtimeInfo: document(item, 'RuntimeInfo'),
      extra: extra(item, own ? KNOWN_WITH_RUN : KNOWN),
    };
  };
  const nodes = decodeList(page, listOf(page, 'Status'), NODE_OF_RUN, decode);
  for (const [index, rejected] of page.rejected.entries()) {
    if (rejected.entityId === null) continue;
    page.rejected[index] = { ...rejected, entityId: `${askedFor.pipelineRunId}/${rejected.entityId}` };
  }
  return { nodes };
}
