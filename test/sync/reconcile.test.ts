import { expect, it } from 'vitest';
import type { Source } from '../../src/sync/ports.js';
import { reconcile } from '../../src/sync/reconcile.js';
import { observed, pipelineRun, SCOPE } from '../store/fixtures.js';
import { answered, type Harness, listAnswer, paiError, runsAnswer, startHarness } from './harness.js';
import { ModelSource, ModelStore, modelPass } from './paging-model.js';

const IDS = ['r0', 'r1', 'r2', 'r3'];

async function withRuns(): Promise<Harness> {
  const harness = await startHarness();
  const lease = await harness.store.acquireLease(SCOPE, 'pipeline-runs');
  if (lease === null) throw new Error('the lease is taken');
  await harness.store.commit(lease, { pipelineRuns: observed(0, ...IDS.map((id) => pipelineRun(id))) });
  return harness;
}

const document = { json: null, raw: null };

/** Lists the runs that are named, counts `total` of them, and knows the runs in `known`. */
const source = (listed: readonly string[], known: readonly string[], total = listed.length): Partial<Source> => ({
  listPipelineRuns: async () =>
    listAnswer(
      listed.map((id) => pipelineRun(id)),
      total,
    ),
  getPipelineRun: async (_scope, id) => {
    if (!known.includes(id)) throw paiError('PAI_NOT_FOUND', 'item', { notFound: true });
    return {
      ...answered(),
      details: { run: pipelineRun(id), manifest: document, arguments: document, options: document },
    };
  },
  listRuns: async () => runsAnswer([], null),
});

const kinds = (harness: Harness, id: string) =>
  harness.sql<{ kind: string }>(
    `select kind from pai.change_events where entity_id = '${id}' and kind <> 'discovered' order by event_id`,
  );

const gone = (harness: Harness) =>
  harness.sql(
    `select pipeline_run_id as id, deleted_at is not null as deleted, missing_since is not null as missing
     from pai.pipeline_runs where deleted_at is not null or missing_since is not null order by 1`,
  );

it('a run that the list no longer shows is missing, and deleted once GetPipelineRun does not know it either', async () => {
  const harness = await withRuns();
  const report = await harness.pass('reconcile', source(['r0', 'r1', 'r3'], []));
  expect(report).toMatchObject({ outcome: 'succeeded', error: null });
  expect(await kinds(harness, 'r2')).toEqual([{ kind: 'missing' }, { kind: 'deleted' }]);
  expect(await gone(harness)).toEqual([{ id: 'r2', deleted: true, missing: true }]);
});

it('a run that only the list does not show is restored, and one that the list shows again too', async () => {
  const harness = await withRuns();
  const hidden = source(['r0', 'r1', 'r3'], ['r2']);
  await harness.pass('reconcile', hidden);
  expect(await kinds(harness, 'r2')).toEqual([{ kind: 'missing' }, { kind: 'restored' }]);
  expect(await gone(harness)).toEqual([]);
  // The list is believed once: the next walks bring no news of the run, but a call that makes sure.
  await harness.pass('reconcile', hidden);
  await harness.pass('reconcile', hidden);
  expect(await kinds(harness, 'r2')).toHaveLength(2);
  await harness.pass('reconcile', source(IDS, IDS));
  expect(await harness.sql('select entity_id from pai.sync_retries')).toEqual([]);

  const failing = source(['r0', 'r1', 'r3'], []);
  const getPipelineRun = async (): Promise<never> => {
    throw paiError('PAI_UNAVAILABLE', 'scope');
  };
  expect((await harness.pass('reconcile', { ...failing, getPipelineRun })).outcome).toBe('failed');
  expect(await gone(harness), 'not deleted unless it was confirmed').toEqual([
    { id: 'r2', deleted: false, missing: true },
  ]);
  await harness.pass('reconcile', source(IDS, IDS));
  expect(await gone(harness)).toEqual([]);
  expect(await harness.sql('select entity_id from pai.sync_retries'), 'no failure outlives its reason').toEqual([]);
});

it('where the list shows less than it counts, absence proves nothing and the runs are asked for by name', async () => {
  const harness = await withRuns();
  const report = await harness.pass('reconcile', source(['r0', 'r3'], ['r1'], 3));
  expect(report.outcome).toBe('succeeded');
  expect(await kinds(harness, 'r1')).toEqual([]);
  expect(await kinds(harness, 'r2')).toEqual([{ kind: 'deleted' }]);
  expect(harness.logger.messages('warn')).toContain('the source counts more pipeline runs than it shows');
});

it('invariant 6: missing runs over which GetPipelineRun always breaks do not keep the others from being confirmed', async () => {
  const harness = await withRuns();
  const broken = new Set(['r0', 'r1', 'r2']);
  const parts = source([], []);
  const getPipelineRun: Source['getPipelineRun'] = async (_scope, id) => {
    if (broken.has(id)) throw paiError('PAI_UNAVAILABLE', 'scope');
    throw paiError('PAI_NOT_FOUND', 'item', { notFound: true });
  };
  await harness.pass('reconcile', { ...parts, getPipelineRun });
  expect((await harness.pass('reconcile', { ...parts, getPipelineRun })).outcome).toBe('failed');
  expect((await gone(harness)).filter(({ deleted }) => deleted)).toEqual([{ id: 'r3', deleted: true, missing: true }]);
});

