import { expect, it } from 'vitest';
import type { Stream } from '../../src/domain/streams.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { differences } from '../support/compare.js';
import { rowVersions, startMirror } from '../support/mirror.js';

it.each([false, true])(
  'finds the runs of every SourceType, whether or not the list without a filter shows them (hidden: %s)',
  async (sourceTypeDefaultsToUnknown) => {
    const clock = new SimulatedClock({ speed: 0 });
    const mirror = await startMirror({
      emulator: {
        workspaces: 1,
        history: 60,
        active: 8,
        experimentRuns: 0,
        clock,
        quirks: { sourceTypeDefaultsToUnknown },
      },
      // Several pages of each type.
      settings: { pageSize: 10 },
    });
    const { world, mutate } = mirror.emulator;
    expect(new Set(world.pipelineRuns().map((run) => run.sourceType)).size).toBeGreaterThan(2);
    await mirror.sync();
    expect(await differences(world, mirror.pool)).toEqual([]);
    const before = await rowVersions(mirror.pool);
    await mirror.sync();
    expect(await rowVersions(mirror.pool)).toEqual(before);

    // From then on a pass finds what is new without any help of reconcile, at one call a list.
    clock.advance(3_600_000);
    const changed = world.pipelineRuns().find((run) => run.sourceType === 'SDK');
    if (changed === undefined) throw new Error('the world has no run of SDK, expected some');
    mutate.updatePipelineRun(changed.pipelineRunId, { message: 'changed' });
    mirror.emulator.stats.reset();
    await mirror.sync(['pipeline-runs']);
    const { rows } = await mirror.pool.query('select message from pai.pipeline_runs where pipeline_run_id = $1', [
      changed.pipelineRunId,
    ]);
    expect(rows).toEqual([{ message: 'changed' }]);
    const lists = sourceTypeDefaultsToUnknown ? 4 : 1;
    expect(mirror.emulator.stats.calls('ListPipelineRuns')).toBeLessThanOrEqual(2 * lists);
  },
);

it('invariant 2: a crash right after the first page of a hidden type forgets none of its other pages', async () => {
  const clock = new SimulatedClock({ speed: 0 });
  const mirror = await startMirror({
    emulator: {
      workspaces: 1,
      history: 80,
      active: 0,
      experimentRuns: 0,
      clock,
      quirks: { sourceTypeDefaultsToUnknown: true },
    },
    settings: { pageSize: 10 },
  });
  const commit = mirror.store.commit.bind(mirror.store);
  let crashes = 0;
  mirror.store.commit = async (lease, batch) => {
    const effect = await commit(lease, batch);
    const isHidden = batch.pipelineRuns?.some(({ items }) => items.some((run) => run.sourceType === 'SDK')) ?? false;
    if (isHidden && crashes++ === 0) throw new Error('crashed');
    return effect;
  };
  await mirror.sync(['pipeline-runs']);
  expect(crashes).toBe(1);
  await mirror.sync();
  expect(await differences(mirror.emulator.world, mirror.pool)).toEqual([]);
});

it('a type that was taken for hidden by mistake is found out by the next reconcile, and costs no more calls', async () => {
  const clock = new SimulatedClock({ speed: 0 });
  const mirror = await startMirror({
    emulator: { workspaces: 1, history: 60, active: 0, experimentRuns: 0, clock },
    settings: { pageSize: 10 },
  });
  await mirror.sync();
  const callsOf = async (streams: readonly Stream[]): Promise<number> => {
    mirror.emulator.stats.reset();
    await mirror.sync(streams);
    return mirror.emulator.stats.calls('ListPipelineRuns');
  };
  expect(await callsOf(['pipeline-runs'])).toBe(1);
  const scope = `${mirror.scopes[0]?.region}:${mirror.scopes[0]?.workspaceId}`;
  await mirror.pool.query(
    `insert into pai.sync_cursors (scope, stream, watermark, state, updated_at) values ($1, 'pipeline-runs/SDK', now(), '{}', now())`,
    [scope],
  );
  expect(await callsOf(['pipeline-runs'])).toBe(2);

  await mirror.sync(['reconcile']);
  expect(mirror.logger.messages('warn')).toEqual([]);
  expect(mirror.logger.messages('info').filter((message) => message.includes('without being asked'))).toHaveLength(1);
  expect(await callsOf(['pipeline-runs'])).toBe(1);
  const before = await rowVersions(mirror.pool);
  await mirror.sync();
  expect(await rowVersions(mirror.pool)).toEqual(before);
});

it('a run that is deleted while a reconcile looks for hidden types makes none of them hidden', async () => {
  const clock = new SimulatedClock({ speed: 0 });
  const mirror = await startMirror({
    emulator: { workspaces: 1, history: 60, active: 0, experimentRuns: 0, clock },
    settings: { pageSize: 10 },
  });
  await mirror.sync();
  const { emulator, deps, pool } = mirror;
  const list = deps.source.listPipelineRuns.bind(deps.source);
  let inBetween = '';
  // It comes in right before a type is asked for, and goes before the list without a filter is asked once more.
  deps.source.listPipelineRuns = async (scope, page, signal) => {
    clock.advance(1_000);
    const { workspaceId } = scope;
    if (inBetween === '' && page.sourceType === 'SDK')
      inBetween = emulator.mutate.addPipelineRun({ workspaceId, sourceType: 'SDK' }).pipelineRunId;
    else if (inBetween !== '') emulator.mutate.deletePipelineRun(inBetween);
    return list(scope, page, signal);
  };
  await mirror.sync(['reconcile']);
  expect(inBetween).not.toBe('');
  expect((await pool.query(`select stream from pai.sync_cursors where stream like '%/%'`)).rows).toEqual([]);
});
