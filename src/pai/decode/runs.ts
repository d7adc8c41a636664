import type { ExperimentRun, Int64, RunLabel, RunMetric, RunParam } from '../../domain/entities.js';
import { isNumeric, isObject, type JsonObject, numberText } from '../json.js';
import { extra, FieldError, float64, identifier, int64, key, millis, requiredId, text, time } from './fields.js';
import { BadAnswer, decodeList, type Kind, listOf, type Page, totalCountOf } from './page.js';

const RUN: Kind = { entity: 'run', id: ['RunId'] };

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
  'Params',
  'Labels',
  'Metrics',
]);

const EPOCH = '1970-01-01T00:00:00.000000Z';

const decodeRun = (item: JsonObject): ExperimentRun => ({
  runId: requiredId(item, 'RunId'),
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
  params: members(item, 'Params', decodeParam),
  labels: members(item, 'Labels', decodeLabel),
  metrics: members(item, 'Metrics', decodeMetric),
  extra: extra(item, FIELDS),
});

const decodeParam = (item: JsonObject): RunParam => ({ key: key(item, 'Key'), value: text(item, 'Value') });

const decodeLabel = (item: JsonObject): RunLabel => ({
  key: key(item, 'Key'),
  value: text(item, 'Value'),
  gmtCreateTime: time(item, 'GmtCreateTime'),
  gmtModifiedTime: time(item, 'GmtModifiedTime'),
});

const decodeMetric = (item: JsonObject): RunMetric => ({
  key: key(item, 'Key'),
  step: int64(item, 'Step') ?? '0',
  timestamp: millis(item, 'Timestamp') ?? EPOCH,
  value: float64(item, 'Value'),
});

/** A list inside a run: null when absent. One bad member rejects the run, for a partial list would look complete. */
function members<T>(item: JsonObject, field: string, decode: (member: JsonObject) => T): T[] | null {
  const list = item[field];
  if (list === undefined || list === null) return null;
  if (!Array.isArray(list)) throw new FieldError(field, list, 'a list');
  const decoded: T[] = [];
  for (const member of list) {
    try {
      if (!isObject(member)) throw new FieldError('the member', member, 'a JSON object');
      decoded.push(decode(member));
    } catch (error) {
      if (error instanceof FieldError) error.message = `${field}[${decoded.length}], ${error.message}`;
      throw error;
    }
  }
  return decoded;
}

/** ListRuns with Verbose. */
export function decodeRuns(page: Page) {
  const list = listOf(page, 'Runs');
  return {
    items: decodeList(page, list, RUN, decodeRun),
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
