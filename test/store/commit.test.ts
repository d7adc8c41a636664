import { describe, expect, test } from 'vitest';
import type { WriteBatch } from '../../src/domain/batch.js';
import type { PipelineRun } from '../../src/domain/entities.js';
import {
  at,
  DATA_TABLES,
  experimentRun,
  Mirror,
  noDocument,
  nodeOutput,
  observed,
  pipelineRun,
  runStatus,
  SCOPE,
  SCOPE_NAME,
  seen,
  treeNode,
  useMirror,
} from './fixtures.js';

const mirror = useMirror();
const count = async (table: string) => Number((await mirror().row(`select count(*) as n from pai.${table}`)).n);
const quarantined = () =>
  mirror().sql(
    'select stream, operation, entity, entity_id, raw, request_id, resolution from pai.quarantine order by id',
  );

/** A batch with something for every table. */
const everything = (minutes: number): WriteBatch => ({
  pipelineRuns: observed(minutes, pipelineRun('r1'), pipelineRun('r2')),
  pipelineRunStatuses: observed(minutes, runStatus('r1')),
  pipelineRunDetails: observed(minutes, {
    run: pipelineRun('r1'),
    manifest: { json: '{"a": 1.50}', raw: null },
    arguments: noDocument,
    options: { json: null, raw: '{' },
  }),
  detailsFetched: [{ pipelineRunId: 'r1', revision: '1' }],
  nodeTrees: [
    {
      evidence: seen(minutes),
      pipelineRunId: 'r1',
      nodeType: 'Logical',
      nodes: [treeNode('r1', 'n1')],
      complete: true,
    },
  ],
  nodesFetched: [{ pipelineRunId: 'r1', revision: '1' }],
  nodeOutputs: observed(minutes, nodeOutput('r1', 'o1')),
  nodesPolled: observed(minutes, { pipelineRunId: 'r1', nodeId: 'n1' }),
  experimentRuns: observed(
    minutes,
    experimentRun('x1', {
      params: [{ key: 'p', value: '1' }],
      labels: [{ key: 'l', value: '1', gmtCreateTime: null, gmtModifiedTime: at(-1) }],
      metrics: [{ key: 'm', step: '1', timestamp: at(0), value: '0.1' }],
    }),
  ),
  cursor: { watermark: at(0), state: { page: 1 } },
});

/** Row versions of all data tables: any insert, update or delete changes them. */
const versions = async () =>
  Promise.all(
    DATA_TABLES.map((table) =>
      mirror().sql(`select '${table}' as t, xmin::text, ctid::text from pai.${table} order by ctid`),
    ),
  );

describe('invariant 3: what did not change is not written', () => {
  test('a second round of the same observations changes no row of any data table', async () => {
    await mirror().commit(everything(0));
    const before = await versions();
    expect(before.map((rows) => rows.length)).toEqual([2, 1, 1, 1, 1, 1, 1, 1, 4]);
    const effect = await mirror().commit(everything(1));
    expect(effect).toMatchObject({ inserted: 0, updated: 0, stale: 0, quarantined: 0, unchanged: 11 });
    expect(await versions()).toEqual(before);
  });
});

describe('invariant 5: rows, history and cursor commit together', () => {
  test('a batch that fails leaves neither rows nor history nor cursor', async () => {
    await mirror().commit({ cursor: { watermark: at(0), state: {} } });
    const broken = { ...everything(1), detailsFetched: [{ pipelineRunId: 'r1', revision: '99999999999999999999' }] };
    await expect(mirror().commit(broken)).rejects.toMatchObject({ name: 'StoreError', code: 'STORE_DATA' });
    expect(await Promise.all(DATA_TABLES.map(count))).toEqual(DATA_TABLES.map(() => 0));
    expect(await mirror().store.readCursor(SCOPE, 'pipeline-runs')).toEqual({ watermark: at(0), state: {} });
  });

  test('the cursor comes back exact, and without one there is none', async () => {
    expect(await mirror().store.readCursor(SCOPE, 'status')).toBeNull();
    const cursor = {
      watermark: '2026-11-01T12:00:00.123456Z',
      state: { page: 3, done: false, token: '9007199254740993', none: null },
    };
    await mirror().commit({ cursor });
    expect(await mirror().store.readCursor(SCOPE, 'pipeline-runs')).toEqual(cursor);
    await mirror().commit({ cursor: { watermark: null, state: {} } });
    expect(await mirror().store.readCursor(SCOPE, 'pipeline-runs')).toEqual({ watermark: null, state: {} });
  });
});

