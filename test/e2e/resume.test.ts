/** A first load through the real client and PostgreSQL, killed several times on its way. */
import { expect, it } from 'vitest';
import type { PassDeps } from '../../src/sync/pass.js';
import type { Source, Store } from '../../src/sync/ports.js';
import { runPass } from '../../src/sync/run-pass.js';
import { startMirror } from '../support/mirror.js';

const RUNS = 160;
// So many pages that none of the kills comes after the last one: a commit holds three at most.
const PAGE_SIZE = 3;
const KILLS = [1, 4, 2, 6];

it('complaint 6: a first load that is killed goes on from its last committed page, and shows at once how far it is', async () => {
  const mirror = await startMirror({
    emulator: { workspaces: 1, history: RUNS, active: 0, experimentRuns: 0, arrivalsPerMinute: 0 },
    settings: { pageSize: PAGE_SIZE, concurrency: 3, pagesPerCommit: 3 },
  });
  const scope = mirror.scopes[0];
  if (scope === undefined) throw new Error('the emulator has no workspace');

  /** One process; returns the pages that it asked for in order of creation, and what it showed of its progress. */
  const attempt = async (commits: number) => {
    const pages: number[] = [];
    const shown: number[] = [];
    let left = commits;
    const source: Source = Object.create(mirror.deps.source, {
      listPipelineRuns: {
        value: (...args: Parameters<Source['listPipelineRuns']>) => {
          if (args[1].order === 'ASC') pages.push(args[1].pageNumber);
          return mirror.deps.source.listPipelineRuns(...args);
        },
      },
    });
    const store: Store = new Proxy(mirror.deps.store, {
      get: (target, name) => {
        const member = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          if (name === 'commit' && left === 0) throw new Error('killed');
          if (name === 'commit') left -= 1;
          return member.apply(target, args);
        };
      },
    });
    const deps: PassDeps = { ...mirror.deps, source, store, onProgress: ({ done }) => shown.push(done) };
    const options = { signal: new AbortController().signal, ignoreBackoff: true, heartbeatMs: 5000 };
    const { outcome } = await runPass(deps, scope, 'pipeline-runs', options);
    return { pages, shown, outcome };
  };

  let next = Number.POSITIVE_INFINITY;
  for (const commits of [...KILLS, Number.POSITIVE_INFINITY]) {
    const { pages, shown, outcome } = await attempt(commits);
    expect(outcome).toBe(commits === Number.POSITIVE_INFINITY ? 'succeeded' : 'failed');
    const stored = pages.filter((page) => page > next);
    expect(new Set(stored).size, `of the stored pages only that of the anchor: ${pages}`).toBeLessThanOrEqual(1);
    if (next < Number.POSITIVE_INFINITY) expect(shown[0]).toBe(Math.max(0, RUNS - next * PAGE_SIZE));
    const cursor = await mirror.store.readCursor(scope, 'pipeline-runs');
    next = Number(cursor?.state.nextPage ?? 0);
  }
  const { rows } = await mirror.pool.query<{ id: string }>('select pipeline_run_id as id from pai.pipeline_runs');
  const ids = mirror.emulator.world.pipelineRuns().map(({ pipelineRunId }) => pipelineRunId);
  expect(rows.map(({ id }) => id).sort()).toEqual([...ids].sort());
});
