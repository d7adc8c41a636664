import { describe, expect, it } from 'vitest';
import type { StatusAnswer } from '../../src/domain/answers.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import type { Source } from '../../src/sync/ports.js';
import { runPass } from '../../src/sync/run-pass.js';
import { differences } from '../support/compare.js';
import { rowVersions, startMirror, type TestMirror } from '../support/mirror.js';

async function frozen(options: { history?: number; experimentRuns?: number } = {}) {
  const clock = new SimulatedClock({ speed: 0 });
  const { history = 8, experimentRuns = 0 } = options;
  const emulator = { workspaces: 1, history, active: 0, arrivalsPerMinute: 0, experimentRuns, clock, seed: 17 };
  return { clock, mirror: await startMirror({ emulator }) };
}

const kinds = async (mirror: TestMirror, id: string, entity = 'pipeline_run'): Promise<string[]> =>
  (
    await mirror.pool.query<{ kind: string }>(
      'select kind from pai.change_events where entity = $1 and entity_id = $2 order by event_id',
      [entity, id],
    )
  ).rows.map(({ kind }) => kind);

const goneRuns = async (mirror: TestMirror) =>
  (
    await mirror.pool.query(
      'select pipeline_run_id as id from pai.pipeline_runs where deleted_at is not null or missing_since is not null',
    )
  ).rows.map(({ id }) => id);

describe('complaint 9: deletes are neither lost nor applied too eagerly', () => {
  it('a deleted run gets its tombstone from the next poll, comes back with all that changed meanwhile, and no row is ever removed', async () => {
    const { clock, mirror } = await frozen();
    const { mutate, world } = mirror.emulator;
    const { pipelineRunId: id } = mutate.addPipelineRun({ pipelineRunId: 'flow-lazarus', status: 'Running' });
    await mirror.sync();
    clock.advance(3_600_000);
    mutate.deletePipelineRun(id, { touch: false });
    mirror.emulator.stats.reset();
    await mirror.sync(['status']);
    expect(mirror.emulator.stats.calls('GetPipelineRun'), 'IsDeleted needs no second opinion').toBe(0);
    expect(await goneRuns(mirror)).toEqual([id]);
    const { rows } = await mirror.pool.query(
      `select kind, request_id ~ '^[0-9A-F-]{36}$' as proven from pai.change_events where entity_id = $1 and kind = 'deleted'`,
      [id],
    );
    expect(rows).toEqual([{ kind: 'deleted', proven: true }]);

    const before = await rowVersions(mirror.pool);
    await mirror.sync();
    expect(await rowVersions(mirror.pool), 'a tombstone is written once').toEqual(before);

    clock.advance(3_600_000);
    mutate.restorePipelineRun(id);
    mutate.addNode(id, { nodeId: 'node-new' });
    mutate.updatePipelineRun(id, { status: 'Succeeded' });
    mirror.emulator.stats.reset();
    await mirror.sync(['pipeline-runs', 'status', 'nodes', 'details']);
    expect((await kinds(mirror, id)).filter((kind) => kind !== 'changed')).toEqual([
      'discovered',
      'deleted',
      'restored',
    ]);
    expect(mirror.emulator.stats.calls('GetPipelineRun')).toBeGreaterThan(0);
    expect(await differences(world, mirror.pool)).toEqual([]);
    expect(await goneRuns(mirror)).toEqual([]);
  });

  it('a run that status answers leave out and that GetPipelineRun does not know is deleted within one pass of status', async () => {
    const { mirror } = await frozen();
    const { pipelineRunId: id } = mirror.emulator.mutate.addPipelineRun({
      pipelineRunId: 'flow-out',
      status: 'Running',
    });
    await mirror.sync();
    mirror.emulator.mutate.deletePipelineRun(id);
    mirror.emulator.faults.add({ operation: 'ListPipelineRunsStatus', kind: 'replace', body: '{"PipelineRuns": []}' });
    await mirror.sync(['status']);
    expect(await kinds(mirror, id)).toEqual(['discovered', 'missing', 'deleted']);
    mirror.emulator.faults.clear();
    await mirror.sync();
    expect(await differences(mirror.emulator.world, mirror.pool)).toEqual([]);
  });

  it('an experiment run that no walk shows any more is missing, by its events too, and keeps its params and metrics', async () => {
    const { mirror } = await frozen({ history: 0, experimentRuns: 12 });
    await mirror.sync();
    const [run] = mirror.emulator.world.experimentRuns();
    const id = run?.runId ?? '';
    const rowsOf = async () =>
      (
        await mirror.pool.query(
          `select (select count(*) from pai.run_params where run_id = $1 and deleted_at is null)::int as params,
             (select count(*) from pai.run_metrics where run_id = $1)::int as metrics`,
          [id],
        )
      ).rows[0];
    const held = await rowsOf();
    mirror.emulator.mutate.deleteExperimentRun(id);
    await mirror.sync();
    expect(await kinds(mirror, id, 'run')).toEqual(['discovered', 'missing']);
    expect(await rowsOf()).toEqual(held);
    const before = await rowVersions(mirror.pool);
    await mirror.sync();
    expect(await rowVersions(mirror.pool)).toEqual(before);
  });

  it('nodes that vanish from a whole tree are missing, and restored when a tree names them again', async () => {
    const { clock, mirror } = await frozen({ history: 0 });
    const { mutate } = mirror.emulator;
    const { pipelineRunId: id } = mutate.addPipelineRun({ pipelineRunId: 'flow-nodes', status: 'Running' });
    mutate.addNode(id, { nodeId: 'node-odd' });
    await mirror.sync();
    clock.advance(60_000);
    mutate.deleteNode(id, 'node-odd');
    await mirror.sync();
    clock.advance(60_000);
    mutate.addNode(id, { nodeId: 'node-odd' });
    await mirror.sync();
    const { rows } = await mirror.pool.query(
      `select kind from pai.change_events where entity = 'node' and entity_id = $1 and node_id = 'node-odd' order by event_id`,
      [id],
    );
    expect(rows.map(({ kind }) => kind)).toEqual(['discovered', 'missing', 'restored']);
    const node = await mirror.pool.query(`select missing_since from pai.pipeline_run_nodes where node_id = 'node-odd'`);
    expect(node.rows).toEqual([{ missing_since: null }]);
  });
});

