import { describe, expect, test } from 'vitest';
import * as due from '../../src/store/due.js';
import type { Queryable } from '../../src/store/pool.js';
import { experimentRun, observed, pipelineRun, runStatus, SCOPE, SCOPE_NAME, useMirror } from './fixtures.js';

/** Two walks at once need a connection each, and one for everything else. */
const mirror = useMirror({ maxConnections: 4 });
const all = { after: null, limit: 100 };
const dueAll = { ...all, failedBefore: null };

describe('what is due', () => {
  test('active are all runs but those at a known end and those deleted', async () => {
    const statuses = [
      'Running',
      'Suspended',
      'Unknown',
      'a new word',
      '',
      null,
      'Succeeded',
      'Failed',
      'Terminated',
      'Skipped',
      'Succeed',
    ];
    await mirror().commit({
      pipelineRuns: observed(
        0,
        ...statuses.map((status, i) => pipelineRun(`r${String.fromCharCode(97 + i)}`, { status })),
      ),
    });
    await mirror().commit({ pipelineRunStatuses: observed(1, runStatus('ra', { isDeleted: true })) }, 'status');
    // The poll that called it deleted may take that back until the list has confirmed it.
    expect(await mirror().store.runsDueForPoll(SCOPE, all)).toEqual(['ra', 'rb', 'rc', 'rd', 're', 'rf', 'rk']);
    await mirror().commit({ failuresOverBefore: '2100-01-01T00:00:00.000000Z' }, 'reconcile');
    expect(await mirror().store.runsDueForPoll(SCOPE, all)).toEqual(['rb', 'rc', 'rd', 're', 'rf', 'rk']);
    expect(await mirror().store.runsDueForPoll(SCOPE, { after: 'rc', limit: 2 })).toEqual(['rd', 're']);
    expect(await mirror().store.countDue(SCOPE, 'status')).toBe(6);
  });

  test('a run is due for nodes and details with each revision, for nodes only once it has a root node', async () => {
    await mirror().commit({
      pipelineRuns: observed(
        0,
        pipelineRun('r1'),
        pipelineRun('r2', { nodeId: '' }),
        pipelineRun('r3', { nodeId: null }),
      ),
    });
    expect(await mirror().store.runsDueForNodes(SCOPE, dueAll)).toEqual([
      { pipelineRunId: 'r1', nodeId: 'root-r1', revision: '1' },
    ]);
    expect((await mirror().store.runsDueForDetails(SCOPE, dueAll)).map((run) => run.nodeId)).toEqual([
      'root-r1',
      '',
      '',
    ]);
    expect(await mirror().store.countDue(SCOPE, 'nodes')).toBe(1);
    expect(await mirror().store.countDue(SCOPE, 'details')).toBe(3);
    await mirror().commit({ nodesFetched: [{ pipelineRunId: 'r1', revision: '1' }] }, 'nodes');
    expect(await mirror().store.runsDueForNodes(SCOPE, dueAll)).toEqual([]);
    await mirror().commit({ pipelineRunStatuses: observed(1, runStatus('r1', { status: 'Failed' })) }, 'status');
    expect(await mirror().store.runsDueForNodes(SCOPE, dueAll)).toMatchObject([{ revision: '2' }]);
    // An answer for an earlier revision does not settle the later one, nor take a mark back.
    await mirror().commit(
      {
        nodesFetched: [
          { pipelineRunId: 'r1', revision: '2' },
          { pipelineRunId: 'r1', revision: '1' },
        ],
      },
      'nodes',
    );
    expect(await mirror().run('r1')).toMatchObject({ nodes_revision: '2' });
  });

  test('missing runs are listed until they are deleted, and due for a poll whatever their status, for nothing else', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1'), pipelineRun('r2', { status: 'Failed' })) });
    await mirror().commit({ pipelineRunsMissing: observed(1, 'r1', 'r2') }, 'reconcile');
    expect(await mirror().store.missingPipelineRuns(SCOPE, all)).toEqual(['r1', 'r2']);
    expect(await mirror().store.runsDueForPoll(SCOPE, all)).toEqual(['r1', 'r2']);
    expect(await mirror().store.runsDueForPoll(SCOPE, { after: null, limit: 1 })).toEqual(['r1']);
    expect(await mirror().store.countDue(SCOPE, 'status')).toBe(2);
    expect(await mirror().store.runsDueForNodes(SCOPE, dueAll)).toEqual([]);
    expect(await mirror().store.runsDueForDetails(SCOPE, dueAll)).toEqual([]);
    await mirror().commit({ pipelineRunsDeleted: observed(2, 'r1') }, 'reconcile');
    expect(await mirror().store.missingPipelineRuns(SCOPE, all)).toEqual(['r2']);
  });

  test('a scope sees only its own', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1', { workspaceId: 'as PAI says' })) });
    const other = { ...SCOPE, workspaceId: 'as PAI says' };
    expect(await mirror().store.runsDueForPoll(other, all)).toEqual([]);
    expect(await mirror().store.countPresent(other, 'pipeline_run')).toBe(0);
    expect(await mirror().store.countPresent(SCOPE, 'pipeline_run')).toBe(1);
  });

  test('with 100,000 finished runs an idle round reads no history', async () => {
    await mirror().sql(
      `insert into pai.pipeline_runs (pipeline_run_id, status, node_id, region, scope, first_seen_at, updated_at, observed_at, revision,
         nodes_revision, details_revision)
       select 'r' || i, 'Succeeded', 'root', 'cn-shanghai', $1, now(), now(), now(), 1, 1, 1 from generate_series(1, 100000) i`,
      [SCOPE_NAME],
    );
    await mirror().sql(
      `insert into pai.pipeline_run_nodes (pipeline_run_id, node_id, node_type, status, region, scope, first_seen_at, updated_at,
         observed_at, revision, outputs_revision)
       select 'r' || i, 'n', 'Logical', case when i % 20 = 0 then 'Initialized' else 'Succeeded' end, 'cn-shanghai', $1, now(), now(), now(), 1, 1
       from generate_series(1, 100000) i`,
      [SCOPE_NAME],
    );
    await mirror().sql('vacuum analyze pai.pipeline_runs, pai.pipeline_run_nodes');
    // Counted in one session, whose own counters are exact: they hold all that it has not reported yet.
    const client = await mirror().store.pool.connect();
    const readSoFar = async () => {
      const { rows } = await client.query<{ rows: number; scans: number }>(
        `select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::int as rows, coalesce(sum(idx_scan), 0)::int as scans
         from pg_stat_xact_user_tables where schemaname = 'pai'`,
      );
      return rows[0] as { rows: number; scans: number };
    };
    try {
      await client.query('begin');
      const readBy = async (db: Queryable) => {
        const before = await readSoFar();
        await due.runsDueForPoll(db, SCOPE_NAME, all);
        await due.dueRuns(db, 'nodes', SCOPE_NAME, dueAll);
        await due.dueRuns(db, 'details', SCOPE_NAME, dueAll);
        await due.nodesDueForPoll(db, SCOPE_NAME, { ...all, outputsOnly: false });
        await due.missingPipelineRuns(db, SCOPE_NAME, all);
        await due.runsDueForConfirmation(db, SCOPE_NAME, dueAll);
        await due.countDue(db, SCOPE_NAME, 'nodes');
        await due.countDue(db, SCOPE_NAME, 'status');
        const after = await readSoFar();
        return { rows: after.rows - before.rows, scans: after.scans - before.scans };
      };
      // The planner looks at the ends of indexes, and that is counted, too: it is all that may be read.
      const explain = (text: string, values?: unknown[]) => client.query(`explain ${text}`, values);
      const planned = await readBy({ query: explain } as unknown as Queryable);
      const run = await readBy(client);
      expect(run.rows).toBe(planned.rows);
      expect(run.rows).toBeLessThan(100);
      expect(run.scans).toBeGreaterThan(planned.scans);
      await client.query('rollback');
    } finally {
      client.release();
    }
  });
});

