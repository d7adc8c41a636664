import pg from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { WriteBatch } from '../../src/domain/batch.js';
import type { Stream } from '../../src/domain/streams.js';
import {
  at,
  experimentRun,
  nodeStatus,
  observed,
  pipelineRun,
  runStatus,
  seen,
  treeNode,
  useMirror,
} from './fixtures.js';

const mirror = useMirror();

describe('the history', () => {
  test('tells each change with old and new values, statuses, times and the answer that proves it', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1', { duration: '9007199254740993' })) });
    await mirror().commit({
      pipelineRuns: observed(
        1,
        pipelineRun('r1', {
          status: 'Succeeded',
          duration: '9007199254740994',
          finishedAt: '2026-11-01T12:01:02.345678Z',
          gmtModifiedTime: at(1),
          extra: '{"New": 1}',
        }),
      ),
    });
    const rows = await mirror().sql(
      `select event_id > 0 as numbered, entity, entity_id, node_id, region, scope, kind, from_status, to_status, changes::text,
         source_time, observed_at, request_id from pai.change_events order by event_id`,
    );
    const same = {
      numbered: true,
      entity: 'pipeline_run',
      entity_id: 'r1',
      node_id: null,
      region: 'cn-shanghai',
      scope: 'cn-shanghai:15945',
    };
    expect(rows[0]).toEqual({
      ...same,
      kind: 'discovered',
      from_status: null,
      to_status: 'Running',
      changes: null,
      source_time: new Date(at(-10)),
      observed_at: new Date(at(0)),
      request_id: 'request-0',
    });
    const { changes, ...second } = rows[1] as { changes: string };
    expect(second).toEqual({
      ...same,
      kind: 'changed',
      from_status: 'Running',
      to_status: 'Succeeded',
      source_time: new Date(at(1)),
      observed_at: new Date(at(1)),
      request_id: 'request-1',
    });
    // As text: a JavaScript number could not hold the durations.
    expect(changes).toContain('"duration": [9007199254740993, 9007199254740994]');
    expect(JSON.parse(changes)).toMatchObject({
      status: ['Running', 'Succeeded'],
      finished_at: [null, '2026-11-01T12:01:02.345678+00:00'],
      gmt_modified_time: ['2026-11-01T11:50:00+00:00', '2026-11-01T12:01:00+00:00'],
      extra: [null, { New: 1 }],
    });
    expect(Object.keys(JSON.parse(changes))).toHaveLength(5);
  });

  test('takes what only another operation tells for news and not for a change, until that changes', async () => {
    const tree = { evidence: seen(0), pipelineRunId: 'r1', nodeType: 'Logical', complete: true };
    await mirror().commit({ nodeTrees: [{ ...tree, nodes: [treeNode('r1', 'n', { status: 'Running' })] }] }, 'nodes');
    const poll = (minute: number, outputArtifactArchived: boolean) =>
      mirror().commit(
        { nodeStatuses: observed(minute, nodeStatus('r1', 'n', { status: 'Running', outputArtifactArchived })) },
        'nodes',
      );
    const events = () =>
      mirror().sql(
        `select kind, changes -> 'output_artifact_archived' as archived from pai.change_events order by event_id`,
      );
    expect(await poll(1, false)).toMatchObject({ updated: 1 });
    expect(await events()).toEqual([{ kind: 'discovered', archived: null }]);
    await poll(2, true);
    expect(await events()).toEqual([
      { kind: 'discovered', archived: null },
      { kind: 'changed', archived: [false, true] },
    ]);
  });

  test('proves every kind of change of every entity by the answer that showed it, and gives the source its own time', async () => {
    const tree = (minute: number, ...nodes: string[]) => ({
      nodeTrees: [
        {
          evidence: seen(minute),
          pipelineRunId: 'r1',
          nodeType: 'Logical',
          nodes: nodes.map((id) => treeNode('r1', id)),
          complete: true,
        },
      ],
    });
    const document = { json: null, raw: null };
    const details = { manifest: document, arguments: document, options: document };
    const x1 = (p: string) => experimentRun('x1', { params: [{ key: 'p', value: p }], labels: [] });
    const steps: readonly [WriteBatch, Stream][] = [
      [{ pipelineRuns: observed(0, pipelineRun('r1')) }, 'pipeline-runs'],
      [{ pipelineRunStatuses: observed(1, runStatus('r1', { status: 'Suspended' })) }, 'status'],
      [
        { pipelineRunDetails: observed(2, { run: pipelineRun('r1', { gmtModifiedTime: at(2) }), ...details }) },
        'details',
      ],
      [tree(3, 'n1', 'n2'), 'nodes'],
      [{ nodeStatuses: observed(4, nodeStatus('r1', 'n1', { status: 'Failed', finishedAt: at(4) })) }, 'nodes'],
      [tree(5, 'n1'), 'nodes'],
      [{ ...tree(6, 'n1', 'n2') }, 'nodes'],
      [{ pipelineRunsMissing: observed(7, 'r1') }, 'status'],
      [{ pipelineRunsDeleted: observed(8, 'r1') }, 'status'],
      [{ pipelineRuns: observed(9, pipelineRun('r1', { gmtModifiedTime: at(9) })) }, 'pipeline-runs'],
      [{ pipelineRunStatuses: observed(10, runStatus('r1', { isDeleted: true })) }, 'status'],
      [{ experimentRuns: observed(11, x1('1')) }, 'experiment-runs'],
      [{ experimentRuns: observed(12, x1('2')) }, 'experiment-runs'],
      [{ experimentRunsMissing: observed(13, 'x1') }, 'reconcile'],
      [{ experimentRuns: observed(14, x1('2')) }, 'experiment-runs'],
    ];
    for (const [batch, stream] of steps) await mirror().commit(batch, stream);
    const rows = await mirror().sql(
      `select concat_ws(' ', entity, node_id, kind, from_status || '>' || to_status,
         (select string_agg(k, ',' order by k) from jsonb_object_keys(changes) k)) as event,
         extract(epoch from observed_at - $1::timestamptz)::int / 60 as minute, request_id,
         extract(epoch from source_time - $1::timestamptz)::int / 60 as source
       from pai.change_events order by event_id`,
      [at(0)],
    );
    const told = rows.map(({ event, minute, request_id, source }) => {
      expect(request_id).toBe(`request-${minute}`);
      return `${minute} ${event}${source === null ? '' : ` @${source}`}`;
    });
    expect(told).toEqual([
      '0 pipeline_run discovered @-10',
      '1 pipeline_run changed Running>Suspended status',
      '2 pipeline_run changed Suspended>Running status @2',
      '3 node n1 discovered @-5',
      '3 node n2 discovered @-5',
      '4 node n1 changed Running>Failed finished_at,started_at,status @4',
      '5 node n1 changed Failed>Running finished_at,started_at,status @-5',
      '5 node n2 missing Running>Running',
      '6 node n2 restored Running>Running @-5',
      '7 pipeline_run missing Running>Running',
      '8 pipeline_run deleted Running>Running',
      '9 pipeline_run restored Running>Running gmt_modified_time @9',
      '10 pipeline_run deleted Running>Running',
      '11 run discovered @-10',
      '12 run changed params.p @-10',
      '13 run missing',
      '14 run restored @-10',
    ]);
  });

  test('has each change once although its commit was tried again: after a deadlock, and to find a row that is refused', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1')) });
    let deadlocks = 2;
    const real = pg.Client.prototype.query as (...all: unknown[]) => unknown;
    const unlucky = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
      this: pg.Client,
      ...all: unknown[]
    ) {
      if (all[0] !== 'commit' || deadlocks <= 0) return real.apply(this, all);
      deadlocks -= 1;
      return Promise.reject(Object.assign(new Error('deadlock detected'), { code: '40P01' }));
    } as never);
    onTestFinished(() => unlucky.mockRestore());
    await mirror().commit({
      pipelineRuns: observed(
        1,
        pipelineRun('r1', { status: 'Failed', gmtModifiedTime: at(1) }),
        pipelineRun('r2'),
        pipelineRun('bad', { duration: '99999999999999999999' }),
      ),
    });
    expect(deadlocks).toBe(0);
    expect(await mirror().kinds('r1')).toEqual(['discovered', 'changed']);
    expect(await mirror().kinds('r2')).toEqual(['discovered']);
    expect(await mirror().kinds('bad')).toEqual([]);
  });

  test('is numbered in the order in which the changes of an entity were stored', async () => {
    for (const [minutes, status] of ['Running', 'Suspended', 'Running', 'Failed'].entries()) {
      await mirror().commit({ pipelineRunStatuses: observed(minutes, runStatus('r1', { status })) }, 'status');
    }
    expect((await mirror().events('r1')).map((event) => event.to_status)).toEqual([
      'Running',
      'Suspended',
      'Running',
      'Failed',
    ]);
  });
});
