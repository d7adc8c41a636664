/** What a whole walk settles in quarantine, and what a pass says of what it put there. */
import { expect, test } from 'vitest';
import type { ListAnswer, RunsAnswer } from '../../src/domain/answers.js';
import type { PipelineRun, Rejected } from '../../src/domain/entities.js';
import { describeQuarantined, UnreadableItems } from '../../src/sync/unreadable.js';
import { experimentRun, nodeStatus, pipelineRun, treeNode } from '../store/fixtures.js';
import { answered, type Harness, listAnswer, paiError, runsAnswer, startHarness, statusAnswer } from './harness.js';

const bad = (entity: string, raw: string, fields: Partial<Rejected> = {}): Rejected => ({
  entity,
  entityId: null,
  raw,
  error: 'no id',
  ...fields,
});

const resolutions = async (harness: Harness) =>
  (
    await harness.sql<{ raw: string; resolution: string | null }>(
      'select raw, resolution from pai.quarantine order by id',
    )
  ).map(({ raw, resolution }) => [raw, resolution]);

/** A reconcile over lists with these bad items; `total` counts them. */
async function reconcile(
  harness: Harness,
  lists: { runs?: Rejected[]; experiments?: Rejected[]; total?: number | null; details?: () => Promise<never> },
): Promise<void> {
  const good = [pipelineRun('r1')];
  const rejected = lists.runs ?? [];
  const pages: ListAnswer<PipelineRun> = {
    ...listAnswer(good, lists.total === undefined ? good.length + rejected.length : lists.total),
    received: good.length + rejected.length,
    rejected,
  };
  const runs: RunsAnswer = { ...runsAnswer([experimentRun('x1')], null), rejected: lists.experiments ?? [] };
  const report = await harness.pass(
    'reconcile',
    {
      listPipelineRuns: async (_, { pageNumber, sourceType }) =>
        pageNumber === 1 && sourceType === undefined
          ? { ...pages, ...answered(), rejected }
          : listAnswer([], pages.totalCount),
      listRuns: async () => ({ ...runs, ...answered(), rejected: runs.rejected }),
      getPipelineRun:
        lists.details ?? (async () => Promise.reject(paiError('PAI_NOT_FOUND', 'item', { notFound: true }))),
    },
    { settings: { sourceTypes: [] } },
  );
  expect(report).toMatchObject({ outcome: 'succeeded', error: null });
}

test('invariant 6: reconcile settles items of a list that are not there any more, also without an id', async () => {
  const harness = await startHarness();
  const items = [
    bad('pipeline_run', '"a"'),
    bad('pipeline_run', '"b"'),
    bad('pipeline_run', '"c"', { entityId: 'r9' }),
  ];
  const experiments = [bad('run', '"x"'), bad('run_param', '"p"', { parentId: 'x1' })];
  await reconcile(harness, { runs: items, experiments });
  const all = [...items, ...experiments].map(({ raw }) => [raw, null]);
  expect(await resolutions(harness)).toEqual(all);
  await reconcile(harness, { runs: items, experiments });
  expect(await resolutions(harness), 'still there').toEqual(all);

  await reconcile(harness, { runs: items.slice(1), experiments, total: 100 });
  expect(await resolutions(harness), 'the source counts more than it showed').toEqual(all);

  await reconcile(harness, { runs: items.slice(1, 2), experiments: experiments.slice(1) });
  expect(await resolutions(harness)).toEqual([
    ['"a"', 'vanished'],
    ['"b"', null],
    ['"c"', 'vanished'],
    ['"x"', 'vanished'],
    ['"p"', null],
  ]);
});

test('bad members of experiment runs are no runs: absence is judged as without them', async () => {
  const harness = await startHarness();
  await reconcile(harness, {});
  await harness.sql(`update pai.runs set first_seen_at = first_seen_at - interval '1 hour'`);
  const member = bad('run_param', '"p"', { parentId: 'x2' });
  await harness.pass(
    'reconcile',
    {
      listPipelineRuns: async () => listAnswer([], 0),
      listRuns: async () => ({ ...runsAnswer([experimentRun('x2')], null), rejected: [member] }),
      getPipelineRun: async () => Promise.reject(paiError('PAI_NOT_FOUND', 'item', { notFound: true })),
    },
    { settings: { sourceTypes: [] } },
  );
  const missing = await harness.sql('select run_id from pai.runs where missing_since is not null');
  expect(missing).toEqual([{ run_id: 'x1' }]);
});

