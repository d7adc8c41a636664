/** Complaint 5, from the other side: a round makes the calls that PAI's interface asks for, and says how many these are. */
import { expect, it } from 'vitest';
import { STREAMS } from '../../src/domain/streams.js';
import { startMirror } from '../support/mirror.js';

it('complaint 5: an idle round makes no call more than the fewest, whatever the history', async () => {
  for (const history of [150, 450]) {
    const mirror = await startMirror({
      emulator: { workspaces: 1, history, active: 35, experimentRuns: 120, arrivalsPerMinute: 0, quirks: 'none' },
      settings: { pageSize: 50, statusBatch: 10, overlapSeconds: 0, hotWindowHours: 1 },
    });
    const [load] = await mirror.sync(['pipeline-runs']);
    expect(load?.minimumCalls).toBeGreaterThanOrEqual((history + 35) / 50);
    expect(load?.calls).toBeGreaterThanOrEqual(load?.minimumCalls ?? 0);
    await mirror.sync();
    await mirror.sync();
    const round = await mirror.sync();
    const { rows } = await mirror.pool.query<{ active: number; nodes: number; runs: number }>(
      `select count(distinct r.pipeline_run_id)::int as active, count(n.node_id)::int as nodes,
         (select count(*)::int from pai.runs) as runs
       from pai.pipeline_runs r left join pai.pipeline_run_nodes n using (pipeline_run_id)
       where r.status not in ('Succeeded', 'Failed', 'Terminated', 'Skipped')`,
    );
    const { active = 0, nodes = 0, runs = 0 } = rows[0] ?? {};
    expect(active).toBeGreaterThan(20);
    const made = Object.fromEntries(round.map(({ stream, calls }) => [stream, calls]));
    const fewest = Object.fromEntries(round.map(({ stream, minimumCalls }) => [stream, minimumCalls]));
    expect(fewest).toEqual({
      'pipeline-runs': 1,
      status: Math.ceil(active / 10),
      nodes: Math.ceil(nodes / 10),
      details: 0,
      'experiment-runs': 1,
      reconcile: Math.ceil((history + 35) / 50) + Math.ceil(runs / 50) + mirror.deps.settings.sourceTypes.length,
    });
    expect(made).toEqual(fewest);
    expect(round.map(({ stream }) => stream)).toEqual(STREAMS);
  }
});
