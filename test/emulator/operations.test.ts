import { describe, expect, it } from 'vitest';
import { instantToMillis } from '../../src/domain/instant.js';
import { call, get, query, useEmulators } from './harness.js';

const start = useEmulators();
const RUNS = '/api/v1/pipelineruns';

describe('ListPipelineRunsStatus', () => {
  it('tells the status of runs, deleted ones included, and leaves out ids that nobody knows', async () => {
    const emulator = await start({ history: 10 });
    const ids = emulator.world.pipelineRuns().map((run) => run.pipelineRunId);
    emulator.mutate.deletePipelineRun(ids[3] as string);
    const { status, json } = await call(emulator, 'PUT', RUNS, { PipelineRuns: [...ids, 'flow-none', ids[0]] });
    expect(status).toBe(200);
    expect(json.PipelineRuns.map((run: { PipelineRunId: string }) => run.PipelineRunId)).toEqual(ids);
    const deleted = json.PipelineRuns.filter((run: { IsDeleted: boolean }) => run.IsDeleted);
    expect(deleted.map((run: { PipelineRunId: string }) => run.PipelineRunId)).toEqual([ids[3]]);
    const run = emulator.world.pipelineRun(ids[0] as string);
    expect(json.PipelineRuns[0]).toEqual({
      PipelineRunId: run?.pipelineRunId,
      Status: run?.status,
      Name: run?.name,
      UserId: run?.userId,
      ParentUserId: run?.parentUserId,
      NodeId: run?.nodeId,
      SourceId: run?.sourceId,
      IsDeleted: false,
    });
    expect([json.Nodes, json.Outputs]).toEqual([[], []]);
  });

  it('tells nodes and their outputs, and nodes only when both are asked for', async () => {
    const emulator = await start({ history: 30 });
    const run = emulator.world
      .pipelineRuns()
      .find(({ pipelineRunId }) => emulator.world.outputsOf(pipelineRunId).length > 3);
    const pipelineRunId = run?.pipelineRunId as string;
    const outputs = emulator.world.outputsOf(pipelineRunId);
    const nodes = emulator.world.nodesOf(pipelineRunId);
    const Nodes = nodes.map(({ nodeId }) => ({ PipelineRunId: pipelineRunId, NodeId: nodeId }));
    const unknown = { PipelineRunId: pipelineRunId, NodeId: 'node-none' };
    const { json } = await call(emulator, 'PUT', RUNS, { PipelineRuns: [pipelineRunId], Nodes: [...Nodes, unknown] });
    expect(json.PipelineRuns).toEqual([]);
    expect(json.Nodes.map((node: { NodeId: string }) => node.NodeId)).toEqual(nodes.map((node) => node.nodeId));
    expect(json.Outputs.map((output: { Id: string }) => output.Id)).toEqual(outputs.map((output) => output.id));
    const one = outputs[0];
    const alone = await call(emulator, 'PUT', RUNS, {
      Nodes: [{ PipelineRunId: pipelineRunId, NodeId: one?.nodeId }],
      OutputType: one?.type,
    });
    const expected = outputs.filter((output) => output.nodeId === one?.nodeId && output.type === one?.type);
    expect(alone.json.Outputs.map((output: { Id: string }) => output.Id)).toEqual(expected.map((output) => output.id));
    const other = await call(emulator, 'PUT', RUNS, { Nodes, OutputType: 'NoSuchType' });
    expect(other.json.Outputs).toEqual([]);
  });

  it('says nothing about nodes of deleted runs and of other workspaces', async () => {
    const emulator = await start({ history: 10 });
    const [first, second] = emulator.world
      .workspaces()
      .map(({ workspaceId }) => emulator.world.pipelineRuns(workspaceId)[0]);
    const Nodes = [first, second].map((run) => ({ PipelineRunId: run?.pipelineRunId, NodeId: run?.nodeId }));
    const here = await call(emulator, 'PUT', RUNS, { Nodes, WorkspaceId: first?.workspaceId });
    expect(here.json.Nodes.map((node: { NodeId: string }) => node.NodeId)).toEqual([first?.nodeId]);
    const PipelineRuns = [first?.pipelineRunId, second?.pipelineRunId];
    const runs = await call(emulator, 'PUT', RUNS, { PipelineRuns, WorkspaceId: second?.workspaceId });
    expect(runs.json.PipelineRuns).toMatchObject([{ PipelineRunId: second?.pipelineRunId }]);
    emulator.mutate.deletePipelineRun(first?.pipelineRunId as string);
    expect((await call(emulator, 'PUT', RUNS, { Nodes })).json.Nodes).toMatchObject([{ NodeId: second?.nodeId }]);
  });

  it.each([
    [{}, 'MissingParameter'],
    [{ PipelineRuns: [], Nodes: [] }, 'MissingParameter'],
    [{ PipelineRuns: 'flow-1' }, 'InvalidParameter'],
    [{ PipelineRuns: [7] }, 'InvalidParameter'],
    [{ Nodes: [{ NodeId: 'node-1' }] }, 'InvalidParameter'],
    [['flow-1'], 'InvalidParameter'],
  ])('refuses the body %j', async (body, code) => {
    const emulator = await start({ history: 1 });
    const { status, json } = await call(emulator, 'PUT', RUNS, body);
    expect([status, json.Code]).toEqual([400, code]);
  });
});

