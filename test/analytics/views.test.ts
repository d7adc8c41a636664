/** Every view on runs, nodes and failures says what the emulator's world says. */
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { refreshRollups } from '../../src/store/rollups.js';
import { createDatabase } from '../support/database.js';
import { type MirroredWorld, mirrorWorld, rowsOf } from './mirrored-world.js';
import {
  comparable,
  groupBy,
  hourStart,
  known,
  localTime,
  type ModelRun,
  mean,
  modelNodes,
  percentile,
  type Row,
  statistics,
} from './model.js';
import { patternOf } from './patterns.js';

const ZONES = ['UTC', 'Asia/Shanghai', 'Asia/Kolkata', 'Asia/Kathmandu', 'America/New_York'];
const DIMENSIONS: Readonly<Record<string, (model: ModelRun) => Row>> = {
  pipeline: ({ run }) => ({ pipeline_id: run.pipelineId }),
  user: ({ run }) => ({ user_id: run.userId }),
  source_type: ({ run }) => ({ source_type: run.sourceType }),
  workspace: () => ({}),
};

let world: MirroredWorld;
let close: () => Promise<void> = async () => {};
beforeAll(async () => {
  world = await mirrorWorld(
    (how) => {
      close = how;
    },
    { history: 160 },
  );
});
afterAll(() => close());

const groups = (key: (model: ModelRun) => Row): { head: Row; runs: ModelRun[] }[] =>
  [...groupBy(world.runs, (model) => JSON.stringify({ scope: model.scope, ...key(model) }))].map(([head, runs]) => ({
    head: JSON.parse(head) as Row,
    runs,
  }));

async function expectRows(view: string, expected: readonly Row[], timeZone?: string): Promise<void> {
  const columns = Object.keys(expected[0] ?? {});
  const { rows } = await rowsOf(world.mirror, view, timeZone);
  expect(comparable(rows, columns), `${view} ${timeZone ?? ''}`).toEqual(comparable(expected, columns));
}

test('the world has everything that the views tell apart', () => {
  const outcomes = groupBy(world.runs, ({ outcome }) => outcome);
  expect([...outcomes.keys()].sort()).toEqual(['active', 'deleted', 'failed', 'skipped', 'succeeded', 'terminated']);
  expect(world.deleted).toHaveLength(3);
  expect(world.runs.some(({ outcome, seconds }) => outcome === 'succeeded' && seconds === null)).toBe(true);
  expect(world.runs.some(({ run }) => run.gmtCreateTime === null)).toBe(true);
  const nodes = world.runs.flatMap((model) => model.nodes);
  expect(nodes.some(({ status, startedAt }) => status === 'Succeed' && startedAt === null)).toBe(true);
});

test('pipeline_runs: outcome, seconds in the queue and at work, error, link', async () => {
  const { rows, now } = await rowsOf(world.mirror, 'pipeline_runs');
  const expected = world.runs.map(({ run, ...model }) => ({
    pipeline_run_id: run.pipelineRunId,
    name: run.name,
    scope: model.scope,
    workspace_id: run.workspaceId,
    status: run.status,
    outcome: model.outcome,
    queue_seconds: model.queueSeconds,
    run_seconds:
      model.outcome !== 'active'
        ? model.seconds
        : model.startedAt === null
          ? null
          : Math.floor(Math.max(0, now - model.startedAt) / 1_000),
    error: run.status === 'Failed' ? run.message : null,
    error_pattern: run.status === 'Failed' ? patternOf(run.message) : null,
    url:
      run.pipelineRunUri ||
      `https://pai.console.aliyun.com/?regionId=cn-test&workspaceId=${run.workspaceId}#/studio/task/detail/${run.pipelineRunId}`,
    root_node_id: run.nodeId || null,
  }));
  expect(comparable(rows, Object.keys(expected[0] ?? {}))).toEqual(
    comparable(expected, Object.keys(expected[0] ?? {})),
  );
});

