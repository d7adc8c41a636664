/** The database's clock was ahead for a while and was set right: what was written meanwhile is dated into the future. */
import { describe, expect, test } from 'vitest';
import type { WriteBatch } from '../../src/domain/batch.js';
import { instantFromMillis } from '../../src/domain/instant.js';
import { experimentRun, Mirror, nodeStatus, pipelineRun, runStatus, SCOPE, treeNode, useMirror } from './fixtures.js';

const mirror = useMirror();

const MINUTE = 60_000;
/** An observation so many minutes from now. */
const seenIn = <T>(minutes: number, ...items: T[]) => [
  {
    evidence: { observedAt: instantFromMillis(Date.now() + minutes * MINUTE), requestId: `request${minutes}` },
    items,
  },
];
const polled = (minutes: number, status: string): WriteBatch => ({
  pipelineRunStatuses: seenIn(minutes, runStatus('r', { status })),
});
const statusNow = async () => (await mirror().run('r')).status;

describe('invariant 4, with a database whose clock was ahead: an observation', () => {
  test('of the future does not refuse one that was made since', async () => {
    await mirror().commit(polled(180, 'Running'));
    const effect = await mirror().commit(polled(-1, 'Succeeded'));
    expect(effect).toMatchObject({ updated: 1, stale: 0 });
    // And from then on the row is guarded as ever.
    expect(await mirror().commit(polled(-2, 'Running'))).toMatchObject({ updated: 0, stale: 1 });
    expect(await statusNow()).toBe('Succeeded');
  });

  test('of the future is in order with others of the future', async () => {
    await mirror().commit(polled(180, 'Succeeded'));
    expect(await mirror().commit(polled(170, 'Running'))).toMatchObject({ stale: 1 });
    expect(await statusNow()).toBe('Succeeded');
  });

  test('that is only seconds ahead counts: clocks are compared once a minute', async () => {
    await mirror().commit(polled(0.3, 'Succeeded'));
    expect(await mirror().commit(polled(0.2, 'Running'))).toMatchObject({ stale: 1 });
  });

  test('of lists, nodes and experiment runs too', async () => {
    await mirror().commit({
      pipelineRuns: seenIn(600, pipelineRun('r', { status: 'Running' })),
      experimentRuns: seenIn(600, experimentRun('e', { params: [{ key: 'lr', value: '1' }] })),
    });
    await mirror().commit({ nodeStatuses: seenIn(600, nodeStatus('r', 'n', { status: 'Running' })) }, 'nodes');
    await mirror().commit({
      pipelineRuns: seenIn(0, pipelineRun('r', { status: 'Failed' })),
      experimentRuns: seenIn(-1, experimentRun('e', { params: [{ key: 'lr', value: '2' }] })),
    });
    await mirror().commit({ nodeStatuses: seenIn(0, nodeStatus('r', 'n', { status: 'Failed' })) }, 'nodes');
    expect(await statusNow()).toBe('Failed');
    const params = `select value from pai.run_params where run_id = 'e'`;
    expect(await mirror().row(params)).toEqual({ value: '2' });
    // The run's own row did not change, but its observation did: an older answer cannot put the param back.
    await mirror().commit({ experimentRuns: seenIn(-2, experimentRun('e', { params: [{ key: 'lr', value: '1' }] })) });
    expect(await mirror().row(params)).toEqual({ value: '2' });
  });

  test('does not keep the outputs of a node due for ever', async () => {
    await mirror().commit({ pipelineRuns: seenIn(0, pipelineRun('r')) });
    const [tree] = seenIn(600, treeNode('r', 'n'));
    const trees = [
      { evidence: tree?.evidence, pipelineRunId: 'r', nodeType: 'Logical', complete: true, nodes: tree?.items },
    ];
    await mirror().commit({ nodeTrees: trees as NonNullable<WriteBatch['nodeTrees']> }, 'nodes');
    const due = () => mirror().store.nodesDueForPoll(SCOPE, { after: null, limit: 9, outputsOnly: true });
    expect(await due()).toHaveLength(1);
    await mirror().commit({ nodesPolled: seenIn(0, { pipelineRunId: 'r', nodeId: 'n' }) }, 'nodes');
    expect(await due()).toEqual([]);
  });
});