describe('GetPipelineRun', () => {
  it('has the fields of the list, Arguments and Options, and the manifest only when Verbose', async () => {
    const emulator = await start({ history: 20 });
    const listed = (await get(emulator, `${RUNS}?PageSize=100`)).json.PipelineRuns;
    for (const run of listed) {
      const details = emulator.world.detailsOf(run.PipelineRunId);
      const { RequestId, Manifest, Arguments, Options, ...fields } = (
        await get(emulator, `${RUNS}/${run.PipelineRunId}?Verbose=true`)
      ).json;
      expect(fields).toEqual(run);
      expect([Manifest, Arguments]).toEqual([details?.manifest.json, details?.arguments.json]);
      expect(Options ?? null).toBe(details?.options.json);
      const brief = (await get(emulator, `${RUNS}/${run.PipelineRunId}`)).json;
      expect(brief).toMatchObject({ Arguments });
      expect(brief).not.toHaveProperty('Manifest');
      expect(brief.RequestId).not.toBe(RequestId);
    }
  });

  it('tells manifests of the other types apart', async () => {
    const emulator = await start({ history: 1, active: 0 });
    const id = emulator.world.pipelineRuns()[0]?.pipelineRunId;
    const frozen = (await get(emulator, `${RUNS}/${id}?Verbose=true&ManifestType=Frozen`)).json.Manifest;
    const raw = (await get(emulator, `${RUNS}/${id}?Verbose=true`)).json.Manifest;
    expect(JSON.parse(frozen).Metadata.ManifestType).toBe('Frozen');
    expect(JSON.parse(raw).Metadata.ManifestType).toBeUndefined();
    expect((await get(emulator, `${RUNS}/${id}?ManifestType=Liquid`)).status).toBe(400);
    expect((await get(emulator, `${RUNS}/${id}?Verbose=yes`)).status).toBe(400);
  });

  it('answers 404 for a run that is unknown or deleted', async () => {
    const emulator = await start({ history: 3 });
    const id = emulator.world.pipelineRuns()[0]?.pipelineRunId as string;
    emulator.mutate.deletePipelineRun(id);
    for (const gone of [id, 'flow-none', 'flow-000000000000000000', '%E6%97%A0']) {
      const { status, json } = await get(emulator, `${RUNS}/${gone}`);
      expect([status, json.Code]).toEqual([404, 'PipelineRunNotFound']);
    }
    emulator.mutate.restorePipelineRun(id);
    expect((await get(emulator, `${RUNS}/${id}`)).status).toBe(200);
  });
});

