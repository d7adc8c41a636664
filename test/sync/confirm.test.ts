import { expect, it } from 'vitest';
import type { Source } from '../../src/sync/ports.js';
import { observed, pipelineRun, runStatus, SCOPE } from '../store/fixtures.js';
import { answered, type Harness, listAnswer, paiError, runsAnswer, startHarness, statusAnswer } from './harness.js';

async function withRuns(...ids: string[]): Promise<Harness> {
  const harness = await startHarness();
  const lease = await harness.store.acquireLease(SCOPE, 'pipeline-runs');
  if (lease === null) throw new Error('the lease is taken');
  await harness.store.commit(lease, { pipelineRuns: observed(0, ...ids.map((id) => pipelineRun(id))) });
  await harness.store.releaseLease(lease);
  return harness;
}

const document = { json: null, raw: null };
const notFound = () => paiError('PAI_NOT_FOUND', 'item', { notFound: true });

/** What each operation knows; `asked` collects the runs that GetPipelineRun was asked about. */
function world(known: { poll?: readonly string[]; get?: readonly string[]; list?: readonly string[] }) {
  const asked: string[] = [];
  const source: Partial<Source> = {
    listPipelineRunsStatus: async (_scope, subject) => {
      const ids = 'pipelineRunIds' in subject ? subject.pipelineRunIds : [];
      return statusAnswer({ pipelineRuns: ids.filter((id) => known.poll?.includes(id)).map((id) => runStatus(id)) });
    },
    getPipelineRun: async (_scope, id) => {
      asked.push(id);
      if (!known.get?.includes(id)) throw notFound();
      const run = pipelineRun(id, { status: 'Suspended' });
      return {
        ...answered(),
        details: { run, manifest: { json: '{}', raw: null }, arguments: document, options: document },
      };
    },
    listPipelineRuns: async () =>
      listAnswer(
        (known.list ?? []).map((id) => pipelineRun(id)),
        known.list?.length ?? 0,
      ),
    listRuns: async () => runsAnswer([], null),
  };
  return { source, asked };
}

const kinds = async (harness: Harness, id: string): Promise<string[]> =>
  (
    await harness.sql<{ kind: string }>(
      `select kind from pai.change_events where entity_id = '${id}' order by event_id`,
    )
  ).map(({ kind }) => kind);

const retries = (harness: Harness) =>
  harness.sql(`select stream, entity_id, attempts from pai.sync_retries order by 1, 2`);

it('complaint 9: a run that a status answer leaves out is asked for by name in the same pass before it is called deleted', async () => {
  const harness = await withRuns('r1', 'r2');
  const { source, asked } = world({ poll: ['r1'] });
  expect(await harness.pass('status', source)).toMatchObject({ outcome: 'succeeded', error: null });
  expect(asked).toEqual(['r2']);
  expect(await kinds(harness, 'r1')).toEqual(['discovered']);
  expect(await kinds(harness, 'r2')).toEqual(['discovered', 'missing', 'deleted']);
  const events = await harness.sql(
    `select kind, request_id from pai.change_events where kind <> 'discovered' order by event_id`,
  );
  expect(events[1]).toEqual({ kind: 'deleted', request_id: 'request-of-error' });
  await harness.pass('status', source);
  expect(asked, 'a deleted run costs no call').toEqual(['r2']);
  expect((await harness.store.overview()).scopes[0]?.failingItems).toBe(0);

  // A whole walk of the list agrees, and then nothing has to be remembered of it.
  await harness.pass('reconcile', world({ list: ['r1'] }).source);
  expect(await retries(harness)).toEqual([]);
});

it('complaint 9: a run that exists is restored with what GetPipelineRun says, and the same silence is no news again', async () => {
  const harness = await withRuns('r1');
  const { source, asked } = world({ get: ['r1'] });
  await harness.pass('status', source, { ignoreBackoff: false });
  const before = await harness.sql('select *, xmin::text from pai.pipeline_runs');
  expect(before).toMatchObject([{ missing_since: null, deleted_at: null, status: 'Suspended' }]);
  expect(await harness.sql('select manifest from pai.pipeline_run_details')).toEqual([{ manifest: {} }]);
  for (let poll = 0; poll < 3; poll += 1) await harness.pass('status', source, { ignoreBackoff: false });
  expect(await kinds(harness, 'r1')).toEqual(['discovered', 'missing', 'restored']);
  expect(asked).toEqual(['r1']);
  expect(await harness.sql('select *, xmin::text from pai.pipeline_runs')).toEqual(before);
  expect(await retries(harness)).toEqual([{ stream: 'status', entity_id: 'r1', attempts: 1 }]);
  await harness.pass('status', world({ poll: ['r1'] }).source, { ignoreBackoff: false });
  expect(await retries(harness), 'the operations agree again').toEqual([]);
});

