import { describe, expect, test } from 'vitest';
import type { ObservedTree } from '../../src/domain/batch.js';
import type { PipelineRunNode } from '../../src/domain/entities.js';
import {
  at,
  noDocument,
  nodeOutput,
  nodeStatus,
  observed,
  pipelineRun,
  runStatus,
  SCOPE,
  seen,
  treeNode,
  useMirror,
} from './fixtures.js';

const mirror = useMirror();

const tree = (minutes: number, nodes: PipelineRunNode[], fields: Partial<ObservedTree> = {}): ObservedTree => ({
  evidence: seen(minutes),
  pipelineRunId: 'r1',
  nodeType: 'Logical',
  nodes,
  complete: true,
  ...fields,
});
const node = (nodeId: string, nodeType = 'Logical') =>
  mirror().row(
    `select *, started_at::text, finished_at::text from pai.pipeline_run_nodes where pipeline_run_id = 'r1' and node_id = $1 and node_type = $2`,
    [nodeId, nodeType],
  );
const commitTree = (...trees: ObservedTree[]) => mirror().commit({ nodeTrees: trees }, 'nodes');
const poll = (minutes: number, ...nodes: Parameters<typeof nodeStatus>[]) =>
  mirror().commit({ nodeStatuses: observed(minutes, ...nodes.map((one) => nodeStatus(...one))) }, 'nodes');

describe('a node tree', () => {
  test('is stored, and an unchanged one is not written', async () => {
    const nodes = [treeNode('r1', 'n1', { runtimeInfo: { json: '{"a": [1]}', raw: null } }), treeNode('r1', 'n2')];
    expect((await commitTree(tree(0, nodes))).tables).toEqual({
      pipeline_run_nodes: { inserted: 2, updated: 0, unchanged: 0 },
    });
    expect(await commitTree(tree(1, nodes))).toMatchObject({ inserted: 0, updated: 0, unchanged: 2 });
    expect(await node('n1')).toMatchObject({ node_name: 'name of n1', runtime_info: { a: [1] }, revision: '1' });
    expect(await mirror().events()).toEqual([
      expect.objectContaining({
        entity: 'node',
        entity_id: 'r1',
        node_id: 'n1',
        kind: 'discovered',
        to_status: 'Running',
      }),
      expect.objectContaining({
        entity: 'node',
        entity_id: 'r1',
        node_id: 'n2',
        kind: 'discovered',
        from_status: null,
      }),
    ]);
  });

  test('that shows a known time cut to seconds or minutes changes nothing, a really different time does', async () => {
    await commitTree(tree(0, [treeNode('r1', 'n1', { startedAt: '2026-11-01T11:55:35.232000Z' })]));
    const cut = (minutes: number, startedAt: string) =>
      commitTree(tree(minutes, [treeNode('r1', 'n1', { startedAt })]));
    expect((await cut(1, '2026-11-01T11:55:35.000000Z')).unchanged).toBe(1);
    expect((await cut(2, '2026-11-01T11:55:00.000000Z')).unchanged).toBe(1);
    expect((await cut(3, '2026-11-01T11:54:00.000000Z')).updated).toBe(1);
    // And the precise form of a cut time is news.
    expect((await cut(4, '2026-11-01T11:54:10.500000Z')).updated).toBe(1);
    expect((await node('n1')).started_at).toBe('2026-11-01 11:54:10.5+00');
  });

  test('clears what a node no longer has when its status moved, and nothing before', async () => {
    const info = { json: null, raw: 'not json' };
    await commitTree(tree(0, [treeNode('r1', 'n1', { runtimeInfo: info, finishedAt: at(0) })]));
    await commitTree(tree(1, [treeNode('r1', 'n1', { runtimeInfo: noDocument, finishedAt: null, nodeName: null })]));
    expect(await node('n1')).toMatchObject({ runtime_info_raw: 'not json', node_name: 'name of n1' });
    // JSON now: the raw text of before goes with it.
    await commitTree(tree(2, [treeNode('r1', 'n1', { runtimeInfo: { json: '{}', raw: null } })]));
    expect(await node('n1')).toMatchObject({ runtime_info: {}, runtime_info_raw: null });
    await commitTree(tree(3, [treeNode('r1', 'n1', { status: 'ReadyToSchedule', startedAt: null, nodeName: null })]));
    expect(await node('n1')).toMatchObject({
      runtime_info: null,
      node_name: null,
      started_at: null,
      finished_at: null,
    });
  });

  test('that names a node no more makes it missing, by type, until it is named again', async () => {
    await commitTree(
      tree(0, [treeNode('r1', 'n1'), treeNode('r1', 'n2')]),
      tree(0, [treeNode('r1', 'n2', { nodeType: 'Physical' })], { nodeType: 'Physical' }),
    );
    await commitTree(tree(1, [treeNode('r1', 'n1')]));
    expect((await node('n2')).missing_since).toEqual(new Date(at(1)));
    expect((await node('n2', 'Physical')).missing_since).toBeNull();
    await commitTree(tree(2, [treeNode('r1', 'n1')]));
    expect((await node('n2')).missing_since).toEqual(new Date(at(1)));
    await commitTree(tree(3, [treeNode('r1', 'n1'), treeNode('r1', 'n2')]));
    expect((await node('n2')).missing_since).toBeNull();
    expect((await mirror().events('r1')).map((e) => e.kind)).toEqual([
      'discovered',
      'discovered',
      'discovered',
      'missing',
      'restored',
    ]);
  });

  test('that is not complete, or older than the node, proves nothing missing', async () => {
    await commitTree(tree(2, [treeNode('r1', 'n1'), treeNode('r1', 'n2')]));
    await commitTree(tree(3, [treeNode('r1', 'n1')], { complete: false }));
    const older = await commitTree(tree(1, [treeNode('r1', 'n1')]));
    expect((await node('n2')).missing_since).toBeNull();
    expect(older.stale).toBe(2);
  });

  test('an empty complete tree makes all nodes of the run missing', async () => {
    await commitTree(tree(0, [treeNode('r1', 'n1')]));
    await commitTree(tree(1, []));
    expect((await node('n1')).missing_since).toEqual(new Date(at(1)));
  });
});

