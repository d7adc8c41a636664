import { describe, expect, it } from 'vitest';
import { STREAMS } from '../../src/domain/streams.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { differences } from '../support/compare.js';
import { startMirror } from '../support/mirror.js';

/** The streams that need an operation; `nodes` has two, and does what it can with the other one. */
const NEEDED_BY: Record<string, readonly string[]> = {
  ListPipelineRuns: ['pipeline-runs', 'reconcile'],
  ListPipelineRunsStatus: ['status', 'nodes'],
  ListPipelineRunNodeStatus: ['nodes'],
  // `reconcile` asks it about a run that is missing.
  GetPipelineRun: ['details', 'reconcile'],
  ListRuns: ['experiment-runs', 'reconcile'],
};

describe('invariant 6: one bad stream never stops the others', () => {
  it.each(Object.entries(NEEDED_BY))('with %s answering 500 for ever, only %s fail', async (operation, streams) => {
    const clock = new SimulatedClock({ speed: 0 });
    const mirror = await startMirror({ emulator: { history: 8, active: 5, experimentRuns: 4, clock, seed: 3 } });
    await mirror.sync();
    clock.advance(20 * 60_000);
    mirror.emulator.world.tick();
    // Runs whose nodes and details are due even where the lists fail.
    await mirror.pool.query('update pai.pipeline_runs set nodes_revision = 0, details_revision = 0');

    mirror.emulator.faults.add({ operation, kind: 'error', status: 500, code: 'InternalError' });
    const reports = await mirror.sync();
    for (const { stream, outcome, error, scope } of reports) {
      const where = `${stream} in ${scope.workspaceId}: ${error}`;
      if (operation === 'GetPipelineRun' && stream === 'reconcile') continue;
      expect(outcome, where).toBe(streams.includes(stream) ? 'failed' : 'succeeded');
      if (outcome === 'failed') expect(error, where).toMatch(new RegExp(`${operation}.*InternalError`));
    }
    expect(reports).toHaveLength(STREAMS.length * mirror.scopes.length);

    mirror.emulator.faults.clear();
    const healed = await mirror.sync();
    expect(healed.map(({ outcome }) => outcome)).not.toContain('failed');
    expect(await differences(mirror.emulator.world, mirror.pool)).toEqual([]);
  });

  it('keeps a run whose own calls fail from stopping the other runs, and catches up with it', async () => {
    const clock = new SimulatedClock({ speed: 0 });
    const mirror = await startMirror({
      emulator: { workspaces: 1, history: 20, active: 5, experimentRuns: 0, clock, seed: 4 },
    });
    const bad = mirror.emulator.world.pipelineRuns()[7]?.pipelineRunId ?? '';
    mirror.emulator.faults.add({ operation: 'GetPipelineRun', kind: 'html-5xx', match: bad });
    mirror.emulator.faults.add({ operation: 'ListPipelineRunNodeStatus', kind: 'html-5xx', match: bad });

    const failed = (await mirror.sync()).filter(({ outcome }) => outcome === 'failed');
    expect(failed.map(({ stream }) => stream)).toEqual(['nodes', 'details']);
    for (const { error } of failed) expect(error).toContain(`1 failed and will be tried again: ${bad}`);
    const { rows } = await mirror.pool.query<{ details: number; retries: number }>(
      `select (select count(*) from pai.pipeline_run_details)::int as details, (select count(*) from pai.sync_retries)::int as retries`,
    );
    expect(rows[0]).toEqual({ details: mirror.emulator.world.pipelineRuns().length - 1, retries: 2 });

    mirror.emulator.faults.clear();
    await mirror.sync();
    expect(await differences(mirror.emulator.world, mirror.pool)).toEqual([]);
    const { rows: left } = await mirror.pool.query('select * from pai.sync_retries');
    expect(left).toEqual([]);
  });

  it('keeps a workspace that may not be read from stopping the other one', async () => {
    const clock = new SimulatedClock({ speed: 0 });
    const mirror = await startMirror({ emulator: { history: 20, active: 5, experimentRuns: 5, clock, seed: 6 } });
    const [first, second] = mirror.scopes;
    mirror.emulator.faults.add({
      operation: 'ListPipelineRuns',
      kind: 'error',
      status: 403,
      code: 'NoPermission',
      match: `WorkspaceId=${first?.workspaceId}`,
    });
    const reports = await mirror.sync();
    const outcomes = (workspaceId: string | undefined) =>
      reports
        .filter(({ scope, outcome }) => scope.workspaceId === workspaceId && outcome === 'failed')
        .map(({ stream }) => stream);
    expect(outcomes(first?.workspaceId)).toEqual(['pipeline-runs', 'reconcile']);
    expect(outcomes(second?.workspaceId)).toEqual([]);
  });
});