describe('ListPipelineRunNodeStatus', () => {
  it('goes as deep as asked, in either tree', async () => {
    const emulator = await start({ history: 60, nodesPerRun: [12, 12] });
    const { world } = emulator;
    const runs = world.pipelineRuns().filter((run) => run.status === 'Succeeded');
    const run = runs.find(({ pipelineRunId }) => world.nodesOf(pipelineRunId).some((node) => node.depth === 3));
    const id = run?.pipelineRunId as string;
    for (const Type of ['Logical', 'Physical']) {
      const nodes = world.nodesOf(id, Type);
      for (const Depth of [1, 2, 3, 10]) {
        const { json } = await get(emulator, `${RUNS}/${id}/nodes/${run?.nodeId}/status?${query({ Depth, Type })}`);
        const expected = nodes.filter((node) => node.depth <= Depth).map((node) => node.nodeId);
        expect(json.Status.map((node: { NodeId: string }) => node.NodeId)).toEqual(expected);
      }
    }
    const composite = world
      .nodesOf(id)
      .find((node) => world.nodesOf(id).some((child) => child.parentNodeId === node.nodeId && node.depth === 2));
    const children = world.nodesOf(id).filter((node) => node.parentNodeId === composite?.nodeId);
    const below = await get(emulator, `${RUNS}/${id}/nodes/${composite?.nodeId}/status?Depth=2`);
    expect(below.json.Status).toHaveLength(children.length + 1);
    const alone = await get(emulator, `${RUNS}/${id}/nodes/${composite?.nodeId}/status`);
    expect(alone.json.Status).toHaveLength(1);
  });

  it('tells the fields of a node as they are', async () => {
    const emulator = await start({ history: 5 });
    const run = emulator.world.pipelineRuns()[0];
    const { json } = await get(emulator, `${RUNS}/${run?.pipelineRunId}/nodes/${run?.nodeId}/status?Depth=9`);
    const node = emulator.world.nodesOf(run?.pipelineRunId ?? '')[1];
    const shown = json.Status[1];
    expect(shown).toMatchObject({ NodeId: node?.nodeId, NodeName: node?.nodeName, Status: node?.status });
    expect(shown.RuntimeInfo).toBe(node?.runtimeInfo.json);
    expect(Date.parse(shown.StartedAt)).toBe(instantToMillis(node?.startedAt ?? ''));
  });

  it('answers 404 for an unknown run and an unknown node, 400 for a wrong Depth or Type', async () => {
    const emulator = await start({ history: 5 });
    const run = emulator.world.pipelineRuns()[0];
    const ask = async (path: string): Promise<unknown[]> => {
      const { status, json } = await get(emulator, `${RUNS}/${path}`);
      return [status, json.Code];
    };
    expect(await ask(`flow-none/nodes/${run?.nodeId}/status`)).toEqual([404, 'PipelineRunNotFound']);
    expect(await ask(`${run?.pipelineRunId}/nodes/node-none/status`)).toEqual([404, 'PipelineRunNodeNotFound']);
    expect(await ask(`${run?.pipelineRunId}/nodes/${run?.nodeId}/status?Depth=0`)).toEqual([400, 'InvalidParameter']);
    expect(await ask(`${run?.pipelineRunId}/nodes/${run?.nodeId}/status?Type=Real`)).toEqual([400, 'InvalidParameter']);
  });
});

