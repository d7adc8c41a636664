/**
 * The life of a small workspace that the recordings show: a first load, changes, a run that is deleted and comes back,
 * one that cannot be read. The same again whenever it is played: the mirror of a recording is the mirror of this world.
 */
import { SimulatedClock } from '../../src/emulator/clock.js';
import type { Emulator, EmulatorOptions } from '../../src/emulator/server.js';
import type { World } from '../../src/emulator/world/world.js';

const MINUTE = 60_000;
/** So many new runs on a page that they are copied, and not merged. */
const RUNS = 52;
/** All others have short documents and no tree of nodes: what is said of each run is said often enough, and a recording is to be small. */
const WHOLE_RUNS = 12;

export interface RecordedWorld {
  readonly options: EmulatorOptions;
  /** In order; after each of them the mirror makes a round. */
  readonly steps: readonly ((emulator: Emulator) => void)[];
}

/** One world is for one emulator: its clock goes on with the steps. */
export function recordedWorld(): RecordedWorld {
  const clock = new SimulatedClock({ startAt: Date.parse('2025-01-15T08:00:00Z'), speed: 0 });
  let deleted = '';
  const pass = (emulator: Emulator, minutes: number): void => {
    clock.advance(minutes * MINUTE);
    emulator.world.tick();
  };
  return {
    options: {
      seed: 6,
      workspaces: 1,
      pipelines: 3,
      history: RUNS,
      historyDays: 3,
      active: 3,
      experimentRuns: 4,
      nodesPerRun: [2, 3],
      arrivalsPerMinute: 0.1,
      clock,
    },
    steps: [
      (emulator) => {
        const short = { json: '{"short":true}', raw: null };
        for (const { pipelineRunId } of idsOf(emulator).slice(WHOLE_RUNS)) {
          emulator.mutate.setDetails(pipelineRunId, { manifest: short, arguments: short, options: short } as never);
          emulator.mutate.updatePipelineRun(pipelineRunId, { nodeId: '' });
        }
      },
      (emulator) => pass(emulator, 7),
      (emulator) => {
        const [, , gone, unreadable] = idsOf(emulator).map(({ pipelineRunId }) => pipelineRunId) as string[];
        deleted = gone as string;
        emulator.mutate.deletePipelineRun(deleted);
        emulator.mutate.updatePipelineRun(unreadable as string, { message: 'odd \\ message\twith\nwhite space' });
        const body = JSON.stringify({ PipelineRunId: unreadable, Status: 7, StartedAt: 'yesterday' });
        emulator.faults.add({ operation: 'GetPipelineRun', kind: 'replace', body, times: 1 });
        const runId = emulator.world.experimentRuns()[0]?.runId as string;
        const point = { key: 'loss', step: '7', timestamp: '2025-01-15T08:05:00.000000Z', value: '0.25' };
        emulator.mutate.logMetric(runId, point as never);
        pass(emulator, 5);
      },
      (emulator) => {
        emulator.mutate.restorePipelineRun(deleted);
        pass(emulator, 45);
      },
    ],
  };
}

const idsOf = (emulator: Emulator): { readonly pipelineRunId: string }[] => [...emulator.world.pipelineRuns()];

/** The world as far as a mirror can see it: outputs are asked for by node, and so not those of runs without a tree. */
export function visiblePart(world: World): World {
  const rootless = new Set(
    [...world.pipelineRuns()].filter(({ nodeId }) => nodeId === '').map((run) => run.pipelineRunId),
  );
  const outputsOf: World['outputsOf'] = (id) => (rootless.has(id) ? [] : world.outputsOf(id));
  return Object.assign(Object.create(world) as World, { outputsOf });
}