describe('the ids seen in a walk', () => {
  test('leave the rest: present, of the scope, and known before the walk began', async () => {
    await mirror().commit({
      pipelineRuns: observed(0, ...['r1', 'r2', 'r3', 'r4', 'r5'].map((id) => pipelineRun(id))),
    });
    await mirror().commit({ pipelineRunsMissing: observed(1, 'r4') }, 'reconcile');
    const firstSeenBefore = await mirror().store.now();
    await mirror().commit({ pipelineRuns: observed(1, pipelineRun('r6')) });
    const seenIds = await mirror().store.openSeenIds(SCOPE, 'pipeline_run');
    try {
      await seenIds.add(['r1', 'r1', 'not in the mirror']);
      await seenIds.add(['r1']);
      await seenIds.add([]);
      expect(await seenIds.count()).toBe(2);
      expect(await seenIds.unseen({ after: null, limit: 2, firstSeenBefore })).toEqual(['r2', 'r3']);
      expect(await seenIds.unseen({ after: 'r3', limit: 2, firstSeenBefore })).toEqual(['r5']);
    } finally {
      await seenIds.close();
      await seenIds.close();
    }
  });

  test('of two walks at once are two sets, and a closed one leaves its connection clean', async () => {
    await mirror().commit({ experimentRuns: observed(0, experimentRun('x1')) }, 'experiment-runs');
    const query = { after: null, limit: 9, firstSeenBefore: '2100-01-01T00:00:00.000000Z' };
    const [one, two] = await Promise.all([
      mirror().store.openSeenIds(SCOPE, 'run'),
      mirror().store.openSeenIds(SCOPE, 'run'),
    ]);
    await one.add(['x1']);
    expect([await one.unseen(query), await two.unseen(query)]).toEqual([[], ['x1']]);
    await Promise.all([one.close(), two.close()]);
    const again = await mirror().store.openSeenIds(SCOPE, 'run');
    expect(await again.count()).toBe(0);
    await again.close();
    expect(mirror().store.pool.idleCount).toBe(mirror().store.pool.totalCount);
  });
});

