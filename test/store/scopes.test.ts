import { describe, expect, test } from 'vitest';
import type { WriteBatch } from '../../src/domain/batch.js';
import { at, observed, pipelineRun, SCOPE, SCOPE_NAME, treeNode, useMirror } from './fixtures.js';

const mirror = useMirror();
const OTHER = { ...SCOPE, workspaceId: '20000' };
const OTHER_NAME = 'cn-shanghai:20000';

async function commitIn(scope: typeof OTHER | typeof SCOPE, batch: WriteBatch): Promise<void> {
  const lease = await mirror().store.acquireLease(scope, 'pipeline-runs');
  if (lease === null) throw new Error('the lease is taken');
  await mirror().store.commit(lease, batch);
  await mirror().store.releaseLease(lease);
}
const scopes = async () => ({
  run: (await mirror().run('r1')).scope,
  node: (await mirror().row('select scope from pai.pipeline_run_nodes')).scope,
});
const moved = (minutes: number) => pipelineRun('r1', { workspaceId: '20000', gmtModifiedTime: at(minutes) });

describe('a run that PAI moves to another workspace', () => {
  test('goes with its nodes to the scope whose list shows it as its own, and is due there', async () => {
    await commitIn(SCOPE, { pipelineRuns: observed(0, pipelineRun('r1')) });
    const tree = { pipelineRunId: 'r1', nodeType: 'Logical', nodes: [treeNode('r1', 'n1')], complete: true };
    await commitIn(SCOPE, {
      nodeTrees: [{ ...tree, evidence: { observedAt: at(1), requestId: null } }],
      nodesFetched: [{ pipelineRunId: 'r1', revision: '1' }],
    });
    await commitIn(OTHER, { pipelineRuns: observed(5, moved(4)) });
    expect(await scopes()).toEqual({ run: OTHER_NAME, node: OTHER_NAME });
    const due = { after: null, limit: 9, failedBefore: null };
    expect(await mirror().store.runsDueForNodes(OTHER, due)).toHaveLength(1);
    expect(await mirror().store.runsDueForPoll(SCOPE, due)).toEqual([]);
    expect(await mirror().store.countPresent(OTHER, 'pipeline_run')).toBe(1);
    const [, , event] = await mirror().sql('select kind, scope, changes from pai.change_events order by event_id');
    expect(event).toMatchObject({
      kind: 'changed',
      scope: OTHER_NAME,
      changes: { workspace_id: ['15945', '20000'], scope: [SCOPE_NAME, OTHER_NAME] },
    });

    // The old scope's walk, begun before, brings nothing back: not its late answer, and not its silence.
    await commitIn(SCOPE, { pipelineRuns: observed(3, pipelineRun('r1')) });
    const seen = await mirror().store.openSeenIds(SCOPE, 'pipeline_run');
    expect(await seen.unseen({ after: null, limit: 9, firstSeenBefore: '2100-01-01T00:00:00.000000Z' })).toEqual([]);
    await seen.close();
    expect((await scopes()).run).toBe(OTHER_NAME);
  });

  test('that both scopes list stays where it says it belongs, and nothing is written in any round', async () => {
    await commitIn(SCOPE, { pipelineRuns: observed(0, moved(-1)) });
    expect((await mirror().run('r1')).scope).toBe(SCOPE_NAME);
    await commitIn(OTHER, { pipelineRuns: observed(1, moved(-1)) });
    const settled = await mirror().row('select *, xmin::text from pai.pipeline_runs');
    expect(settled).toMatchObject({ scope: OTHER_NAME });
    for (const minutes of [2, 4]) {
      await commitIn(SCOPE, { pipelineRuns: observed(minutes, moved(-1)) });
      await commitIn(OTHER, { pipelineRuns: observed(minutes + 1, moved(-1)) });
    }
    expect(await mirror().row('select *, xmin::text from pai.pipeline_runs')).toEqual(settled);
  });

  test('that names a third workspace stays in its scope until that one has lost sight of it', async () => {
    const foreign = pipelineRun('r1', { workspaceId: 'as PAI says' });
    await commitIn(SCOPE, { pipelineRuns: observed(0, foreign) });
    await commitIn(OTHER, { pipelineRuns: observed(1, foreign) });
    expect((await mirror().run('r1')).scope).toBe(SCOPE_NAME);
    await commitIn(SCOPE, { pipelineRunsMissing: observed(2, 'r1') });
    await commitIn(OTHER, { pipelineRuns: observed(3, foreign) });
    expect(await mirror().run('r1')).toMatchObject({ scope: OTHER_NAME, missing_since: null });
    expect(await mirror().kinds('r1')).toEqual(['discovered', 'missing', 'restored']);
  });
});
