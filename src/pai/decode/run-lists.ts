/** Params, labels and metrics inside an experiment run: a member that cannot be read costs itself, not its run. */
import type { ExperimentRun, RunLabel, RunList, RunMetric, RunParam } from '../../domain/entities.js';
import { idOfParts } from '../../domain/quarantine.js';
import type { JsonObject } from '../json.js';
import { FieldError, float64, int64, key, MAX_ID_LENGTH, millis, text, time } from './fields.js';
import { isStorableText } from './jsonb.js';
import { decodeList, type Kind, type Page, rejected } from './page.js';

export const LISTS = ['Params', 'Labels', 'Metrics'] as const;

const EPOCH = '1970-01-01T00:00:00.000000Z';

export const decodeParam = (item: JsonObject): RunParam => ({ key: key(item, 'Key'), value: text(item, 'Value') });

export const decodeLabel = (item: JsonObject): RunLabel => ({
  key: key(item, 'Key'),
  value: text(item, 'Value'),
  gmtCreateTime: time(item, 'GmtCreateTime'),
  gmtModifiedTime: time(item, 'GmtModifiedTime'),
});

const pointOf = (item: JsonObject) => ({
  key: key(item, 'Key'),
  step: int64(item, 'Step') ?? '0',
  timestamp: millis(item, 'Timestamp') ?? EPOCH,
});

export const decodeMetric = (item: JsonObject): RunMetric => ({ ...pointOf(item), value: float64(item, 'Value') });

/** Named by the key of its row, where that can be read: `run-1/loss/7/2026-11-01T12:00:00.000000Z`. */
const memberKind = (entity: string, runId: string, parts: (item: JsonObject) => readonly string[]): Kind => ({
  entity,
  id: (item) => readable(() => idOfParts(runId, ...parts(item))),
  parentId: () => runId,
});

function readable(read: () => string): string | null {
  try {
    const id = read();
    return isStorableText(id) && id.length <= 2 * MAX_ID_LENGTH ? id : null;
  } catch (error) {
    if (error instanceof FieldError) return null;
    throw error;
  }
}

export const paramKind = (runId: string): Kind => memberKind('run_param', runId, (item) => [key(item, 'Key')]);
export const labelKind = (runId: string): Kind => memberKind('run_label', runId, (item) => [key(item, 'Key')]);
export const metricKind = (runId: string): Kind =>
  memberKind('run_metric', runId, (item) => {
    const point = pointOf(item);
    return [point.key, point.step, point.timestamp];
  });

/** The three lists, each null when absent; `unreadable` names those with members in quarantine. */
export function readLists(
  page: Pick<Page, 'suspicious' | 'rejected'>,
  item: JsonObject,
  runId: string,
): Pick<ExperimentRun, RunList | 'unreadable'> {
  const unreadable: RunList[] = [];
  const read = <T>(list: RunList, value: unknown, kind: Kind, decode: (member: JsonObject) => T): T[] | null => {
    if (value === undefined || value === null) return null;
    const before = page.rejected.length;
    const members = Array.isArray(value) ? decodeList(page, value, kind, decode) : noList(page, value, kind);
    if (page.rejected.length > before) unreadable.push(list);
    return members;
  };
  const lists = {
    params: read('params', item.Params, paramKind(runId), decodeParam),
    labels: read('labels', item.Labels, labelKind(runId), decodeLabel),
    metrics: read('metrics', item.Metrics, metricKind(runId), decodeMetric),
  };
  return unreadable.length === 0 ? lists : { ...lists, unreadable };
}

/** What stands where a list should is kept whole, as one member that cannot be read. */
function noList(page: Pick<Page, 'rejected'>, value: unknown, kind: Kind): null {
  page.rejected.push(rejected(value, kind, new FieldError(`the list of ${kind.entity}`, value, 'a list').message));
  return null;
}
