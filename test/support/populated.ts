/** Databases of an earlier schema, with rows in them, and what became of the rows. */
import type { Client } from 'pg';
import { migrate } from '../../src/store/migrate.js';
import { migrationsUpTo } from './migrations.js';
import { Player } from './player.js';
import { type Recording, readRecording } from './recording.js';
import { REPLICAS } from './releases.js';

/** Sums of other tables: they follow what replicas write. */
const DERIVED = 'run_rollup failure_rollup node_rollup concurrency_rollup rollup_due node_due concurrency_due'.split(
  ' ',
);

/** What the migrations of that time did not make, and this version's `migrate` does. */
const TAKE_BACK = `do $$ declare p regclass; begin
  for p in select tgrelid::regclass from pg_trigger where tgname = 'append_only_statements' and tgparentid = 0
  loop execute format('drop trigger append_only_statements on %s', p); end loop; end $$`;

export interface Populated {
  readonly tag: string;
  /** What replicas beside it say; null where nobody can write. */
  readonly recording: Recording | null;
  /** Tables and their columns as that schema has them, sums left out. */
  readonly columns: readonly { readonly table: string; readonly columns: readonly string[] }[];
}

/**
 * Migrates an empty database to that schema, and lets a replica of its time fill one scope. `copies`: so many more of each
 * of its pipeline runs with their nodes, in the scope cn-bulk:1.
 */
export async function populate(client: Client, url: string, tag: string, copies: number): Promise<Populated> {
  await migrate({ connectionString: url, folder: await migrationsUpTo(tag) });
  if (tag < '0003') await client.query(TAKE_BACK);
  const replica = REPLICAS[tag] ?? null;
  const recording = replica === null ? null : await readRecording(replica);
  if (recording === null) await client.query(WITHOUT_REPLICA);
  else {
    const player = await Player.start(url, recording);
    await player.play().finally(() => player.end());
  }
  await copyRows(client, copies);
  const { rows: columns } = await client.query<{ table: string; columns: string[] }>(
    `select table_name as table, array_agg(column_name::text order by ordinal_position) as columns
     from information_schema.columns where table_schema = 'pai' and table_name <> all($1)
       and table_name not like 'change\\_events\\__%' and table_name <> 'schema_migrations'
       and table_name in (select table_name from information_schema.tables where table_type = 'BASE TABLE')
     group by 1 order by 1`,
    [DERIVED],
  );
  await client.query('create schema before');
  for (const { table } of columns) await client.query(`create table before.${table} as select * from pai.${table}`);
  return { tag, recording, columns };
}

/** Rows as a replica of 0002 writes them; there is no history yet. */
const WITHOUT_REPLICA = `
  insert into pai.pipeline_runs (pipeline_run_id, scope, region, status, name, node_id, gmt_create_time, started_at, revision, observed_at,
      first_seen_at, updated_at, extra)
    select 'flow-' || n, 'cn-test:1', 'cn-test', case n % 3 when 0 then 'Running' else 'Succeeded' end, 'name of ' || n || E' \\\\ "ü"', 'root-' || n,
      now() - n * interval '5 minutes', now() - n * interval '4 minutes', 1, now(), now(), now(), jsonb_build_object('n', n) from generate_series(1, 100) n;
  insert into pai.pipeline_run_details (pipeline_run_id, scope, region, manifest, first_seen_at, updated_at, fetched_at)
    select pipeline_run_id, scope, region, '{"a": 9007199254740993.10}', now(), now(), now() from pai.pipeline_runs;
  insert into pai.pipeline_run_nodes (pipeline_run_id, node_id, node_type, node_name, status, scope, region, revision, observed_at, first_seen_at, updated_at)
    select pipeline_run_id, node_id, 'Logical', 'root', status, scope, region, 1, now(), now(), now() from pai.pipeline_runs;
  insert into pai.runs (run_id, scope, region, name, revision, observed_at, first_seen_at, updated_at)
    select 'run-' || n, 'cn-test:1', 'cn-test', 'e' || n, 1, now(), now(), now() from generate_series(1, 10) n;
  insert into pai.run_metrics (run_id, key, step, "timestamp", value, region, first_seen_at, updated_at)
    select 'run-' || n, 'loss', s, now(), 0.1::float8 * s, 'cn-test', now(), now() from generate_series(1, 10) n, generate_series(1, 10) s;
  insert into pai.quarantine (scope, region, stream, operation, entity, entity_id, raw, fingerprint, error, observed_at, first_seen_at)
    select 'cn-test:1', 'cn-test', 'nodes', 'GetPipelineRun', 'pipeline_run', 'run-' || n, '{"n":' || n || '}', md5(n::text), 'odd', now(), now()
    from generate_series(1, 20) n;
  insert into pai.sync_cursors (scope, stream, watermark, state, updated_at) values ('cn-test:1', 'pipeline-runs', now(), '{}', now());
  insert into pai.sync_leases (scope, stream, holder, fence, acquired_at, expires_at) values ('cn-test:1', 'nodes', 'x#1/1/y', 9007199254740993, now(), now())`;

