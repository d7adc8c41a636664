/** What a commit does with runs that were pruned, in every way in which they can come in. */
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { WriteBatch } from '../../src/domain/batch.js';
import { prune, retentionOf } from '../support/retention.js';
import {
  at,
  experimentRun,
  noDocument,
  nodeOutput,
  nodeStatus,
  observed,
  pipelineRun,
  runStatus,
  SCOPE_NAME,
  seen,
  treeNode,
  useMirror,
} from './fixtures.js';

const mirror = useMirror();

const ended = (id: string) =>
  pipelineRun(id, { status: 'Succeeded', finishedAt: '2020-01-01T00:00:00.000000Z', nodeId: '' });

/** One run of each kind is pruned, and one of each stays. */
async function pruned(): Promise<void> {
  const metrics = [{ key: 'loss', step: '1', timestamp: '2020-01-01T00:00:00.000000Z', value: '0.5' }];
  const { commit } = { commit: mirror().commit.bind(mirror()) };
  await commit({ pipelineRuns: observed(0, ended('gone'), pipelineRun('here')) });
  await mirror().sql('update pai.pipeline_runs set details_revision = revision');
  const old = { gmtModifiedTime: '2020-01-01T00:00:00.000000Z', params: [], labels: [], metrics };
  await commit(
    { experimentRuns: observed(0, experimentRun('run-gone', old), experimentRun('run-here')) },
    'experiment-runs',
  );
  const { runs } = await prune(mirror().url, retentionOf('*/*=1y', { experiments: '*=1y' }));
  expect(runs.map(({ id }) => id)).toEqual(['gone', 'run-gone']);
}

const everything = async (): Promise<unknown[]> => {
  const counts: unknown[] = [];
  for (const table of [
    'pipeline_runs',
    'pipeline_run_details',
    'pipeline_run_nodes',
    'node_outputs',
    'runs',
    'run_params',
    'run_labels',
    'run_metrics',
    'change_events',
    'quarantine',
    'sync_retries',
    'pruned_runs',
  ])
    counts.push(
      ...(await mirror().sql(
        `select '${table}' as table, count(*)::int as rows, md5(string_agg(t::text, ',' order by t::text)) from pai.${table} t`,
      )),
    );
  return counts;
};

const tree = {
  pipelineRunId: 'gone',
  nodeType: 'Logical',
  evidence: seen(5),
  nodes: [treeNode('gone', 'n1')],
  complete: true,
};
const point = { key: 'loss', step: '2', timestamp: at(5), value: '0.1' };

describe('of a run that was pruned', () => {
  it.each<[string, WriteBatch, number]>([
    ['ListPipelineRuns', { pipelineRuns: observed(5, ended('gone')) }, 1],
    ['an older answer of it', { pipelineRuns: observed(-5, pipelineRun('gone', { gmtModifiedTime: at(-60) })) }, 1],
    [
      'a poll, also one that calls it deleted',
      { pipelineRunStatuses: observed(5, runStatus('gone', { status: 'Failed' })) },
      1,
    ],
    [
      'GetPipelineRun',
      {
        pipelineRunDetails: observed(5, {
          run: ended('gone'),
          manifest: noDocument,
          arguments: noDocument,
          options: noDocument,
        }),
        detailsFetched: [{ pipelineRunId: 'gone', revision: '1' }],
      },
      2,
    ],
    ['a node tree', { nodeTrees: [tree], nodesFetched: [{ pipelineRunId: 'gone', revision: '1' }] }, 1],
    [
      'a poll of nodes with outputs',
      {
        nodeStatuses: observed(5, nodeStatus('gone', 'n1')),
        nodeOutputs: observed(5, nodeOutput('gone', 'o1')),
        nodesPolled: observed(5, { pipelineRunId: 'gone', nodeId: 'n1' }),
      },
      2,
    ],
    ['its absence', { pipelineRunsMissing: observed(5, 'gone'), experimentRunsMissing: observed(5, 'run-gone') }, 2],
    ['GetPipelineRun that does not know it', { pipelineRunsDeleted: observed(5, 'gone') }, 1],
    [
      'ListRuns, new points of metrics included',
      {
        experimentRuns: observed(
          5,
          experimentRun('run-gone', {
            gmtModifiedTime: '2020-01-01T00:00:00.000000Z',
            params: [{ key: 'a', value: '1' }],
            metrics: [point],
          }),
        ),
      },
      3,
    ],
    [
      'a metric out of quarantine',
      { experimentRunMembers: observed(5, { runId: 'run-gone', list: 'metrics', member: point }) },
      1,
    ],
  ])('%s stores nothing and counts as unchanged', async (_, batch, unchanged) => {
    await pruned();
    const before = await everything();
    const effect = await mirror().commit(batch);
    expect([effect.inserted, effect.updated, effect.stale, effect.unchanged]).toEqual([0, 0, 0, unchanged]);
    expect(await everything()).toEqual(before);
  });

  it('what comes beside it in one answer is stored', async () => {
    await pruned();
    const effect = await mirror().commit({
      pipelineRuns: observed(5, ended('gone'), pipelineRun('new'), pipelineRun('here')),
    });
    expect([effect.inserted, effect.unchanged]).toEqual([1, 2]);
    expect(effect.tables.pipeline_runs).toEqual({ inserted: 1, updated: 0, unchanged: 2 });
  });

  it('the list and what hangs on it come back in one batch once PAI has modified it, also among many new ones', async () => {
    await pruned();
    const back = pipelineRun('gone', { status: 'Failed', gmtModifiedTime: at(3) });
    const others = Array.from({ length: 100 }, (_, n) => pipelineRun(`new-${n}`));
    const effect = await mirror().commit({ pipelineRuns: observed(5, ...others, back), nodeTrees: [tree] });
    expect([effect.inserted, effect.unchanged]).toEqual([102, 0]);
    expect(
      (await mirror().events('gone')).map(({ kind, from_status, to_status }) => [kind, from_status, to_status]),
    ).toEqual([
      ['discovered', null, 'Succeeded'],
      ['pruned', 'Succeeded', 'Succeeded'],
      ['restored', 'Succeeded', 'Failed'],
      ['discovered', null, 'Running'],
    ]);
    expect(await mirror().sql('select entity_id from pai.pruned_runs')).toEqual([{ entity_id: 'run-gone' }]);
    expect(await mirror().commit({ pipelineRuns: observed(6, back) })).toMatchObject({
      inserted: 0,
      updated: 0,
      unchanged: 1,
    });
  });

  it('a version that the database refuses leaves it pruned, and goes to quarantine', async () => {
    await pruned();
    const bad = pipelineRun('gone', { gmtModifiedTime: at(3), duration: '99999999999999999999' });
    const effect = await mirror().commit({ pipelineRuns: observed(5, bad) });
    expect([effect.inserted, effect.quarantined]).toEqual([0, 1]);
    expect(await mirror().sql(`select entity_id from pai.pruned_runs where entity = 'pipeline_run'`)).toEqual([
      { entity_id: 'gone' },
    ]);
  });
});

