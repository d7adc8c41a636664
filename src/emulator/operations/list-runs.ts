import type { SortOrder } from '../../domain/answers.js';
import type { ExperimentRun } from '../../domain/entities.js';
import { instantToMillis } from '../../domain/instant.js';
import { invalidParameter } from '../refusal.js';
import { jsonArray } from '../wire.js';
import type { Call } from './operation.js';
import { type Page, type Parameters, pageOf } from './parameters.js';

type SortField = 'GmtCreateTime' | 'Name';

interface Sort {
  readonly field: SortField;
  readonly order: SortOrder;
}

/** Either `OrderBy=GmtCreateTime DESC,Name ASC` (ASC by default) or SortBy and Order (GmtCreateTime, DESC by default). */
function readSorts(parameters: Parameters): readonly Sort[] {
  const orderBy = parameters.list('OrderBy');
  if (!orderBy) {
    const field = parameters.oneOf<SortField>('SortBy', ['GmtCreateTime', 'Name']) ?? 'GmtCreateTime';
    return [{ field, order: parameters.oneOf<SortOrder>('Order', ['ASC', 'DESC']) ?? 'DESC' }];
  }
  return orderBy.map((term) => {
    const match = /^(GmtCreateTime|Name)(?:\s+(ASC|DESC))?$/.exec(term);
    if (!match) throw invalidParameter('OrderBy', term, 'GmtCreateTime or Name, with ASC or DESC');
    return { field: match[1] as SortField, order: (match[2] ?? 'ASC') as SortOrder };
  });
}

function compare(a: ExperimentRun, b: ExperimentRun, sorts: readonly Sort[]): number {
  for (const { field, order } of sorts) {
    const [left, right] = field === 'Name' ? [a.name, b.name] : [a.gmtCreateTime, b.gmtCreateTime];
    if (left === right) continue;
    const ascending = (left ?? '') < (right ?? '') ? -1 : 1;
    return order === 'ASC' ? ascending : -ascending;
  }
  return 0;
}

/** `a:b,c:d`: all of them must be there. */
function readLabels(parameters: Parameters): readonly (readonly [string, string])[] {
  return (parameters.list('Labels') ?? []).map((label) => {
    const colon = label.indexOf(':');
    if (colon < 1) throw invalidParameter('Labels', label, 'key:value');
    return [label.slice(0, colon), label.slice(colon + 1)] as const;
  });
}

function readFilter(parameters: Parameters): { key: string; matches: (run: ExperimentRun) => boolean } | null {
  const wanted: Partial<Record<keyof ExperimentRun, string | null>> = {
    name: parameters.text('Name'),
    experimentId: parameters.text('ExperimentId'),
    sourceType: parameters.text('SourceType'),
    sourceId: parameters.text('SourceId'),
  };
  const created = parameters.text('GmtCreateTime');
  if (created !== null && Number.isNaN(Date.parse(created))) {
    throw invalidParameter('GmtCreateTime', created, 'a time such as 2021-01-30T12:51:33.028Z');
  }
  const labels = readLabels(parameters);
  const fields = Object.entries(wanted).filter(([, value]) => value !== null) as [keyof ExperimentRun, string][];
  if (fields.length === 0 && labels.length === 0 && created === null) return null;
  return {
    key: JSON.stringify([fields, labels, created]),
    matches: (run) =>
      fields.every(([name, value]) => run[name] === value) &&
      labels.every(([key, value]) => run.labels?.some((label) => label.key === key && label.value === value)) &&
      (created === null || (run.gmtCreateTime !== null && instantToMillis(run.gmtCreateTime) === Date.parse(created))),
  };
}

/** By page number, or by token: the token is the position at which the next page begins, 0 after the last one. */
function readPage(parameters: Parameters, clamp: number | null): Page & { readonly byToken: boolean } {
  const byNumber = parameters.has('PageNumber') || parameters.has('PageSize');
  const byToken = parameters.has('PageToken') || parameters.has('MaxResults') || !byNumber;
  if (!byToken) return { ...pageOf(parameters, clamp), byToken };
  const size = parameters.integer('MaxResults', 10, 1);
  return { offset: parameters.integer('PageToken', 0, 0), limit: Math.min(size, clamp ?? size), byToken };
}

/** Slots in the wanted order. Newest first without a filter, the usual call, comes straight from the index. */
function find(call: Call, page: Page): { readonly total: number; readonly slots: readonly number[] } {
  const { world, parameters } = call;
  const { experiments } = world;
  const workspaceId = parameters.text('WorkspaceId') ?? (world.workspaces()[0]?.workspaceId as string);
  const sorts = readSorts(parameters);
  const filter = readFilter(parameters);
  if (!filter && sorts.length === 1 && sorts[0]?.field === 'GmtCreateTime') {
    const index = experiments.indexOf(workspaceId);
    return { total: index.size, slots: index.slice(page.offset, page.limit, sorts[0].order === 'DESC') };
  }
  const key = JSON.stringify(['runs', workspaceId, sorts, filter?.key]);
  const slots = call.cache.get(key, experiments.version, () => {
    const runs = experiments.slots(workspaceId).map((slot) => ({ slot, run: experiments.view(slot, world.asOf) }));
    const wanted = filter ? runs.filter(({ run }) => filter.matches(run)) : runs;
    return wanted.sort((a, b) => compare(a.run, b.run, sorts) || a.slot - b.slot).map(({ slot }) => slot);
  });
  return { total: slots.length, slots: [...slots.subarray(page.offset, page.offset + page.limit)] };
}

/** `GET /api/v1/runs`. Without WorkspaceId: the default workspace. */
export function listRuns(call: Call): string {
  const { world, wire, parameters } = call;
  const verbose = parameters.boolean('Verbose');
  const page = readPage(parameters, world.quirks.clampPageSize);
  const { total, slots } = find(call, page);
  const runs = slots.map((slot) => wire.experimentRun(world.experiments.view(slot, world.asOf), verbose));
  const end = page.offset + slots.length;
  const token = page.byToken ? `,"NextPageToken":${slots.length > 0 && end < total ? end : 0}` : '';
  const count = world.quirks.totalCountMissing ? '' : `,"TotalCount":${total}`;
  return `{"requestId":"${call.requestId}","Runs":${jsonArray(runs)}${count}${token}}`;
}
