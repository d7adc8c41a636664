/**
 * What waits for a call, derived from the tables alone. Every query walks a partial index that holds only what waits,
 * in key order from `after` on, so an idle round costs the same with a million runs of history as with none.
 */
import type { NodeKey } from '../domain/batch.js';
import type { Instant } from '../domain/entities.js';
import { isAhead, isBeyond } from './clock.js';
import { NODES_OPEN_FOR } from './commit/fetched.js';
import { LONGEST_RETRY } from './commit/retries.js';
import { type Queryable, query } from './pool.js';
import { activeNodeSql, activeSql, TOLD_DELETED } from './schema/columns.js';

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
export const DUE: { readonly [stream in DueStream]: string } = {
  nodes: `r.nodes_revision < r.revision and r.deleted_at is null and r.missing_since is null and r.node_id <> ''`,
  details: 'r.details_revision < r.revision and r.deleted_at is null and r.missing_since is null',
};
export const ACTIVE = `r.deleted_at is null and ${activeSql('r.status')}`;

const MISSING = 'r.missing_since is not null and r.deleted_at is null';

/** Called deleted by the poll: asked for on, for as long as the list shows them (see commit/told-deleted.ts). */
const TOLD = `r.deleted_at is not null and r.pipeline_run_id in
  (select s.entity_id from pai.sync_retries s where s.scope = $1 and s.stream = ${TOLD_DELETED})`;

/** Ids of runs in key order: one walk over a partial index for each condition. */
async function ids(
  db: Queryable,
  what: string,
  conditions: readonly string[],
  scope: string,
  page: DuePage<string>,
  more: readonly unknown[] = [],
): Promise<string[]> {
  const parts = conditions.map(
    (condition) => `(select r.pipeline_run_id as id from pai.pipeline_runs r
       where r.scope = $1 and r.pipeline_run_id > $2 and ${condition} order by r.pipeline_run_id limit $3)`,
  );
  const text = parts.length === 1 ? (parts[0] as string) : `${parts.join(' union ')} order by id limit $3`;
  const values = [scope, page.after ?? '', page.limit, ...more];
  return (await query<{ id: string }>(db, `${what} in ${scope}`, text, values)).map((row) => row.id);
}

export const runsDueForPoll = (db: Queryable, scope: string, page: DuePage<string>): Promise<string[]> =>
  ids(db, 'reading runs to poll', [ACTIVE, MISSING, TOLD], scope, page);

export const missingPipelineRuns = (db: Queryable, scope: string, page: DuePage<string>): Promise<string[]> =>
  ids(db, 'reading missing runs', [MISSING], scope, page);

/** Leaves out the runs whose last failure is too recent. `stream` and `failedBefore` are SQL. */
function notFailing(stream: string, failedBefore: string | null): string {
  const waits =
    failedBefore === null
      ? `s.retry_at > clock_timestamp() and not ${isBeyond('s.retry_at', LONGEST_RETRY)}`
      : `s.failed_at >= ${failedBefore} and not ${isAhead('s.failed_at')}`;
  return `not exists (select from pai.sync_retries s
    where s.scope = $1 and s.stream = ${stream} and s.entity_id = r.pipeline_run_id and ${waits})`;
}

/** Missing runs that `status` has not asked for by name lately. */
export function runsDueForConfirmation(
  db: Queryable,
  scope: string,
  page: DuePage<string> & { readonly failedBefore: Instant | null },
): Promise<string[]> {
  const waits = notFailing(`'status'`, page.failedBefore === null ? null : '$4::timestamptz');
  const more = page.failedBefore === null ? [] : [page.failedBefore];
  return ids(db, 'reading runs to confirm', [`${MISSING} and ${waits}`], scope, page, more);
}

/** Without the runs whose last failure is too recent: not older than `failedBefore`, or else still backing off. */
export async function dueRuns(
  db: Queryable,
  stream: DueStream,
  scope: string,
  page: DuePage<string> & { readonly failedBefore: Instant | null },
): Promise<DueItem[]> {
  return query<{ pipelineRunId: string; nodeId: string; revision: string }>(
    db,
    `reading runs due for ${stream} in ${scope}`,
    `select r.pipeline_run_id as "pipelineRunId", coalesce(r.node_id, '') as "nodeId", r.revision::text as revision
     from pai.pipeline_runs r
     where r.scope = $1 and r.pipeline_run_id > $2 and ${DUE[stream]}
       and ${notFailing('$4', page.failedBefore === null ? null : '$5::timestamptz')}
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

/** How many of these pipeline runs were never stored; one that was pruned has been. */
export async function countUnknown(db: Queryable, pipelineRunIds: readonly string[]): Promise<number> {
  const rows = await query<{ count: number }>(
    db,
    'looking for unknown runs',
    `select count(*)::float8 as count from unnest($1::text[]) as i(id)
     where not exists (select from pai.pipeline_runs r where r.pipeline_run_id = i.id)
       and not exists (select from pai.pruned_runs p where p.entity_id = i.id and p.entity = 'pipeline_run')`,
    [pipelineRunIds],
  );
  return rows[0]?.count ?? 0;
}

/** The total of a progress bar. */
export async function countDue(db: Queryable, scope: string, stream: DueStream | 'status'): Promise<number> {
  // Two counts, since no partial index serves both conditions at once.
  const conditions = stream === 'status' ? [ACTIVE, `${MISSING} and not ${activeSql('r.status')}`] : [DUE[stream]];
  const counts = conditions.map(
    (condition) => `(select count(*) from pai.pipeline_runs r where r.scope = $1 and ${condition})`,
  );
  const rows = await query<{ count: number }>(
    db,
    `counting what is due for ${stream} in ${scope}`,
    `select (${counts.join(' + ')})::float8 as count`,
    [scope],
  );
  return rows[0]?.count ?? 0;
}
