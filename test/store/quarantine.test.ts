import { describe, expect, test } from 'vitest';
import type { WriteBatch } from '../../src/domain/batch.js';
import type { Rejected } from '../../src/domain/entities.js';
import { fingerprintOf } from '../../src/domain/quarantine.js';
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

type Bad = Partial<Rejected> & Pick<Rejected, 'entity'>;

/** A batch with one bad item, observed so many minutes after noon. */
const bad = (minutes: number, operation: string, ...items: Bad[]): WriteBatch => ({
  rejected: [
    {
      evidence: seen(minutes),
      operation,
      items: items.map((item) => ({ entityId: null, raw: '"bad"', error: 'why', ...item })),
    },
  ],
});

const resolutions = async (): Promise<unknown[]> =>
  (await mirror().sql('select resolution from pai.quarantine order by id')).map((row) => row.resolution);

const tree = (minutes: number, nodes: string[], complete = true, nodeType = 'Logical') => ({
  evidence: seen(minutes),
  pipelineRunId: 'r1',
  nodeType,
  nodes: nodes.map((id) => treeNode('r1', id, { nodeType })),
  complete,
});

const details = (id: string) => ({
  run: pipelineRun(id),
  manifest: noDocument,
  arguments: noDocument,
  options: noDocument,
});

/** Every item that has an id of its own: how it is named when it is bad, and a batch in which it is good. */
const ITEMS: [string, string, Bad, (minutes: number) => WriteBatch][] = [
  ['ListPipelineRuns', 'r1', { entity: 'pipeline_run' }, (m) => ({ pipelineRuns: observed(m, pipelineRun('r1')) })],
  [
    'ListPipelineRunsStatus',
    'r1',
    { entity: 'pipeline_run' },
    (m) => ({ pipelineRunStatuses: observed(m, runStatus('r1')) }),
  ],
  [
    'ListPipelineRunsStatus',
    'r1/n1',
    { entity: 'node', parentId: 'r1' },
    (m) => ({ nodeStatuses: observed(m, nodeStatus('r1', 'n1')) }),
  ],
  [
    'ListPipelineRunsStatus',
    'r1/o1',
    { entity: 'node_output', parentId: 'r1' },
    (m) => ({ nodeOutputs: observed(m, nodeOutput('r1', 'o1')) }),
  ],
  [
    'ListPipelineRunNodeStatus',
    'r1/n1/Logical',
    { entity: 'node', parentId: 'r1' },
    (m) => ({ nodeTrees: [tree(m, ['n1'], false)] }),
  ],
  ['GetPipelineRun', 'r1', { entity: 'pipeline_run' }, (m) => ({ pipelineRunDetails: observed(m, details('r1')) })],
  ['ListRuns', 'x1', { entity: 'run' }, (m) => ({ experimentRuns: observed(m, experimentRun('x1')) })],
  [
    'ListRuns',
    'x1/k',
    { entity: 'run_param', parentId: 'x1' },
    (m) => ({
      experimentRuns: observed(m, {
        ...experimentRun('x1', { params: [{ key: 'k', value: '1' }] }),
        unreadable: ['params' as const],
      }),
    }),
  ],
  [
    'ListRuns',
    'x1/k',
    { entity: 'run_label', parentId: 'x1' },
    (m) => {
      const labels = [{ key: 'k', value: '1', gmtCreateTime: null, gmtModifiedTime: null }];
      const run = { ...experimentRun('x1', { labels }), unreadable: ['labels' as const] };
      return { experimentRuns: observed(m, run) };
    },
  ],
  [
    'ListRuns',
    `x1/k/7/${at(0)}`,
    { entity: 'run_metric', parentId: 'x1' },
    (m) => {
      const metrics = [{ key: 'k', step: '7', timestamp: at(0), value: '1' }];
      const run = { ...experimentRun('x1', { metrics }), unreadable: ['metrics' as const] };
      return { experimentRuns: observed(m, run) };
    },
  ],
];

