/** A first load that is killed at any commit, over a source in memory: what it reads again, and what it shows. */
import { describe, expect, it } from 'vitest';
import { discover } from '../../src/sync/discover.js';
import { experiments } from '../../src/sync/experiments.js';
import { ModelSource, ModelStore, modelPass, timeOf, type World } from './paging-model.js';

const PAGES = 12;
const PAGE_SIZE = 10;
const CONCURRENCY = 3;
/** Few, so that there are many commits at which a load may be killed. */
const PAGES_PER_COMMIT = 2;
const OPTIONS = { pageSize: PAGE_SIZE, concurrency: CONCURRENCY, pagesPerCommit: PAGES_PER_COMMIT };

/** Creation times of their own, so that there is nothing to be looked at twice. */
function newSource(world: Partial<World> = {}): ModelSource {
  const source = new ModelSource({ rows: PAGES * PAGE_SIZE, ...world });
  if (world.tie === undefined) {
    source.rows = source.rows.map((row, index) => ({ ...row, created: index, modified: index }));
    source.now = source.rows.length + 10;
  }
  return source;
}

const load = (source: ModelSource, store: ModelStore, onProgress?: Parameters<typeof modelPass>[4]) =>
  discover(modelPass(source, store, 'pipeline-runs', OPTIONS, onProgress));

const ascending = (calls: readonly string[]): string[] => calls.filter((call) => call.includes(' ASC '));

const lost = (source: ModelSource, store: ModelStore): string[] =>
  source.rows.filter((row) => store.versions.get(row.id) !== row.version).map(({ id }) => id);

async function untilKilled(source: ModelSource, store: ModelStore, commit: number, done: boolean): Promise<boolean> {
  store.killAt = { commit, done };
  const killed = await load(source, store).then(
    () => false,
    () => true,
  );
  store.killAt = null;
  return killed;
}

describe('complaint 6: a first load that is interrupted goes on from its last committed page', () => {
  it.each([false, true])('at any commit, done or not (%s): only the anchor is looked at again', async (done) => {
    for (let commit = 1; ; commit += 1) {
      const source = newSource();
      const store = new ModelStore('pipeline-runs');
      const isKilled = await untilKilled(source, store, commit, done);
      const stored = Number(store.cursors.get('pipeline-runs')?.state.nextPage ?? PAGES);
      const before = source.calls.length;
      await load(source, store);
      expect(lost(source, store), `killed at commit ${commit}`).toEqual([]);
      const again = ascending(source.calls.slice(before)).map((call) => Number(call.split(' ')[2]));
      // Pages above the cursor are stored; of them the one with the anchor is read, and no other.
      expect(new Set(again.filter((page) => page > stored)).size, `killed at commit ${commit}`).toBeLessThanOrEqual(1);
      if (!isKilled) break;
    }
  });

  it('at any commit, again and again, while the source changes and its ties come in any order', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const source = newSource({
        seed,
        tie: 3,
        randomTies: true,
        turmoil: 0.2,
        changes: ['append', 'modify', 'delete'],
      });
      const store = new ModelStore('pipeline-runs');
      for (
        let kill = 0;
        kill < 30 && (await untilKilled(source, store, store.commits + 1 + (seed % 4), kill % 2 > 0));
      ) {
        source.changesLeft = 10;
        kill += 1;
      }
      source.isQuiet = true;
      await load(source, store);
      await load(source, store);
      expect(lost(source, store), `seed ${seed}`).toEqual([]);
    }
  });

  it('an interrupted load of experiment runs, too', async () => {
    for (let commit = 1; commit <= 8; commit += 1) {
      const source = newSource();
      const store = new ModelStore('experiment-runs');
      store.killAt = { commit, done: commit % 2 > 0 };
      const pass = () => experiments(modelPass(source, store, 'experiment-runs', { ...OPTIONS, hotWindowHours: 0 }));
      await pass().catch(() => {});
      const before = source.calls.length;
      const stored = Number(store.cursors.get('experiment-runs')?.state.pageToken ?? 0);
      await pass();
      expect(lost(source, store)).toEqual([]);
      const again = source.calls.slice(before).map((call) => Number(call.split(' ')[1]));
      // Where it goes on, and the first two pages, where new runs would be; nothing in between.
      expect(again.filter((token) => token > PAGE_SIZE && token < stored)).toEqual([]);
    }
  });
});

it('complaint 6: pages are in flight together and newest first, and a load without ties costs a call a page and four', async () => {
  const source = newSource();
  const store = new ModelStore('pipeline-runs');
  let flying = 0;
  let most = 0;
  const list = source.listPipelineRuns;
  Object.assign(source, {
    listPipelineRuns: async (...args: Parameters<typeof list>) => {
      flying += 1;
      most = Math.max(most, flying);
      return list(...args).finally(() => {
        flying -= 1;
      });
    },
  });
  const shown: { done: number; total: number | null }[] = [];
  await load(source, store, (event) => shown.push({ done: event.done, total: event.total }));
  expect(most).toBeGreaterThan(1);
  // One more than may be open: the model answers without opening anything (see test/e2e/open-calls.test.ts).
  expect(most).toBeLessThanOrEqual(CONCURRENCY + 1);
  expect(ascending(source.calls)[0]).toBe(`GmtCreateTime ASC ${PAGES}`);
  // The newest page by modification first, two in the end, and one look at the anchor; no call for the count.
  expect(source.calls.length).toBeLessThanOrEqual(PAGES + 4);
  expect(shown[0]).toEqual({ done: 0, total: 120 });
  expect(shown.at(-1)).toEqual({ done: 120, total: 120 });
});