describe.each(['before a refresh', 'after it'])('complaint 12: counts, rates and percentiles %s', (when) => {
  beforeAll(async () => {
    if (when === 'after it') expect(await refreshRollups(world.mirror.pool)).toBeGreaterThan(10);
  });

  test.each(ZONES)('complaint 13: days of %s are those of its walls', async (zone) => {
    const day = (model: ModelRun): string => localTime(model.countedAt, zone).slice(0, 10);
    const keyed = (key: (model: ModelRun) => Row) =>
      groups((model) => ({ day: day(model), ...key(model) })).map(({ head, runs }) => ({
        ...head,
        ...statistics(runs),
      }));
    // The views' day is a time: its date on that wall, at midnight.
    const asked = (view: string): string =>
      `(select v.*, to_char(v.day, 'YYYY-MM-DD') as wall, v.day::time as clock from analytics.${view} v)`;
    const every = keyed(({ run }) => ({
      pipeline_id: run.pipelineId,
      user_id: run.userId,
      source_type: run.sourceType,
    }));
    for (const [view, expected] of [
      ['daily_runs', every],
      ...Object.entries(DIMENSIONS).map(([name, key]) => [`daily_runs_by_${name}`, keyed(key)] as const),
    ] as const) {
      const client = await world.mirror.pool.connect();
      const { rows } = await client
        .query<{ row: Row }>(`set timezone = '${zone}'`)
        .then(() =>
          client.query<{ row: Row }>(
            `select to_jsonb(t) || jsonb_build_object('day', t.wall) as row from ${asked(view)} t`,
          ),
        )
        .finally(() => client.query(`set timezone = 'UTC'`).then(() => client.release()));
      const columns = Object.keys(expected[0] ?? {});
      expect(
        comparable(
          rows.map(({ row }) => row),
          columns,
        ),
        view,
      ).toEqual(comparable(expected, columns));
      expect(new Set(rows.map(({ row }) => row.clock))).toEqual(new Set(['00:00:00']));
    }
  });

  test.each(ZONES)(
    'complaint 13: hours of %s are those of its walls, when its clocks are changed too',
    async (zone) => {
      const hours = groups((model) => ({ hour: hourStart(model.countedAt, zone) }));
      const byWorkspace = hours.map(({ head, runs }) => ({ ...head, ...statistics(runs) }));
      const { rows } = await rowsOf(world.mirror, 'hourly_runs_by_workspace', zone);
      const found = rows.map((row) => ({ ...row, hour: Date.parse(row.hour as string) }));
      const columns = Object.keys(byWorkspace[0] ?? {});
      expect(comparable(found, columns)).toEqual(comparable(byWorkspace, columns));
    },
  );

  test('by hour and pipeline, user or source type', async () => {
    for (const [name, key] of Object.entries(DIMENSIONS)) {
      const expected = groups((model) => ({
        hour: new Date(hourStart(model.countedAt, 'UTC')).toISOString().replace('.000Z', '+00:00'),
        ...key(model),
      }));
      await expectRows(
        `hourly_runs_by_${name}`,
        expected.map(({ head, runs }) => ({ ...head, ...statistics(runs) })),
      );
    }
  });

  test('of pipelines, with their latest run, and their trend', async () => {
    const { rows, now } = await rowsOf(world.mirror, 'pipelines');
    const expected = groups(DIMENSIONS.pipeline as never).map(({ head, runs }) => {
      const latest = [...runs]
        .filter(({ run }) => run.gmtCreateTime !== null)
        .sort((a, b) => b.countedAt - a.countedAt || (a.run.pipelineRunId < b.run.pipelineRunId ? 1 : -1))[0];
      const { succeeded, failed, active, success_rate, mean_seconds } = statistics(runs);
      return {
        ...head,
        ...{ runs: runs.length, succeeded, failed, active, success_rate, mean_seconds },
        latest_pipeline_run_id: latest?.run.pipelineRunId,
        latest_name: latest?.run.name,
        latest_status: latest?.run.status,
      };
    });
    expect(comparable(rows, Object.keys(expected[0] ?? {}))).toEqual(
      comparable(expected, Object.keys(expected[0] ?? {})),
    );
    const trends = groups(DIMENSIONS.pipeline as never).map(({ head, runs }) => {
      const quarter = ({ countedAt }: ModelRun): number => Math.floor(countedAt / 900_000) * 900_000;
      const since = (days: number): number => now - days * 86_400_000;
      const recent = statistics(runs.filter((run) => quarter(run) >= since(7)));
      const before = statistics(runs.filter((run) => quarter(run) < since(7) && quarter(run) >= since(35)));
      return {
        ...head,
        ...{
          recent_runs: recent.runs,
          recent_mean_seconds: recent.mean_seconds,
          recent_success_rate: recent.success_rate,
        },
        ...{
          before_runs: before.runs,
          before_mean_seconds: before.mean_seconds,
          before_success_rate: before.success_rate,
        },
        slowdown: (recent.mean_seconds as number) / (before.mean_seconds as number),
      };
    });
    await expectRows('pipeline_trends', trends);
  });

  test('of failures, grouped by what their messages have in common', async () => {
    const failed = world.runs.filter(({ outcome }) => outcome === 'failed');
    const expected = [
      ...groupBy(failed, (model) => JSON.stringify({ scope: model.scope, pattern: patternOf(model.run.message) })),
    ].map(([head, runs]) => {
      const last = [...runs].sort(
        (a, b) => b.countedAt - a.countedAt || (a.run.pipelineRunId < b.run.pipelineRunId ? 1 : -1),
      )[0];
      return {
        ...(JSON.parse(head) as Row),
        runs: runs.length,
        pipelines: new Set(runs.map(({ run }) => run.pipelineId)).size,
        first_at: new Date(Math.floor(Math.min(...runs.map(({ countedAt }) => countedAt)) / 900_000) * 900_000)
          .toISOString()
          .replace('.000Z', '+00:00'),
        last_pipeline_run_id: last?.run.pipelineRunId,
        last_message: last?.run.message,
      };
    });
    expect(expected.length).toBeGreaterThan(5);
    await expectRows('failures', expected);
  });

  test('of nodes: what each costs its pipeline', async () => {
    const rows = world.runs.flatMap((model) => modelNodes(model, 0)).filter((row) => row.is_root === false);
    const total = groupBy(rows, (row) => JSON.stringify([row.scope, row.pipeline_id]));
    const good = (nodes: readonly Row[]): number[] =>
      known(nodes.filter(({ outcome }) => outcome === 'succeeded').map((row) => row.run_seconds as number | null));
    const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
    const expected = [
      ...groupBy(rows, (row) => JSON.stringify([row.scope, row.pipeline_id, row.node_name, row.node_type])),
    ].map(([key, nodes]) => {
      const [scope, pipeline_id, node_name, node_type] = JSON.parse(key) as string[];
      const seconds = good(nodes);
      return {
        ...{ scope, pipeline_id, node_name, node_type, nodes: nodes.length },
        succeeded: nodes.filter(({ outcome }) => outcome === 'succeeded').length,
        failed: nodes.filter(({ outcome }) => outcome === 'failed').length,
        mean_seconds: mean(seconds),
        p50_seconds: percentile(seconds, 0.5),
        p95_seconds: percentile(seconds, 0.95),
        share: sum(seconds) / sum(good(total.get(JSON.stringify([scope, pipeline_id])) ?? [])),
      };
    });
    expect(expected.length).toBeGreaterThan(5);
    await expectRows('pipeline_nodes', expected);
  });

  test('of runs under way at the end of each quarter hour', async () => {
    const quarter = (at: number): number => Math.floor(at / 900_000) * 900_000;
    const { rows: gone } = await world.mirror.pool.query<{ id: string; at: number }>(
      'select pipeline_run_id as id, (extract(epoch from deleted_at) * 1000)::float8 as at from pai.pipeline_runs where deleted_at is not null',
    );
    const goneAt = new Map(gone.map(({ id, at }) => [id, at]));
    const lives = world.runs.flatMap((model) => {
      if (model.startedAt === null) return [];
      const modified = Date.parse(model.run.gmtModifiedTime ?? '');
      const end =
        model.outcome === 'active'
          ? Infinity
          : model.outcome === 'deleted'
            ? (goneAt.get(model.run.pipelineRunId) as number)
            : (model.finishedAt ?? modified);
      return [{ scope: model.scope, from: quarter(model.startedAt), to: quarter(Math.max(model.startedAt, end)) }];
    });
    const expected = [...groupBy(lives, ({ scope }) => scope)].flatMap(([scope, here]) =>
      [...new Set(here.flatMap(({ from, to }) => [from, to]).filter(Number.isFinite))].map((bucket) => ({
        bucket: new Date(bucket).toISOString().replace('.000Z', '+00:00'),
        scope,
        started: here.filter(({ from }) => from === bucket).length,
        ended: here.filter(({ to }) => to === bucket).length,
        running: here.filter(({ from, to }) => from <= bucket && to > bucket).length,
      })),
    );
    await expectRows('concurrency', expected);
  });
});

