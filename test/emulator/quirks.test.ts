import { describe, expect, it } from 'vitest';
import type { Quirks } from '../../src/emulator/quirks.js';
import type { Emulator } from '../../src/emulator/server.js';
import { call, get, useEmulators } from './harness.js';

const start = useEmulators();
const RUNS = '/api/v1/pipelineruns?PageSize=500';

const withQuirks = (quirks: Partial<Quirks> | 'all'): Promise<Emulator> => start({ history: 200, active: 30, quirks });

// biome-ignore lint/suspicious/noExplicitAny: items of answers
type Item = any;

const list = async (emulator: Emulator): Promise<Item[]> => (await get(emulator, RUNS)).json.PipelineRuns;

/** The items of ListPipelineRunNodeStatus of the first runs that have a root node. */
async function nodes(emulator: Emulator, runs = 60): Promise<Item[]> {
  const known = emulator.world.pipelineRuns().filter((run) => run.nodeId !== '');
  const trees = known.slice(0, runs).map(async ({ pipelineRunId, nodeId }) => {
    const path = `/api/v1/pipelineruns/${pipelineRunId}/nodes/${nodeId}/status?Depth=9`;
    return (await get(emulator, path)).json.Status;
  });
  return (await Promise.all(trees)).flat();
}

async function details(emulator: Emulator): Promise<Item[]> {
  const ids = emulator.world.pipelineRuns().map((run) => run.pipelineRunId);
  return Promise.all(
    ids.slice(0, 40).map(async (id) => (await get(emulator, `/api/v1/pipelineruns/${id}?Verbose=true`)).json),
  );
}

const share = <T>(items: readonly T[], test: (item: T) => boolean): number => items.filter(test).length / items.length;

/** Some, but not all. */
function expectSome(part: number): void {
  expect(part).toBeGreaterThan(0.02);
  expect(part).toBeLessThan(0.98);
}

describe('without quirks', () => {
  it('answers are tidy', async () => {
    const emulator = await withQuirks({});
    const { text } = await get(emulator, RUNS);
    expect(text).not.toContain('\\n"');
    const runs = await list(emulator);
    expect(runs.every((run) => typeof run.UserId === 'string' && run.NodeId !== '' && run.PipelineRunUri)).toBe(true);
    const known = [
      'Initialized',
      'Running',
      'Succeeded',
      'Failed',
      'Suspended',
      'Terminated',
      'Unknown',
      'Skipped',
      'Terminating',
    ];
    expect(runs.every((run) => known.includes(run.Status))).toBe(true);
  });
});