it('a pipeline run part that fails does not keep the experiment runs from being reconciled', async () => {
  const harness = await withRuns();
  let listed = 0;
  const report = await harness.pass('reconcile', {
    listPipelineRuns: async () => {
      throw paiError('PAI_FORBIDDEN', 'scope');
    },
    listRuns: async () => {
      listed += 1;
      return runsAnswer([], null);
    },
  });
  expect(report).toMatchObject({ outcome: 'failed', error: 'PAI_FORBIDDEN' });
  expect(listed).toBeGreaterThan(0);
});

it('a list that never shows what it counts has all that it hides asked for in the end, so many in each pass', async () => {
  const ids = Array.from({ length: 1300 }, (_, index) => `r${String(index).padStart(4, '0')}`);
  const store = new ModelStore('reconcile');
  for (const id of ids) store.versions.set(id, 1);
  const asked: string[] = [];
  const parts = source([], ids, 5000) as Source;
  const getPipelineRun: Source['getPipelineRun'] = async (scope, id, signal) => {
    asked.push(id);
    return parts.getPipelineRun(scope, id, signal);
  };
  const model = Object.assign(new ModelSource({ rows: 0 }), { ...parts, getPipelineRun });
  await reconcile(modelPass(model, store, 'reconcile', {}));
  expect(asked).toEqual(ids.slice(0, 1000));
  await reconcile(modelPass(model, store, 'reconcile', {}));
  expect(asked.slice(1000)).toEqual([...ids.slice(1000), ...ids.slice(0, 700)]);
});

it('an item whose id cannot be read is counted, so that the list is walked once and nothing is called missing', async () => {
  const harness = await withRuns();
  let pages = 0;
  const listPipelineRuns: Source['listPipelineRuns'] = async () => {
    pages += 1;
    const rejected = [{ entity: 'pipeline_run', entityId: null, raw: '{"Name":"x"}', error: 'no PipelineRunId' }];
    const items = ['r0', 'r1', 'r3'].map((id) => pipelineRun(id));
    return { ...listAnswer(items, 4), rejected, received: 4 };
  };
  const report = await harness.pass(
    'reconcile',
    { ...source([], IDS), listPipelineRuns },
    { settings: { sourceTypes: [] } },
  );
  expect(report.error).toBeNull();
  expect(pages).toBe(1);
  expect(await kinds(harness, 'r2')).toEqual([]);
});

const LONG_AGO = '2026-01-01T00:00:00.000000Z';
const BEFORE_THAT = '2025-12-31T23:00:00.000000Z';

/** The stream has read everything up to a moment ago; one run is stored, and the list shows `shown` beside it. */
async function shownBeside(...shown: ReturnType<typeof pipelineRun>[]): Promise<Harness> {
  const harness = await startHarness();
  const stored = pipelineRun('stored', { gmtModifiedTime: LONG_AGO });
  const listed = (...runs: readonly ReturnType<typeof pipelineRun>[]): Partial<Source> => ({
    ...source([], []),
    listPipelineRuns: async () => listAnswer(runs, runs.length),
  });
  await harness.pass('pipeline-runs', listed(stored));
  expect((await harness.pass('reconcile', listed(stored, ...shown))).outcome).toBe('succeeded');
  expect(await harness.sql('select from pai.pipeline_runs')).toHaveLength(1 + shown.length);
  return harness;
}

const DRIFT = 'reconcile repaired drift';

it('a run that the stream passed over is drift, and is told once it is repaired', async () => {
  const passedOver = pipelineRun('passed over', { gmtModifiedTime: BEFORE_THAT });
  const news = pipelineRun('news', { gmtModifiedTime: new Date(Date.now() + 1_000).toISOString() });
  const { logger } = await shownBeside(passedOver, news);
  const told = logger.entries.filter(({ message }) => message === DRIFT);
  expect(told).toMatchObject([{ level: 'warn', fields: { inserted: 1, updated: 0 } }]);
});

it('a run that has changed since the stream came by is no drift: reconcile is merely the first to see it', async () => {
  const { logger } = await shownBeside(
    pipelineRun('news', { gmtModifiedTime: new Date(Date.now() + 1_000).toISOString() }),
    // The stream reads again what was modified within the overlap, which is 10 minutes.
    pipelineRun('overlap', { gmtModifiedTime: new Date(Date.now() - 300_000).toISOString() }),
  );
  expect(logger.messages('warn')).toEqual([]);
});

it('a scope that was never read has not drifted', async () => {
  const harness = await startHarness();
  await harness.pass('reconcile', source(IDS, IDS));
  expect(await harness.sql('select from pai.pipeline_runs')).toHaveLength(IDS.length);
  expect(harness.logger.messages('warn')).toEqual([]);
});