describe('a node poll', () => {
  test('moves the logical node, keeps what it does not tell, and makes the tree due again', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1')) });
    await mirror().commit(
      {
        nodeTrees: [
          tree(1, [treeNode('r1', 'n1', { runtimeInfo: { json: '{}', raw: null } })]),
          tree(1, [treeNode('r1', 'n1', { nodeType: 'Physical' })], { nodeType: 'Physical' }),
        ],
        nodesFetched: [{ pipelineRunId: 'r1', revision: '1' }],
      },
      'nodes',
    );
    expect(await mirror().run('r1')).toMatchObject({ nodes_revision: '1', nodes_open: true });
    await poll(2, [
      'r1',
      'n1',
      { status: 'Succeed', startedAt: at(-5), finishedAt: at(2), nodeName: 'other', outputArtifactArchived: true },
    ]);
    expect(await node('n1')).toMatchObject({
      status: 'Succeed',
      node_name: 'name of n1',
      runtime_info: {},
      output_artifact_archived: true,
      input_artifact_archived: null,
    });
    expect((await node('n1', 'Physical')).status).toBe('Running');
    expect(await mirror().run('r1')).toMatchObject({ nodes_revision: '-1', revision: '1' });
    expect(await mirror().store.runsDueForNodes(SCOPE, { after: null, limit: 9, failedBefore: null })).toHaveLength(1);
  });

  test('of a node that exists only as physical goes there, of an unknown node makes a logical one', async () => {
    await commitTree(tree(1, [treeNode('r1', 'n1', { nodeType: 'Physical' })], { nodeType: 'Physical' }));
    await poll(2, ['r1', 'n1', { status: 'Failed' }], ['r1', 'n2', { status: 'Running', nodeName: 'new' }]);
    expect((await node('n1', 'Physical')).status).toBe('Failed');
    expect((await node('n2')).node_name).toBe('new');
    expect(await mirror().sql('select 1 from pai.pipeline_run_nodes')).toHaveLength(2);
  });

  test('that tells nothing new leaves the run alone', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1')) });
    await commitTree(tree(1, [treeNode('r1', 'n1')]));
    await mirror().commit({ nodesFetched: [{ pipelineRunId: 'r1', revision: '1' }] }, 'nodes');
    expect(await poll(2, ['r1', 'n1', { startedAt: null }])).toMatchObject({ updated: 0, unchanged: 1 });
    // Archiving is news of the node, but none that asks for its tree.
    expect(await poll(3, ['r1', 'n1', { inputArtifactArchived: false }])).toMatchObject({ updated: 1 });
    expect((await mirror().run('r1')).nodes_revision).toBe('1');
  });
});