/** A run that is active, with one node. */
async function withActiveRun(harness: Harness): Promise<void> {
  await harness.pass(
    'pipeline-runs',
    { listPipelineRuns: async () => listAnswer([pipelineRun('r1')], 1) },
    { settings: { sourceTypes: [] } },
  );
}

test('a status pass that was answered in full settles what came up in none of its answers', async () => {
  const harness = await startHarness();
  await withActiveRun(harness);
  const pass = (rejected: Rejected[]) =>
    harness.pass('status', { listPipelineRunsStatus: async () => ({ ...statusAnswer({}), rejected }) });
  await pass([bad('pipeline_run', '"a"')]);
  await pass([bad('pipeline_run', '"a"'), bad('pipeline_run', '"b"')]);
  expect(await resolutions(harness)).toEqual([
    ['"a"', null],
    ['"b"', null],
  ]);
  await harness.pass('status', {
    listPipelineRunsStatus: async () => Promise.reject(paiError('PAI_FORBIDDEN', 'item')),
  });
  expect(await resolutions(harness), 'a run was not answered for').toEqual([
    ['"a"', null],
    ['"b"', null],
  ]);
  await pass([bad('pipeline_run', '"b"')]);
  expect(await resolutions(harness)).toEqual([
    ['"a"', 'vanished'],
    ['"b"', null],
  ]);
});

test('a node with an output that cannot be read is asked for its outputs again, until it can', async () => {
  const harness = await startHarness();
  await withActiveRun(harness);
  const asked: string[] = [];
  const pass = (rejected: Rejected[]) =>
    harness.pass('nodes', {
      listPipelineRunNodeStatus: async () => ({
        ...answered(),
        nodes: [treeNode('r1', 'n1', { status: 'Succeeded' })],
      }),
      listPipelineRunsStatus: async (_, subject) => {
        if ('nodes' in subject) asked.push(...subject.nodes.map((key) => key.nodeId));
        return { ...statusAnswer({ nodes: [nodeStatus('r1', 'n1', { status: 'Succeeded' })] }), rejected };
      },
    });
  await pass([bad('node_output', '"o"', { entityId: 'r1/o1', parentId: 'r1' })]);
  await harness.sql(`update pai.pipeline_runs set status = 'Succeeded', nodes_revision = revision, nodes_open = false`);
  asked.length = 0;
  await pass([bad('node_output', '"o"', { entityId: 'r1/o1', parentId: 'r1' })]);
  expect(asked).toContain('n1');
  expect(await resolutions(harness)).toEqual([['"o"', null]]);
  await pass([]);
  expect(await resolutions(harness), 'the source does not send it any more').toEqual([['"o"', 'vanished']]);
  asked.length = 0;
  await pass([]);
  expect(asked).toEqual([]);
});

test('the log names what was put into quarantine: operation, id and the first error', async () => {
  const harness = await startHarness();
  const rejected = [bad('pipeline_run', '"a"', { entityId: 'r9', error: 'Name: found 5' }), bad('pipeline_run', '"b"')];
  await harness.pass(
    'pipeline-runs',
    {
      listPipelineRuns: async () => ({ ...listAnswer([], 2), received: 2, rejected }),
    },
    { settings: { sourceTypes: [] } },
  );
  const warnings = harness.logger.messages('warn');
  const told = 'ListPipelineRuns pipeline_run r9, ListPipelineRuns pipeline_run (no readable id); Name: found 5';
  expect(warnings).toContain(`put into quarantine: ${told}`);
  expect(warnings).toContain(`pass finished, 2 items in quarantine: ${told}`);
});

test('what a log line says of many items has a bound', () => {
  const item = { operation: 'O', entity: 'e', entityId: 'i', error: 'why' };
  expect(describeQuarantined(7, [item, { ...item, entityId: null }])).toBe(
    'O e i, O e (no readable id) and 5 more; why',
  );
});

test('invariant 9: beyond so many unreadable items a pass remembers no more, and proves nothing', () => {
  const seen = new UnreadableItems(3);
  const note = (raw: string) =>
    seen.note([{ evidence: { requestId: null, observedAt: '' }, operation: 'O', items: [bad('e', raw)] }]);
  for (const raw of ['1', '2', '3', '3']) note(raw);
  expect(seen.of('O')).toHaveLength(3);
  note('4');
  expect(seen.of('O')).toBeNull();
  for (let more = 5; more < 100; more += 1) note(String(more));
  expect(seen.of('O')).toBeNull();
  expect(seen.of('another')).toEqual([]);
});
