/** Fills a migrated database with the rows of fill-sql.ts and mirror-sql.ts. */
import type pg from 'pg';
import {
  DETAILS,
  EVENTS,
  EXPERIMENT_RUNS,
  type FillSizes,
  LABELS,
  METRICS,
  nodesSql,
  OUTPUTS,
  PARAMS,
  planSql,
  RUNS,
} from './fill-sql.js';
import { BOOKKEEPING, PARTITIONS, passesSql } from './mirror-sql.js';

/** Runs in one statement: the triggers are called once a statement, and keep its rows in memory or on the disk meanwhile. */
const CHUNK = 50_000;

/** Passes of 90 days; smaller mirrors get fewer, in proportion. */
const ALL_PASSES_FROM = 1_000_000;

export interface Step {
  readonly what: string;
  readonly rows: number;
  readonly seconds: number;
}

/** Minutes for a million runs. `tell` hears of each table. */
export async function fillMirror(client: pg.Client, sizes: FillSizes, tell: (line: string) => void): Promise<Step[]> {
  await client.query(`set timezone = 'UTC'; set synchronous_commit = off; set jit = off; set work_mem = '256MB';
    set maintenance_work_mem = '512MB'`);
  const steps: Step[] = [];
  const step = async (what: string, work: () => Promise<number>): Promise<void> => {
    const begun = performance.now();
    const rows = await work();
    const seconds = (performance.now() - begun) / 1_000;
    steps.push({ what, rows, seconds });
    tell(`  ${what}: ${rows.toLocaleString('en-US')} rows in ${seconds.toFixed(1)} s`);
  };
  const once = (sql: string) => async () => rowsOf(await client.query(sql));
  const byChunks = (sql: string) => () => inChunks(client, sql, sizes.runs);
  await step('plan', once(planSql(sizes)));
  await client.query(PARTITIONS);
  await step('pipeline_runs', byChunks(RUNS));
  await step('pipeline_run_nodes', () => withoutIndexes(client, 'pai.pipeline_run_nodes', byChunks(nodesSql(sizes))));
  await step('pipeline_run_details', byChunks(DETAILS));
  await step('node_outputs', byChunks(OUTPUTS));
  await step('change_events', byChunks(EVENTS));
  await step('runs', byChunks(EXPERIMENT_RUNS));
  await step('run_params', byChunks(PARAMS));
  await step('run_labels', byChunks(LABELS));
  await step('run_metrics', byChunks(METRICS));
  await step('sync_passes', () =>
    withoutIndexes(client, 'pai.sync_passes', once(passesSql(Math.max(1, Math.round(ALL_PASSES_FROM / sizes.runs))))),
  );
  await step('bookkeeping', once(BOOKKEEPING));
  return steps;
}

/** Several statements give several results; the one with rows counts. */
const rowsOf = (result: pg.QueryResult | pg.QueryResult[]): number =>
  Math.max(...[result].flat().map(({ rowCount }) => rowCount ?? 0));

async function inChunks(client: pg.Client, sql: string, runs: number): Promise<number> {
  let rows = 0;
  for (let first = 1; first <= runs; first += CHUNK) {
    const { rowCount } = await client.query(sql, [first, first + CHUNK - 1]);
    rows += rowCount ?? 0;
  }
  return rows;
}

/**
 * Makes the indexes afterwards, all at once: ids are scattered over an index that is larger than the server's memory for
 * it, and ten million rows one by one took 9 minutes.
 */
async function withoutIndexes(client: pg.Client, table: string, fill: () => Promise<number>): Promise<number> {
  const { rows } = await client.query<{ drop: string; make: string }>(
    `select case when c.oid is null then format('drop index %s', i.indexrelid::regclass)
         else format('alter table %s drop constraint %I', i.indrelid::regclass, c.conname) end as drop,
       case when c.oid is null then pg_get_indexdef(i.indexrelid)
         else format('alter table %s add constraint %I %s', i.indrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) end as make
     from pg_index i left join pg_constraint c on c.conindid = i.indexrelid where i.indrelid = $1::regclass`,
    [table],
  );
  for (const { drop } of rows) await client.query(drop);
  const filled = await fill();
  for (const { make } of rows) await client.query(make);
  return filled;
}

/** Buckets at a time: the newest first, each call a transaction. */
const BUCKETS = 2_000;

/** All that is due, as the service would do it bit by bit. Returns how many quarter hours of a scope these were. */
export async function refreshAll(client: pg.Client): Promise<number> {
  let buckets = 0;
  for (;;) {
    const { rows } = await client.query<{ done: number }>('select pai.refresh_rollups($1)::int as done', [BUCKETS]);
    const done = rows[0]?.done ?? 0;
    if (done === 0) return buckets;
    buckets += done;
  }
}