describe('a quirk', () => {
  it('trailingNewlines: behind ids and times, as in the samples; names and messages have them for real', async () => {
    const emulator = await withQuirks({ trailingNewlines: true });
    const runs = await list(emulator);
    for (const name of ['PipelineRunId', 'GmtCreateTime', 'GmtModifiedTime', 'PipelineId', 'SourceId']) {
      expect(runs.every((run) => /[^\n]\n$/.test(run[name]))).toBe(true);
    }
    expect(runs.every((run) => !String(run.Status + run.UserId + run.WorkspaceId).includes('\n'))).toBe(true);
    expectSome(share(runs, (run) => run.Name.endsWith('\n')));
    for (const run of runs) expect(emulator.world.pipelineRun(run.PipelineRunId.trim())?.name).toBe(run.Name);
    const all = await details(emulator);
    expect(all.every((run) => run.RequestId.endsWith('\n') && run.UserId.endsWith('\n'))).toBe(true);
    expect(
      (await nodes(emulator)).every((node) => node.RuntimeInfo.endsWith('}\n') && !node.NodeId.endsWith('\n')),
    ).toBe(true);
  });

  it('numericIds: some ids as bare numbers', async () => {
    const emulator = await withQuirks({ numericIds: true });
    const runs = await list(emulator);
    expectSome(share(runs, (run) => typeof run.UserId === 'number'));
    expectSome(share(runs, (run) => typeof run.WorkspaceId === 'number'));
    for (const run of runs) {
      const known = emulator.world.pipelineRun(run.PipelineRunId);
      expect([String(run.WorkspaceId), String(run.UserId)]).toEqual([known?.workspaceId, known?.userId]);
    }
  });

  it('bigUserIds: 18 to 19 digits, as exact bare numbers in the text', async () => {
    const emulator = await withQuirks({ bigUserIds: true });
    const { text } = await get(emulator, RUNS);
    const big = emulator.world.catalog.userIds.filter((id) => id.length >= 18);
    expect(big.map((id) => id.length)).toEqual(expect.arrayContaining([18, 19]));
    const used = new Set(emulator.world.pipelineRuns().map((run) => run.userId as string));
    const shown = big.filter((id) => used.has(id));
    expect(shown.length).toBeGreaterThan(1);
    for (const id of shown) expect(text).toContain(`"UserId":${id},`);
    expect(shown.some((id) => String(Number(id)) !== id)).toBe(true);
  });

  it('emptyRootNode: no root node before the workflow is initialised', async () => {
    const emulator = await withQuirks({ emptyRootNode: true });
    const added = emulator.mutate.addPipelineRun();
    expect(added).toMatchObject({ status: 'Initialized', nodeId: '' });
    expect((await list(emulator)).find((run) => run.PipelineRunId === added.pipelineRunId)?.NodeId).toBe('');
    emulator.mutate.updatePipelineRun(added.pipelineRunId, { status: 'Running' });
    expect((await list(emulator)).find((run) => run.PipelineRunId === added.pipelineRunId)?.NodeId).toMatch(/^node-/);
  });

  it('missingUri: some runs without PipelineRunUri', async () => {
    expectSome(share(await list(await withQuirks({ missingUri: true })), (run) => run.PipelineRunUri === undefined));
  });

  it('shortTimes: node times without a fraction or without seconds, nothing lost', async () => {
    const emulator = await withQuirks({ shortTimes: true });
    const shown = await nodes(emulator);
    const times = shown.map((node) => node.StartedAt).filter((time) => time !== undefined);
    expectSome(share(times, (time) => /T\d\d:\d\dZ$/.test(time)));
    expectSome(share(times, (time) => /T\d\d:\d\d:\d\dZ$/.test(time)));
    expectSome(share(times, (time) => /T\d\d:\d\d:\d\d\.\d{3}Z$/.test(time)));
    const truth = new Map(
      emulator.world
        .pipelineRuns()
        .flatMap((run) => emulator.world.nodesOf(run.pipelineRunId).map((node) => [node.nodeId, node])),
    );
    for (const node of shown.filter(({ StartedAt }) => StartedAt)) {
      const [date, rest] = (node.StartedAt as string).slice(0, -1).split('T') as [string, string];
      const [hour, minute, seconds = '00'] = rest.split(':');
      const padded = `${date}T${hour}:${minute}:${seconds.includes('.') ? seconds : `${seconds}.`}`.padEnd(26, '0');
      expect(`${padded}Z`).toBe(truth.get(node.NodeId)?.startedAt);
    }
  });

  it('missingStartedAt: some nodes that ended never started, as it seems', async () => {
    const shown = (await nodes(await withQuirks({ missingStartedAt: true }))).filter((node) => node.FinishedAt);
    expectSome(share(shown, (node) => node.StartedAt === undefined));
  });

  it('undocumentedStatuses: words that no page lists', async () => {
    const emulator = await start({
      history: 10,
      active: 0,
      arrivalsPerMinute: 600,
      quirks: { undocumentedStatuses: true },
    });
    (emulator.world.clock as unknown as { advance(millis: number): void }).advance(60_000);
    emulator.world.tick();
    const statuses = new Set((await list(emulator)).map((run) => run.Status));
    expect([...statuses]).toEqual(
      expect.arrayContaining(['Starting', 'ReadyToSchedule', 'WorkflowServiceStarting', 'QuotaPending']),
    );
  });

  it('succeedNodes: some nodes say Succeed', async () => {
    expectSome(share(await nodes(await withQuirks({ succeedNodes: true })), (node) => node.Status === 'Succeed'));
  });

  it('doubleEscapedJson: some documents are escaped twice, always the same ones', async () => {
    const emulator = await withQuirks({ doubleEscapedJson: true });
    const unescapeOnce = (text: string): string => (text.startsWith('"') ? JSON.parse(text) : JSON.parse(`"${text}"`));
    const shown = await details(emulator);
    const isPlain = (text: string): boolean => text.startsWith('{"');
    expectSome(share(shown, (run) => isPlain(run.Manifest)));
    expectSome(share(shown, (run) => run.Manifest.startsWith('"')));
    expectSome(share(shown, (run) => run.Manifest.startsWith('{\\"')));
    for (const { PipelineRunId, Manifest } of shown) {
      const truth = emulator.world.detailsOf(PipelineRunId)?.manifest.json;
      expect(isPlain(Manifest) ? Manifest : unescapeOnce(Manifest)).toBe(truth);
    }
    const strip = (runs: Item[]): Item[] => runs.map(({ RequestId: _, ...rest }) => rest);
    expect(strip(await details(emulator))).toEqual(strip(shown));
  });

  it('totalCountMissing: ListRuns does not count', async () => {
    const { json } = await get(await withQuirks({ totalCountMissing: true }), '/api/v1/runs');
    expect(json).not.toHaveProperty('TotalCount');
    expect(json.NextPageToken).toBe(10);
  });

  it('randomTieOrder: many runs share a time, and come in another order each time', async () => {
    const emulator = await withQuirks({ randomTieOrder: true });
    const page = async (): Promise<Item[]> =>
      (await get(emulator, `${RUNS}&SortBy=GmtCreateTime&Order=ASC`)).json.PipelineRuns;
    const [first, second] = [await page(), await page()];
    const times = first.map((run) => run.GmtCreateTime);
    expect(times).toEqual(times.toSorted());
    expect(new Set(times).size).toBeLessThan(first.length / 2);
    expect(second.map((run) => run.PipelineRunId)).not.toEqual(first.map((run) => run.PipelineRunId));
    expect(new Set(second.map((run) => run.PipelineRunId))).toEqual(new Set(first.map((run) => run.PipelineRunId)));
    const small = (await get(emulator, '/api/v1/pipelineruns?PageSize=3&PageNumber=5&SortBy=GmtCreateTime&Order=ASC'))
      .json;
    expect(small.PipelineRuns.map((run: Item) => run.GmtCreateTime)).toEqual(times.slice(12, 15));
  });

  it('clampPageSize: larger pages are cut without a word', async () => {
    const emulator = await withQuirks({ clampPageSize: 30 });
    const { json } = await get(emulator, `${RUNS}&PageNumber=2`);
    expect(json.PipelineRuns).toHaveLength(30);
    expect(json.TotalCount).toBe(emulator.world.pipelineRuns().length);
    expect((await get(emulator, '/api/v1/runs?MaxResults=100')).json.Runs).toHaveLength(30);
  });

  it('sourceTypeDefaultsToUnknown: other runs are listed only when their type is asked for', async () => {
    const emulator = await withQuirks({ sourceTypeDefaultsToUnknown: true });
    const typesOf = async (filter: string) =>
      new Set((await get(emulator, `${RUNS}${filter}`)).json.PipelineRuns.map((run: Item) => run.SourceType));
    expect(await typesOf('')).toEqual(new Set(['UNKNOWN']));
    expect(await typesOf('&SourceType=SDK')).toEqual(new Set(['SDK']));
  });

  it('unknownFields: fields that no page knows, told by the model as extra', async () => {
    const emulator = await withQuirks({ unknownFields: true });
    for (const run of await list(emulator)) {
      const extra = JSON.parse(emulator.world.pipelineRun(run.PipelineRunId)?.extra ?? '');
      expect(run).toMatchObject(extra);
      expect(Object.keys(extra)).toEqual(['ResourceGroup', 'Priority']);
    }
  });
});