test('active_runs: what is usual is computed once for each pipeline, also where PostgreSQL expects a single run', async () => {
  const { url } = await createDatabase();
  const pool = new Pool({ connectionString: url, max: 1 });
  onTestFinished(() => pool.end());
  // Nobody has looked at the table: the planner expects one active run, and would do without a CTE what is done once.
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>('explain select * from analytics.active_runs');
  const plan = rows.map((row) => row['QUERY PLAN']);
  expect(plan.filter((line) => /^\s*CTE usual$/.test(line))).toHaveLength(1);
  expect(plan.filter((line) => line.includes('CTE Scan on usual'))).toHaveLength(1);
});

test('active_runs: beside the last 200 that succeeded of their pipeline; stuck are those beyond 95 % of them', async () => {
  const { rows, now } = await rowsOf(world.mirror, 'active_runs');
  const expected = world.runs
    .filter(({ outcome }) => outcome === 'active')
    .map((model) => {
      const compared = world.runs
        .filter(
          ({ run, outcome }) =>
            run.pipelineId === model.run.pipelineId && outcome === 'succeeded' && run.gmtCreateTime !== null,
        )
        .sort((a, b) => b.countedAt - a.countedAt || (a.run.pipelineRunId < b.run.pipelineRunId ? 1 : -1))
        .slice(0, 200);
      const seconds = known(compared.map((one) => one.seconds));
      const elapsed = model.startedAt === null ? null : Math.floor(Math.max(0, now - model.startedAt) / 1_000);
      const p95 = percentile(seconds, 0.95);
      const running = modelNodes(model, now).filter(
        ({ outcome, is_root, run_seconds }) => outcome === 'active' && is_root === false && run_seconds !== null,
      );
      return {
        pipeline_run_id: model.run.pipelineRunId,
        status: model.run.status,
        elapsed_seconds: elapsed,
        p50_seconds: percentile(seconds, 0.5),
        p95_seconds: p95,
        compared_runs: seconds.length,
        is_stuck: elapsed !== null && p95 !== null && elapsed > p95,
        running_nodes: running.length === 0 ? null : running.length,
      };
    });
  const found = rows.map((row) => ({
    ...row,
    running_nodes: row.running_nodes === null ? null : (row.running_nodes as string).split(', ').length,
  }));
  const columns = Object.keys(expected[0] ?? {});
  expect(comparable(found, columns)).toEqual(comparable(expected, columns));
  expect(expected.filter(({ compared_runs }) => compared_runs > 40).length).toBeGreaterThan(5);
  expect(expected.some(({ is_stuck }) => is_stuck) && expected.some(({ is_stuck }) => !is_stuck)).toBe(true);
  expect(expected.some(({ elapsed_seconds }) => elapsed_seconds === null)).toBe(true);
  const stuck = await rowsOf(world.mirror, 'stuck_runs');
  expect(stuck.rows.map((row) => row.pipeline_run_id).sort()).toEqual(
    expected
      .filter(({ is_stuck }) => is_stuck)
      .map((row) => row.pipeline_run_id)
      .sort(),
  );
});

