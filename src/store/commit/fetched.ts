/**
 * Which revision of a run or node the mirror has fetched nodes, details and outputs for. One statement a batch, which
 * touches only rows whose mark really moves; a mark is neither a change of the run nor history.
 */
import type { ClientBase } from 'pg';
import type { Fetched, NodeKey, Observed } from '../../domain/batch.js';
import { isEarlier } from '../clock.js';
import { activeNodeSql, activeSql } from '../schema/columns.js';

/** For how long after a run's end its unfinished nodes are still polled: some are never finished by PAI. */
export const NODES_OPEN_FOR = `interval '24 hours'`;

/** The highest revision of each run: one UPDATE cannot write a row twice. */
function highest(fetched: readonly Fetched[]): [ids: string[], revisions: string[]] {
  const revisions = new Map<string, bigint>();
  for (const { pipelineRunId, revision } of fetched) {
    const known = revisions.get(pipelineRunId);
    if (known === undefined || known < BigInt(revision)) revisions.set(pipelineRunId, BigInt(revision));
  }
  return [[...revisions.keys()], [...revisions.values()].map(String)];
}

export async function markDetailsFetched(client: ClientBase, fetched: readonly Fetched[]): Promise<void> {
  if (fetched.length === 0) return;
  await client.query(
    `with due as (
       select r.pipeline_run_id, f.revision from pai.pipeline_runs r
       join unnest($1::text[], $2::bigint[]) as f(id, revision) on r.pipeline_run_id = f.id
       where r.details_revision < f.revision order by r.pipeline_run_id for no key update of r)
     update pai.pipeline_runs r set details_revision = due.revision from due where r.pipeline_run_id = due.pipeline_run_id`,
    highest(fetched),
  );
}

/** Also works out whether nodes of the run may still move. */
export async function markNodesFetched(client: ClientBase, fetched: readonly Fetched[]): Promise<void> {
  if (fetched.length === 0) return;
  await client.query(
    `with done as (
       select r.pipeline_run_id, greatest(r.nodes_revision, f.revision) as nodes_revision,
         (${activeSql('r.status')} or coalesce(r.finished_at, r.updated_at) > now() - ${NODES_OPEN_FOR})
         and exists (select from pai.pipeline_run_nodes n where n.pipeline_run_id = r.pipeline_run_id
           and n.missing_since is null and ${activeNodeSql('n.status')}) as nodes_open
       from pai.pipeline_runs r join unnest($1::text[], $2::bigint[]) as f(id, revision) on r.pipeline_run_id = f.id
       order by r.pipeline_run_id for no key update of r)
     update pai.pipeline_runs r
     set nodes_revision = done.nodes_revision, nodes_open = done.nodes_open, nodes_fetched_at = statement_timestamp()
     from done where r.pipeline_run_id = done.pipeline_run_id
       and (r.nodes_revision, r.nodes_open) is distinct from (done.nodes_revision, done.nodes_open)`,
    highest(fetched),
  );
}

/** A poll saw a node move: what only the tree tells (RuntimeInfo) has to be asked for again. */
export async function markNodesDue(client: ClientBase, pipelineRunIds: readonly string[]): Promise<void> {
  if (pipelineRunIds.length === 0) return;
  await client.query(
    `with moved as (select pipeline_run_id from pai.pipeline_runs where pipeline_run_id = any($1::text[]) and nodes_revision <> -1
       order by pipeline_run_id for no key update)
     update pai.pipeline_runs r set nodes_revision = -1 from moved where r.pipeline_run_id = moved.pipeline_run_id`,
    [pipelineRunIds],
  );
}

/** The outputs of these nodes were asked for; a node that changed after that question stays due. */
export async function markOutputsFetched(client: ClientBase, polled: readonly Observed<NodeKey>[]): Promise<void> {
  const rows = polled.flatMap(({ evidence, items }) =>
    items.map((item) => ({ ...item, observedAt: evidence.observedAt })),
  );
  if (rows.length === 0) return;
  await client.query(
    `with polled as (select run_id, node_id, max(observed_at) as observed_at
         from unnest($1::text[], $2::text[], $3::timestamptz[]) as p(run_id, node_id, observed_at) group by run_id, node_id),
       done as (select n.pipeline_run_id, n.node_id, n.node_type, n.revision from pai.pipeline_run_nodes n
         join polled p on n.pipeline_run_id = p.run_id and n.node_id = p.node_id
         where n.outputs_revision < n.revision and not ${isEarlier('p.observed_at', 'n.observed_at')}
         order by n.pipeline_run_id, n.node_id, n.node_type for no key update of n)
     update pai.pipeline_run_nodes n set outputs_revision = done.revision from done
     where n.pipeline_run_id = done.pipeline_run_id and n.node_id = done.node_id and n.node_type = done.node_type`,
    [rows.map((row) => row.pipelineRunId), rows.map((row) => row.nodeId), rows.map((row) => row.observedAt)],
  );
}
