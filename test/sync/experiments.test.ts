import { expect, it } from 'vitest';
import { at, experimentRun } from '../store/fixtures.js';
import { answered, type Harness, paiError, runsAnswer, startHarness } from './harness.js';

/** A list of runs whose tokens count rows, four runs a page, each a minute older than the one in front of it. */
const listOf =
  (ids: readonly string[], onCall: (token: string | null) => void = () => {}) =>
  async (_scope: unknown, { pageToken }: { pageToken: string | null }) => {
    onCall(pageToken);
    const from = Number(pageToken ?? 0);
    const next = from + 4 < ids.length ? String(from + 4) : null;
    return runsAnswer(
      ids.slice(from, from + 4).map((id) => experimentRun(id, { gmtCreateTime: at(-Number(id.slice(1))) })),
      next,
    );
  };

const IDS = ['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8', 'e9'];

/** Only what is new since the last pass is read again. */
const COLD = { settings: { hotWindowHours: 0, overlapSeconds: 0 } };

const mirrored = async (harness: Harness): Promise<string[]> =>
  (await harness.sql<{ id: string }>('select run_id as id from pai.runs order by 1')).map(({ id }) => id);

/** A first load that broke at the page of token 4, with the cursor in front of it. */
async function interrupted(): Promise<Harness> {
  const harness = await startHarness();
  const listRuns = listOf(IDS, (token) => {
    if (token === '4') throw paiError('PAI_UNAVAILABLE', 'scope');
  });
  expect((await harness.pass('experiment-runs', { listRuns }, COLD)).outcome).toBe('failed');
  expect(await mirrored(harness)).toEqual(['e1', 'e2', 'e3', 'e4', 'e5', 'e6']);
  return harness;
}

const tokensOf = async (harness: Harness, ids: readonly string[]): Promise<(string | null)[]> => {
  const tokens: (string | null)[] = [];
  const listRuns = listOf(ids, (token) => tokens.push(token));
  expect((await harness.pass('experiment-runs', { listRuns }, COLD)).outcome).toBe('succeeded');
  return tokens;
};

it('a first load that was interrupted goes on from its last committed page, and looks for what came in front', async () => {
  const harness = await interrupted();
  expect(await tokensOf(harness, ['e0', ...IDS])).toEqual(['4', '6', null]);
  expect(await mirrored(harness)).toEqual(['e0', ...IDS]);
});

it('runs that were deleted while the load was interrupted hide no other: it goes back until it meets what it knows', async () => {
  const harness = await interrupted();
  const left = ['e3', 'e4', 'e5', 'e6', 'e7', 'e8', 'e9'];
  expect(await tokensOf(harness, left)).toEqual(['4', '1', '3', null]);
  expect(await mirrored(harness)).toEqual(IDS);
});

it('complaint 3: without TotalCount, a deletion between two pages shows in the first row of the second', async () => {
  const harness = await startHarness();
  const ids = [...IDS];
  const tokens: (string | null)[] = [];
  const listRuns = async (scope: unknown, page: { pageToken: string | null }) => {
    if (tokens.length === 2) ids.splice(0, 3);
    tokens.push(page.pageToken);
    return listOf(ids)(scope, page);
  };
  await harness.pass('experiment-runs', { listRuns });
  expect(tokens.slice(0, 4), 'back by a page from the third').toEqual([null, '2', '4', '2']);
  expect(await mirrored(harness)).toEqual(IDS);
});

it('a source that takes only the page tokens that it has handed out is given those', async () => {
  const harness = await startHarness();
  const handed = new Set<string | null>([null]);
  const listRuns = async (scope: unknown, page: { pageToken: string | null }) => {
    if (!handed.has(page.pageToken)) throw paiError('PAI_INVALID_REQUEST', 'scope');
    const answer = await listOf(IDS)(scope, page);
    handed.add(answer.nextPageToken);
    return answer;
  };
  expect((await harness.pass('experiment-runs', { listRuns })).outcome).toBe('succeeded');
  expect(await mirrored(harness)).toEqual(IDS);
});

it('a first load whose page token PAI refuses by now starts over instead of failing for ever', async () => {
  const harness = await interrupted();
  let refused = 0;
  const listRuns = listOf(IDS, (token) => {
    if (token !== '4' || refused > 0) return;
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