describe('all quirks together', () => {
  it('give JSON that parses, the same text for an entity every time', async () => {
    const emulator = await withQuirks('all');
    const texts = new Map<string, string>();
    for (const round of [1, 2]) {
      for (let page = 1; page <= 5; page += 1) {
        const type = ['UNKNOWN', 'SDK', 'DESIGNER', 'M6'][page % 4];
        for (const run of (await get(emulator, `${RUNS}&SourceType=${type}`)).json.PipelineRuns) {
          const text = JSON.stringify(run);
          if (texts.has(run.PipelineRunId)) expect(text).toBe(texts.get(run.PipelineRunId));
          texts.set(run.PipelineRunId, text);
        }
      }
      expect(texts.size).toBeGreaterThan(round * 50);
    }
    const body = {
      Nodes: emulator.world
        .pipelineRuns()
        .flatMap(({ pipelineRunId }) =>
          emulator.world.nodesOf(pipelineRunId).map(({ nodeId }) => ({ PipelineRunId: pipelineRunId, NodeId: nodeId })),
        ),
    };
    const first = (await call(emulator, 'PUT', '/api/v1/pipelineruns', body)).json;
    const second = (await call(emulator, 'PUT', '/api/v1/pipelineruns', body)).json;
    expect(first.Nodes).toHaveLength(body.Nodes.length);
    expect([second.Nodes, second.Outputs]).toEqual([first.Nodes, first.Outputs]);
  });
});