describe('outputs', () => {
  test('are merged by run and id, written only when they differ, and kept when no answer names them', async () => {
    const outputs = (minutes: number, ...items: Parameters<typeof nodeOutput>[]) =>
      mirror().commit({ nodeOutputs: observed(minutes, ...items.map((one) => nodeOutput(...one))) }, 'nodes');
    await outputs(
      0,
      ['r1', 'o1', { value: { json: '{"u": "oss://b"}', raw: null }, expandedArtifactIndex: '9007199254740993' }],
      ['r1', 'o2'],
    );
    expect(await outputs(1, ['r1', 'o2'])).toMatchObject({ unchanged: 1, updated: 0 });
    expect(await outputs(2, ['r1', 'o2', { producer: 'n1', metadata: '{"type": {}}' }])).toMatchObject({ updated: 1 });
    expect(await outputs(1, ['r1', 'o2'])).toMatchObject({ stale: 1 });
    expect(
      await mirror().sql(
        'select id, value, producer, metadata, expanded_artifact_index as i, deleted_at from pai.node_outputs order by id',
      ),
    ).toEqual([
      { id: 'o1', value: { u: 'oss://b' }, producer: null, metadata: null, i: '9007199254740993', deleted_at: null },
      { id: 'o2', value: null, producer: 'n1', metadata: { type: {} }, i: null, deleted_at: null },
    ]);
  });

  test('that a later answer about their node does not name get a tombstone, until they are named again', async () => {
    const node = { pipelineRunId: 'r1', nodeId: 'n1' };
    const poll = (minutes: number, ids: string[]) =>
      mirror().commit(
        {
          nodeOutputs: observed(minutes, ...ids.map((id) => nodeOutput('r1', id))),
          nodesPolled: observed(minutes, node),
        },
        'nodes',
      );
    const gone = async () =>
      (await mirror().sql('select id from pai.node_outputs where deleted_at is not null order by id')).map((o) => o.id);
    await mirror().commit({ nodeOutputs: observed(0, nodeOutput('r1', 'of another node', { nodeId: 'n2' })) }, 'nodes');
    await poll(1, ['o1', 'o2']);
    expect(await gone()).toEqual([]);
    await poll(3, ['o2']);
    expect(await gone()).toEqual(['o1']);
    // Asked before the outputs were stored: proves nothing.
    await poll(0, []);
    expect(await gone()).toEqual(['o1']);
    await poll(4, ['o1', 'o2']);
    expect(await gone()).toEqual([]);
  });

  test('are due for a node from each change until a poll that was sent after it', async () => {
    const due = () => mirror().store.nodesDueForPoll(SCOPE, { after: null, limit: 9, outputsOnly: true });
    const polled = (minutes: number) =>
      mirror().commit({ nodesPolled: observed(minutes, { pipelineRunId: 'r1', nodeId: 'n1' }) }, 'nodes');
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1', { status: 'Succeeded' })) });
    await commitTree(tree(1, [treeNode('r1', 'n1', { status: 'Succeeded' })]));
    expect(await due()).toEqual([{ pipelineRunId: 'r1', nodeId: 'n1' }]);
    await polled(2);
    expect(await due()).toEqual([]);
    await poll(4, ['r1', 'n1', { status: 'Failed' }]);
    await polled(3);
    expect(await due()).toHaveLength(1);
    await polled(4);
    expect(await due()).toEqual([]);
  });
});

describe('what nodes are polled', () => {
  const due = async (query: { runId: string; nodeId: string } | null = null, limit = 9) =>
    (
      await mirror().store.nodesDueForPoll(SCOPE, {
        after: query && { pipelineRunId: query.runId, nodeId: query.nodeId },
        limit,
        outputsOnly: false,
      })
    ).map((key) => `${key.pipelineRunId}/${key.nodeId}`);
  const allPolled = (minutes: number, ...keys: string[]) =>
    mirror().commit(
      {
        nodesPolled: observed(
          minutes,
          ...keys.map((key) => ({ pipelineRunId: key.split('/')[0] as string, nodeId: key.split('/')[1] as string })),
        ),
      },
      'nodes',
    );

  test('all nodes of active runs, and the unfinished ones of runs that ended less than a day ago', async () => {
    const recently = await mirror().store.now();
    await mirror().commit({
      pipelineRuns: observed(
        0,
        pipelineRun('active', { status: 'a word nobody knows' }),
        pipelineRun('ended', { status: 'Failed', finishedAt: recently }),
        pipelineRun('longago', { status: 'Failed', finishedAt: at(-3 * 24 * 60) }),
        pipelineRun('gone'),
      ),
    });
    const ids = ['active', 'ended', 'longago', 'gone'];
    const trees = ids.map((id) =>
      tree(1, [treeNode(id, 'n1'), treeNode(id, 'n2', { status: 'Succeed' })], { pipelineRunId: id }),
    );
    await mirror().commit(
      { nodeTrees: trees, nodesFetched: ids.map((pipelineRunId) => ({ pipelineRunId, revision: '1' })) },
      'nodes',
    );
    await allPolled(2, ...ids.flatMap((id) => [`${id}/n1`, `${id}/n2`]));
    await mirror().commit({ pipelineRunStatuses: observed(3, runStatus('gone', { isDeleted: true })) }, 'status');
    expect(await due()).toEqual(['active/n1', 'active/n2', 'ended/n1']);
    expect(await mirror().run('longago')).toMatchObject({ nodes_open: false });
  });

  test('are paged in key order without loss or repetition', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('a'), pipelineRun('b', { status: 'Succeeded' })) });
    const nodes = (id: string) =>
      tree(
        1,
        ['n1', 'n2', 'n3'].map((n) => treeNode(id, n)),
        { pipelineRunId: id },
      );
    await mirror().commit({ nodeTrees: [nodes('a'), nodes('b')] }, 'nodes');
    const pages: string[] = [];
    for (let after: { runId: string; nodeId: string } | null = null; ; ) {
      const page = await due(after, 2);
      pages.push(...page);
      if (page.length === 0) break;
      const [runId, nodeId] = (page.at(-1) as string).split('/') as [string, string];
      after = { runId, nodeId };
    }
    expect(pages).toEqual(['a/n1', 'a/n2', 'a/n3', 'b/n1', 'b/n2', 'b/n3']);
  });
});