describe('invariant 6: one bad item never stops its page', () => {
  const runs = (bad: { [index: number]: Partial<PipelineRun> }) =>
    Array.from({ length: 25 }, (_, index) => pipelineRun(`r${String(index).padStart(2, '0')}`, bad[index]));

  test('rows that the database refuses go to quarantine, all others and the cursor are written', async () => {
    const effect = await mirror().commit({
      pipelineRuns: observed(
        0,
        ...runs({ 0: { duration: '9223372036854775808' }, 13: { extra: '{"a": ' }, 24: { gmtCreateTime: 'never' } }),
      ),
      cursor: { watermark: at(0), state: {} },
    });
    expect(effect).toMatchObject({ inserted: 22, quarantined: 3 });
    expect(await count('pipeline_runs')).toBe(22);
    expect(await count('change_events')).toBe(22);
    expect((await mirror().store.readCursor(SCOPE, 'pipeline-runs'))?.watermark).toBe(at(0));
    const rows = await quarantined();
    expect(rows.map((row) => row.entity_id)).toEqual(['r00', 'r13', 'r24']);
    expect(rows[1]).toMatchObject({
      stream: 'pipeline-runs',
      operation: 'ListPipelineRuns',
      entity: 'pipeline_run',
      request_id: 'request-0',
    });
    expect(JSON.parse(rows[1]?.raw as string)).toEqual(runs({ 13: { extra: '{"a": ' } })[13]);
    const { error } = await mirror().row(`select error from pai.quarantine where entity_id = 'r00'`);
    expect(error).toMatch(/out of range for type bigint/);
  });

  test('a bad metric costs its own row only, not the run and not the other metrics', async () => {
    const metric = (step: string, value: string) => ({ key: 'loss', step, timestamp: at(0), value });
    const run = experimentRun('x1', {
      params: [{ key: 'p', value: '1' }],
      metrics: [metric('1', '0.5'), metric('2', '1e999'), metric('3', '0.4')],
    });
    const effect = await mirror().commit({ experimentRuns: observed(0, run, experimentRun('x2')) }, 'experiment-runs');
    expect(effect).toMatchObject({ inserted: 5, quarantined: 1 });
    expect(await quarantined()).toMatchObject([
      { operation: 'ListRuns', entity: 'run_metric', entity_id: `x1/loss/2/${at(0)}` },
    ]);
    expect(await count('run_params')).toBe(1);
  });

  test('a bad run takes its params with it, and an id too long for an index is refused like any bad value', async () => {
    // Random text, since PostgreSQL compresses index rows before it measures them.
    const longKey = Array.from({ length: 12_000 }, () => String.fromCharCode(33 + Math.floor(Math.random() * 90))).join(
      '',
    );
    const effect = await mirror().commit(
      {
        experimentRuns: observed(
          0,
          experimentRun('x1', { extra: '{', params: [{ key: 'p', value: '1' }] }),
          experimentRun('x2', {
            params: [
              { key: longKey, value: '1' },
              { key: 'p', value: '1' },
            ],
          }),
        ),
      },
      'experiment-runs',
    );
    expect(effect).toMatchObject({ inserted: 2, quarantined: 2 });
    expect(await mirror().sql('select run_id, key from pai.run_params')).toEqual([{ run_id: 'x2', key: 'p' }]);
  });

  test('items that could not be decoded are kept once while they are unresolved', async () => {
    const rejected = [
      {
        evidence: seen(0),
        operation: 'ListPipelineRuns',
        items: [{ entity: 'pipeline_run', entityId: 'r1', raw: '{"a\u0000"}', error: 'b\u0000d' }],
      },
    ];
    expect((await mirror().commit({ rejected })).quarantined).toBe(1);
    expect((await mirror().commit({ rejected })).quarantined).toBe(0);
    expect(await quarantined()).toMatchObject([{ entity_id: 'r1', raw: '{"a\\u0000"}', request_id: 'request-0' }]);
  });

  test('a good answer of the same operation resolves what was bad, also in another stream, and nothing else', async () => {
    const reject = (operation: string, entityId: string, raw: string) => ({
      evidence: seen(0),
      operation,
      items: [{ entity: 'pipeline_run', entityId, raw, error: 'bad' }],
    });
    await mirror().commit({
      rejected: [
        reject('ListPipelineRuns', 'r1', '1'),
        reject('ListPipelineRuns', 'r2', '2'),
        reject('GetPipelineRun', 'r1', '3'),
      ],
    });
    await mirror().commit({ pipelineRuns: observed(1, pipelineRun('r1')) }, 'reconcile');
    expect((await quarantined()).map((row) => row.resolution)).toEqual(['superseded', null, null]);
    // Bad and good in one batch: it stays unresolved, and the row shows the newest bad version.
    await mirror().commit({
      pipelineRuns: observed(2, pipelineRun('r2')),
      rejected: [reject('ListPipelineRuns', 'r2', '4')],
    });
    const rows = await quarantined();
    expect(rows.map((row) => row.resolution)).toEqual(['superseded', null, null]);
    expect(rows.map((row) => row.raw)).toContain('4');
  });

  test('a run whose call failed stays due but waits, longer every time, and a success forgets it', async () => {
    const due = async (failedBefore: string | null = null) =>
      (await mirror().store.runsDueForNodes(SCOPE, { after: null, limit: 9, failedBefore })).map(
        (run) => run.pipelineRunId,
      );
    const waits = async () =>
      (await mirror().row(
        'select attempts, extract(epoch from retry_at - failed_at)::int as seconds from pai.sync_retries',
      )) as unknown;
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1'), pipelineRun('r2')) });
    const before = await mirror().store.now();
    const fail = () => mirror().commit({ failures: [{ entityId: 'r1', error: 'HTTP 500' }] }, 'nodes');
    await fail();
    expect(await waits()).toEqual({ attempts: 1, seconds: 30 });
    expect(await due()).toEqual(['r2']);
    expect(await due(before)).toEqual(['r2']);
    expect(await due(await mirror().store.now())).toEqual(['r1', 'r2']);
    // Failing nodes do not hold up details.
    expect(await mirror().store.runsDueForDetails(SCOPE, { after: null, limit: 9, failedBefore: null })).toHaveLength(
      2,
    );
    for (const seconds of [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]) {
      await fail();
      expect(await waits()).toMatchObject({ seconds });
    }
    await mirror().commit({ nodesFetched: [{ pipelineRunId: 'r1', revision: '1' }] }, 'nodes');
    expect(await count('sync_retries')).toBe(0);
  });
});

