import { expect, it } from 'vitest';
import { experimentRun } from '../store/fixtures.js';
import { answered, type Harness, paiError, runsAnswer, startHarness } from './harness.js';

/** A list of runs whose tokens are positions, two runs a page. */
const listOf =
  (ids: readonly string[], onCall: (token: string | null) => void = () => {}) =>
  async (_scope: unknown, { pageToken }: { pageToken: string | null }) => {
    onCall(pageToken);
    const from = Number(pageToken ?? 0);
    const next = from + 2 < ids.length ? String(from + 2) : null;
    return runsAnswer(
      ids.slice(from, from + 2).map((id) => experimentRun(id)),
      next,
    );
  };

const IDS = ['e0', 'e1', 'e2', 'e3', 'e4'];

const mirrored = async (harness: Harness): Promise<string[]> =>
  (await harness.sql<{ id: string }>('select run_id as id from pai.runs order by 1')).map(({ id }) => id);

/** A first load that broke at the page of token 2, with the cursor in front of it. */
async function interrupted(): Promise<Harness> {
  const harness = await startHarness();
  const listRuns = listOf(IDS, (token) => {
    if (token === '2') throw paiError('PAI_UNAVAILABLE', 'scope');
  });
  expect((await harness.pass('experiment-runs', { listRuns })).outcome).toBe('failed');
  expect(await mirrored(harness)).toEqual(['e0', 'e1']);
  return harness;
}

it('a first load that was interrupted goes on from its last committed page, and reads the front again', async () => {
  const harness = await interrupted();
  const tokens: (string | null)[] = [];
  const listRuns = listOf(['new', ...IDS], (token) => tokens.push(token));
  expect((await harness.pass('experiment-runs', { listRuns })).outcome).toBe('succeeded');
  expect(tokens).toEqual(['2', '4', null, '2', '4']);
  expect(await mirrored(harness)).toEqual([...IDS, 'new']);
});

it('a first load whose page token PAI refuses by now starts over instead of failing for ever', async () => {
  const harness = await interrupted();
  let refused = 0;
  const listRuns = listOf(IDS, (token) => {
    if (token !== '2' || refused > 0) return;
    refused += 1;
    throw paiError('PAI_INVALID_REQUEST', 'scope');
  });
  expect(await harness.pass('experiment-runs', { listRuns })).toMatchObject({ outcome: 'succeeded', error: null });
  expect(await mirrored(harness)).toEqual(IDS);
});

it('invariant 9: page tokens that lead in a circle end the walk', async () => {
  const harness = await startHarness();
  let calls = 0;
  const listRuns = async (_scope: unknown, { pageToken }: { pageToken: string | null }) => {
    calls += 1;
    return runsAnswer([experimentRun(`e${pageToken}`)], String((Number(pageToken ?? 0) % 7) + 1));
  };
  const report = await harness.pass('experiment-runs', { listRuns });
  expect(report).toMatchObject({ outcome: 'failed', error: expect.stringContaining('leads back to itself') });
  expect(calls).toBeLessThan(40);
});

it('reconcile calls no experiment run missing while an item of the list has no readable id', async () => {
  const harness = await startHarness();
  await harness.pass('experiment-runs', { listRuns: listOf(['e0', 'e1']) });
  const rejected = [{ entity: 'run', entityId: null, raw: '{}', error: 'no RunId' }];
  const source = {
    listPipelineRuns: async () => ({ ...answered(), items: [], received: 0, totalCount: 0 }),
    listRuns: async () => ({ ...runsAnswer([experimentRun('e0')], null), rejected }),
  };
  expect((await harness.pass('reconcile', source)).outcome).toBe('succeeded');
  expect(await harness.sql('select 1 from pai.runs where missing_since is not null')).toEqual([]);
  const readable = { ...source, listRuns: async () => runsAnswer([experimentRun('e0')], null) };
  await harness.pass('reconcile', readable);
  expect(await harness.sql('select run_id from pai.runs where missing_since is not null')).toEqual([{ run_id: 'e1' }]);
});
