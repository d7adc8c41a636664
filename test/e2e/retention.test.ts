/** Pruned runs stay away, whatever the source goes on telling of them; what happened to them is in the history. */
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { differences } from '../support/compare.js';
import { rowVersions, startMirror, type TestMirror } from '../support/mirror.js';
import { prune as pruneIn, type RuleTexts, retentionOf } from '../support/retention.js';

async function frozen(options: { history?: number; experimentRuns?: number; historyDays?: number } = {}) {
  const clock = new SimulatedClock({ speed: 0 });
  const { history = 30, experimentRuns = 10, historyDays = 60 } = options;
  const world = {
    workspaces: 2,
    history,
    historyDays,
    active: 3,
    arrivalsPerMinute: 0,
    experimentRuns,
    clock,
    seed: 23,
  };
  const mirror = await startMirror({ emulator: world });
  await mirror.sync();
  return { clock, mirror };
}

const prune = (mirror: TestMirror, rules: string, texts: RuleTexts = {}) =>
  pruneIn(mirror.databaseUrl, retentionOf(rules, texts));

const ids = async (mirror: TestMirror, table = 'pipeline_runs', key = 'pipeline_run_id'): Promise<string[]> =>
  (await mirror.pool.query<{ id: string }>(`select ${key} as id from pai.${table} order by 1`)).rows.map(
    ({ id }) => id,
  );

const eventsOf = async (mirror: TestMirror, id: string, entity = 'pipeline_run') =>
  (
    await mirror.pool.query(
      `select kind, from_status as "from", to_status as "to", changes, request_id as "requestId" from pai.change_events
       where entity = $1 and entity_id = $2 order by event_id`,
      [entity, id],
    )
  ).rows;

/** Without what is pruned, and without the empty rows of the other tables: everything else must be in the mirror. */
const unexpected = async (mirror: TestMirror, pruned: readonly string[]): Promise<string[]> =>
  (await differences(mirror.emulator.world, mirror.pool)).filter(
    (text) => !pruned.some((id) => text.includes(id)) && !/differences in all$/.test(text),
  );