describe('invariant 4: two observations that change places on their way', () => {
  /** Runs a status pass whose (real) answer is on its way until `meanwhile` is over. */
  async function lateStatus(mirror: TestMirror, meanwhile: () => Promise<unknown>): Promise<void> {
    const scope = mirror.scopes[0];
    if (scope === undefined) throw new Error('no scope, expected one');
    const listPipelineRunsStatus: Source['listPipelineRunsStatus'] = async (...asked): Promise<StatusAnswer> => {
      const answer = await mirror.deps.source.listPipelineRunsStatus(...asked);
      await meanwhile();
      return answer;
    };
    const source = new Proxy(mirror.deps.source, {
      get: (object, name) => {
        if (name === 'listPipelineRunsStatus') return listPipelineRunsStatus;
        const member = Reflect.get(object, name);
        return typeof member === 'function' ? member.bind(object) : member;
      },
    });
    const options = { signal: new AbortController().signal, ignoreBackoff: true, heartbeatMs: 5000 };
    const report = await runPass({ ...mirror.deps, source }, scope, 'status', options);
    expect(report).toMatchObject({ outcome: 'succeeded' });
  }

  it.each([
    ['with a new version', true],
    ['in silence', false],
  ])(
    'a status that is late does not overwrite what a list has brought meanwhile, when the run moved %s',
    async (_how, touch) => {
      const { clock, mirror } = await frozen({ history: 3 });
      const { mutate, world } = mirror.emulator;
      const { pipelineRunId: id } = mutate.addPipelineRun({ pipelineRunId: 'flow-swap', status: 'Running' });
      await mirror.sync();
      clock.advance(1000);
      await lateStatus(mirror, async () => {
        mutate.updatePipelineRun(id, { status: 'Succeeded' }, { touch });
        await mirror.sync(['pipeline-runs']);
      });
      expect(
        (await mirror.pool.query('select status from pai.pipeline_runs where pipeline_run_id = $1', [id])).rows,
      ).toEqual([{ status: 'Succeeded' }]);
      await mirror.sync();
      expect(await differences(world, mirror.pool)).toEqual([]);
    },
  );

  it('a tombstone that is late does not bury a run that a list has shown unchanged meanwhile', async () => {
    const { mirror } = await frozen({ history: 3 });
    const { mutate } = mirror.emulator;
    const { pipelineRunId: id } = mutate.addPipelineRun({ pipelineRunId: 'flow-undead', status: 'Running' });
    await mirror.sync();
    const before = await rowVersions(mirror.pool);
    mutate.deletePipelineRun(id, { touch: false });
    await lateStatus(mirror, async () => {
      mutate.restorePipelineRun(id, { touch: false });
      await mirror.sync(['reconcile']);
    });
    expect(await goneRuns(mirror)).toEqual([]);
    const { change_events, pipeline_runs } = await rowVersions(mirror.pool);
    expect({ change_events, pipeline_runs }).toEqual({
      change_events: before.change_events,
      pipeline_runs: before.pipeline_runs,
    });
  });
});

it('complaint 10: rounds over an unchanged source let no table of data grow, and the history lies in its month', async () => {
  const { mirror } = await frozen({ history: 60, experimentRuns: 10 });
  await mirror.sync();
  const sizes = async () =>
    (
      await mirror.pool.query(
        `select relname, pg_relation_size(oid)::int as bytes from pg_class where relnamespace = 'pai'::regnamespace
         and relkind in ('r', 'i') and relname !~ '^(sync_|call_budgets)' and relname <> 'schema_migrations' order by 1`,
      )
    ).rows;
  const before = await sizes();
  for (let round = 0; round < 5; round += 1) await mirror.sync();
  expect(await sizes()).toEqual(before);
  const { rows } = await mirror.pool.query('select distinct tableoid::regclass::text as name from pai.change_events');
  expect(rows.map(({ name }) => name)).not.toContain('pai.change_events_default');
});