/** One row of jsonb a run is slow and knows the columns of every version. */
async function copyRows(client: Client, copies: number): Promise<void> {
  if (copies === 0) return;
  const copied = (table: string, more: string): string => `insert into pai.${table}
    select (jsonb_populate_record(r, jsonb_build_object('scope', 'cn-bulk:1', 'pipeline_run_id', r.pipeline_run_id || '-' || n${more}))).*
    from pai.${table} r cross join generate_series(1, ${copies}) n where r.scope <> 'cn-bulk:1'`;
  await client.query(copied('pipeline_runs', `, 'gmt_create_time', r.gmt_create_time - n * interval '5 minutes'`));
  await client.query(copied('pipeline_run_nodes', ''));
  await client.query(`insert into pai.change_events (entity, entity_id, region, scope, kind, observed_at)
    select 'pipeline_run', pipeline_run_id, region, scope, 'discovered', observed_at from pai.pipeline_runs
    where scope = 'cn-bulk:1' and to_regclass('pai.change_events_default') is not null`);
  await client.query('analyze');
}

/** Rows that were there before and are not any more as they were, in the columns of that time; in words. */
export async function lostRows(client: Client, { columns }: Populated): Promise<string[]> {
  const lost: string[] = [];
  for (const { table, columns: names } of columns) {
    const list = names.map((name) => `"${name}"`).join(', ');
    const { rows } = await client.query<{ row: string }>(
      `select t::text as row from (select ${list} from before.${table}) t
       except all select t::text from (select ${list} from pai.${table}) t limit 5`,
    );
    lost.push(...rows.map(({ row }) => `${table}: ${row}`));
  }
  return lost;
}

/** Written by the database at the time: another one for each replica. */
const OWN_TIME =
  /^(first_seen_at|updated_at|observed_at|fetched_at|nodes_fetched_at|started_at|finished_at|resolved_at|acquired_at|expires_at)$/;
const OWN = /^(id|event_id|scope|fence|holder)$/;
const MARKS = /^(deleted_at|missing_since)$/;
const KEEPS_TIMES = /^(pipeline_runs|pipeline_run_nodes)$/;

function compared(table: string, name: string): string | null {
  // Times of the source, in these two.
  if (/^(started_at|finished_at)$/.test(name) && KEEPS_TIMES.test(table)) return name;
  if (OWN_TIME.test(name) || OWN.test(name)) return null;
  return MARKS.test(name) ? `${name} is null as ${name}` : `"${name}"`;
}

/**
 * What differs between what two replicas wrote that said the same, but for the scope and a suffix of the ids: table and row,
 * in words. Scopes themselves, times of the database and numbers of rows are not compared.
 */
export async function differencesOf(
  client: Client,
  { columns }: Populated,
  first: string,
  second: { readonly scope: string; readonly suffix: string },
): Promise<string[]> {
  const found: string[] = [];
  for (const { table, columns: names } of columns) {
    const list = names.flatMap((name) => compared(table, name) ?? []).join(', ');
    const idOf = names.includes('pipeline_run_id') ? 'pipeline_run_id' : 'run_id';
    const where = (scope: string): string =>
      names.includes('scope')
        ? `scope = '${scope}'`
        : `${idOf} in (select ${idOf} from pai.${idOf === 'run_id' ? 'runs' : 'pipeline_runs'} where scope = '${scope}')`;
    if (!names.includes('scope') && !names.includes(idOf)) continue;
    const of = (scope: string): string =>
      `select t::text as row from (select ${list} from pai.${table} where ${where(scope)}) t`;
    const plain = `regexp_replace(row, '\\m((?:flow|run)-[0-9a-z]{6,})${second.suffix}\\M', '\\1', 'g')`;
    const { rows } = await client.query<{ row: string }>(
      `with a as (${of(first)}), b as (select replace(${plain}, '${second.scope}', '${first}') as row from (${of(second.scope)}) x)
       (select 'not there: ' || row as row from (select * from a except all select * from b) x limit 3)
       union all (select 'too much: ' || row from (select * from b except all select * from a) x limit 3)`,
    );
    found.push(...rows.map(({ row }) => `${table} ${row}`));
  }
  return found;
}
