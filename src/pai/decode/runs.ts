import type { ExperimentRun, Int64 } from '../../domain/entities.js';
import { isNumeric, type JsonObject, numberText } from '../json.js';
import { extra, identifier, requiredId, text, time } from './fields.js';
import { BadAnswer, decodeList, idFrom, type Kind, listOf, type Page, totalCountOf } from './page.js';
import { LISTS, readLists } from './run-lists.js';

export const RUN: Kind = { entity: 'run', id: idFrom('RunId'), lists: new Set(LISTS) };

const FIELDS: ReadonlySet<string> = new Set([
  'RunId',
  'Name',
  'ExperimentId',
  'WorkspaceId',
  'UserId',
  'OwnerId',
  'SourceType',
  'SourceId',
  'Accessibility',
  'GmtCreateTime',
  'GmtModifiedTime',
  'RequestId',
  ...LISTS,
]);

/**
 * The members of its lists that cannot be decoded go into `page.rejected`, each by itself. They come last: once they are
 * there, nothing of the run can fail any more, and no member is kept both by itself and inside its run.
 */
export const runDecoder =
  (page: Pick<Page, 'suspicious' | 'rejected'>) =>
  (item: JsonObject): ExperimentRun => {
    const runId = requiredId(item, 'RunId');
    const fields = {
      runId,
      name: text(item, 'Name'),
      experimentId: identifier(item, 'ExperimentId'),
      workspaceId: identifier(item, 'WorkspaceId'),
      userId: identifier(item, 'UserId'),
      ownerId: identifier(item, 'OwnerId'),
      sourceType: identifier(item, 'SourceType'),
      sourceId: identifier(item, 'SourceId'),
      accessibility: identifier(item, 'Accessibility'),
      gmtCreateTime: time(item, 'GmtCreateTime'),
      gmtModifiedTime: time(item, 'GmtModifiedTime'),
      requestId: identifier(item, 'RequestId'),
      extra: extra(item, FIELDS),
    };
    return { ...fields, ...readLists(page, item, runId) };
  };

/** ListRuns with Verbose. */
export function decodeRuns(page: Page) {
  const list = listOf(page, 'Runs');
  return {
    items: decodeList(page, list, RUN, runDecoder(page)),
    received: list.length,
    totalCount: totalCountOf(page),
    nextPageToken: nextPageTokenOf(page),
  };
}

/** PAI says 0 at the end, or nothing. Throws BadAnswer for what is no token: reading on would be guessing. */
function nextPageTokenOf(page: Page): Int64 | null {
  const value = page.body.NextPageToken;
  if (value === undefined || value === null) return null;
  const digits = typeof value === 'string' ? value.trim() : isNumeric(value) ? numberText(value) : 'none';
  if (digits === '' || digits === '0') return null;
  if (!/^-?\d{1,19}$/.test(digits)) throw new BadAnswer('NextPageToken is not an integer');
  return digits;
}