describe('pruned runs', () => {
  it('invariant 3: do not come back by any stream, write nothing in further rounds, and cost no call more', async () => {
    const { mirror } = await frozen();
    mirror.emulator.stats.reset();
    await mirror.sync();
    const callsBefore = mirror.emulator.stats.calls();
    const before = await ids(mirror);
    const { runs } = await prune(mirror, '*/*=15d', { experiments: '*=10d' });
    const gone = runs.filter(({ entity }) => entity === 'pipeline_run').map(({ id }) => id);
    const goneExperiments = runs.filter(({ entity }) => entity === 'run').map(({ id }) => id);
    expect(gone.length).toBeGreaterThan(5);
    expect(goneExperiments.length).toBeGreaterThan(2);
    expect(await ids(mirror)).toEqual(before.filter((id) => !gone.includes(id)));

    const versions = await rowVersions(mirror.pool);
    mirror.emulator.stats.reset();
    const reports = await mirror.sync();
    expect(reports.map(({ outcome }) => outcome)).toEqual(reports.map(() => 'succeeded'));
    expect(mirror.emulator.stats.calls(), 'not one call more').toBe(callsBefore);
    await mirror.sync(['reconcile']);
    await mirror.sync();
    expect(await rowVersions(mirror.pool)).toEqual(versions);
    expect(mirror.logger.messages('warn').filter((text) => /drift|counts more/.test(text))).toEqual([]);
    expect(await unexpected(mirror, [...gone, ...goneExperiments])).toEqual([]);
    expect(await mirror.store.countUnknown(gone)).toBe(0);
  });

  it('stay away also when every cursor is lost and the scope is loaded anew', async () => {
    const { mirror } = await frozen();
    const { runs } = await prune(mirror, '*/*=15d', { experiments: '*=10d' });
    await mirror.pool.query('delete from pai.sync_cursors');
    const kept = await ids(mirror);
    await mirror.sync();
    expect(await ids(mirror)).toEqual(kept);
    expect(await ids(mirror, 'pruned_runs', 'entity_id')).toEqual(runs.map(({ id }) => id).sort());
    const versions = await rowVersions(mirror.pool);
    await mirror.sync();
    expect(await rowVersions(mirror.pool)).toEqual(versions);
  });

  it('leave their whole last row in the history, with nodes, arguments, options, params, labels and metrics', async () => {
    const { mirror } = await frozen();
    const { pool } = mirror;
    const last = (
      await pool.query(
        `select to_jsonb(r) as run, (select jsonb_agg(n.node_id order by n.node_id) from pai.pipeline_run_nodes n where n.pipeline_run_id = r.pipeline_run_id) as nodes,
           d.options, d.arguments from pai.pipeline_runs r join pai.pipeline_run_details d using (pipeline_run_id)
         where r.status = 'Failed' order by r.finished_at limit 1`,
      )
    ).rows[0];
    const lastExperiment = (
      await pool.query(
        `select to_jsonb(r) as run, (select jsonb_object_agg(p.key, p.value) from pai.run_params p where p.run_id = r.run_id) as params,
           (select jsonb_object_agg(m.key, m.points) from (select key, count(*) as points from pai.run_metrics m where m.run_id = r.run_id group by key) m) as metrics
         from pai.runs r where exists (select from pai.run_metrics m where m.run_id = r.run_id) order by r.gmt_modified_time limit 1`,
      )
    ).rows[0];
    const { rows: clock } = await pool.query('select clock_timestamp()::text as before');
    await prune(mirror, '*/Failed=1d', { experiments: '*=1d' });

    const events = await eventsOf(mirror, last.run.pipeline_run_id);
    const pruned = events.at(-1);
    expect(pruned).toMatchObject({ kind: 'pruned', from: 'Failed', to: 'Failed', requestId: null });
    const { nodes, 'details.options': options, 'details.arguments': args, ...columns } = pruned.changes;
    expect(columns).toEqual(
      Object.fromEntries(
        Object.entries(last.run)
          .filter(([, value]) => value !== null)
          .map(([name, value]) => [name, [value, null]]),
      ),
    );
    expect(options?.[0] ?? null).toEqual(last.options);
    expect(args?.[0] ?? null).toEqual(last.arguments);
    expect(nodes[0].map((node: { node_id: string }) => node.node_id).sort()).toEqual([...last.nodes].sort());
    expect(nodes[0][0]).toMatchObject({ node_name: expect.any(String), status: expect.any(String) });

    const experiment = (await eventsOf(mirror, lastExperiment.run.run_id, 'run')).at(-1);
    expect(experiment.kind).toBe('pruned');
    expect(experiment.changes).toMatchObject({ name: [lastExperiment.run.name, null] });
    for (const [key, value] of Object.entries(lastExperiment.params ?? {}))
      expect(experiment.changes[`params.${key}`]).toEqual([value, null]);
    for (const [key, points] of Object.entries(lastExperiment.metrics))
      expect(experiment.changes[`metrics.${key}`][0]).toMatchObject({ points, value: expect.anything() });
    const { rows: views } = await pool.query(
      `select analytics.run_as_of($1, $2) as before, analytics.run_as_of($1, now()) as after,
         (select array_agg(h.status || ' ' || h.is_current order by h.from_time) from analytics.status_history h where h.pipeline_run_id = $1) as statuses`,
      [last.run.pipeline_run_id, clock[0].before],
    );
    const { name, status, finished_at, message } = last.run;
    expect(views[0].before).toMatchObject({ name, status, finished_at, message, nodes: nodes[0] });
    expect(views[0].before).not.toHaveProperty('nodes_revision');
    expect(views[0].after).toEqual({ pruned_at: expect.any(String) });
    expect(views[0].statuses).toEqual(['Failed false']);
    for (const table of ['pipeline_run_details', 'pipeline_run_nodes', 'node_outputs']) {
      const { rows } = await pool.query(`select from pai.${table} where pipeline_run_id = $1`, [
        last.run.pipeline_run_id,
      ]);
      expect(rows, table).toEqual([]);
    }
  });

  it('come back when PAI has modified them since, with everything below them, and are restored in the history', async () => {
    const { clock, mirror } = await frozen();
    const { mutate, world } = mirror.emulator;
    const { runs } = await prune(mirror, '*/Succeeded=15d', { experiments: '*=10d' });
    const [first, second, ...others] = runs.filter(({ entity }) => entity === 'pipeline_run').map(({ id }) => id);
    const experiment = runs.find(({ entity }) => entity === 'run')?.id as string;
    clock.advance(60_000);
    mutate.updatePipelineRun(first as string, { name: 'renamed' });
    mutate.updatePipelineRun(second as string, { status: 'Running', finishedAt: null });
    mutate.updateExperimentRun(experiment, { name: 'renamed' });
    await mirror.sync();
    const kinds = (await eventsOf(mirror, first as string)).map(({ kind }) => kind);
    expect(kinds.slice(-2)).toEqual(['pruned', 'restored']);
    expect((await eventsOf(mirror, second as string)).filter(({ kind }) => kind === 'restored')).toMatchObject([
      { from: 'Succeeded', to: 'Running', changes: null },
    ]);
    expect((await eventsOf(mirror, experiment, 'run')).map(({ kind }) => kind)).toContain('restored');
    expect(await ids(mirror, 'pruned_runs', 'entity_id')).not.toContain(first);
    const away = [
      ...others,
      ...runs.filter(({ entity, id }) => entity === 'run' && id !== experiment).map(({ id }) => id),
    ];
    expect(await unexpected(mirror, away)).toEqual([]);
    const nodes = await mirror.pool.query('select from pai.pipeline_run_nodes where pipeline_run_id = $1', [first]);
    expect(nodes.rowCount).toBe(world.nodesOf(first as string).length);
    const versions = await rowVersions(mirror.pool);
    await mirror.sync();
    expect(await rowVersions(mirror.pool)).toEqual(versions);

    const again = await prune(mirror, '*/Succeeded=15d', { experiments: '*=10d' });
    expect(
      again.runs.map(({ id }) => id),
      'judged again by its end, and the one under way is not',
    ).toEqual([first]);
  });

  it('that run again come back though GmtModifiedTime did not move', async () => {
    const { mirror } = await frozen();
    const { runs } = await prune(mirror, '*/Succeeded=15d');
    const id = runs[0]?.id as string;
    mirror.emulator.mutate.updatePipelineRun(id, { status: 'Running', finishedAt: null }, { touch: false });
    await mirror.sync();
    expect((await eventsOf(mirror, id)).map(({ kind }) => kind)).toContain('restored');
  });

  it('whose item the source spoils later wait in quarantine, and the next good answer settles that', async () => {
    const { mirror } = await frozen({ history: 6 });
    const { runs } = await prune(mirror, '*/*=1d');
    const id = runs[0]?.id as string;
    const spoilt = { PipelineRunId: id, Name: {}, Status: 'Succeeded' };
    const body = JSON.stringify({ RequestId: 'R', TotalCount: 1, PipelineRuns: [spoilt] });
    mirror.emulator.faults.add({ operation: 'ListPipelineRuns', kind: 'replace', body });
    await mirror.sync(['pipeline-runs']);
    mirror.emulator.faults.clear();
    await mirror.sync(['reconcile']);
    const { rows } = await mirror.pool.query('select entity_id, resolution from pai.quarantine');
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map((row) => `${row.entity_id} ${row.resolution}`))).toContain(`${id} superseded`);
    expect(await ids(mirror)).not.toContain(id);
  });
});

