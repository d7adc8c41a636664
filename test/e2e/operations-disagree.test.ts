import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { rowVersions, startMirror, type TestMirror } from '../support/mirror.js';

async function frozenWorld(active: number): Promise<{ mirror: TestMirror }> {
  const clock = new SimulatedClock({ speed: 0 });
  const emulator = { workspaces: 1, history: 3, active, arrivalsPerMinute: 0, experimentRuns: 0, clock, seed: 8 };
  return { mirror: await startMirror({ emulator }) };
}

const kindsOf = async (mirror: TestMirror, id: string): Promise<string[]> => {
  const { rows } = await mirror.pool.query<{ kind: string }>(
    `select kind from pai.change_events where entity = 'pipeline_run' and entity_id = $1 order by event_id`,
    [id],
  );
  return rows.map(({ kind }) => kind);
};

describe('a run that one operation shows and another does not know', () => {
  it('settles after one missing and one restored event when ListPipelineRunsStatus leaves it out', async () => {
    const { mirror } = await frozenWorld(0);
    const { pipelineRunId } = mirror.emulator.mutate.addPipelineRun({
      pipelineRunId: 'flow-hidden',
      status: 'Running',
    });
    mirror.emulator.faults.add({ operation: 'ListPipelineRunsStatus', kind: 'replace', body: '{"PipelineRuns": []}' });
    await mirror.sync();
    await mirror.sync();
    const before = await rowVersions(mirror.pool);
    await mirror.sync();
    await mirror.sync();
    expect(await kindsOf(mirror, pipelineRunId)).toEqual(['discovered', 'missing', 'restored']);
    expect(await rowVersions(mirror.pool)).toEqual(before);
    const { rows } = await mirror.pool.query(
      'select missing_since, deleted_at from pai.pipeline_runs where pipeline_run_id = $1',
      [pipelineRunId],
    );
    expect(rows).toEqual([{ missing_since: null, deleted_at: null }]);

    mirror.emulator.faults.clear();
    await mirror.sync();
    mirror.emulator.mutate.deletePipelineRun(pipelineRunId);
    await mirror.sync();
    expect(await kindsOf(mirror, pipelineRunId)).toEqual(['discovered', 'missing', 'restored', 'deleted']);
  });

  it.each(['GetPipelineRun', 'ListPipelineRunNodeStatus'])(
    'settles likewise when %s answers 404',
    async (operation) => {
      const { mirror } = await frozenWorld(3);
      mirror.emulator.faults.add({ operation, kind: 'error', status: 404, code: 'PipelineRunNotFound' });
      for (let round = 0; round < 3; round += 1) await mirror.sync();
      const before = await rowVersions(mirror.pool);
      await mirror.sync();
      expect(await rowVersions(mirror.pool)).toEqual(before);
      mirror.emulator.faults.clear();
      await mirror.sync();
      const { rows } = await mirror.pool.query(
        `select count(*) filter (where missing_since is null and deleted_at is null and details_revision = revision)::int as whole
       from pai.pipeline_runs`,
      );
      expect(rows).toEqual([{ whole: mirror.emulator.world.pipelineRuns().length }]);
    },
  );
});

describe('a node of an active run', () => {
  it('that had ended and runs again is seen although nothing else moves', async () => {
    const { mirror } = await frozenWorld(0);
    const run = mirror.emulator.mutate.addPipelineRun({ pipelineRunId: 'flow-retrying', status: 'Running' });
    const node = mirror.emulator.world.nodesOf(run.pipelineRunId).find(({ nodeId }) => nodeId !== run.nodeId);
    if (node === undefined) throw new Error('the run has no node below its root, expected one of this seed');
    const set = (status: string, finishedAt: string | null) =>
      mirror.emulator.mutate.updateNode(run.pipelineRunId, node.nodeId, { status, finishedAt }, { touch: false });
    set('Succeeded', '2026-01-01T00:00:00.000000Z');
    await mirror.sync();
    set('Running', null);
    await mirror.sync(['nodes']);
    const after = await mirror.pool.query('select status, finished_at from pai.pipeline_run_nodes where node_id = $1', [
      node.nodeId,
    ]);
    expect(after.rows).toEqual([{ status: 'Running', finished_at: null }]);
  });
});

describe('a run that ListPipelineRunsStatus calls deleted', () => {
  it('stays deleted although the list goes on showing it, and is restored when that word is taken back', async () => {
    const { mirror } = await frozenWorld(0);
    const { pipelineRunId } = mirror.emulator.mutate.addPipelineRun({ pipelineRunId: 'flow-told', status: 'Running' });
    await mirror.sync();
    const body = JSON.stringify({
      PipelineRuns: [{ PipelineRunId: pipelineRunId, Status: 'Running', IsDeleted: true }],
    });
    mirror.emulator.faults.add({ operation: 'ListPipelineRunsStatus', kind: 'replace', match: pipelineRunId, body });
    await mirror.sync();
    await mirror.sync();
    const before = await rowVersions(mirror.pool);
    await mirror.sync();
    await mirror.sync();
    expect(await kindsOf(mirror, pipelineRunId)).toEqual(['discovered', 'deleted']);
    expect(await rowVersions(mirror.pool)).toEqual(before);

    mirror.emulator.faults.clear();
    await mirror.sync();
    expect(await kindsOf(mirror, pipelineRunId)).toEqual(['discovered', 'deleted', 'restored']);

    // Once the list has stopped showing it, nobody asks for it any more.
    mirror.emulator.mutate.deletePipelineRun(pipelineRunId);
    await mirror.sync();
    const { rows } = await mirror.pool.query('select stream, entity_id from pai.sync_retries');
    expect(rows).toEqual([]);
    mirror.emulator.mutate.restorePipelineRun(pipelineRunId);
    await mirror.sync();
    await mirror.sync();
    expect(await kindsOf(mirror, pipelineRunId)).toEqual(['discovered', 'deleted', 'restored', 'deleted', 'restored']);
  });
});
