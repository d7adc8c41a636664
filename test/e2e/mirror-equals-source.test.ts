import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import type { PassReport } from '../../src/sync/run-pass.js';
import { differences } from '../support/compare.js';
import { rowVersions, startMirror } from '../support/mirror.js';

const MINUTE = 60_000;

const failures = (reports: readonly PassReport[]): string[] =>
  reports.filter(({ outcome }) => outcome !== 'succeeded').map(({ stream, error }) => `${stream}: ${error}`);

describe('invariant 1: after a quiet round the mirror equals the source, field by field', () => {
  it.each([
    [60, 'none'],
    [260, 'all'],
  ] as const)('for 2 workspaces, %i ended runs and 20 active ones, with quirks: %s', async (history, quirks) => {
    const clock = new SimulatedClock({ speed: 0 });
    const mirror = await startMirror({
      emulator: { workspaces: 2, history, active: 20, quirks, clock, seed: 11 },
    });
    expect(failures(await mirror.sync())).toEqual([]);
    expect(mirror.emulator.world.pipelineRuns().length).toBeGreaterThanOrEqual(history);
    expect(await differences(mirror.emulator.world, mirror.pool)).toEqual([]);

    // Invariant 3: what did not change is not written.
    const before = await rowVersions(mirror.pool);
    expect(failures(await mirror.sync())).toEqual([]);
    expect(await rowVersions(mirror.pool)).toEqual(before);
  });

  it('over days in which runs start, progress, fail, are rerun and deleted', async () => {
    const clock = new SimulatedClock({ speed: 0 });
    const mirror = await startMirror({
      emulator: { workspaces: 2, history: 30, active: 12, arrivalsPerMinute: 0.1, quirks: 'all', clock, seed: 5 },
    });
    for (const minutes of [0, 1, 7, 45, 240, 1440]) {
      clock.advance(minutes * MINUTE);
      mirror.emulator.world.tick();
      expect(failures(await mirror.sync())).toEqual([]);
      expect(await differences(mirror.emulator.world, mirror.pool), `after ${minutes} minutes`).toEqual([]);
    }
    const { rows } = await mirror.pool.query<{ kept: number; gone: number }>(
      `select count(*) filter (where deleted_at is not null)::int as kept,
         count(*) filter (where missing_since is not null and deleted_at is null)::int as gone from pai.pipeline_runs`,
    );
    expect(rows[0]?.kept, 'what the source dropped is kept').toBeGreaterThan(0);
    expect(rows[0]?.gone).toBe(0);
  });
});
