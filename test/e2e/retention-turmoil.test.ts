/** Retention beside passes, over a source that changes all the time. */
import { expect, it } from 'vitest';
import { isTerminal } from '../../src/domain/status.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { Random } from '../../src/emulator/random.js';
import { differences } from '../support/compare.js';
import { rowVersions, startMirror } from '../support/mirror.js';
import { prune, retentionOf } from '../support/retention.js';
import { Turmoil } from '../support/turmoil.js';

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000_000);
const WORLDS = Number(process.env.TEST_WORLDS ?? 1);
const ROUNDS = 3;
const CHANGES = 25;

it.each(Array.from({ length: WORLDS }, (_, world) => SEED + world))(
  'invariants 1 and 3: what is neither pruned nor changed since equals the source, and quiet rounds write nothing (TEST_SEED=%i)',
  async (seed) => {
    const random = new Random(seed);
    const clock = new SimulatedClock({ speed: 0 });
    const world = {
      workspaces: 2,
      history: 60,
      historyDays: 90,
      active: 4,
      arrivalsPerMinute: 0,
      experimentRuns: 15,
      clock,
      seed,
    };
    const mirror = await startMirror({ emulator: world, settings: { pageSize: 20 } });
    const turmoil = new Turmoil(mirror.emulator, clock, random);
    const rules = retentionOf('*/Skipped=keep, */*=2d', { experiments: '*=20d' });
    await mirror.sync();
    for (let round = 0; round < ROUNDS; round += 1) {
      const syncing = mirror.sync();
      const pruning = prune(mirror.databaseUrl, rules, { runsAtOnce: 5, lockTimeoutMs: 5000 });
      for (let change = 0; change < CHANGES; change += 1) {
        turmoil.change();
        await new Promise((resolve) => setTimeout(resolve, random.between(0, 15)));
      }
      await pruning;
      await syncing;
    }
    for (let quiet = 0; quiet < 3; quiet += 1) await mirror.sync();
    const before = await rowVersions(mirror.pool);
    await mirror.sync();
    expect(await rowVersions(mirror.pool)).toEqual(before);

    const { rows: pruned } = await mirror.pool.query<{ entity: string; id: string; modified: string }>(
      `select entity, entity_id as id, to_char(gmt_modified_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as modified from pai.pruned_runs`,
    );
    expect(pruned.length).toBeGreaterThan(10);
    const { rows: restored } = await mirror.pool.query(`select from pai.change_events where kind = 'restored'`);
    expect(restored.length, 'some came back').toBeGreaterThan(0);
    const { mutate, world: source } = mirror.emulator;
    // Those that it still lists.
    const experiments = new Map(source.experimentRuns().map((run) => [run.runId, run]));
    const runs = new Map(source.pipelineRuns().map((run) => [run.pipelineRunId, run]));
    for (const { entity, id, modified } of pruned) {
      const run = entity === 'run' ? experiments.get(id) : runs.get(id);
      if (!run) continue;
      expect((run.gmtModifiedTime ?? '') <= modified, `${id} was modified after it was pruned`).toBe(true);
      if ('status' in run) expect(isTerminal(run.status), `${id} is under way`).toBe(true);
      // What is left of the world has to be what is left in the mirror.
      if (entity === 'run') mutate.deleteExperimentRun(id);
      else mutate.deletePipelineRun(id);
    }
    expect(await differences(source, mirror.pool)).toEqual([]);
    const { rows: orphans } = await mirror.pool.query(
      `select n.pipeline_run_id from pai.pipeline_run_nodes n where not exists (select from pai.pipeline_runs r where r.pipeline_run_id = n.pipeline_run_id)
       union all select d.pipeline_run_id from pai.pipeline_run_details d where not exists (select from pai.pipeline_runs r where r.pipeline_run_id = d.pipeline_run_id)
       union all select o.pipeline_run_id from pai.node_outputs o where not exists (select from pai.pipeline_runs r where r.pipeline_run_id = o.pipeline_run_id)
       union all select m.run_id from pai.run_metrics m where not exists (select from pai.runs r where r.run_id = m.run_id)`,
    );
    expect(orphans).toEqual([]);
  },
);
