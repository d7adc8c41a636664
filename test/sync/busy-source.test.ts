/** How many calls a pass takes, and what it leaves in the cursor, over sources that are busy, idle, odd or older. */
import { describe, expect, it } from 'vitest';
import type { Cursor } from '../../src/domain/batch.js';
import { discover } from '../../src/sync/discover.js';
import { experiments } from '../../src/sync/experiments.js';
import { reconcile } from '../../src/sync/reconcile.js';
import type { SyncSettings } from '../../src/sync/settings.js';
import { ModelSource, ModelStore, modelPass, type Row, timeOf } from './paging-model.js';

const PAGE_SIZE = 10;

/** `tie` rows of each second, one after the other. */
function sourceOf(rows: number, tie = 1): ModelSource {
  const source = new ModelSource({ rows });
  const secondOf = (index: number): number => Math.floor(index / tie);
  source.rows = source.rows.map((row, index) => ({ ...row, created: secondOf(index), modified: secondOf(index) }));
  source.now = rows + 10;
  return source;
}

const rowAt = (source: ModelSource, index: number): Row => source.rows[index % source.rows.length] as Row;

function modify(source: ModelSource, index: number): void {
  const row = rowAt(source, index);
  row.modified = source.now;
  row.version += 1;
}

const append = (source: ModelSource): void => {
  const rank = source.rows.length + 1;
  source.rows.push({ id: `r9${rank}`, rank, created: source.now, modified: source.now, version: 1 });
};

type ListRuns = ModelSource['listPipelineRuns'];

/** Changes every answer of ListPipelineRuns. */
function answering(source: ModelSource, change: (answer: Awaited<ReturnType<ListRuns>>) => object): void {
  const list = source.listPipelineRuns;
  Object.assign(source, {
    listPipelineRuns: async (...args: Parameters<ListRuns>) => {
      const answer = await list(...args);
      return { ...answer, ...change(answer) };
    },
  });
}

/** The calls of one pass. */
async function discovered(
  source: ModelSource,
  store: ModelStore,
  settings: Partial<SyncSettings> = {},
): Promise<string[]> {
  const before = source.calls.length;
  await discover(modelPass(source, store, 'pipeline-runs', { pageSize: PAGE_SIZE, concurrency: 2, ...settings }));
  return source.calls.slice(before);
}

const lost = (source: ModelSource, store: ModelStore): string[] =>
  source.rows.filter((row) => store.versions.get(row.id) !== row.version).map(({ id }) => id);

describe.each([1, 3])('invariant 9: a source that changes in front of every call, %s rows of a second', (tie) => {
  it.each<[string, (source: ModelSource, call: number) => void]>([
    ['a new run', append],
    ['a modified run', (source, call) => modify(source, call * 7)],
  ])('with %s each time costs a few calls a page, not the whole list', async (_name, change) => {
    const source = sourceOf(600, tie);
    const store = new ModelStore('pipeline-runs');
    await discovered(source, store);
    for (let index = 0; index < 100; index += 1) {
      if (index % tie === 0) source.now += 1;
      modify(source, index * 3);
    }
    let call = 0;
    source.onCall = () => {
      call += 1;
      if (call % tie === 0) source.now += 1;
      change(source, call);
    };
    // Ten pages are due when the walk begins.
    expect((await discovered(source, store)).length).toBeLessThan(70);
    source.onCall = () => {};
    await discovered(source, store);
    expect(lost(source, store)).toEqual([]);
  });
});

it('invariant 3: a scope in which nothing happened costs one call, and its cursor stays', async () => {
  const source = sourceOf(100);
  const store = new ModelStore('pipeline-runs');
  await discovered(source, store);
  const before = structuredClone(store.cursors);
  expect(await discovered(source, store)).toEqual(['GmtModifiedTime DESC 1']);
  expect(store.cursors).toEqual(before);
});

it('rows of one key over the end of the page that is behind the watermark are still told apart', async () => {
  const source = sourceOf(100);
  const store = new ModelStore('pipeline-runs');
  await discovered(source, store);
  source.now += 5;
  for (let index = 0; index < 13; index += 1) modify(source, index);
  // Random ties, drawn anew with each call: half of the second page is old.
  Object.assign(source.world, { randomTies: true });
  await discovered(source, store);
  expect(lost(source, store)).toEqual([]);
});

