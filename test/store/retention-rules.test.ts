/** Rules against an oracle of their own, over random runs; a dry run against what then goes; and what is dropped whole. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readOverview } from '../../src/store/overview.js';
import { ensurePartitions } from '../../src/store/partitions.js';
import { createPool } from '../../src/store/pool.js';
import { createDatabase } from '../support/database.js';
import { capturingLogger } from '../support/logger.js';
import { prune, retentionOf } from '../support/retention.js';

const SEED = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e9));
const ROUNDS = Number(process.env.TEST_RETENTION_ROUNDS ?? 8);

let url: string;
let client: pg.Client;
beforeAll(async () => {
  url = (await createDatabase()).url;
  client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`set timezone = 'UTC'`);
});
afterAll(() => client.end());

const TABLES =
  'pipeline_runs pipeline_run_details pipeline_run_nodes node_outputs runs run_params run_labels run_metrics pruned_runs quarantine sync_passes sync_leases sync_retries';

beforeEach(() =>
  client.query(
    `truncate ${TABLES.split(' ')
      .map((table) => `pai.${table}`)
      .join(', ')}`,
  ),
);

function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Run {
  id: string;
  region: string;
  scope: string;
  status: string | null;
  finished: number | null;
  modified: number | null;
  updated: number;
  deleted: number | null;
  missing: boolean;
}

interface Rule {
  scope: string;
  outcome: string;
  age: string;
}

const DAY = 86_400_000;
const TERMINAL = ['Succeeded', 'Failed', 'Terminated', 'Skipped'];
const STATUSES = [...TERMINAL, 'Running', 'Unknown', null];
const SCOPES = ['cn-a:1', 'cn-a:2', 'cn-b:1', 'cn-b:22'];
const AGES = ['keep', '1d', '30d', '5w', '2m', '13m', '1y'];

/** Calendar arithmetic of the oracle: the 31st less a month that has 30 days is the 30th. */
function before(now: number, age: string): number {
  const number = Number(age.slice(0, -1));
  const unit = age.at(-1);
  if (unit === 'd' || unit === 'w') return now - number * (unit === 'w' ? 7 : 1) * DAY;
  const date = new Date(now);
  const months = date.getUTCFullYear() * 12 + date.getUTCMonth() - number * (unit === 'y' ? 12 : 1);
  const year = Math.floor(months / 12);
  const last = new Date(Date.UTC(year, (months % 12) + 1, 0)).getUTCDate();
  return Date.UTC(year, months % 12, Math.min(date.getUTCDate(), last)) + (now % DAY);
}

/** What the documentation says, run by run. */
function goes(run: Run, rules: readonly Rule[], now: number): boolean {
  const ended = TERMINAL.includes(run.status ?? '') ? (run.finished ?? run.modified ?? run.updated) : run.deleted;
  if (ended === null) return false;
  for (const { scope, outcome, age } of rules) {
    const [region, workspace] = run.scope.split(':');
    const isInScope = scope === '*' || scope === run.scope || (scope === `${region}:*` && workspace !== undefined);
    if (!isInScope || (outcome !== '*' && outcome !== run.status)) continue;
    return age !== 'keep' && ended < before(now, age);
  }
  return false;
}

function randomRules(random: (below: number) => number): Rule[] {
  const scopes = ['*', 'cn-a:*', 'cn-b:*', ...SCOPES, 'cn-c:1'];
  const rules = Array.from({ length: 1 + random(5) }, () => ({
    scope: scopes[random(scopes.length)] as string,
    outcome: ['*', '*', ...TERMINAL][random(6)] as string,
    age: AGES[random(AGES.length)] as string,
  }));
  // Those that could never decide are refused as mistakes.
  for (let count = rules.length; count > 0; count -= 1) {
    try {
      retentionOf(textOf(rules.slice(0, count)));
      return rules.slice(0, count);
    } catch {}
  }
  return rules.slice(0, 1);
}

const textOf = (rules: readonly Rule[]): string =>
  rules.map(({ scope, outcome, age }) => `${scope}/${outcome}=${age}`).join(', ');

/** Ages on both sides of every border, a few seconds off. */
function randomTime(random: (below: number) => number, now: number): number {
  const age = AGES[1 + random(AGES.length - 1)] as string;
  return random(3) === 0
    ? now - random(800) * DAY - 3_600_000
    : before(now, age) + (random(2) === 0 ? 60_000 : -60_000);
}

