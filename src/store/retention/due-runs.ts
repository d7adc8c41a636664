/**
 * Which runs a rule lets go, as SQL: the same condition makes the plan, counts for a dry run, and judges each run once more
 * under its lock. Everything that rules say travels as parameters: $1 regions, $2 scopes, $3 outcomes (null: any) and
 * $4 cut-offs (null: keep), one place a rule, in the order of the rules.
 */
import type { RetentionRule } from '../../domain/retention.js';
import { NODES_OPEN_FOR } from '../commit/fetched.js';
import { activeSql } from '../schema/columns.js';

export type PrunableEntity = 'pipeline_run' | 'run';

/** The first rule that matches decides, also where it says keep. */
const deciding = (status: string): string => `cross join lateral (
    select u.n, u.cutoff from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) with ordinality
      as u(region, scope, outcome, cutoff, n)
    where (u.region is null or u.region = r.region) and (u.scope is null or u.scope = r.scope)
      and (u.outcome is null or u.outcome = ${status})
    order by u.n limit 1) d`;

/** Runs on which an item in quarantine hangs: it may be the last that was ever heard of them. */
const held = (operation: string): string => `held as materialized (
  select v.id from pai.quarantine q cross join lateral (values (q.entity_id), (q.parent_id)) v(id)
  where q.resolved_at is null and q.operation ${operation} 'ListRuns' and v.id is not null)`;

/**
 * A pipeline run has ended with a terminal status, or when the source deleted it: nobody will ever tell another end of an
 * active one that is gone. (One that is only missing is asked for until it is found or deleted.) Such a run matches
 * rules for any outcome only, and its age counts from its tombstone.
 */
const PIPELINE_RUN_ENDED = `case when not ${activeSql('r.status')}
  then coalesce(r.finished_at, r.gmt_modified_time, r.updated_at) else r.deleted_at end`;

/** What is still to be asked for would be lost. Of a run that the source dropped there is nothing to ask. */
const PIPELINE_RUN_WAITS = `(r.deleted_at is null and (
    (r.missing_since is null and (r.details_revision < r.revision or (r.nodes_revision < r.revision and r.node_id <> '')))
    or (r.nodes_open and coalesce(r.finished_at, r.updated_at) > now() - ${NODES_OPEN_FOR})
    or (r.missing_since is null and exists (select from pai.pipeline_run_nodes n where n.scope = r.scope
      and n.pipeline_run_id = r.pipeline_run_id and n.outputs_revision < n.revision and n.missing_since is null)))
  or exists (select from held h where h.id = r.pipeline_run_id))`;

/** An experiment run has no end: its age counts from the last sign of life, a point of a metric included. */
const RUN_ENDED = `greatest(coalesce(r.gmt_modified_time, r.gmt_create_time, r.updated_at),
  (select max(m."timestamp") from pai.run_metrics m where m.run_id = r.run_id))`;

interface Prunable {
  readonly table: string;
  readonly id: string;
  readonly status: string;
  readonly held: string;
  readonly ended: string;
  readonly waits: string;
}

const PRUNABLE: { readonly [entity in PrunableEntity]: Prunable } = {
  pipeline_run: {
    table: 'pai.pipeline_runs',
    id: 'r.pipeline_run_id',
    status: 'r.status',
    held: held('<>'),
    ended: PIPELINE_RUN_ENDED,
    waits: PIPELINE_RUN_WAITS,
  },
  run: {
    table: 'pai.runs',
    id: 'r.run_id',
    status: 'null::text',
    held: held('='),
    ended: RUN_ENDED,
    waits: 'exists (select from held h where h.id = r.run_id)',
  },
};

/** The runs that are old enough: id, scope, status, rule (from 1 on), ended_at, and whether something is awaited. */
export function agedSql(entity: PrunableEntity): string {
  const { table, id, status, held: heldSql, ended, waits } = PRUNABLE[entity];
  return `with ${heldSql}
  select ${id} as id, r.scope, ${status} as status, d.n::int as rule, e.ended_at, ${waits} as waits
  from ${table} r cross join lateral (select ${ended} as ended_at) e ${deciding(status)}
  where e.ended_at < d.cutoff`;
}

/** Those of $5 that may go now, in the order of their ids; `lock`: nobody changes them until the transaction ends. */
export function dueAmongSql(entity: PrunableEntity, lock: boolean): string {
  const { id, waits } = PRUNABLE[entity];
  const locked = lock ? 'for update of r skip locked' : '';
  return `${agedSql(entity)} and ${id} = any($5::text[]) and not ${waits} order by ${id} collate "C" ${locked}`;
}

/** $1 to $4. `cutoffs`: by the database's clock, null where the rule keeps. */
export const ruleParameters = (rules: readonly RetentionRule[], cutoffs: readonly (string | null)[]): unknown[] => [
  rules.map(({ scope }) => scope?.region ?? null),
  rules.map(({ scope }) =>
    scope === null || scope.workspaceId === '*' ? null : `${scope.region}:${scope.workspaceId}`,
  ),
  rules.map(({ outcome }) => outcome),
  cutoffs,
];