describe('of a database whose clock was ahead', () => {
  test('a lease lasts no longer than a lease can', async () => {
    await mirror().lease('status');
    const other = new Mirror(mirror().url, { isDeadHolder: () => false });
    try {
      const setEnd = (end: string) =>
        mirror().sql(`update pai.sync_leases set expires_at = clock_timestamp() + $1::interval`, [end]);
      await setEnd('80 seconds');
      expect(await other.store.acquireLease(SCOPE, 'status')).toBeNull();
      await setEnd('3 hours');
      expect(await other.store.acquireLease(SCOPE, 'status')).toMatchObject({ fence: '2' });
      // Nor does a pass that seems to have begun in the future keep the next one waiting.
      await mirror().sql(
        `update pai.sync_leases set expires_at = '-infinity', acquired_at = clock_timestamp() + interval '3 hours'`,
      );
      expect(await other.store.acquireLease(SCOPE, 'status', 15_000)).toMatchObject({ fence: '3' });
    } finally {
      await other.close();
    }
  });

  test('a failure does not postpone the next try beyond the longest wait, nor keep sync from it', async () => {
    await mirror().commit({ pipelineRuns: seenIn(0, pipelineRun('r')), failures: [{ entityId: 'r', error: 'x' }] });
    await mirror().commit({ failures: [{ entityId: 'r', error: 'PAI broke' }] }, 'details');
    const due = (failedBefore: string | null) =>
      mirror().store.runsDueForDetails(SCOPE, { after: null, limit: 9, failedBefore });
    const now = instantFromMillis(Date.now());
    expect(await due(null)).toEqual([]);
    await mirror().sql(
      `update pai.sync_retries set failed_at = failed_at + interval '5 hours', retry_at = retry_at + interval '5 hours'`,
    );
    expect(await due(null)).toHaveLength(1);
    expect(await due(now)).toHaveLength(1);
    await mirror().sql(
      `update pai.sync_retries set failed_at = clock_timestamp(), retry_at = clock_timestamp() + interval '59 minutes'`,
    );
    expect(await due(null)).toEqual([]);
    expect(await due(now)).toEqual([]);
  });

  test('a row is found absent although it seems to have been stored in the future', async () => {
    await mirror().commit({ pipelineRuns: seenIn(0, pipelineRun('r'), pipelineRun('kept')) });
    await mirror().sql(`update pai.pipeline_runs set first_seen_at = clock_timestamp() + interval '1 year'`);
    const seen = await mirror().store.openSeenIds(SCOPE, 'pipeline_run');
    try {
      await seen.add(['kept']);
      const firstSeenBefore = instantFromMillis(Date.now());
      expect(await seen.unseen({ after: null, limit: 9, firstSeenBefore })).toEqual(['r']);
    } finally {
      await seen.close();
    }
  });
});

describe('a lease that could not be given back, because the database was away,', () => {
  test('is taken anew at once by the process that had it, and by no other before its time', async () => {
    const lease = await mirror().lease('status');
    await mirror().sql('alter table pai.sync_leases rename to away');
    await expect(mirror().store.releaseLease(lease)).rejects.toMatchObject({ name: 'StoreError' });
    await mirror().sql('alter table pai.away rename to sync_leases');
    const other = new Mirror(mirror().url, { isDeadHolder: () => false });
    try {
      expect(await other.store.acquireLease(SCOPE, 'status')).toBeNull();
      const [one, two] = await Promise.all([1, 2].map(() => mirror().store.acquireLease(SCOPE, 'status')));
      expect([one?.fence, two?.fence].filter((fence) => fence !== undefined)).toEqual(['2']);
      expect(await mirror().store.acquireLease(SCOPE, 'status'), 'a lease in use is not left behind').toBeNull();
    } finally {
      await other.close();
    }
  });
});