describe('invariant 6: a good answer settles what was bad', () => {
  test.each(ITEMS)('%s: %s %j', async (operation, entityId, item, good) => {
    await mirror().commit(good(0));
    await mirror().commit(bad(1, operation, { ...item, entityId }));
    await mirror().commit(good(0));
    expect(await resolutions(), 'the answer to an older question settles nothing').toEqual([null]);
    await mirror().commit(bad(2, 'AnotherOperation', { ...item, entityId }));
    const effect = await mirror().commit(good(3));
    expect(effect, 'the row itself did not change').toMatchObject({ inserted: 0, updated: 0 });
    expect(await resolutions()).toEqual(['superseded', null]);
  });
});

describe('an item is kept in its newest bad version', () => {
  const rows = () =>
    mirror().sql(
      'select entity_id, raw, error, request_id, first_seen_at::text as first from pai.quarantine order by id',
    );

  test('invariant 9: a source that sends an item badly in ever new ways fills one row', async () => {
    const version = (minutes: number) =>
      bad(minutes, 'ListPipelineRuns', { entity: 'pipeline_run', entityId: 'r1', raw: `{"version":${minutes}}` });
    await mirror().commit(version(0));
    const [first] = await rows();
    for (let minutes = 1; minutes <= 20; minutes += 1) {
      expect((await mirror().commit(version(minutes))).quarantined).toBe(1);
    }
    expect(await rows()).toEqual([{ ...first, raw: '{"version":20}', request_id: 'request-20' }]);
    expect((await mirror().commit(version(20))).quarantined, 'known already').toBe(0);
    expect((await mirror().commit(version(5))).quarantined, 'older than what is known').toBe(0);
    expect(await rows()).toMatchObject([{ raw: '{"version":20}' }]);
  });

  test('two versions in one answer count as one, and the last of them stays', async () => {
    const item = { entity: 'pipeline_run', entityId: 'r1' };
    await mirror().commit(bad(0, 'ListPipelineRuns', { ...item, raw: '1' }, { ...item, raw: '2' }));
    expect(await rows()).toMatchObject([{ raw: '2' }]);
  });

  test('items without an id are told apart by content and by the run that was asked for', async () => {
    const batch = bad(
      0,
      'ListPipelineRunNodeStatus',
      { entity: 'node', parentId: 'r1', raw: '1' },
      { entity: 'node', parentId: 'r2', raw: '1' },
      { entity: 'node', parentId: 'r1', raw: '2' },
      { entity: 'node', parentId: 'r1', raw: '1' },
    );
    expect((await mirror().commit(batch)).quarantined).toBe(3);
    expect((await mirror().commit(batch)).quarantined).toBe(0);
    expect(await mirror().sql('select parent_id, form, raw from pai.quarantine order by parent_id, raw')).toEqual([
      { parent_id: 'r1', form: 'answer', raw: '1' },
      { parent_id: 'r1', form: 'answer', raw: '2' },
      { parent_id: 'r2', form: 'answer', raw: '1' },
    ]);
  });

  test('two streams that quarantine one item at the same time make one row', async () => {
    const item = bad(0, 'ListPipelineRuns', { entity: 'pipeline_run', entityId: 'r1' });
    const other = await mirror().store.pool.connect();
    try {
      // The other stream's commit, halted between its insert and its end.
      await other.query('begin');
      await other.query(`select pg_advisory_xact_lock(hashtextextended('pai.quarantine ${SCOPE_NAME}', 0))`);
      await other.query(
        `insert into pai.quarantine (scope, region, stream, operation, entity, entity_id, raw, fingerprint, error, observed_at, first_seen_at)
         values ($1, 'cn-shanghai', 'reconcile', 'ListPipelineRuns', 'pipeline_run', 'r1', '"bad"', $2, 'why', $3, now())`,
        [SCOPE_NAME, fingerprintOf('"bad"'), at(0)],
      );
      const commit = mirror().commit(item);
      await expect(Promise.race([commit, new Promise((wait) => setTimeout(wait, 300, 'waits'))])).resolves.toBe(
        'waits',
      );
      await other.query('commit');
      expect((await commit).quarantined).toBe(0);
    } finally {
      other.release();
    }
    expect(await rows()).toHaveLength(1);
  });

  test('what the database refuses is kept as it was decoded, and says so', async () => {
    const output = nodeOutput('r1', 'o1', { expandedArtifactIndex: '9223372036854775808' });
    const { quarantinedItems } = await mirror().commit({ nodeOutputs: observed(0, output) });
    expect(quarantinedItems).toMatchObject(
      [{ operation: 'ListPipelineRunsStatus', entity: 'node_output', entityId: 'r1/o1', error: /out of range/ }].map(
        ({ error, ...item }) => ({ ...item, error: expect.stringMatching(error) }),
      ),
    );
    const [row] = await mirror().sql('select parent_id, form, raw from pai.quarantine');
    expect(row).toMatchObject({ parent_id: 'r1', form: 'entity' });
    expect(JSON.parse(row?.raw as string)).toEqual(output);
  });

  test('the effect of a batch names the first few items, and counts all', async () => {
    const items = Array.from({ length: 8 }, (_, index) => ({ entity: 'pipeline_run', entityId: `r${index}` }));
    const effect = await mirror().commit(bad(0, 'ListPipelineRuns', ...items));
    expect(effect.quarantined).toBe(8);
    expect(effect.quarantinedItems).toHaveLength(5);
    expect(effect.quarantinedItems?.[0]).toEqual({
      operation: 'ListPipelineRuns',
      entity: 'pipeline_run',
      entityId: 'r0',
      error: 'why',
    });
  });
});

