/** Runs that retention took out of the mirror: the source goes on showing them, and they stay away. */
import type { ClientBase } from 'pg';
import { activeSql } from '../schema/columns.js';
import type { Entry } from '../upsert/newest.js';
import type { UpsertSpec } from '../upsert/spec.js';

type PrunedEntity = 'pipeline_run' | 'run';

/** Every key begins with the run's id. */
const entityOf = (spec: UpsertSpec): PrunedEntity => (spec.keys[0] === 'runId' ? 'run' : 'pipeline_run');
const runOf = (spec: UpsertSpec, entry: Entry): string => entry.row[spec.keys[0] as string] as string;

/**
 * The list shows another version than the one that was judged: a later one (where the known time lay in the future it
 * proves nothing, and any other will do), or the run is under way again, though nothing says that a rerun moves
 * GmtModifiedTime. An older answer brings nothing back.
 */
const IS_NEWS = `(i.modified > p.gmt_modified_time or (p.gmt_modified_time is null and i.modified is not null)
  or (p.gmt_modified_time > p.pruned_at + interval '1 day' and i.modified <> p.gmt_modified_time)
  or (p.entity = 'pipeline_run' and i.modified = p.gmt_modified_time and ${activeSql('i.status')}
    and not ${activeSql('p.status')}))`;

export interface SortedOut {
  readonly others: readonly Entry[];
  /** Nothing of them is stored. */
  readonly pruned: readonly Entry[];
  /** They were pruned, and the source has modified them since. */
  readonly back: readonly Entry[];
}

/** Only the list of the runs themselves brings one back; whatever hangs on a pruned run stays away with it. */
export async function sortOutPruned(
  client: ClientBase,
  spec: UpsertSpec,
  entries: readonly Entry[],
): Promise<SortedOut> {
  const { rows } = await client.query<{ id: string; isNews: boolean }>(
    `select i.id, coalesce(${IS_NEWS}, false) as "isNews"
     from unnest($2::text[], $3::timestamptz[], $4::text[]) as i(id, modified, status)
     cross join lateral (select * from pai.pruned_runs p where p.entity_id = i.id and p.entity = $1 limit 1) p`,
    [
      entityOf(spec),
      entries.map((entry) => runOf(spec, entry)),
      entries.map((entry) => entry.row.gmtModifiedTime ?? null),
      entries.map((entry) => entry.row.status ?? null),
    ],
  );
  if (rows.length === 0) return { others: entries, pruned: [], back: [] };
  const found = new Map(rows.map(({ id, isNews }) => [id, isNews && spec.afterPruning !== undefined]));
  const of = (wanted: boolean | undefined) => entries.filter((entry) => found.get(runOf(spec, entry)) === wanted);
  return { others: of(undefined), pruned: of(false), back: of(true) };
}

/** They are rows of the mirror again, as any other. */
export async function forgetPruned(client: ClientBase, spec: UpsertSpec, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  await client.query('delete from pai.pruned_runs where entity = $1 and entity_id = any($2::text[])', [
    entityOf(spec),
    entries.map((entry) => runOf(spec, entry)),
  ]);
}

export async function isPruned(client: ClientBase, entity: PrunedEntity, id: string): Promise<boolean> {
  const { rowCount } = await client.query('select from pai.pruned_runs where entity_id = $1 and entity = $2', [
    id,
    entity,
  ]);
  return rowCount === 1;
}