function randomRun(random: (below: number) => number, now: number, n: number): Run {
  const scope = SCOPES[random(SCOPES.length)] as string;
  const maybe = (chance: number) => (random(chance) === 0 ? null : randomTime(random, now));
  return {
    id: `flow-${n}`,
    region: scope.split(':')[0] as string,
    scope,
    status: STATUSES[random(STATUSES.length)] as string | null,
    finished: maybe(3),
    modified: maybe(4),
    updated: randomTime(random, now),
    deleted: random(4) === 0 ? randomTime(random, now) : null,
    missing: random(8) === 0,
  };
}

async function insertRuns(runs: readonly Run[]): Promise<void> {
  const time = (millis: number | null) => (millis === null ? null : new Date(millis).toISOString());
  await client.query(
    `insert into pai.pipeline_runs (pipeline_run_id, region, scope, status, finished_at, gmt_modified_time, updated_at, deleted_at,
       missing_since, first_seen_at, observed_at, revision, nodes_revision, details_revision, node_id)
     select id, region, scope, status, finished, modified, updated, deleted, case when missing then updated end, updated, updated, 1, 1, 1, 'root'
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::boolean[])
       as i(id, region, scope, status, finished, modified, updated, deleted, missing)`,
    [
      runs.map((run) => run.id),
      runs.map((run) => run.region),
      runs.map((run) => run.scope),
      runs.map((run) => run.status),
      runs.map((run) => time(run.finished)),
      runs.map((run) => time(run.modified)),
      runs.map((run) => time(run.updated)),
      runs.map((run) => time(run.deleted)),
      runs.map((run) => run.missing),
    ],
  );
  await client.query(
    `insert into pai.pipeline_run_nodes (pipeline_run_id, node_id, node_type, region, scope, first_seen_at, updated_at, observed_at, revision, outputs_revision)
     select pipeline_run_id, 'n' || n, 'Logical', region, scope, now(), now(), now(), 1, 1 from pai.pipeline_runs, generate_series(1, 2) n`,
  );
}

const now = async (): Promise<number> =>
  (await client.query<{ at: string }>(`select (extract(epoch from now()) * 1000)::text as at`)).rows.map(({ at }) =>
    Number(at),
  )[0] as number;

const left = async (table = 'pipeline_runs', key = 'pipeline_run_id'): Promise<string[]> =>
  (await client.query<{ id: string }>(`select distinct ${key} as id from pai.${table} order by 1`)).rows.map(
    ({ id }) => id,
  );

const sorted = (ids: readonly string[]): string[] => [...ids].sort();