describe('ListRuns', () => {
  const ids = (json: { Runs: { RunId: string }[] }): string[] => json.Runs.map((run) => run.RunId);

  it('walks by token and by page number, with the same runs', async () => {
    const emulator = await start({ experimentRuns: 57, active: 0 });
    const workspaceId = emulator.world.workspaces()[1]?.workspaceId as string;
    const expected = emulator.world
      .experimentRuns(workspaceId)
      .map((run) => run.runId)
      .toReversed();
    const byToken: string[] = [];
    let PageToken = 0;
    do {
      const { json } = await get(
        emulator,
        `/api/v1/runs?${query({ WorkspaceId: workspaceId, PageToken, MaxResults: 7 })}`,
      );
      expect(json.TotalCount).toBe(expected.length);
      expect(json.requestId).toMatch(/^[0-9A-F-]{36}$/);
      byToken.push(...ids(json));
      PageToken = json.NextPageToken;
    } while (PageToken !== 0);
    const byNumber: string[] = [];
    for (let PageNumber = 1; byNumber.length < expected.length; PageNumber += 1) {
      const { json } = await get(
        emulator,
        `/api/v1/runs?${query({ WorkspaceId: workspaceId, PageNumber, PageSize: 7 })}`,
      );
      expect(ids(json).length).toBeGreaterThan(0);
      byNumber.push(...ids(json));
    }
    expect([byToken, byNumber]).toEqual([expected, expected]);
  });

  it('lists the default workspace when none is named, ten runs a page', async () => {
    const emulator = await start({ experimentRuns: 40 });
    const { json } = await get(emulator, '/api/v1/runs');
    const own = emulator.world.experimentRuns(emulator.world.workspaces()[0]?.workspaceId).map((run) => run.runId);
    expect(ids(json)).toEqual(own.toReversed().slice(0, 10));
    expect(json.NextPageToken).toBe(10);
  });

  it('sorts by OrderBy, ascending where no direction is given, and by SortBy with Order', async () => {
    const emulator = await start({ experimentRuns: 40 });
    const own = emulator.world.experimentRuns(emulator.world.workspaces()[0]?.workspaceId);
    const first = own[0]?.gmtCreateTime ?? '';
    for (const run of own.slice(0, 9)) emulator.mutate.updateExperimentRun(run.runId, { gmtCreateTime: first });
    const now = emulator.world.experimentRuns(emulator.world.workspaces()[0]?.workspaceId);
    const name = (run: { name: string | null }): string => run.name ?? '';
    const order = async (parameters: { [name: string]: string }): Promise<string[]> =>
      ids((await get(emulator, `/api/v1/runs?${query({ ...parameters, MaxResults: 100 })}`)).json);
    const byTimeThenName = now.toSorted((a, b) => {
      if (a.gmtCreateTime !== b.gmtCreateTime) return (a.gmtCreateTime ?? '') < (b.gmtCreateTime ?? '') ? 1 : -1;
      return name(a) < name(b) ? -1 : 1;
    });
    expect(await order({ OrderBy: 'GmtCreateTime DESC,Name ASC' })).toEqual(byTimeThenName.map((run) => run.runId));
    const byName = now.toSorted((a, b) => (name(a) < name(b) ? -1 : 1)).map((run) => run.runId);
    expect(await order({ OrderBy: 'Name' })).toEqual(byName);
    expect(await order({ SortBy: 'Name' })).toEqual(byName.toReversed());
    expect(await order({ SortBy: 'Name', Order: 'ASC' })).toEqual(byName);
  });

  it('filters by every field that it knows, labels included', async () => {
    const emulator = await start({ experimentRuns: 120 });
    const workspaceId = emulator.world.workspaces()[0]?.workspaceId;
    const own = emulator.world.experimentRuns(workspaceId);
    const labelled = own.find((run) => run.labels?.length === 2);
    const filters: { [name: string]: (run: (typeof own)[number]) => boolean } = {
      [query({ Name: labelled?.name ?? '' })]: (run) => run.name === labelled?.name,
      [query({ ExperimentId: labelled?.experimentId ?? '' })]: (run) => run.experimentId === labelled?.experimentId,
      [query({ SourceId: labelled?.sourceId ?? '' })]: (run) => run.sourceId === labelled?.sourceId,
      [query({ SourceType: 'PipelineRun' })]: (run) => run.sourceType === 'PipelineRun',
      [query({ GmtCreateTime: labelled?.gmtCreateTime ?? '' })]: (run) => run.gmtCreateTime === labelled?.gmtCreateTime,
      [query({ Labels: (labelled?.labels ?? []).map(({ key, value }) => `${key}:${value}`).join(',') })]: (run) =>
        (labelled?.labels ?? []).every((label) =>
          run.labels?.some((own) => own.key === label.key && own.value === label.value),
        ),
    };
    for (const [parameters, wanted] of Object.entries(filters)) {
      const { json } = await get(emulator, `/api/v1/runs?${parameters}&MaxResults=500`);
      const expected = own.filter(wanted).map((run) => run.runId);
      expect(ids(json).toSorted()).toEqual(expected.toSorted());
    }
  });

  it('shows params, labels and the latest metrics only when Verbose; ListRunMetrics shows all points of a key', async () => {
    const emulator = await start({ experimentRuns: 5 });
    const run = emulator.world.experimentRuns(emulator.world.workspaces()[0]?.workspaceId)[0];
    const metric = {
      key: 'loss',
      step: '9007199254740993',
      timestamp: '2026-03-01T00:00:00.000000Z',
      value: '-1.5e-7',
    };
    emulator.mutate.logMetric(run?.runId as string, metric);
    const brief = (await get(emulator, '/api/v1/runs?OrderBy=GmtCreateTime')).json.Runs[0];
    expect(brief).not.toHaveProperty('Params');
    const { text } = await get(emulator, '/api/v1/runs?OrderBy=GmtCreateTime&Verbose=true&MaxResults=1');
    expect(text).toContain('{"Value":-1.5e-7,"Step":9007199254740993,"Timestamp":1772323200000,"Key":"loss"}');
    const full = JSON.parse(text).Runs[0];
    expect(full.Params.map((param: { Key: string }) => param.Key)).toEqual(run?.params?.map((param) => param.key));
    expect(full.Metrics.filter((shown: { Key: string }) => shown.Key === 'loss')).toHaveLength(1);
    expect(full.GmtModifiedTime > brief.GmtCreateTime).toBe(true);
    const history = emulator.world.metricsOf(run?.runId ?? '').filter(({ key }) => key === 'loss');
    const path = `/api/v1/runs/${run?.runId}/metrics`;
    const points = (await get(emulator, `${path}?Key=loss&MaxResults=1000`)).json;
    expect(points.Metrics).toHaveLength(history.length);
    expect([points.TotalCount, points.NextPageToken]).toEqual([history.length, 0]);
    expect((await get(emulator, `${path}?Key=loss&MaxResults=2`)).json.NextPageToken).toBe(2);
    expect((await get(emulator, path)).json.Code).toBe('MissingKey');
    expect((await get(emulator, '/api/v1/runs/run-none/metrics?Key=loss')).status).toBe(404);
  });

  it.each([
    'OrderBy=Step',
    'OrderBy=Name UP',
    'SortBy=Step',
    'PageToken=-1',
    'MaxResults=0',
    'Labels=x',
    'GmtCreateTime=soon',
  ])('refuses %s', async (parameters) => {
    const emulator = await start({ experimentRuns: 1 });
    const { status, json } = await get(emulator, `/api/v1/runs?${parameters}`);
    expect([status, json.Code]).toEqual([400, 'InvalidParameter']);
  });
});