describe('a commit and a batch of retention', () => {
  const waitingForLock = async () =>
    (
      await mirror().sql(
        `select from pg_stat_activity where application_name = 'pai-mirror retention' and wait_event_type = 'Lock' and datname = current_database()`,
      )
    ).length;

  it('never overlap: what a commit under way stores of a run goes with it, or keeps it', async () => {
    await mirror().commit({ pipelineRuns: observed(0, ended('gone')) });
    await mirror().sql('update pai.pipeline_runs set details_revision = revision');
    const other = new pg.Client({ connectionString: mirror().url });
    await other.connect();
    try {
      // As a commit begins, and as one stores the nodes of the run.
      await other.query('begin; select pg_advisory_xact_lock_shared(7305148211)');
      const pruning = prune(mirror().url, retentionOf('*/*=1y'), { lockTimeoutMs: 60_000 });
      const waits = async () =>
        (
          await mirror().sql(
            `select from pg_stat_activity where application_name = 'pai-mirror retention' and wait_event_type = 'Lock'`,
          )
        ).length;
      await expect.poll(waits).toBe(1);
      await other.query(
        `insert into pai.pipeline_run_nodes (pipeline_run_id, node_id, node_type, region, scope, first_seen_at, updated_at, observed_at, revision, outputs_revision)
         values ('gone', 'n1', 'Logical', 'cn-shanghai', $1, now(), now(), now(), 1, 1)`,
        [SCOPE_NAME],
      );
      await other.query('commit');
      const { report } = await pruning;
      expect(report.tables.pipeline_run_nodes?.rows).toBe(1);
      expect(await mirror().sql('select from pai.pipeline_run_nodes')).toEqual([]);
    } finally {
      await other.end();
    }
  });

  it('a run that came to life, or got an item in quarantine, after the plan was made stays', async () => {
    await mirror().commit({ pipelineRuns: observed(0, ended('a'), ended('b'), ended('c')) });
    await mirror().sql('update pai.pipeline_runs set details_revision = revision');
    const other = new pg.Client({ connectionString: mirror().url });
    await other.connect();
    try {
      await other.query('begin; select pg_advisory_xact_lock_shared(7305148211)');
      const pruning = prune(mirror().url, retentionOf('*/*=1y'), { lockTimeoutMs: 60_000 });
      await expect
        .poll(
          async () =>
            (
              await mirror().sql(
                `select from pg_stat_activity where application_name = 'pai-mirror retention' and wait_event_type = 'Lock'`,
              )
            ).length,
        )
        .toBe(1);
      await other.query(`update pai.pipeline_runs set status = 'Running' where pipeline_run_id = 'b'`);
      await other.query(
        `insert into pai.quarantine (scope, region, stream, operation, entity, entity_id, parent_id, raw, fingerprint, error, observed_at, first_seen_at)
         values ($1, 'cn-shanghai', 'nodes', 'ListPipelineRunNodeStatus', 'node', 'c/n1', 'c', '{}', 'x', 'odd', now(), now())`,
        [SCOPE_NAME],
      );
      await other.query('commit');
      expect((await pruning).runs.map(({ id }) => id)).toEqual(['a']);
    } finally {
      await other.end();
    }
  });

  it('stops at once when it is told to, whatever it waits for, and leaves nothing half done', async () => {
    await mirror().commit({ pipelineRuns: observed(0, ended('a')) });
    await mirror().sql('update pai.pipeline_runs set details_revision = revision');
    const other = new pg.Client({ connectionString: mirror().url });
    await other.connect();
    const stop = new AbortController();
    try {
      await other.query('begin; select pg_advisory_xact_lock_shared(7305148211)');
      const pruning = prune(mirror().url, retentionOf('*/*=1y'), { lockTimeoutMs: 600_000, signal: stop.signal });
      await expect.poll(waitingForLock).toBe(1);
      stop.abort(new Error('told to stop'));
      await expect(pruning).rejects.toThrow('told to stop');
    } finally {
      await other.end();
    }
    await expect.poll(waitingForLock).toBe(0);
    expect(await mirror().sql('select from pai.pruned_runs')).toEqual([]);
    expect(await mirror().sql('select from pai.pipeline_runs')).toHaveLength(1);
    expect((await prune(mirror().url, retentionOf('*/*=1y'))).runs).toHaveLength(1);
  });
});