describe('invariant 6: what no good answer can settle is settled by an answer to the whole question', () => {
  const BAD_NODES: Bad[] = [
    { entity: 'node', parentId: 'r1', raw: '"no id"' },
    { entity: 'node', parentId: 'r1', entityId: 'r1/n1/Logical' },
    { entity: 'node', parentId: 'r1', entityId: 'r1/n1/Physical' },
    { entity: 'node', parentId: 'r2', raw: '"of another run"' },
  ];
  const badNodes = () => mirror().commit(bad(1, 'ListPipelineRunNodeStatus', ...BAD_NODES));

  test('nodes by a later tree of their run in which everything could be read', async () => {
    await badNodes();
    await mirror().commit({ nodeTrees: [tree(0, ['n2'])] });
    expect(await resolutions(), 'asked for before').toEqual([null, null, null, null]);
    await mirror().commit({ nodeTrees: [tree(2, ['n2'], false)] });
    expect(await resolutions(), 'not whole').toEqual([null, null, null, null]);
    await mirror().commit({ nodeTrees: [tree(2, ['n2']), tree(2, ['n2'], false, 'Physical')] });
    expect(await resolutions(), 'whole for one type').toEqual([null, 'vanished', null, null]);
    await mirror().commit({ nodeTrees: [tree(3, ['n2']), tree(3, ['n2'], true, 'Physical')] });
    expect(await resolutions()).toEqual(['vanished', 'vanished', 'vanished', null]);
  });

  test('details by later details of the run that was asked for', async () => {
    await mirror().commit(bad(1, 'GetPipelineRun', { entity: 'pipeline_run', entityId: 'another', parentId: 'r1' }));
    await mirror().commit({ pipelineRunDetails: observed(0, details('r1')) });
    await mirror().commit({ pipelineRunDetails: observed(2, details('r2')) });
    expect(await resolutions()).toEqual([null]);
    await mirror().commit({ pipelineRunDetails: observed(2, details('r1')) });
    expect(await resolutions()).toEqual(['vanished']);
  });

  test('params, labels and metrics by a later list of their run in which everything could be read', async () => {
    const items = ['run_param', 'run_label', 'run_metric'].map((entity) => ({ entity, parentId: 'x1' }));
    await mirror().commit(bad(1, 'ListRuns', ...items));
    const answer = (minutes: number, fields: object) =>
      mirror().commit({ experimentRuns: observed(minutes, { ...experimentRun('x1'), ...fields }) });
    await answer(2, {});
    expect(await resolutions(), 'no list says nothing').toEqual([null, null, null]);
    await answer(3, { params: [], labels: [], unreadable: ['labels'] });
    expect(await resolutions()).toEqual(['vanished', null, null]);
    await answer(4, { params: [], labels: [], metrics: [] });
    expect(await resolutions()).toEqual(['vanished', 'vanished', 'vanished']);
  });

  test('what the database refuses again stays, though the list could be read', async () => {
    const metrics = [{ key: 'k', step: '7', timestamp: at(0), value: '1e999' }];
    await mirror().commit({ experimentRuns: observed(1, experimentRun('x1', { metrics })) });
    const effect = await mirror().commit({ experimentRuns: observed(2, experimentRun('x1', { metrics })) });
    expect(effect.quarantined, 'the same as before').toBe(0);
    expect(await resolutions()).toEqual([null]);
  });

  test('a list by a complete walk that did not come across them', async () => {
    await mirror().commit(
      bad(
        1,
        'ListPipelineRuns',
        { entity: 'pipeline_run', raw: '"gone"' },
        { entity: 'pipeline_run', raw: '"still there"' },
        { entity: 'pipeline_run', entityId: 'r1', raw: '"gone with its id"' },
      ),
    );
    await mirror().commit(bad(5, 'ListPipelineRuns', { entity: 'pipeline_run', raw: '"came during the walk"' }));
    await mirror().commit(bad(1, 'ListRuns', { entity: 'run', raw: '"gone"' }));
    const stillBad = [fingerprintOf('"still there"')];
    const completeWalk = { operation: 'ListPipelineRuns', entities: ['pipeline_run'], startedAt: at(4), stillBad };
    await mirror().commit({ completeWalk }, 'reconcile');
    expect(await resolutions()).toEqual(['vanished', null, 'vanished', null, null]);
  });

  test('everything of a run by its deletion at the source', async () => {
    const everything = async () => {
      for (const [operation, entityId, item] of ITEMS) {
        await mirror().commit(bad(1, operation, { ...item, entityId }));
      }
    };
    await everything();
    await mirror().commit({ pipelineRunStatuses: observed(0, runStatus('r1', { isDeleted: true })) }, 'details');
    expect(
      (await resolutions()).filter((how) => how === 'vanished'),
      'told before',
    ).toEqual([]);
    await mirror().commit({ pipelineRunsDeleted: [{ evidence: seen(2), items: ['r1'] }] });
    expect(await resolutions()).toEqual(ITEMS.map(([operation]) => (operation === 'ListRuns' ? null : 'vanished')));
  });
});