describe(`rules (TEST_SEED=${SEED})`, () => {
  it.each(Array.from({ length: ROUNDS }, (_, round) => SEED + round))(
    'let go exactly what an oracle says, and a dry run tells it beforehand (seed %i)',
    async (seed) => {
      const random = randomOf(seed);
      const at = await now();
      const runs = Array.from({ length: 120 }, (_, n) => randomRun(random, at, n));
      const rules = randomRules(random);
      await insertRuns(runs);
      const expected = sorted(runs.filter((run) => goes(run, rules, at)).map(({ id }) => id));

      const settings = retentionOf(textOf(rules));
      const told = await prune(url, settings, { dryRun: true, runsAtOnce: 7 });
      expect(
        told.runs.map(({ id }) => id),
        textOf(rules),
      ).toEqual(expected);
      expect(await left()).toHaveLength(runs.length);
      expect(await left('pruned_runs', 'entity_id')).toEqual([]);

      const done = await prune(url, settings, { runsAtOnce: 11 });
      expect(done.runs).toEqual(told.runs);
      const plain = ({ rules: told, tables, months, old, failures }: typeof done.report) => ({
        // The cut-off moves on with the clock.
        rules: told.map(({ cutoff, ...rule }) => rule),
        rows: Object.fromEntries(Object.entries(tables).map(([table, { rows }]) => [table, rows])),
        months,
        old,
        failures,
      });
      expect(plain(done.report)).toEqual(plain(told.report));
      expect(done.report.tables.pipeline_run_nodes?.rows ?? 0).toBe(expected.length * 2);
      expect(await left()).toEqual(sorted(runs.map(({ id }) => id).filter((id) => !expected.includes(id))));
      expect(await left('pruned_runs', 'entity_id')).toEqual(expected);
      expect((await prune(url, settings)).runs, 'nothing is left for a second time').toEqual([]);
    },
  );

  it('of experiment runs count their age from the last sign of life, a point of a metric included', async () => {
    const time = (days: number) => `now() - interval '${days} days'`;
    for (const [id, modified, created] of [
      ['old', 100, 200],
      ['changed', 10, 200],
      ['logged', 100, 200],
      ['timeless', null, null],
    ] as const) {
      await client.query(
        `insert into pai.runs (run_id, region, scope, gmt_modified_time, gmt_create_time, first_seen_at, updated_at, observed_at, revision)
         values ($1, 'cn-a', 'cn-a:1', ${modified === null ? 'null' : time(modified)}, ${created === null ? 'null' : time(created)}, now(), ${time(50)}, now(), 1)`,
        [id],
      );
    }
    await client.query(
      `insert into pai.run_metrics (run_id, key, step, "timestamp", region, first_seen_at, updated_at) values ('logged', 'loss', 1, ${time(3)}, 'cn-a', now(), now())`,
    );
    const of = async (experiments: string) =>
      (await prune(url, retentionOf('', { experiments }), { dryRun: true })).runs.map(({ id }) => id);
    expect(await of('*=60d')).toEqual(['old']);
    expect(await of('cn-a:*=40d')).toEqual(['old', 'timeless']);
    expect(await of('cn-a:1=keep, *=1d')).toEqual([]);
    expect(await of('cn-b:1=1d')).toEqual([]);
    expect(await of('*=2d')).toEqual(['changed', 'logged', 'old', 'timeless']);
  });
});

describe('bookkeeping', () => {
  it('of old passes goes, but for the last ones of every stream and the last that succeeded', async () => {
    await client.query(
      `insert into pai.sync_leases (scope, stream, holder, fence, acquired_at, expires_at) values ('cn-a:1', 'nodes', 'me', 1, now(), '-infinity')`,
    );
    await client.query(
      `insert into pai.sync_passes (scope, stream, fence, started_at, finished_at, outcome)
       select 'cn-a:1', 'nodes', 1, now() - interval '400 days' + n * interval '1 hour', now() - interval '400 days' + n * interval '1 hour',
         case when n = 3 then 'succeeded' else 'failed' end from generate_series(1, 20) n`,
    );
    const { report } = await prune(url, retentionOf('', { passes: '1y' }), { dryRun: true });
    const done = (await prune(url, retentionOf('', { passes: '1y' }))).report;
    expect(report.old.map(({ cutoff, ...one }) => one)).toEqual(done.old.map(({ cutoff, ...one }) => one));
    expect(report.old).toMatchObject([{ table: 'sync_passes', rows: 14 }]);
    const { rows } = await client.query(
      'select row_number() over (order by started_at) as n, outcome from pai.sync_passes',
    );
    expect(rows.map(({ outcome }) => outcome)).toEqual(['succeeded', 'failed', 'failed', 'failed', 'failed', 'failed']);
  });

  it('of quarantine goes when it was settled long ago; what waits never does', async () => {
    await client.query(
      `insert into pai.quarantine (scope, region, stream, operation, entity, raw, fingerprint, error, observed_at, first_seen_at, resolved_at, resolution)
       select 'cn-a:1', 'cn-a', 'nodes', 'GetPipelineRun', 'pipeline_run', n::text, n::text, 'odd', now() - interval '90 days', now() - interval '90 days',
         case n when 1 then null when 2 then now() - interval '10 days' else now() - interval '80 days' end, null from generate_series(1, 5) n`,
    );
    expect((await prune(url, retentionOf('', { quarantine: '60d' }))).report.old).toMatchObject([
      { table: 'quarantine', rows: 3 },
    ]);
    expect(await left('quarantine', 'raw')).toEqual(['1', '2']);
  });
});

