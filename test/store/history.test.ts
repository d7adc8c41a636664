import { describe, expect, test } from 'vitest';
import { at, nodeStatus, observed, pipelineRun, runStatus, seen, treeNode, useMirror } from './fixtures.js';

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