test('a key that is not among the readable ones of a list gets no tombstone while others cannot be read', async () => {
  const param = (key: string) => ({ key, value: '1' });
  const run = (params: string[]) => experimentRun('x1', { params: params.map(param) });
  const live = async () =>
    (await mirror().sql('select key from pai.run_params where deleted_at is null order by key')).map((row) => row.key);
  await mirror().commit({ experimentRuns: observed(0, run(['a', 'b'])) });
  await mirror().commit({ experimentRuns: observed(1, { ...run(['a']), unreadable: ['params'] }) });
  expect(await live()).toEqual(['a', 'b']);
  await mirror().commit({ experimentRuns: observed(2, run(['a'])) });
  expect(await live()).toEqual(['a']);
});

test('is read in pages in the order of its numbers, every entry once', async () => {
  const items = Array.from({ length: 25 }, (_, index) => ({
    entity: 'pipeline_run',
    entityId: `r${index}`,
    raw: `"bad ${index}"`,
  }));
  await mirror().commit(bad(0, 'ListPipelineRuns', ...items));
  const found: number[] = [];
  for (let after = '0'; ; ) {
    const page = await mirror().store.readQuarantine({ all: false, after, limit: 4 });
    if (page.length === 0) break;
    found.push(...page.map(({ id }) => Number(id)));
    after = (page.at(-1) as (typeof page)[number]).id;
  }
  expect(found).toHaveLength(25);
  expect(found).toEqual([...new Set(found)].sort((a, b) => a - b));
});
