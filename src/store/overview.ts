/** What `pai-mirror status` shows, as plain objects. */
import type { Pool } from 'pg';
import type { CursorState } from '../domain/batch.js';
import type { Instant } from '../domain/entities.js';
import { query } from './pool.js';
import { activeSql, TOLD_DELETED } from './schema/columns.js';
import { instantSql, quote } from './sql.js';

export interface PassOverview {
  readonly startedAt: Instant;
  /** Null while it runs. */
  readonly finishedAt: Instant | null;
  readonly outcome: string | null;
  readonly calls: number;
  readonly rowsRead: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly stale: number;
  readonly quarantined: number;
  readonly error: string | null;
}

export interface StreamOverview {
  readonly scope: string;
  readonly stream: string;
  readonly watermark: Instant | null;
  readonly state: CursorState | null;
  readonly lastPass: PassOverview | null;
  /** When the last pass that succeeded ended. */
  readonly lastSuccessAt: Instant | null;
  /** Who runs it now; null when nobody does. */
  readonly leaseHolder: string | null;
}

export interface ScopeOverview {
  readonly scope: string;
  readonly pipelineRuns: number;
  readonly activePipelineRuns: number;
  readonly dueForNodes: number;
  readonly dueForDetails: number;
  readonly missingPipelineRuns: number;
  readonly deletedPipelineRuns: number;
  readonly experimentRuns: number;
  /** Taken out by retention; their last state is in the history. */
  readonly prunedPipelineRuns: number;
  readonly prunedExperimentRuns: number;
  readonly unresolvedQuarantine: number;
  readonly failingItems: number;
}

export interface TableOverview {
  readonly table: string;
  readonly rows: number;
  /** True for large tables: PostgreSQL's own estimate, since counting would read them whole. */
  readonly estimated: boolean;
}

export interface Overview {
  readonly streams: readonly StreamOverview[];
  readonly scopes: readonly ScopeOverview[];
  readonly tables: readonly TableOverview[];
}

/** Rows above which a table is estimated and not counted. */
const COUNT_UP_TO = 1_000_000;

/** Cursors with a slash in their name are further ones of the stream in front of it. */
const STREAMS = `
  with known as (select scope, stream from pai.sync_cursors where stream not like '%/%' union select scope, stream from pai.sync_passes
    union select scope, stream from pai.sync_leases)
  select k.scope, k.stream, ${instantSql('c.watermark')} as watermark, c.state, p.pass as "lastPass",
    ${instantSql('s.finished_at')} as "lastSuccessAt", l.holder as "leaseHolder"
  from known k
  left join pai.sync_cursors c on c.scope = k.scope and c.stream = k.stream
  left join pai.sync_leases l on l.scope = k.scope and l.stream = k.stream and l.expires_at > clock_timestamp()
  left join lateral (select json_build_object('startedAt', ${instantSql('p.started_at')}, 'finishedAt', ${instantSql('p.finished_at')},
      'outcome', p.outcome, 'calls', p.calls, 'rowsRead', p.rows_read, 'inserted', p.inserted, 'updated', p.updated,
      'unchanged', p.unchanged, 'stale', p.stale, 'quarantined', p.quarantined, 'error', p.error) as pass
    from pai.sync_passes p where p.scope = k.scope and p.stream = k.stream order by p.id desc limit 1) p on true
  left join lateral (select p.finished_at from pai.sync_passes p
    where p.scope = k.scope and p.stream = k.stream and p.outcome = 'succeeded' order by p.id desc limit 1) s on true
  order by k.scope, k.stream`;

const SCOPES = `
  with runs as (
    select scope, count(*) as pipeline_runs,
      count(*) filter (where deleted_at is null and ${activeSql('status')}) as active,
      count(*) filter (where nodes_revision < revision and deleted_at is null and missing_since is null and node_id <> '') as due_nodes,
      count(*) filter (where details_revision < revision and deleted_at is null and missing_since is null) as due_details,
      count(*) filter (where missing_since is not null and deleted_at is null) as missing,
      count(*) filter (where deleted_at is not null) as deleted
    from pai.pipeline_runs group by scope),
  experiments as (select scope, count(*) as runs from pai.runs group by scope),
  pruned as (
    select scope, count(*) filter (where entity = 'pipeline_run') as runs, count(*) filter (where entity = 'run') as experiments
    from pai.pruned_runs group by scope),
  bad as (select scope, count(*) as items from pai.quarantine where resolved_at is null group by scope),
  failing as (select s.scope, count(*) as items from pai.sync_retries s
    where s.stream <> ${TOLD_DELETED} and not exists (select from pai.pipeline_runs r where r.pipeline_run_id = s.entity_id and r.deleted_at is not null)
    group by s.scope),
  known as (select scope from runs union select scope from experiments union select scope from bad union select scope from pruned
    union select scope from failing union select scope from pai.sync_cursors union select scope from pai.sync_passes)
  select k.scope, coalesce(r.pipeline_runs, 0)::float8 as "pipelineRuns", coalesce(r.active, 0)::float8 as "activePipelineRuns",
    coalesce(r.due_nodes, 0)::float8 as "dueForNodes", coalesce(r.due_details, 0)::float8 as "dueForDetails",
    coalesce(r.missing, 0)::float8 as "missingPipelineRuns", coalesce(r.deleted, 0)::float8 as "deletedPipelineRuns",
    coalesce(e.runs, 0)::float8 as "experimentRuns", coalesce(b.items, 0)::float8 as "unresolvedQuarantine",
    coalesce(p.runs, 0)::float8 as "prunedPipelineRuns", coalesce(p.experiments, 0)::float8 as "prunedExperimentRuns",
    coalesce(f.items, 0)::float8 as "failingItems"
  from known k left join runs r using (scope) left join experiments e using (scope) left join bad b using (scope)
  left join pruned p using (scope) left join failing f using (scope) order by k.scope`;

/** Partitions are summed under the table that they belong to. */
const ESTIMATES = `
  select c.relname as table, greatest(0, sum(coalesce(nullif(p.reltuples, -1), 0)))::float8 as rows
  from pg_class c
  join pg_class p on p.oid = c.oid or p.oid in (select inhrelid from pg_inherits where inhparent = c.oid)
  where c.relnamespace = 'pai'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and p.relkind = 'r'
    and c.relname <> 'schema_migrations'
  group by c.relname order by c.relname`;

async function countTables(pool: Pool): Promise<TableOverview[]> {
  const tables: TableOverview[] = [];
  for (const { table, rows } of await query<{ table: string; rows: number }>(pool, 'listing tables', ESTIMATES)) {
    const estimated = rows > COUNT_UP_TO;
    const counted = estimated
      ? [{ rows }]
      : await query<{ rows: number }>(
          pool,
          `counting pai.${table}`,
          `select count(*)::float8 as rows from pai.${quote(table)}`,
        );
    tables.push({ table, rows: counted[0]?.rows ?? 0, estimated });
  }
  return tables;
}

/** Throws StoreError. Reads `pipeline_runs` whole: a second or so for millions of rows. */
export async function readOverview(pool: Pool): Promise<Overview> {
  const streams = await query<StreamOverview>(pool, 'reading the state of the streams', STREAMS);
  const scopes = await query<ScopeOverview>(pool, 'reading the state of the scopes', SCOPES);
  return { streams, scopes, tables: await countTables(pool) };
}