describe('the rest', () => {
  it('lists workspaces, the default one first', async () => {
    const emulator = await start({ workspaces: 12 });
    const { json } = await get(emulator, '/api/v1/workspaces?PageNumber=2');
    expect(json.TotalCount).toBe(12);
    const shown = json.Workspaces.map((workspace: { WorkspaceId: string }) => workspace.WorkspaceId);
    expect(shown).toEqual(
      emulator.world
        .workspaces()
        .slice(10)
        .map((workspace) => workspace.workspaceId),
    );
    expect((await get(emulator, '/api/v1/workspaces')).json.Workspaces[0].IsDefault).toBe(true);
  });

  it('answers 404 for paths and methods that are no operation, and counts them', async () => {
    const emulator = await start();
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/api/v1/pipelines'],
      ['DELETE', RUNS],
      ['GET', `${RUNS}/a/nodes//status`],
    ]) {
      const { status, json } = await call(emulator, method as string, path as string);
      expect([status, json.Code]).toEqual([404, 'InvalidAction.NotFound']);
    }
    expect(emulator.stats.calls('unknown')).toBe(4);
    expect((await get(emulator, `${RUNS}/%zz`)).json.Code).toBe('InvalidParameter');
  });

  it('follows its clock by itself when it is live', async () => {
    const emulator = await start({
      live: true,
      history: 5,
      active: 0,
      arrivalsPerMinute: 10,
      startAt: 0,
      speed: 600,
    });
    const count = async (): Promise<number> => (await get(emulator, RUNS)).json.TotalCount;
    const first = await count();
    const deadline = Date.now() + 10_000;
    while ((await count()) <= first && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await count()).toBeGreaterThan(first);
  });
});