describe('the history', () => {
  const months = async (): Promise<string[]> =>
    (
      await client.query<{ n: string }>(
        `select c.relname as n from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'pai.change_events'::regclass order by 1`,
      )
    ).rows.map(({ n }) => n);
  const event = (when: string) =>
    client.query(
      `insert into pai.change_events (entity, entity_id, region, scope, kind, observed_at) values ('run', $1, 'cn-a', 'cn-a:1', 'discovered', ${when})`,
      [when],
    );

  it('loses whole months that are older than the rule, never the default partition, and stays append-only', async () => {
    const old = ["'2020-01-15'", "'2020-02-15'", "now() - interval '70 days'"];
    for (const when of [...old, 'now()', "'1969-01-01'"]) await event(when);
    await ensurePartitions(client, 3);
    const before = await months();
    expect(before).toContain('change_events_2020_01');
    const settings = retentionOf('', { history: '1y' });
    const told = (await prune(url, settings, { dryRun: true })).report.months.map(({ partition }) => partition);
    expect(told).toEqual(['change_events_2020_01', 'change_events_2020_02']);
    expect(await months()).toEqual(before);
    const done = (await prune(url, settings)).report;
    expect(done.months.map(({ partition, from, to }) => [partition, from.slice(0, 10), to.slice(0, 10)])).toEqual([
      ['change_events_2020_01', '2020-01-01', '2020-02-01'],
      ['change_events_2020_02', '2020-02-01', '2020-03-01'],
    ]);
    expect(await months()).toEqual(before.filter((name) => !told.includes(name)));
    expect(await left(`change_events where entity = 'run'`, 'entity_id')).toEqual(
      sorted(["'1969-01-01'", "now() - interval '70 days'", 'now()']),
    );
    for (const sql of [
      'delete from pai.change_events',
      'update pai.change_events set kind = kind',
      'truncate pai.change_events',
    ])
      await expect(client.query(sql)).rejects.toThrow(/append-only/);
    await prune(url, retentionOf('', { history: '1d' }));
    const month = new Date().toISOString().slice(0, 7).replace('-', '_');
    expect(await months()).toContain(`change_events_${month}`);
    expect(await months()).toContain('change_events_default');
  });

  it('keeps a month whose lock does not come, says so, and drops it the next time', async () => {
    await event("'2020-03-15'");
    await ensurePartitions(client, 3);
    const reader = new pg.Client({ connectionString: url });
    await reader.connect();
    try {
      await reader.query('begin; lock table pai.change_events in access share mode');
      const { months: dropped, failures } = (
        await prune(url, retentionOf('', { history: '1y' }), { lockTimeoutMs: 20 })
      ).report;
      expect(dropped).toEqual([]);
      expect(failures).toEqual([
        expect.stringMatching(/^pai\.change_events_2020_03 could not be dropped: .*lock timeout/),
      ]);
      await reader.query('rollback');
    } finally {
      await reader.end();
    }
    expect((await prune(url, retentionOf('', { history: '1y' }))).report.months).toHaveLength(1);
  });
});

describe('beside others', () => {
  it('only one prunes at a time, and one that is killed leaves the way free', async () => {
    const holder = new pg.Client({ connectionString: url });
    holder.on('error', () => {});
    await holder.connect();
    await holder.query('select pg_advisory_lock(7305148212)');
    await expect(prune(url, retentionOf('*/*=1d'))).rejects.toThrow('another process is pruning');
    await prune(url, retentionOf('*/*=1d'), { dryRun: true });
    await client.query(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = (7305148212 & 4294967295)`,
    );
    await expect
      .poll(() =>
        prune(url, retentionOf('*/*=1d')).then(
          () => 'free',
          () => 'taken',
        ),
      )
      .toBe('free');
    await holder.end().catch(() => {});
  });

  it('status tells how many runs were pruned', async () => {
    const at = await now();
    const [old] = [randomRun(randomOf(1), at, 1)];
    await insertRuns([
      { ...(old as Run), scope: 'cn-a:1', status: 'Failed', finished: at - 100 * DAY, deleted: null, missing: false },
    ]);
    await prune(url, retentionOf('*/*=30d'));
    const pool = createPool({ connectionString: url, logger: capturingLogger() });
    const { scopes } = await readOverview(pool);
    await pool.end();
    expect(scopes).toMatchObject([
      { scope: 'cn-a:1', pipelineRuns: 0, prunedPipelineRuns: 1, prunedExperimentRuns: 0 },
    ]);
  });
});
