import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { startMirror } from '../support/mirror.js';

describe('invariant 10: ids and numbers arrive exact', () => {
  it('also on a page of 100 runs whose user ids are bare JSON numbers beyond 2^53', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => 1557702098194904123n + BigInt(index));
    const runs = ids.map(
      (id, index) =>
        `{"PipelineRunId":"flow-${index}","UserId":${id},"ParentUserId":${id},"WorkspaceId":${id},"Duration":${9007199254740993n + BigInt(index)},"GmtModifiedTime":"2026-01-01T00:00:00Z","Status":"Succeeded","Unknown":{"n":${id},"x":0.1000000000000000055511151231257827}}`,
    );
    const mirror = await startMirror({ emulator: { workspaces: 1, history: 0, active: 0, experimentRuns: 0 } });
    const body = `{"RequestId":"r","TotalCount":100,"PipelineRuns":[${runs.join(',')}]}`;
    mirror.emulator.faults.add({ operation: 'ListPipelineRuns', kind: 'replace', body });
    await mirror.sync(['pipeline-runs']);
    const { rows } = await mirror.pool.query(
      `select user_id, parent_user_id, workspace_id, duration, extra #>> '{Unknown,n}' as n, extra #>> '{Unknown,x}' as x
       from pai.pipeline_runs order by user_id`,
    );
    expect(rows).toEqual(
      ids.map((id, index) => ({
        user_id: String(id),
        parent_user_id: String(id),
        workspace_id: String(id),
        duration: String(9007199254740993n + BigInt(index)),
        n: String(id),
        x: '0.1000000000000000055511151231257827',
      })),
    );
  });
});

describe('complaint 1: a run stays polled until it has reached a known end, however far behind the watermark it lies', () => {
  it.each(['Suspended', 'Unknown', 'Terminating', 'Initialized', 'SomeWordNobodyKnows'])(
    'while it is %s',
    async (word) => {
      const clock = new SimulatedClock({ speed: 0 });
      const mirror = await startMirror({
        emulator: { workspaces: 1, history: 5, active: 0, experimentRuns: 0, clock },
      });
      const run = mirror.emulator.mutate.addPipelineRun({ pipelineRunId: 'flow-waiting', status: word });
      await mirror.sync();
      // Weeks later, and without any sign of it in the list.
      clock.advance(40 * 24 * 3_600_000);
      mirror.emulator.stats.reset();
      await mirror.sync(['status']);
      expect(mirror.emulator.stats.calls('ListPipelineRunsStatus')).toBe(1);
      mirror.emulator.mutate.updatePipelineRun(run.pipelineRunId, { status: 'Succeeded' }, { touch: false });
      await mirror.sync(['status']);
      const { rows } = await mirror.pool.query(
        `select status from pai.pipeline_runs where pipeline_run_id = 'flow-waiting'`,
      );
      expect(rows).toEqual([{ status: 'Succeeded' }]);
      mirror.emulator.stats.reset();
      await mirror.sync(['status']);
      expect(mirror.emulator.stats.calls('ListPipelineRunsStatus'), 'an ended run is not polled any more').toBe(0);
    },
  );

  it('and gets its last node statuses when it ends', async () => {
    const clock = new SimulatedClock({ speed: 0 });
    const mirror = await startMirror({
      emulator: { workspaces: 1, history: 0, active: 15, arrivalsPerMinute: 0, experimentRuns: 0, clock, seed: 21 },
    });
    await mirror.sync();
    const ending = new Set<string>();
    for (let step = 0; step < 8; step += 1) {
      const active = new Set(
        (
          await mirror.pool.query(`select pipeline_run_id as id from pai.pipeline_runs where finished_at is null`)
        ).rows.map(({ id }) => id as string),
      );
      clock.advance(30 * 60_000);
      mirror.emulator.world.tick();
      await mirror.sync(['pipeline-runs', 'status', 'nodes']);
      for (const run of mirror.emulator.world.pipelineRuns()) {
        if (!active.has(run.pipelineRunId) || run.finishedAt === null) continue;
        ending.add(run.pipelineRunId);
        const { rows } = await mirror.pool.query<{ node: string }>(
          `select node_id || ' ' || coalesce(status, '-') as node from pai.pipeline_run_nodes
           where pipeline_run_id = $1 and missing_since is null order by 1`,
          [run.pipelineRunId],
        );
        const expected = mirror.emulator.world
          .nodesOf(run.pipelineRunId)
          .map(({ nodeId, status }) => `${nodeId} ${status}`);
        expect(rows.map(({ node }) => node)).toEqual(expected.sort());
      }
    }
    expect(ending.size).toBeGreaterThan(3);
  });
});
