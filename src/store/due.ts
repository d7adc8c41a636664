/**
 * What waits for a call, derived from the tables alone. Every query walks a partial index that holds only what waits,
 * in key order from `after` on, so an idle round costs the same with a million runs of history as with none.
 */
import type { NodeKey } from '../domain/batch.js';
import type { Instant } from '../domain/entities.js';
import { NODES_OPEN_FOR } from './commit/fetched.js';
import { type Queryable, query } from './pool.js';
import { activeNodeSql, activeSql } from './schema/columns.js';

/** The shapes of the engine's DueQuery and DueRun. */
export interface DuePage<K> {
  readonly after: K | null;
  readonly limit: number;
}
export interface DueItem {
  readonly pipelineRunId: string;
  readonly nodeId: string;
  readonly revision: string;
}
export type DueStream = 'nodes' | 'details';

/** In the words of the partial indexes, else PostgreSQL does not use them. */
const DUE: { readonly [stream in DueStream]: string } = {
  nodes: `r.nodes_revision < r.revision and r.deleted_at is null and r.missing_since is null and r.node_id <> ''`,
  details: 'r.details_revision < r.revision and r.deleted_at is null and r.missing_since is null',
};
const ACTIVE = `r.deleted_at is null and ${activeSql('r.status')}`;

async function ids(
  db: Queryable,
  what: string,
  condition: string,
  scope: string,
  page: DuePage<string>,
): Promise<string[]> {
  const rows = await query<{ id: string }>(
    db,
    `${what} in ${scope}`,
    `select r.pipeline_run_id as id from pai.pipeline_runs r
     where r.scope = $1 and r.pipeline_run_id > $2 and ${condition} order by r.pipeline_run_id limit $3`,
    [scope, page.after ?? '', page.limit],
  );
  return rows.map((row) => row.id);
}

export const activePipelineRuns = (db: Queryable, scope: string, page: DuePage<string>): Promise<string[]> =>
  ids(db, 'reading active runs', ACTIVE, scope, page);

export const missingPipelineRuns = (db: Queryable, scope: string, page: DuePage<string>): Promise<string[]> =>
  ids(db, 'reading missing runs', 'r.missing_since is not null and r.deleted_at is null', scope, page);

/** Without the runs whose last failure is too recent: not older than `failedBefore`, or else still backing off. */
export async function dueRuns(
  db: Queryable,
  stream: DueStream,
  scope: string,
  page: DuePage<string> & { readonly failedBefore: Instant | null },
): Promise<DueItem[]> {
  const waits = page.failedBefore === null ? 's.retry_at > clock_timestamp()' : 's.failed_at >= $5::timestamptz';
  return query<{ pipelineRunId: string; nodeId: string; revision: string }>(
    db,
    `reading runs due for ${stream} in ${scope}`,
    `select r.pipeline_run_id as "pipelineRunId", coalesce(r.node_id, '') as "nodeId", r.revision::text as revision
     from pai.pipeline_runs r
     where r.scope = $1 and r.pipeline_run_id > $2 and ${DUE[stream]}
       and not exists (select from pai.sync_retries s
         where s.scope = $1 and s.stream = $4 and s.entity_id = r.pipeline_run_id and ${waits})
     order by r.pipeline_run_id limit $3`,
    [scope, page.after ?? '', page.limit, stream, ...(page.failedBefore === null ? [] : [page.failedBefore])],
  );
}

/** Whether the call for this item failed, and none has succeeded since. */
export async function hasFailed(db: Queryable, stream: string, scope: string, entityId: string): Promise<boolean> {
  const rows = await query(
    db,
    `reading failures of ${stream} in ${scope}`,
    'select from pai.sync_retries where scope = $1 and stream = $2 and entity_id = $3',
    [scope, stream, entityId],
  );
  return rows.length > 0;
}

/**
 * The nodes of a kind of run, read through the run: a failed run leaves nodes behind that never end, and an index of
 * unfinished nodes would collect them for ever.
 */
const nodesOf = (runs: string, nodes: string): string => `(
  select n.pipeline_run_id, n.node_id from pai.pipeline_runs r
  join pai.pipeline_run_nodes n on n.pipeline_run_id = r.pipeline_run_id
  where r.scope = $1 and r.pipeline_run_id >= $2 and r.deleted_at is null and r.missing_since is null and ${runs}
    and n.missing_since is null and ${nodes} and (n.pipeline_run_id, n.node_id) > ($2, $3)
  order by n.pipeline_run_id, n.node_id limit $4)`;

/** Nodes that changed after their outputs were asked for. */
const OUTPUTS_DUE = `(
  select n.pipeline_run_id, n.node_id from pai.pipeline_run_nodes n
  join pai.pipeline_runs r on r.pipeline_run_id = n.pipeline_run_id
  where n.scope = $1 and n.outputs_revision < n.revision and n.missing_since is null
    and (n.pipeline_run_id, n.node_id) > ($2, $3) and r.deleted_at is null and r.missing_since is null
  order by n.pipeline_run_id, n.node_id limit $4)`;

/** Each part gives its first keys after `after`; the first of them all together are the page. */
const nodesDue = (parts: readonly string[]): string =>
  `select distinct pipeline_run_id as "pipelineRunId", node_id as "nodeId" from (${parts.join(' union all ')}) due
   order by 1, 2 limit $4`;

const NODES_DUE_FOR_OUTPUTS = nodesDue([OUTPUTS_DUE]);
const NODES_DUE = nodesDue([
  // Also those that have ended: a node may be retried, and its outputs may come late.
  nodesOf(activeSql('r.status'), 'true'),
  nodesOf(
    `r.nodes_open and coalesce(r.finished_at, r.updated_at) > now() - ${NODES_OPEN_FOR}`,
    activeNodeSql('n.status'),
  ),
  OUTPUTS_DUE,
]);

/** `outputsOnly` leaves out the nodes whose status may move. */
export async function nodesDueForPoll(
  db: Queryable,
  scope: string,
  page: DuePage<NodeKey> & { readonly outputsOnly: boolean },
): Promise<NodeKey[]> {
  const text = page.outputsOnly ? NODES_DUE_FOR_OUTPUTS : NODES_DUE;
  return query<{ pipelineRunId: string; nodeId: string }>(db, `reading nodes due in ${scope}`, text, [
    scope,
    page.after?.pipelineRunId ?? '',
    page.after?.nodeId ?? '',
    page.limit,
  ]);
}

/** How many of these pipeline runs were never stored. */
export async function countUnknown(db: Queryable, pipelineRunIds: readonly string[]): Promise<number> {
  const rows = await query<{ count: number }>(
    db,
    'looking for unknown runs',
    `select count(*)::float8 as count from unnest($1::text[]) as i(id)
     where not exists (select from pai.pipeline_runs r where r.pipeline_run_id = i.id)`,
    [pipelineRunIds],
  );
  return rows[0]?.count ?? 0;
}

/** The total of a progress bar. */
export async function countDue(db: Queryable, scope: string, stream: DueStream | 'status'): Promise<number> {
  const condition = stream === 'status' ? ACTIVE : DUE[stream];
  const rows = await query<{ count: number }>(
    db,
    `counting what is due for ${stream} in ${scope}`,
    `select count(*)::float8 as count from pai.pipeline_runs r where r.scope = $1 and ${condition}`,
    [scope],
  );
  return rows[0]?.count ?? 0;
}