describe('what stays', () => {
  it('every run that is active, missing and active, awaited, or has an item in quarantine, however old it is', async () => {
    const { mirror } = await frozen();
    const { pool } = mirror;
    await pool.query(`update pai.pipeline_runs set gmt_create_time = '2001-01-01', gmt_modified_time = '2001-01-01'`);
    const { rows: active } = await pool.query(
      `select pipeline_run_id as id from pai.pipeline_runs where status not in ('Succeeded', 'Failed', 'Terminated', 'Skipped')`,
    );
    const { rows: ended } = await pool.query<{ id: string; scope: string }>(
      `select pipeline_run_id as id, scope from pai.pipeline_runs where status in ('Succeeded', 'Failed', 'Terminated', 'Skipped') and coalesce(finished_at, gmt_modified_time) < now() - interval '1 day' order by 1`,
    );
    expect(active.length).toBeGreaterThan(0);
    const [nodesDue, detailsDue, bad, nodeBad, outputsDue, missing] = ended as [
      never,
      never,
      never,
      never,
      never,
      never,
    ] &
      { id: string; scope: string }[];
    const one = (run: unknown) => run as { id: string; scope: string };
    await pool.query('update pai.pipeline_runs set nodes_revision = -1 where pipeline_run_id = $1', [one(nodesDue).id]);
    await pool.query('update pai.pipeline_runs set details_revision = 0 where pipeline_run_id = $1', [
      one(detailsDue).id,
    ]);
    await pool.query('update pai.pipeline_run_nodes set outputs_revision = -1 where pipeline_run_id = $1', [
      one(outputsDue).id,
    ]);
    await pool.query(
      'update pai.pipeline_runs set missing_since = now() where pipeline_run_id = $1 or pipeline_run_id = $2',
      [one(missing).id, active[0].id],
    );
    await pool.query(
      `insert into pai.quarantine (scope, region, stream, operation, entity, entity_id, parent_id, raw, fingerprint, error, observed_at, first_seen_at)
       values ($1, 'cn-test', 'pipeline-runs', 'ListPipelineRuns', 'pipeline_run', $2, null, '{}', 'a', 'odd', now(), now()),
              ($3, 'cn-test', 'nodes', 'ListPipelineRunNodeStatus', 'node', $4 || '/node', $4, '{}', 'b', 'odd', now(), now())`,
      [one(bad).scope, one(bad).id, one(nodeBad).scope, one(nodeBad).id],
    );
    const { runs, report } = await prune(mirror, '*/*=1d');
    const stays = [nodesDue, detailsDue, bad, nodeBad, outputsDue].map((run) => one(run).id);
    const gone = runs.map(({ id }) => id);
    expect(gone).toEqual(ended.map(({ id }) => id).filter((id) => !stays.includes(id)));
    expect(gone).toContain(one(missing).id);
    expect(report.rules.map(({ waiting }) => waiting)).toEqual([stays.length]);
    for (const { id } of active) expect(await ids(mirror)).toContain(id);
  });

  it('an active run that the source deleted goes by rules for any outcome, its age counted from the tombstone', async () => {
    const { mirror } = await frozen({ history: 0, experimentRuns: 0 });
    const { pool } = mirror;
    const [old, young] = await ids(mirror);
    await pool.query(
      `update pai.pipeline_runs set deleted_at = now() - interval '40 days' where pipeline_run_id = $1`,
      [old],
    );
    await pool.query(
      `update pai.pipeline_runs set deleted_at = now() - interval '20 days', gmt_modified_time = '2001-01-01' where pipeline_run_id = $1`,
      [young],
    );
    expect((await prune(mirror, '*/Failed=1d, */Succeeded=1d')).runs).toEqual([]);
    expect((await prune(mirror, '*/Failed=1d, */*=30d')).runs.map(({ id }) => id)).toEqual([old]);
  });
});