test('nodes: seconds, share of the run, and the critical one', async () => {
  const { rows, now } = await rowsOf(world.mirror, 'nodes');
  // What the poll last saw of an active run that was then deleted is not known here.
  const isOver = ({ outcome }: ModelRun): boolean => outcome !== 'deleted';
  const expected = world.runs.filter(isOver).flatMap((model) => modelNodes(model, now));
  const ids = new Set(expected.map((row) => row.pipeline_run_id));
  const columns = Object.keys(expected[0] ?? {});
  expect(
    comparable(
      rows.filter((row) => ids.has(row.pipeline_run_id)),
      columns,
    ),
  ).toEqual(comparable(expected, columns));
  expect(expected.filter(({ is_critical }) => is_critical).length).toBeGreaterThan(50);
  expect(expected.some(({ outcome, run_seconds }) => outcome === 'active' && run_seconds === null)).toBe(true);
});

test('no function of the mirror promises to be more constant than what it is made of: those are called row by row', async () => {
  // Such a function is no part of the plan: it stays there by its name, for 30 microseconds a row. Aggregates cannot be.
  const { rows } = await world.mirror.pool.query<{ name: string; call: string; columns: string }>(
    `select p.oid::regprocedure::text as name, n.nspname || '.' || p.proname || '(' ||
       array_to_string(array(select format('x.c%s', i) from generate_series(1, p.pronargs) i), ', ') || ')' as call,
       array_to_string(array(select format('null::%s as c%s', t::regtype, i) from unnest(p.proargtypes) with ordinality as a(t, i)), ', ') as columns
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
     where n.nspname in ('pai', 'analytics') and l.lanname = 'sql' and not p.proretset and p.pronargs > 0
       and p.proname not in ('percentiles', 'node_percentiles')`,
  );
  expect(rows.length).toBeGreaterThan(8);
  for (const { name, call, columns } of rows) {
    const plan = await world.mirror.pool.query<{ 'QUERY PLAN': string }>(
      `explain (verbose, costs off) select ${call} as value from (select ${columns} from generate_series(1, 2) offset 0) x`,
    );
    const output = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(output, name).not.toMatch(new RegExp(`(pai|analytics)\\.${name.replace(/^.*\.|\(.*$/g, '')}\\(`));
  }
});