describe('the overview', () => {
  test('tells progress, passes, owners and counts of each scope', async () => {
    await mirror().commit({
      pipelineRuns: observed(0, pipelineRun('r1'), pipelineRun('r2', { status: 'Failed' })),
      cursor: { watermark: '2026-11-01T12:00:00.000001Z', state: { page: 2 } },
      rejected: [
        {
          evidence: { observedAt: '2026-11-01T12:00:00.000000Z', requestId: null },
          operation: 'ListPipelineRuns',
          items: [{ entity: 'pipeline_run', entityId: null, raw: '1', error: 'bad' }],
        },
      ],
      failures: [{ entityId: 'r1', error: 'HTTP 500' }],
    });
    const lease = await mirror().lease('pipeline-runs');
    const effect = { inserted: 2, updated: 0, unchanged: 0, stale: 0, quarantined: 1, tables: {} };
    const finish = async (outcome: 'succeeded' | 'failed', error: string | null) =>
      mirror().store.finishPass(await mirror().store.startPass(lease), {
        outcome,
        calls: 3,
        rowsRead: 2,
        effect,
        error,
      });
    await finish('succeeded', null);
    await finish('failed', 'HTTP 500');
    const { streams, scopes, tables } = await mirror().store.overview();
    expect(streams).toMatchObject([
      {
        scope: SCOPE_NAME,
        stream: 'pipeline-runs',
        watermark: '2026-11-01T12:00:00.000001Z',
        state: { page: 2 },
        lastPass: {
          outcome: 'failed',
          calls: 3,
          inserted: 2,
          error: 'HTTP 500',
          finishedAt: expect.stringMatching(/Z$/),
        },
        lastSuccessAt: expect.stringMatching(/Z$/),
        leaseHolder: expect.stringContaining(`/${process.pid}/`),
      },
    ]);
    expect(scopes).toEqual([
      {
        scope: SCOPE_NAME,
        pipelineRuns: 2,
        activePipelineRuns: 1,
        dueForNodes: 2,
        dueForDetails: 2,
        missingPipelineRuns: 0,
        deletedPipelineRuns: 0,
        experimentRuns: 0,
        prunedPipelineRuns: 0,
        prunedExperimentRuns: 0,
        unresolvedQuarantine: 1,
        failingItems: 1,
      },
    ]);
    expect(tables.find(({ table }) => table === 'pipeline_runs')).toEqual({
      table: 'pipeline_runs',
      rows: 2,
      estimated: false,
    });
    expect(tables.find(({ table }) => table === 'change_events')).toEqual({
      table: 'change_events',
      rows: 2,
      estimated: false,
    });
  });
});
