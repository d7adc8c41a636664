import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PipelineRun } from '../../src/domain/entities.js';
import type { Emulator } from '../../src/emulator/server.js';
import { get, query, useEmulators } from './harness.js';

const start = useEmulators();

const SORT_KEYS = [
  'PipelineId',
  'UserId',
  'ParentUserId',
  'StartedAt',
  'FinishedAt',
  'Duration',
  'GmtCreateTime',
  'GmtModifiedTime',
];

/** The key by which a run sorts, from its plain values. */
function keyOf(run: PipelineRun, sortBy: string): string | number {
  if (sortBy === 'Duration') return run.duration === null ? -1 : Number(run.duration);
  const name = (sortBy[0] as string).toLowerCase() + sortBy.slice(1);
  return String(run[name as keyof PipelineRun] ?? '');
}

interface Wanted {
  readonly WorkspaceId?: string | undefined;
  readonly Status?: string | undefined;
  readonly UserId?: string | undefined;
  readonly PipelineIds?: string | undefined;
  readonly Name?: string | undefined;
  readonly SourceId?: string | undefined;
  readonly SourceType?: string | undefined;
  readonly PipelineRunId?: string | undefined;
}

/** Filters as anyone would over a plain list. */
function naive(runs: readonly PipelineRun[], wanted: Wanted): PipelineRun[] {
  return runs.filter(
    (run) =>
      (wanted.WorkspaceId === undefined || run.workspaceId === wanted.WorkspaceId) &&
      (wanted.Status === undefined || run.status === wanted.Status) &&
      (wanted.UserId === undefined || run.userId === wanted.UserId) &&
      (wanted.PipelineIds === undefined || wanted.PipelineIds.split(',').includes(run.pipelineId ?? '')) &&
      (wanted.Name === undefined || run.name === wanted.Name) &&
      (wanted.SourceId === undefined || run.sourceId === wanted.SourceId) &&
      (wanted.SourceType === undefined || run.sourceType === wanted.SourceType) &&
      (wanted.PipelineRunId === undefined || run.pipelineRunId === wanted.PipelineRunId),
  );
}

const idsOf = (page: { readonly PipelineRuns: readonly { readonly PipelineRunId: string }[] }): string[] =>
  page.PipelineRuns.map((run) => run.PipelineRunId);

async function firstPages(
  emulator: Emulator,
  parameters: { [name: string]: string | number | undefined },
): Promise<string[]> {
  const ids: string[] = [];
  for (let PageNumber = 1; ; PageNumber += 1) {
    const { json } = await get(emulator, `/api/v1/pipelineruns?${query({ ...parameters, PageNumber })}`);
    if (json.PipelineRuns.length === 0) return ids;
    ids.push(...idsOf(json));
  }
}

