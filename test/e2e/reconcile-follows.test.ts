import { expect, it } from 'vitest';
import { STREAMS } from '../../src/domain/streams.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { differences } from '../support/compare.js';
import { startMirror } from '../support/mirror.js';

it('complaint 1: one round brings everything that is due, also what only its reconcile finds: an ended run that PAI reran in silence', async () => {
  const clock = new SimulatedClock({ speed: 0 });
  const mirror = await startMirror({
    emulator: { workspaces: 1, history: 20, active: 0, experimentRuns: 3, arrivalsPerMinute: 0, clock, seed: 8 },
    // Discovery stops at the first page behind the watermark, far from the oldest run.
    settings: { pageSize: 3 },
  });
  await mirror.sync();
  const { mutate, world } = mirror.emulator;
  const [run] = world.pipelineRuns().filter(({ status }) => status === 'Succeeded');
  clock.advance(3_600_000);
  mutate.updatePipelineRun(run?.pipelineRunId ?? '', { status: 'Running' }, { touch: false });

  const reports = await mirror.sync();
  expect(reports.map(({ stream, outcome }) => `${stream} ${outcome}`)).toEqual(
    STREAMS.map((stream) => `${stream} succeeded`),
  );
  const due = { after: null, limit: 10, failedBefore: null };
  const scope = mirror.scopes[0] ?? { region: '', workspaceId: '' };
  expect(await mirror.store.runsDueForNodes(scope, due)).toEqual([]);
  expect(await mirror.store.runsDueForDetails(scope, due)).toEqual([]);
  expect(await differences(world, mirror.pool)).toEqual([]);
});