it('a missing run that cannot be asked about stays missing and is tried again, later and later', async () => {
  const harness = await withRuns('r1');
  const { source } = world({});
  let calls = 0;
  const getPipelineRun = async (): Promise<never> => {
    calls += 1;
    throw paiError('PAI_UNAVAILABLE', 'scope');
  };
  const pass = () => harness.pass('status', { ...source, getPipelineRun }, { ignoreBackoff: false });
  expect(await pass()).toMatchObject({ outcome: 'failed', error: expect.stringContaining('r1: PAI_UNAVAILABLE') });
  expect((await pass()).outcome).toBe('succeeded');
  expect(calls).toBe(1);
  await harness.sql(`update pai.sync_retries set retry_at = now()`);
  await pass();
  expect(calls).toBe(2);
  expect(await retries(harness)).toEqual([{ stream: 'status', entity_id: 'r1', attempts: 2 }]);
  expect(await kinds(harness, 'r1')).toEqual(['discovered', 'missing']);

  await harness.sql(`update pai.sync_retries set retry_at = now()`);
  await harness.pass('status', source, { ignoreBackoff: false });
  expect(await kinds(harness, 'r1')).toEqual(['discovered', 'missing', 'deleted']);
});

it('invariant 9: a pass asks for at most a hundred missing runs by name, and the next one goes on', async () => {
  const ids = Array.from({ length: 130 }, (_, index) => `r${String(index).padStart(3, '0')}`);
  const harness = await withRuns(...ids);
  const { source, asked } = world({});
  await harness.pass('status', source);
  expect(asked).toEqual(ids.slice(0, 100));
  await harness.pass('status', source);
  expect(asked).toEqual(ids);
  expect(await harness.sql('select 1 from pai.pipeline_runs where deleted_at is null')).toEqual([]);
});

it('an ended run that GetPipelineRun did not know is polled as long as it is missing, and one poll that names it settles it', async () => {
  const harness = await withRuns('r1', 'r2');
  await harness.sql(`update pai.pipeline_runs set status = 'Succeeded'`);
  await harness.pass('details', world({ get: [] }).source);
  expect(await kinds(harness, 'r1')).toEqual(['discovered', 'missing']);
  const { source, asked } = world({});
  await harness.pass('status', {
    ...source,
    listPipelineRunsStatus: async () =>
      statusAnswer({
        pipelineRuns: [
          runStatus('r1', { status: 'Succeeded', isDeleted: true }),
          runStatus('r2', { status: 'Succeeded', isDeleted: false }),
        ],
      }),
  });
  expect(asked).toEqual([]);
  expect(await kinds(harness, 'r1')).toEqual(['discovered', 'missing', 'deleted']);
  expect(await kinds(harness, 'r2')).toEqual(['discovered', 'missing', 'restored']);
  // Only the details of r2 are still to be had; the list that agrees about r1 ends what is noted of it.
  expect(await retries(harness)).toMatchObject([
    { stream: 'details', entity_id: 'r1' },
    { stream: 'details', entity_id: 'r2' },
    { stream: 'told-deleted', entity_id: 'r1' },
  ]);
  await harness.pass('reconcile', world({ list: ['r2'] }).source);
  expect(await retries(harness)).toEqual([{ stream: 'details', entity_id: 'r2', attempts: 1 }]);
  await harness.pass('details', world({ get: ['r2'] }).source);
  expect(await retries(harness)).toEqual([]);
});

it.each(['Running', 'Succeeded'])(
  'a %s run that only the list knows settles: it is not deleted and restored in every round',
  async (status) => {
    const harness = await withRuns('r1');
    await harness.sql(`update pai.pipeline_runs set status = '${status}'`);
    const { source } = world({ list: ['r1'] });
    const listPipelineRuns = async () => listAnswer([pipelineRun('r1', { status })], 1);
    const round = async () => {
      for (const stream of ['pipeline-runs', 'status', 'details', 'status', 'reconcile'] as const) {
        await harness.pass(stream, { ...source, listPipelineRuns });
      }
    };
    for (let turn = 0; turn < 3; turn += 1) await round();
    const settled = await kinds(harness, 'r1');
    expect(settled.filter((kind) => kind === 'deleted').length).toBeLessThanOrEqual(2);
    for (let turn = 0; turn < 3; turn += 1) await round();
    expect(await kinds(harness, 'r1')).toEqual(settled);
    expect(await harness.sql('select missing_since, deleted_at from pai.pipeline_runs')).toEqual([
      { missing_since: null, deleted_at: null },
    ]);
  },
);

it('where the walk of the list was not whole, no failure is forgotten', async () => {
  const harness = await withRuns('r1', 'r2');
  await harness.pass('status', world({ poll: ['r1'] }).source);
  const { source } = world({ get: ['r1'] });
  await harness.pass('reconcile', { ...source, listPipelineRuns: async () => listAnswer([], 5) });
  expect(await retries(harness)).toEqual([{ stream: 'status', entity_id: 'r2', attempts: 1 }]);
});
