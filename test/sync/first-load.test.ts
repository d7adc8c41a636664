import { expect, it } from 'vitest';
import type { ListAnswer } from '../../src/domain/answers.js';
import type { PipelineRun } from '../../src/domain/entities.js';
import { instantFromMillis } from '../../src/domain/instant.js';
import type { Source } from '../../src/sync/ports.js';
import { pipelineRun } from '../store/fixtures.js';
import { type Harness, listAnswer, startHarness } from './harness.js';

const time = (minute: number): string => instantFromMillis(Date.UTC(2026, 0, 1) + minute * 60_000);

/** A list that a test changes between two calls. Oldest first in memory; the run's number is its minute. */
class List {
  runs: PipelineRun[];
  readonly calls: string[] = [];
  /** Called in front of each call. */
  onCall: (call: string, index: number) => void = () => {};
  clamp = Number.POSITIVE_INFINITY;
  /** Ids whose items cannot be decoded. */
  readonly bad = new Set<string>();

  constructor(count: number) {
    this.runs = Array.from({ length: count }, (_, minute) => this.run(minute));
  }

  run(minute: number): PipelineRun {
    const id = `r${String(minute).padStart(3, '0')}`;
    return pipelineRun(id, { gmtCreateTime: time(minute), gmtModifiedTime: time(minute) });
  }

  remove(...ids: string[]): void {
    this.runs = this.runs.filter(({ pipelineRunId }) => !ids.includes(pipelineRunId));
  }

  get ids(): string[] {
    return this.runs.map(({ pipelineRunId }) => pipelineRunId);
  }

  readonly listPipelineRuns: Source['listPipelineRuns'] = async (_scope, page, signal) => {
    const call = `${page.sortBy} ${page.order} ${page.pageNumber}`;
    this.onCall(call, this.calls.length);
    signal.throwIfAborted();
    this.calls.push(call);
    const size = Math.min(page.pageSize, this.clamp);
    const sorted = page.order === 'ASC' ? this.runs : [...this.runs].reverse();
    const found = sorted.slice((page.pageNumber - 1) * size, page.pageNumber * size);
    const items = found.filter(({ pipelineRunId }) => !this.bad.has(pipelineRunId));
    const rejected = found
      .filter(({ pipelineRunId }) => this.bad.has(pipelineRunId))
      .map(({ pipelineRunId }) => ({
        entity: 'pipeline_run',
        entityId: pipelineRunId,
        raw: pipelineRunId,
        error: 'bad',
      }));
    const answer: ListAnswer<PipelineRun> = listAnswer(items, this.runs.length);
    return { ...answer, rejected, received: found.length };
  };
}

const load = (harness: Harness, list: List, options: { signal?: AbortSignal; concurrency?: number } = {}) =>
  harness.pass('pipeline-runs', list, {
    settings: { pageSize: 10, concurrency: options.concurrency ?? 3 },
    ...(options.signal ? { signal: options.signal } : {}),
  });

const mirrored = async (harness: Harness): Promise<string[]> =>
  (await harness.sql<{ id: string }>('select pipeline_run_id as id from pai.pipeline_runs order by 1')).map(
    ({ id }) => id,
  );

it('loads every run once, the newest first', async () => {
  const harness = await startHarness();
  const list = new List(95);
  const report = await load(harness, list);
  expect(report).toMatchObject({ outcome: 'succeeded', error: null, effect: { inserted: 95 } });
  expect(await mirrored(harness)).toEqual(list.ids);
  expect(list.calls.slice(0, 2)).toEqual(['GmtModifiedTime DESC 1', 'GmtCreateTime ASC 10']);
});

it('an empty scope is complete, and its first runs are found by the next pass', async () => {
  const harness = await startHarness();
  const list = new List(0);
  expect((await load(harness, list)).outcome).toBe('succeeded');
  list.runs = new List(3).runs;
  await load(harness, list);
  expect(await mirrored(harness)).toEqual(list.ids);
});

it('a page size that the server clamps changes no offset', async () => {
  const harness = await startHarness();
  const list = new List(95);
  list.clamp = 4;
  expect((await load(harness, list)).outcome).toBe('succeeded');
  expect(await mirrored(harness)).toEqual(list.ids);
});

it('a deletion between two pages in flight moves the anchor, and the segment is read again', async () => {
  const harness = await startHarness();
  const list = new List(95);
  // Page 8 is answered, then r000 goes, then page 9: its first row has slid to page 8, and no page shows it.
  const late = list.listPipelineRuns;
  let released = (): void => {};
  const gate = new Promise<void>((resolve) => {
    released = resolve;
  });
  const listPipelineRuns: Source['listPipelineRuns'] = async (scope, page, signal) => {
    const held = page.sortBy === 'GmtCreateTime' && page.order === 'ASC' && page.pageNumber === 9;
    if (held && list.ids.includes('r000')) await gate;
    const answer = await late(scope, page, signal);
    if (page.pageNumber === 8 && page.order === 'ASC' && list.ids.includes('r000')) {
      list.remove('r000');
      released();
    }
    return answer;
  };
  const report = await harness.pass(
    'pipeline-runs',
    { listPipelineRuns },
    { settings: { pageSize: 10, concurrency: 3 } },
  );
  expect(report.outcome).toBe('succeeded');
  expect(await mirrored(harness)).toEqual(expect.arrayContaining(list.ids));
  expect(list.calls.filter((call) => call === 'GmtCreateTime ASC 9').length, 'page 9 was read again').toBeGreaterThan(
    1,
  );
});

it('resumes after an abort in front of any call, also when runs were deleted and added meanwhile', async () => {
  const harness = await startHarness();
  const list = new List(61);
  let aborts = 0;
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const stop = new AbortController();
    let calls = 0;
    list.onCall = () => {
      calls += 1;
      if (calls > 2) stop.abort(new Error('stop here'));
    };
    const report = await load(harness, list, { signal: stop.signal, concurrency: 2 });
    if (report.outcome === 'succeeded') break;
    aborts += 1;
    list.remove(`r${String(attempt * 3).padStart(3, '0')}`);
    list.runs.push(list.run(100 + attempt));
  }
  expect(aborts).toBeGreaterThan(2);
  list.onCall = () => {};
  expect((await load(harness, list)).outcome).toBe('succeeded');
  expect(await mirrored(harness)).toEqual(expect.arrayContaining(list.ids));
});

it('items that cannot be decoded on the page of the anchor cost nothing but themselves', async () => {
  const harness = await startHarness();
  const list = new List(95);
  for (const id of ['r094', 'r090', 'r050']) list.bad.add(id);
  expect((await load(harness, list)).outcome).toBe('succeeded');
  expect(await mirrored(harness)).toEqual(list.ids.filter((id) => !list.bad.has(id)));
  expect(await harness.sql('select entity_id from pai.quarantine order by 1')).toEqual(
    ['r050', 'r090', 'r094'].map((entity_id) => ({ entity_id })),
  );
});