it('a TotalCount that counts more than the list shows does not make a page of every row', async () => {
  const source = sourceOf(91);
  answering(source, ({ totalCount }) => ({ totalCount: (totalCount ?? 0) + 9 }));
  const store = new ModelStore('pipeline-runs');
  expect((await discovered(source, store)).filter((call) => call.includes(' ASC ')).length).toBeLessThan(20);
  expect(lost(source, store)).toEqual([]);
});

describe('runs of one modification time that the list never shows apart', () => {
  /** In the order of modification one of them is shown in the place of another, whatever is asked. */
  const bulk = async (modified: number, now: number) => {
    const source = sourceOf(100);
    const store = new ModelStore('pipeline-runs');
    await discovered(source, store);
    source.now = now;
    for (const row of source.rows.slice(0, 25)) Object.assign(row, { modified, version: 2 });
    const list = source.listPipelineRuns;
    Object.assign(source, {
      listPipelineRuns: async (...args: Parameters<ListRuns>) => {
        const answer = await list(...args);
        if (args[1].sortBy !== 'GmtModifiedTime') return answer;
        const first = answer.items.find((run) => run.pipelineRunId === 'r0002') ?? shown;
        shown = first;
        return { ...answer, items: answer.items.map((run) => (run.pipelineRunId === 'r0015' ? first : run)) };
      },
    });
    let shown: Awaited<ReturnType<ListRuns>>['items'][number] | undefined;
    await discovered(source, store);
    expect(lost(source, store)).toEqual([]);
    return { source, store };
  };

  it('invariant 3: are counted once, and not in every second pass again', async () => {
    const { source, store } = await bulk(60_000, 60_100);
    const before = structuredClone(store.cursors.get('pipeline-runs'));
    expect(before?.state).toEqual({ settledKey: timeOf(60_000) });
    for (let pass = 0; pass < 2; pass += 1) {
      expect(await discovered(source, store)).toHaveLength(3);
      expect(store.cursors.get('pipeline-runs')).toEqual(before);
    }
  });

  it('invariant 5: are not settled while more of them may come', async () => {
    const { store } = await bulk(60_100, 60_100);
    expect(store.cursors.get('pipeline-runs')?.state).toEqual({});
  });
});

it('complaint 6: a load that an older version began is counted in the end, since it did not look for ties', async () => {
  const source = sourceOf(100);
  const store = new ModelStore('pipeline-runs');
  const state = { phase: 'first-load', pageSize: PAGE_SIZE, nextPage: 4, uncheckedFrom: 0, total: 101 };
  const anchor = { anchorId: source.rows[99]?.id ?? null, anchorIndex: 99 };
  store.cursors.set('pipeline-runs', { watermark: timeOf(200), state: { ...state, ...anchor } } as Cursor);
  // It has stored what stands on the later pages but for a run that a tie hid, and one that was deleted since.
  for (const { id, version } of source.rows.slice(40)) if (id !== 'r0070') store.versions.set(id, version);
  store.versions.set('deleted-since', 1);
  await discovered(source, store);
  expect(lost(source, store)).toEqual([]);
});

it('a run that comes in while a SourceType is looked for does not make that type a list of its own', async () => {
  const source = sourceOf(60);
  const list = source.listPipelineRuns;
  Object.assign(source, {
    listPipelineRuns: (...args: Parameters<ListRuns>) => {
      source.now += 2;
      if (args[1].sourceType !== undefined) append(source);
      return list(...args);
    },
  });
  const store = new ModelStore('pipeline-runs');
  const settings = { pageSize: PAGE_SIZE, concurrency: 2, sourceTypes: ['PIPELINE'] };
  await discovered(source, store, settings);
  await reconcile(modelPass(source, store, 'reconcile', settings));
  expect(source.calls.filter((call) => call.startsWith('PIPELINE'))).toHaveLength(2);
  expect([...store.cursors.keys()]).toEqual(['pipeline-runs']);
});

it('a load of experiment runs without any time leaves no half-loaded cursor behind', async () => {
  const source = sourceOf(0);
  const store = new ModelStore('experiment-runs');
  const load = () => experiments(modelPass(source, store, 'experiment-runs', { pageSize: PAGE_SIZE }));
  await load();
  const list = source.listRuns;
  Object.assign(source, {
    listRuns: async (...args: Parameters<typeof list>) => {
      const answer = await list(...args);
      return { ...answer, items: answer.items.map((run) => ({ ...run, gmtCreateTime: null })) };
    },
  });
  source.rows = sourceOf(35).rows;
  await load();
  expect(store.cursors.get('experiment-runs')).toEqual({ watermark: null, state: {} });
});
