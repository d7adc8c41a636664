import type { PipelineRunSortKey, SortOrder } from '../../domain/answers.js';
import type { PipelineRun } from '../../domain/entities.js';
import { type FragmentCache, type FragmentSource, PageWriter } from '../fragments.js';
import type { Wire } from '../wire.js';
import type { World } from '../world/world.js';
import type { Call } from './operation.js';
import { type Page, type Parameters, pageOf } from './parameters.js';
import { type Positions, pageWithShuffledTies } from './ties.js';

const SORT_KEYS: readonly PipelineRunSortKey[] = [
  'PipelineId',
  'UserId',
  'ParentUserId',
  'StartedAt',
  'FinishedAt',
  'WorkflowServiceId',
  'Duration',
  'GmtCreateTime',
  'GmtModifiedTime',
];

interface Filters {
  readonly pipelineRunId: string | null;
  readonly sourceId: string | null;
  readonly sourceType: string | null;
  readonly name: string | null;
  readonly status: string | null;
  readonly userId: string | null;
  readonly pipelineIds: readonly string[] | null;
}

function readFilters(parameters: Parameters, defaultType: string | null): Filters {
  return {
    pipelineRunId: parameters.text('PipelineRunId'),
    sourceId: parameters.text('SourceId'),
    sourceType: parameters.oneOf('SourceType', ['UNKNOWN', 'SDK', 'DESIGNER', 'M6']) ?? defaultType,
    name: parameters.text('Name'),
    status: parameters.text('Status'),
    userId: parameters.text('UserId'),
    pipelineIds: parameters.list('PipelineIds'),
  };
}

/** Name is matched exactly: whether PAI matches a part of it could not be established. */
function matches(run: PipelineRun, filters: Filters): boolean {
  return (
    (filters.pipelineRunId === null || run.pipelineRunId === filters.pipelineRunId) &&
    (filters.sourceId === null || run.sourceId === filters.sourceId) &&
    (filters.sourceType === null || run.sourceType === filters.sourceType) &&
    (filters.name === null || run.name === filters.name) &&
    (filters.status === null || run.status === filters.status) &&
    (filters.userId === null || run.userId === filters.userId) &&
    (filters.pipelineIds === null || (run.pipelineId !== null && filters.pipelineIds.includes(run.pipelineId)))
  );
}

/** Runs without a value come first in ascending order. Numbers compare as numbers, texts by UTF-16 code units. */
function sortKeyOf(world: World, sortBy: PipelineRunSortKey): (slot: number) => string | number {
  const { store } = world;
  switch (sortBy) {
    case 'GmtCreateTime':
      return (slot) => store.columns.created[slot] as number;
    case 'GmtModifiedTime':
      return (slot) => store.columns.modified[slot] as number;
    case 'WorkflowServiceId':
      return (slot) => store.pipelineOf(slot).workflowServiceId;
    case 'PipelineId':
      return (slot) => store.view(slot).pipelineId ?? '';
    case 'UserId':
      return (slot) => store.view(slot).userId ?? '';
    case 'ParentUserId':
      return (slot) => store.view(slot).parentUserId ?? '';
    case 'StartedAt':
      return (slot) => store.view(slot).startedAt ?? '';
    case 'FinishedAt':
      return (slot) => store.view(slot).finishedAt ?? '';
    case 'Duration':
      return (slot) => Number(store.view(slot).duration ?? -1);
  }
}

/** By key, ties by slot. Keys are computed once a slot, as some are derived. */
function sortSlots(slots: readonly number[], keyOf: (slot: number) => string | number): number[] {
  const keyed = slots.map((slot) => ({ slot, key: keyOf(slot) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.slot - b.slot));
  return keyed.map(({ slot }) => slot);
}

/** Positions in the wanted order: straight from an index where there is one, else from a list that is kept. */
function find(call: Call, sortBy: PipelineRunSortKey, order: SortOrder): Positions {
  const { store } = call.world;
  const workspaceId = call.parameters.text('WorkspaceId');
  const filters = readFilters(call.parameters, call.world.quirks.sourceTypeDefaultsToUnknown ? 'UNKNOWN' : null);
  const filtered = Object.values(filters).some((filter) => filter !== null);
  const indexes = store.indexes(workspaceId);
  const descending = order === 'DESC';
  if (!filtered && (sortBy === 'GmtCreateTime' || sortBy === 'GmtModifiedTime')) {
    const index = sortBy === 'GmtCreateTime' ? indexes.created : indexes.modified;
    return { size: index.size, slice: (offset, limit) => index.slice(offset, limit, descending) };
  }
  const slots = call.cache.get(JSON.stringify([workspaceId, filters, sortBy]), store.version, () => {
    const all = [...(sortBy === 'GmtModifiedTime' ? indexes.modified : indexes.created)];
    const wanted = filtered ? all.filter((slot) => matches(store.view(slot), filters)) : all;
    return sortSlots(wanted, sortKeyOf(call.world, sortBy));
  });
  return { size: slots.length, slice: (offset, limit) => sliceOf(slots, offset, limit, descending) };
}

function sliceOf(slots: Uint32Array, offset: number, limit: number, descending: boolean): number[] {
  if (!descending) return [...slots.subarray(offset, offset + limit)];
  const end = Math.max(0, slots.length - offset);
  return [...slots.subarray(Math.max(0, end - limit), end)].reverse();
}

const runFragments = (world: World, wire: Wire, cache: FragmentCache): FragmentSource => ({
  cache,
  revisionOf: (slot) => world.store.columns.revision[slot] as number,
  render: (slot) => wire.pipelineRun(world.store.view(slot)),
});

/** Fills the cache with the texts of all runs, so that no later page pays for making them. */
export function prerenderPipelineRuns(world: World, wire: Wire, cache: FragmentCache): void {
  const writer = new PageWriter();
  const source = runFragments(world, wire, cache);
  for (const slot of world.store.indexes(null).created) writer.write('', [slot], '', source);
}

/** `GET /api/v1/pipelineruns`. Newest creation first unless told otherwise; Order counts only together with SortBy. */
export function listPipelineRuns(call: Call): Buffer {
  const { world, wire, parameters } = call;
  const page: Page = pageOf(parameters, world.quirks.clampPageSize);
  const chosen = parameters.oneOf('SortBy', SORT_KEYS);
  const order = parameters.oneOf<SortOrder>('Order', ['ASC', 'DESC']);
  const sortBy = chosen ?? 'GmtCreateTime';
  const found = find(call, sortBy, chosen === null ? 'DESC' : (order ?? 'DESC'));
  const slots = world.quirks.randomTieOrder
    ? pageWithShuffledTies(found, page, sortKeyOf(world, sortBy), call.random)
    : found.slice(page.offset, page.limit);
  const head = `{"RequestId":"${call.requestId}","TotalCount":${found.size},"PipelineRuns":[`;
  return call.pages.write(head, slots, ']}', runFragments(world, wire, call.fragments));
}