test('scopes: every workspace once', async () => {
  await expectRows(
    'scopes',
    world.mirror.scopes.map(({ region, workspaceId }) => ({
      region,
      scope: `${region}:${workspaceId}`,
      workspace_id: workspaceId,
    })),
  );
});

test('active_runs: no more than the last 200 count, and at least 5 have to', async () => {
  const { pool } = world.mirror;
  const run = (id: string, pipeline: string, status: string, age: string, duration: string): string =>
    `select ${id}, 'no-such:1', 'no-such', ${pipeline}, ${status}, ${duration}, 1, now(), now(), now(), now() - ${age}, now() - ${age} from generate_series`;
  const insert = `insert into pai.pipeline_runs (pipeline_run_id, scope, region, pipeline_id, status, duration, revision, observed_at,
    first_seen_at, updated_at, gmt_create_time, started_at)`;
  const client = await pool.connect();
  try {
    await client.query('begin');
    // The latest 200 took 1 to 200 seconds, the 60 before them far longer.
    await client.query(
      `${insert} ${run("'many-' || n", "'many'", "'Succeeded'", "n * interval '1 hour'", 'case when n <= 200 then n else 9999 end')}(1, 260) n`,
    );
    await client.query(`${insert} ${run("'few-' || n", "'few'", "'Succeeded'", "interval '1 hour'", '1')}(1, 4) n`);
    await client.query(
      `${insert} ${run("p || '-active-' || n", 'p', "'Running'", "n * interval '1 second'", 'null')}(190, 191) n, (values ('many'), ('few')) v(p)`,
    );
    const { rows } = await client.query<Row>(
      `select pipeline_run_id, compared_runs::int, p50_seconds::int, p95_seconds::int, is_stuck from analytics.active_runs where scope = 'no-such:1' order by 1`,
    );
    expect(rows).toEqual([
      { pipeline_run_id: 'few-active-190', compared_runs: 4, p50_seconds: 1, p95_seconds: 1, is_stuck: false },
      { pipeline_run_id: 'few-active-191', compared_runs: 4, p50_seconds: 1, p95_seconds: 1, is_stuck: false },
      { pipeline_run_id: 'many-active-190', compared_runs: 200, p50_seconds: 100, p95_seconds: 190, is_stuck: false },
      { pipeline_run_id: 'many-active-191', compared_runs: 200, p50_seconds: 100, p95_seconds: 190, is_stuck: true },
    ]);
  } finally {
    await client.query('rollback');
    client.release();
  }
});
