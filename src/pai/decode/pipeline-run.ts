import type { PipelineRun, PipelineRunDetails } from '../../domain/entities.js';
import type { JsonObject } from '../json.js';
import { document, extra, FieldError, identifier, int64, requiredId, text, time } from './fields.js';
import { decodeItem, decodeList, idFrom, type Kind, listOf, type Page, totalCountOf } from './page.js';

export const PIPELINE_RUN: Kind = { entity: 'pipeline_run', id: idFrom('PipelineRunId') };

/** GetPipelineRun asks for one run by name. */
export const detailsKind = (askedFor: string): Kind => ({ ...PIPELINE_RUN, parentId: () => askedFor });

const RUN_FIELDS = [
  'PipelineRunId',
  'Name',
  'Status',
  'UserId',
  'ParentUserId',
  'StartedAt',
  'FinishedAt',
  'NodeId',
  'Duration',
  'WorkspaceId',
  'Message',
  'SourceType',
  'SourceId',
  'GmtCreateTime',
  'GmtModifiedTime',
  'PipelineId',
  'Accessibility',
  'PipelineRunUri',
] as const;

const IN_LIST: ReadonlySet<string> = new Set(RUN_FIELDS);
/** GetPipelineRun has no list: the run's fields stand beside the answer's RequestId. */
const IN_DETAILS: ReadonlySet<string> = new Set([
  ...RUN_FIELDS,
  'Manifest',
  'Arguments',
  'Options',
  'RequestId',
  'requestId',
]);

const decodeRun = (item: JsonObject, known: ReadonlySet<string>): PipelineRun => ({
  pipelineRunId: requiredId(item, 'PipelineRunId'),
  name: text(item, 'Name'),
  status: identifier(item, 'Status'),
  userId: identifier(item, 'UserId'),
  parentUserId: identifier(item, 'ParentUserId'),
  startedAt: time(item, 'StartedAt'),
  finishedAt: time(item, 'FinishedAt'),
  nodeId: identifier(item, 'NodeId'),
  duration: int64(item, 'Duration'),
  workspaceId: identifier(item, 'WorkspaceId'),
  message: text(item, 'Message'),
  sourceType: identifier(item, 'SourceType'),
  sourceId: identifier(item, 'SourceId'),
  gmtCreateTime: time(item, 'GmtCreateTime'),
  gmtModifiedTime: time(item, 'GmtModifiedTime'),
  pipelineId: identifier(item, 'PipelineId'),
  accessibility: identifier(item, 'Accessibility'),
  pipelineRunUri: identifier(item, 'PipelineRunUri'),
  extra: extra(item, known),
});

export const decodeListedRun = (item: JsonObject): PipelineRun => decodeRun(item, IN_LIST);

/** ListPipelineRuns. */
export function decodePipelineRuns(page: Page) {
  const list = listOf(page, 'PipelineRuns');
  return {
    items: decodeList(page, list, PIPELINE_RUN, decodeListedRun),
    received: list.length,
    totalCount: totalCountOf(page),
  };
}

/** GetPipelineRun with Verbose. An answer about another run than the one asked for is rejected. */
export function decodePipelineRunDetails(page: Page, askedFor: string): { details: PipelineRunDetails | null } {
  // Without the answer's own id, which is another one every time: the same bad run is put into quarantine once.
  const { RequestId, requestId, ...body } = page.body;
  return { details: decodeItem(page, body, detailsKind(askedFor), detailsDecoder(askedFor)) };
}

export const detailsDecoder =
  (askedFor: string) =>
  (item: JsonObject): PipelineRunDetails => {
    const run = decodeRun(item, IN_DETAILS);
    if (run.pipelineRunId !== askedFor) {
      throw new FieldError('PipelineRunId', run.pipelineRunId, `the run that was asked for, "${askedFor}"`);
    }
    return {
      run,
      manifest: document(item, 'Manifest'),
      arguments: document(item, 'Arguments'),
      options: document(item, 'Options'),
    };
  };