describe('changes by hand', () => {
  it('add runs with chosen ids and values, derive the rest and move the modification time', async () => {
    const emulator = await start({ history: 3 });
    const { mutate, world } = emulator;
    const workspaceId = world.workspaces()[1]?.workspaceId as string;
    const added = mutate.addPipelineRun({ pipelineRunId: 'flow-mine', workspaceId, status: 'Running', name: null });
    expect(added).toMatchObject({ pipelineRunId: 'flow-mine', workspaceId, status: 'Running', name: null });
    expect(added.startedAt).not.toBeNull();
    const { json } = await get(emulator, `${RUNS}?${query({ WorkspaceId: workspaceId, PageSize: 1 })}`);
    expect(json.PipelineRuns[0]).toMatchObject({ PipelineRunId: 'flow-mine', NodeId: added.nodeId });
    expect(json.PipelineRuns[0]).not.toHaveProperty('Name');
    expect(() => mutate.addPipelineRun({ pipelineRunId: 'flow-mine' })).toThrow('flow-mine');
    const clock = world.clock as unknown as { advance(millis: number): void };
    clock.advance(60_000);
    const ended = mutate.updatePipelineRun('flow-mine', { status: 'Failed', message: 'line 1\nline 2\n' });
    expect(ended).toMatchObject({ status: 'Failed', message: 'line 1\nline 2\n', duration: '60' });
    expect(instantToMillis(ended.gmtModifiedTime ?? '')).toBe(world.clock.now());
    clock.advance(60_000);
    const quiet = mutate.updatePipelineRun('flow-mine', { name: 'quiet' }, { touch: false });
    expect(quiet.gmtModifiedTime).toBe(ended.gmtModifiedTime);
    const again = mutate.updatePipelineRun('flow-mine', { status: 'Running' });
    expect(again).toMatchObject({ status: 'Running', finishedAt: null, duration: null, name: 'quiet' });
    expect(world.nodesOf('flow-mine')[0]?.status).toBe('Running');
  });

  it('keep times with microseconds, and move a run to another place in the order', async () => {
    const emulator = await start({ history: 20, active: 0 });
    const id = emulator.world.pipelineRuns()[5]?.pipelineRunId as string;
    const gmtModifiedTime = '2001-01-01T00:00:00.000123Z';
    emulator.mutate.updatePipelineRun(id, { gmtModifiedTime });
    const { json } = await get(emulator, `${RUNS}?SortBy=GmtModifiedTime&Order=ASC&PageSize=1`);
    expect(json.PipelineRuns).toMatchObject([{ PipelineRunId: id, GmtModifiedTime: gmtModifiedTime }]);
    emulator.mutate.updatePipelineRun(id, { name: 'n' });
    const touched = emulator.world.pipelineRun(id)?.gmtModifiedTime ?? '';
    expect(instantToMillis(touched)).toBe(emulator.world.clock.now());
  });

  it('add, change and remove nodes, outputs and details', async () => {
    const emulator = await start({ history: 3 });
    const { mutate, world } = emulator;
    const run = world.pipelineRuns()[0];
    const id = run?.pipelineRunId as string;
    const before = world.nodesOf(id).length;
    mutate.addNode(id, { nodeId: 'node-new', nodeName: 'new', status: 'Running' });
    mutate.updateNode(id, 'node-new', { status: 'Odd' });
    mutate.deleteNode(id, world.nodesOf(id)[1]?.nodeId as string);
    mutate.addOutput(id, { id: 'artifact-new', nodeId: 'node-new', value: { json: null, raw: 'not { json' } });
    mutate.setDetails(id, { manifest: { json: null, raw: 'apiVersion: core/v1' } });
    const tree = await get(emulator, `${RUNS}/${id}/nodes/${run?.nodeId}/status?Depth=9`);
    expect(tree.json.Status).toHaveLength(before);
    expect(tree.json.Status).toContainEqual(expect.objectContaining({ NodeId: 'node-new', Status: 'Odd' }));
    const polled = await call(emulator, 'PUT', RUNS, { Nodes: [{ PipelineRunId: id, NodeId: 'node-new' }] });
    expect(polled.json.Outputs).toMatchObject([{ Id: 'artifact-new', Value: 'not { json' }]);
    const details = await get(emulator, `${RUNS}/${id}?Verbose=true`);
    expect(details.json.Manifest).toBe('apiVersion: core/v1');
    expect(instantToMillis(world.pipelineRun(id)?.gmtModifiedTime ?? '')).toBe(world.clock.now());
  });

  it('add, change and delete experiment runs', async () => {
    const emulator = await start({ experimentRuns: 3, active: 0 });
    const { mutate, world } = emulator;
    const added = mutate.addExperimentRun({ name: 'mine', params: null, labels: [] });
    expect(added).toMatchObject({ name: 'mine', params: null, labels: [], metrics: [] });
    mutate.logMetric(added.runId, { key: 'x', step: '0', timestamp: '1970-01-01T00:00:00.000000Z', value: 'NaN' });
    const { json } = await get(emulator, '/api/v1/runs?Name=mine&Verbose=true');
    expect(json.Runs).toMatchObject([
      { RunId: added.runId, Labels: [], Metrics: [{ Key: 'x', Value: 'NaN', Timestamp: 0 }] },
    ]);
    expect(json.Runs[0]).not.toHaveProperty('Params');
    mutate.updateExperimentRun(added.runId, {
      name: 'other',
      workspaceId: world.workspaces()[1]?.workspaceId as string,
    });
    expect((await get(emulator, '/api/v1/runs?Name=mine')).json.TotalCount).toBe(0);
    mutate.deleteExperimentRun(added.runId);
    expect(world.experimentRuns().some((run) => run.runId === added.runId)).toBe(false);
    expect(() => mutate.deleteExperimentRun(added.runId)).toThrow('found none');
  });
});