it('complaint 6: a resumed load shows at once how far it is', async () => {
  const source = newSource();
  const store = new ModelStore('pipeline-runs');
  await untilKilled(source, store, 5, true);
  const shown: number[] = [];
  await load(source, store, ({ done }) => shown.push(done));
  expect(shown[0]).toBeGreaterThan(0);
  expect(shown[0]).toBe(120 - 10 * (PAGES - (shown[0] as number) / 10));
});

it('complaint 7: however long the list is, only a few pages are held at once', async () => {
  const source = newSource({ rows: 3000 });
  const store = new ModelStore('pipeline-runs');
  let read = 0;
  let committed = 0;
  let most = 0;
  const list = source.listPipelineRuns;
  const commit = store.commit.bind(store);
  Object.assign(source, {
    listPipelineRuns: async (...args: Parameters<typeof list>) => {
      const answer = await list(...args);
      read += 1;
      most = Math.max(most, read - committed);
      return answer;
    },
  });
  store.commit = async (lease, batch) => {
    // A database that is slower than the source.
    for (let turns = 0; turns < 50; turns += 1) await Promise.resolve();
    const effect = await commit(lease, batch);
    committed += batch.pipelineRuns?.length ?? 0;
    return effect;
  };
  await load(source, store);
  expect(lost(source, store)).toEqual([]);
  // Twice the concurrency are read ahead, one group waits and one is being stored; the looks at the anchor are stored nowhere.
  const looks = Math.ceil(3000 / PAGE_SIZE / 32);
  expect(most).toBeLessThanOrEqual(2 * (CONCURRENCY + 1) + 2 * PAGES_PER_COMMIT + 1 + looks);
});

describe('invariant 9: a source that lies comes to an end', () => {
  const hostile = async (list: (page: number, size: number, call: number) => { ids: string[]; total: number }) => {
    const source = newSource({ rows: 0 });
    const store = new ModelStore('pipeline-runs');
    const model = source.listPipelineRuns;
    Object.assign(source, {
      listPipelineRuns: async (...args: Parameters<typeof model>) => {
        const empty = await model(...args);
        const { ids, total } = list(args[1].pageNumber, args[1].pageSize, source.calls.length);
        const rows = ids.map((id) => ({ id, rank: 1, created: 1, modified: 1, version: 1 }));
        const answer = await new ModelSourceOf(rows).list(...args);
        return { ...empty, items: answer.items, received: ids.length, totalCount: total };
      },
    });
    await load(source, store).catch((error: unknown) => {
      if (!String(error).includes('has not ended')) throw error;
    });
    return source.calls.length;
  };

  /** The items of some rows, as the model writes them. */
  class ModelSourceOf {
    constructor(private readonly rows: ModelSource['rows']) {}

    list(...args: Parameters<ModelSource['listPipelineRuns']>) {
      const source = new ModelSource({ rows: 0 });
      source.rows = this.rows;
      return source.listPipelineRuns(args[0], { ...args[1], pageNumber: 1 }, args[2]);
    }
  }

  it('the same page for ever', async () => {
    expect(await hostile(() => ({ ids: ['a1', 'a2', 'a3'], total: 500 }))).toBeLessThan(2000);
  });

  it('always new ids, and a count that grows with them', async () => {
    const calls = await hostile((_page, _size, call) => ({ ids: [`a${call}`, `b${call}`], total: 100 + call }));
    expect(calls).toBeLessThan(4900);
  });

  it('a count of millions, and nothing to show', async () => {
    expect(await hostile((page) => ({ ids: page === 1 ? ['a1'] : [], total: 5_000_000 }))).toBeLessThan(300);
  });

  it('a count that falls with every call', async () => {
    expect(await hostile((_page, size, call) => ({ ids: ids(size), total: Math.max(0, 4000 - call) }))).toBeLessThan(
      4900,
    );
  });

  const ids = (size: number): string[] => Array.from({ length: size }, (_, index) => `a${index}`);
});

it('a source whose clock was put back: what is modified meanwhile is found all the same', async () => {
  const source = newSource();
  const store = new ModelStore('pipeline-runs');
  await load(source, store);
  source.now -= 60;
  const row = source.rows[3];
  if (row === undefined) throw new Error('no row');
  source.now += 2;
  row.modified = source.now;
  row.version += 1;
  source.now += 2;
  await load(source, store);
  expect(lost(source, store)).toEqual([]);
  expect(store.cursors.get('pipeline-runs')?.watermark).toBe(timeOf(source.now));
});
