/** What the demo shows of the database: real SQL and its real answers. */
import { query } from '../store/pool.js';
import type { PgStore } from '../store/store.js';
import { table } from './output.js';

/** One look at everything, for the line that tells how far the mirror is. */
export interface DemoCounts {
  readonly runs: number;
  readonly active: number;
  readonly nodes: number;
  readonly details: number;
  readonly experimentRuns: number;
  readonly metrics: number;
  readonly events: number;
}

const COUNTS = `
  select (select count(*)::int from pai.pipeline_runs) as runs,
    (select count(*)::int from pai.pipeline_runs
      where deleted_at is null and status not in ('Succeeded', 'Failed', 'Terminated', 'Skipped')) as active,
    (select count(*)::int from pai.pipeline_run_nodes) as nodes,
    (select count(*)::int from pai.pipeline_run_details) as details,
    (select count(*)::int from pai.runs) as "experimentRuns",
    (select count(*)::int from pai.run_metrics) as metrics,
    (select count(*)::int from pai.change_events) as events`;

type Row = { [name in keyof DemoCounts]: number };

/** Throws StoreError. */
export async function readCounts(store: PgStore): Promise<DemoCounts> {
  const [counts] = await query<Row>(store.pool, 'counting rows', COUNTS);
  return counts as DemoCounts;
}

export const LATEST_RUNS = `select pipeline_run_id, name, status, to_char(started_at, 'HH24:MI:SS') as started, duration
from pai.pipeline_runs order by gmt_modified_time desc limit 5`;

export const FAILURES = `select left(pattern, 70) as message, sum(runs)::int as failed, to_char(max(last_at), 'YYYY-MM-DD HH24:MI') as last
from analytics.failures group by 1 order by 2 desc limit 3`;

/** The statement and its answer, as psql would show them. */
export async function showQuery(store: PgStore, sql: string): Promise<string> {
  const { rows, fields } = await store.pool.query<Record<string, string | number | null>>(sql);
  const header = fields.map((field) => field.name);
  return `${sql};\n\n${table(
    header,
    rows.map((row) => header.map((name) => oneLine(row[name] ?? null))),
  )}\n`;
}

const oneLine = (value: string | number | null): string | number | null =>
  typeof value === 'string' ? value.trim().replaceAll('\n', ' ') : value;