describe('a commit', () => {
  test('writes 5,000 rows of one table in one batch', async () => {
    const runs = Array.from({ length: 5_000 }, (_, index) => pipelineRun(`r${index}`));
    expect(await mirror().commit({ pipelineRuns: observed(0, ...runs) })).toMatchObject({ inserted: 5_000 });
    expect(await mirror().commit({ pipelineRuns: observed(1, ...runs) })).toMatchObject({
      unchanged: 5_000,
      updated: 0,
    });
  });

  test('that meets others which insert and change the same rows loses and doubles nothing', async () => {
    const ids = Array.from({ length: 60 }, (_, index) => `r${index}`);
    const streams = ['pipeline-runs', 'status', 'reconcile', 'details'] as const;
    const leases = await Promise.all(streams.map((stream) => mirror().lease(stream)));
    const effects = await Promise.all(
      leases.flatMap((lease, writer) =>
        Array.from({ length: 5 }, (_, turn) => {
          const minutes = turn * leases.length + writer;
          // Each writer in another order: without the order of locks this would deadlock.
          const order = writer % 2 === 0 ? ids : [...ids].reverse();
          const runs = order.map((id) => pipelineRun(id, { gmtModifiedTime: at(minutes), name: `version ${minutes}` }));
          return mirror().store.commit(lease, { pipelineRuns: observed(minutes, ...runs) });
        }),
      ),
    );
    const last = streams.length * 5 - 1;
    expect(await mirror().sql('select distinct name from pai.pipeline_runs')).toEqual([{ name: `version ${last}` }]);
    expect(effects.reduce((sum, effect) => sum + effect.inserted, 0)).toBe(ids.length);
    const total = effects.reduce(
      (sum, { inserted, updated, unchanged, stale }) => sum + inserted + updated + unchanged + stale,
      0,
    );
    expect(total).toBe(ids.length * effects.length);
    // The history is a chain: every event starts where the one before ended.
    const chain = await mirror().sql(
      `select count(*)::int as broken from (
         select changes -> 'name' ->> 0 as old, lag(coalesce(changes -> 'name' ->> 1, 'first')) over w as previous
         from pai.change_events where kind = 'changed' window w as (partition by entity_id order by event_id)) e
       where previous is not null and previous <> old`,
    );
    expect(chain).toEqual([{ broken: 0 }]);
    const updates = effects.reduce((sum, effect) => sum + effect.updated, 0);
    expect(await count('change_events')).toBe(ids.length + updates);
  });

  test('with an empty batch does nothing', async () => {
    expect(await mirror().commit({})).toMatchObject({ inserted: 0, updated: 0, unchanged: 0, tables: {} });
  });

  test('in a dry run tells what it would do, and writes nothing at all', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1')) });
    const dry = new Mirror(mirror().url, { dryRun: true });
    try {
      const effect = await dry.commit({
        pipelineRuns: observed(1, pipelineRun('r1', { status: 'Failed' }), pipelineRun('r2')),
        cursor: { watermark: at(1), state: {} },
      });
      expect(effect).toMatchObject({ inserted: 1, updated: 1 });
      const pass = await dry.store.startPass(await dry.lease('status'));
      await dry.store.finishPass(pass, { outcome: 'succeeded', calls: 1, rowsRead: 1, effect, error: null });
      await dry.store.renewLease(await dry.lease('status'));
      await dry.store.releaseLease(await dry.lease('status'));
    } finally {
      await dry.close();
    }
    expect(await mirror().run('r1')).toMatchObject({ status: 'Running' });
    expect(
      await Promise.all(['pipeline_runs', 'change_events', 'sync_cursors', 'sync_passes', 'sync_leases'].map(count)),
    ).toEqual([1, 1, 0, 0, 1]);
  });

  test('names scope and stream when the database is gone, and says that it can be tried again', async () => {
    const gone = new Mirror('postgres://nobody:secret-word@127.0.0.1:1/none');
    const error = await gone.store.commit({ scope: SCOPE, stream: 'nodes', fence: '1', ttlMs: 1 }, {}).then(
      () => null,
      (reason: unknown) => reason as Error,
    );
    await gone.close();
    expect(error).toMatchObject({ name: 'StoreError', code: 'STORE_UNAVAILABLE', retryable: true, blast: 'global' });
    expect(error?.message).toContain(`committing nodes in ${SCOPE_NAME}`);
    expect(error?.message).not.toContain('secret-word');
  });
});