describe('ListPipelineRuns', () => {
  it('filters, sorts and pages as a plain list would, whatever is asked for', async () => {
    const emulator = await start({ history: 300, active: 30, workspaces: 3 });
    const runs = emulator.world.pipelineRuns();
    const some = <K extends keyof PipelineRun>(name: K) =>
      fc.option(fc.constantFrom(...runs.map((run) => run[name] as string)), { nil: undefined, freq: 3 });
    const wanted = fc.record({
      WorkspaceId: some('workspaceId'),
      Status: some('status'),
      UserId: some('userId'),
      PipelineIds: fc.option(
        fc
          .array(fc.constantFrom(...runs.map((run) => run.pipelineId as string)), { minLength: 1, maxLength: 4 })
          .map(String),
        { nil: undefined, freq: 3 },
      ),
      Name: fc.option(fc.constantFrom(...runs.map((run) => run.name as string), 'no such name'), {
        nil: undefined,
        freq: 9,
      }),
      SourceId: some('sourceId'),
      SourceType: fc.option(fc.constantFrom('SDK', 'DESIGNER', 'M6', 'UNKNOWN'), { nil: undefined, freq: 3 }),
      PipelineRunId: fc.option(fc.constantFrom(...runs.map((run) => run.pipelineRunId)), { nil: undefined, freq: 9 }),
    });
    const order = fc.record({
      SortBy: fc.option(fc.constantFrom(...SORT_KEYS), { nil: undefined }),
      Order: fc.option(fc.constantFrom('ASC', 'DESC'), { nil: undefined }),
      PageNumber: fc.integer({ min: 1, max: 40 }),
      PageSize: fc.integer({ min: 1, max: 120 }),
    });
    await fc.assert(
      fc.asyncProperty(wanted, order, async (filters, { SortBy, Order, PageNumber, PageSize }) => {
        const { json } = await get(
          emulator,
          `/api/v1/pipelineruns?${query({ ...filters, SortBy, Order, PageNumber, PageSize })}`,
        );
        const expected = naive(runs, filters);
        expect(json.TotalCount).toBe(expected.length);
        const byId = new Map(expected.map((run) => [run.pipelineRunId, run]));
        const page: PipelineRun[] = idsOf(json).map((id) => byId.get(id) as PipelineRun);
        // Ties may come in any order, so keys are compared: at each position the key that a plain sort has there.
        const keys = expected
          .map((run) => keyOf(run, SortBy ?? 'GmtCreateTime'))
          .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        if (SortBy === undefined || Order !== 'ASC') keys.reverse();
        const from = (PageNumber - 1) * PageSize;
        expect(page.map((run) => keyOf(run, SortBy ?? 'GmtCreateTime'))).toEqual(keys.slice(from, from + PageSize));
        expect(new Set(page).size).toBe(page.length);
      }),
      { numRuns: 200 },
    );
  });

  it('has every run on exactly one page, in either direction', async () => {
    const emulator = await start({ history: 137, active: 10 });
    const expected = emulator.world.pipelineRuns().map((run) => run.pipelineRunId);
    for (const Order of ['ASC', 'DESC']) {
      const ids = await firstPages(emulator, { SortBy: 'GmtModifiedTime', Order, PageSize: 20 });
      expect(ids.toSorted()).toEqual(expected.toSorted());
    }
    const oldestFirst = await firstPages(emulator, { SortBy: 'GmtCreateTime', Order: 'ASC', PageSize: 20 });
    expect(oldestFirst).toEqual(expected);
  });

  it('sorts runs of one workflow service together', async () => {
    const emulator = await start({ history: 100 });
    const pipelines = new Map(emulator.world.catalog.pipelines.map((pipeline) => [pipeline.pipelineId, pipeline]));
    const { json } = await get(emulator, '/api/v1/pipelineruns?SortBy=WorkflowServiceId&Order=ASC&PageSize=500');
    const services = json.PipelineRuns.map(
      (run: { PipelineId: string }) => pipelines.get(run.PipelineId)?.workflowServiceId,
    );
    expect(services).toEqual(services.toSorted());
    expect(new Set(services).size).toBeGreaterThan(1);
  });

  it('gives ten runs a page, newest creation first, when nothing is said', async () => {
    const emulator = await start({ history: 30 });
    const { json, headers } = await get(emulator, '/api/v1/pipelineruns');
    const newest = emulator.world.pipelineRuns().toReversed().slice(0, 10);
    expect(idsOf(json)).toEqual(newest.map((run) => run.pipelineRunId));
    expect(Date.parse(headers.get('date') ?? '')).toBe(emulator.world.clock.now());
    expect(json.RequestId).toBe(headers.get('x-acs-request-id'));
  });

  it.each([
    ['PageSize=0', 'PageSize'],
    ['PageSize=ten', 'PageSize'],
    ['PageNumber=-1', 'PageNumber'],
    ['SortBy=Name', 'SortBy'],
    ['SortBy=GmtCreateTime&Order=up', 'Order'],
    ['SourceType=OTHER', 'SourceType'],
  ])('refuses %s and names the parameter', async (parameters, name) => {
    const emulator = await start({ history: 1 });
    const { status, json } = await get(emulator, `/api/v1/pipelineruns?${parameters}`);
    expect(status).toBe(400);
    expect(json).toMatchObject({ Code: 'InvalidParameter', HostId: `127.0.0.1:${emulator.port}` });
    expect(json.Message).toContain(name);
    expect(json.RequestId).toMatch(/^[0-9A-F-]{36}$/);
  });

  it('shows a change at once, however often the page was served before', async () => {
    const emulator = await start({ history: 50, active: 0 });
    const path = '/api/v1/pipelineruns?SortBy=GmtModifiedTime&PageSize=100';
    await get(emulator, path);
    const id = emulator.world.pipelineRuns()[7]?.pipelineRunId as string;
    emulator.mutate.updatePipelineRun(id, { name: 'another "name" 名' });
    const { json } = await get(emulator, path);
    expect(json.PipelineRuns[0]).toMatchObject({ PipelineRunId: id, Name: 'another "name" 名' });
    emulator.mutate.deletePipelineRun(id);
    expect(idsOf((await get(emulator, path)).json)).not.toContain(id);
  });

  it('serves the same with all texts made beforehand as with none kept', async () => {
    const options = { history: 300, active: 5 };
    const [large, small] = [
      await start({ ...options, prerender: true }),
      await start({ ...options, fragmentCacheBytes: 0 }),
    ];
    const path = '/api/v1/pipelineruns?PageSize=400';
    expect((await get(large, path)).json.PipelineRuns).toEqual((await get(small, path)).json.PipelineRuns);
  });
});
