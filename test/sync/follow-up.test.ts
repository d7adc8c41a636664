import { expect, it } from 'vitest';
import { at, nodeStatus, observed, pipelineRun, SCOPE, treeNode } from '../store/fixtures.js';
import { answered, startHarness, statusAnswer } from './harness.js';

/** Two active runs of one node each, whose trees and outputs are read. */
async function withActiveRuns() {
  const harness = await startHarness();
  let minute = 0;
  const store = async (...runs: Parameters<typeof pipelineRun>[]) => {
    const lease = await harness.store.acquireLease(SCOPE, 'status');
    if (lease === null) throw new Error('the lease is taken');
    await harness.store.commit(lease, {
      pipelineRuns: observed((minute += 1), ...runs.map((run) => pipelineRun(...run))),
    });
    await harness.store.releaseLease(lease);
  };
  await store(['r1', { status: 'Running' }], ['r2', { status: 'Running' }]);
  const asked: string[] = [];
  const nodes = (followsUp: boolean) =>
    harness.pass(
      'nodes',
      {
        listPipelineRunNodeStatus: async (_scope, { pipelineRunId }) => {
          asked.push(`tree of ${pipelineRunId}`);
          return { ...answered(), nodes: [treeNode(pipelineRunId, 'n1', { status: 'Running' })] };
        },
        listPipelineRunsStatus: async (_scope, subject) => {
          const keys = 'nodes' in subject ? subject.nodes : [];
          asked.push(`poll of ${keys.map((key) => key.pipelineRunId).join(' ')}`);
          return statusAnswer({
            nodes: keys.map((key) => nodeStatus(key.pipelineRunId, key.nodeId, { status: 'Running' })),
          });
        },
      },
      { followsUp },
    );
  expect(await nodes(false)).toMatchObject({ outcome: 'succeeded' });
  asked.length = 0;
  return { harness, store, nodes, asked };
}

it('a pass that follows up asks for the trees that were made due, and polls no nodes that a tick will poll', async () => {
  const { store, nodes, asked } = await withActiveRuns();
  expect(await nodes(true)).toMatchObject({ outcome: 'succeeded', calls: 0 });
  await store(['r2', { status: 'Suspended', gmtModifiedTime: at(5) }]);
  expect(await nodes(true)).toMatchObject({ outcome: 'succeeded', error: null });
  expect(asked).toEqual(['tree of r2']);
  asked.length = 0;
  expect(await nodes(false)).toMatchObject({ outcome: 'succeeded' });
  expect(asked).toEqual(['poll of r1 r2']);
});

it('a pass that only follows up does not stand for the one of a tick', async () => {
  const { harness, nodes } = await withActiveRuns();
  expect(await harness.store.acquireLease(SCOPE, 'nodes', 60_000)).toBeNull();
  await nodes(true);
  expect(await harness.store.acquireLease(SCOPE, 'nodes', 60_000)).not.toBeNull();
});
