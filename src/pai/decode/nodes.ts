import type { PipelineRunNode } from '../../domain/entities.js';
import { idOfParts } from '../../domain/quarantine.js';
import type { JsonObject } from '../json.js';
import { document, extra, identifier, requiredId, text, time } from './fields.js';
import { decodeList, idFrom, type Kind, listOf, type Page } from './page.js';

const FIELDS = ['NodeId', 'NodeName', 'Status', 'StartedAt', 'FinishedAt', 'RuntimeInfo'] as const;
const KNOWN: ReadonlySet<string> = new Set(FIELDS);
const KNOWN_WITH_RUN: ReadonlySet<string> = new Set([...FIELDS, 'PipelineRunId']);

/** What the call asked for: items say neither which run they belong to nor of which type they are. */
export interface AskedForNodes {
  readonly pipelineRunId: string;
  readonly type: string;
}

const nodeId = idFrom('NodeId');

/** Named by the key of its row: one NodeId may stand for a logical and for a physical node. */
export const nodeKind = (askedFor: AskedForNodes): Kind => ({
  entity: 'node',
  id: (item) => {
    const id = nodeId(item);
    return id === null ? null : idOfParts(askedFor.pipelineRunId, id, askedFor.type);
  },
  parentId: () => askedFor.pipelineRunId,
});

export const nodeDecoder =
  (askedFor: AskedForNodes) =>
  (item: JsonObject): PipelineRunNode => {
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

/** ListPipelineRunNodeStatus; its list is called Status, as is a field of the items. */
export const decodeNodes = (page: Page, askedFor: AskedForNodes) => ({
  nodes: decodeList(page, listOf(page, 'Status'), nodeKind(askedFor), nodeDecoder(askedFor)),
});
