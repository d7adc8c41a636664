import { prunedRuns } from '../schema/bookkeeping.js';
import { changeEvents } from '../schema/history.js';
import { columnName, literal, quote, tableSql } from '../sql.js';
import { after, before, type Resolved } from './resolved.js';
import type { History } from './spec.js';

type RowHistory = Extract<History, { kind: 'row' }>;

const TARGET = `${tableSql(changeEvents)} (entity, entity_id, node_id, node_type, region, scope, kind, from_status, to_status,
      changes, source_time, observed_at, request_id)`;

/** What happened to a row, in one word. Being gone (or back) outweighs a change of other columns, which it lists too. */
function kindsSql({ merged }: Resolved, { comesBack }: RowHistory): string {
  const first = comesBack ? 'restored' : 'discovered';
  const has = (name: string) => merged.some((c) => c.name === name);
  const became = (name: string) => `c.${before(name)} is null and c.${after(name)} is not null`;
  const ceased = (name: string) => `c.${before(name)} is not null and c.${after(name)} is null`;
  const cases = [
    ...(has('deleted_at')
      ? [`when c.is_new and c.${after('deleted_at')} is not null then array['${first}', 'deleted']`]
      : []),
    `when c.is_new then array['${first}']`,
    ...(has('deleted_at') ? [`when ${became('deleted_at')} then array['deleted']`] : []),
    ...['deleted_at', 'missing_since'].filter(has).map((name) => `when ${ceased(name)} then array['restored']`),
    ...(has('missing_since') ? [`when ${became('missing_since')} then array['missing']`] : []),
  ];
  return `case ${cases.join(' ')} else array['changed'] end`;
}

/**
 * Column → [old, new] of the source's columns that changed, and of the scope that a run went to; null for a new row, where
 * only the mirror's own did, or where a column got its first value from the operation that alone tells it: that is news to
 * the mirror, not a change.
 */
function changesSql({ spec, merged }: Resolved, history: RowHistory): string {
  const computed = (spec.computed ?? []).filter((property) => property !== 'scope');
  const own = new Set(['deletedAt', 'missingSince', ...computed]);
  const completed = (history.completes ?? []).map((property) => literal(columnName(property)));
  const isNews = completed.length === 0 ? '' : ` and not (d.old is null and d.name in (${completed.join(', ')}))`;
  const values = merged
    .filter((c) => !own.has(c.property))
    .map((c) => `(${literal(c.name)}, to_jsonb(c.${before(c.name)}), to_jsonb(c.${after(c.name)}))`);
  if (values.length === 0) return 'null::jsonb';
  return `case when not c.is_new then (select jsonb_object_agg(d.name, jsonb_build_array(d.old, d.new))
        from (values ${values.join(', ')}) as d(name, old, new) where d.old is distinct from d.new${isNews}) end`;
}

function sourceTimeSql({ spec }: Resolved, { sourceTime }: RowHistory): string {
  const values = sourceTime.map((property) =>
    spec.inputOnly?.[property] ? `c.${quote(`x_${columnName(property)}`)}` : `c.${after(columnName(property))}`,
  );
  return values.length === 0 ? 'null::timestamptz' : `coalesce(${values.join(', ')})`;
}

/** The row that went is no more; what it was is where the pruning noted it. */
function fromStatusSql(history: RowHistory, own: string): string {
  const { comesBack, entity, status } = history;
  if (status === undefined) return 'null';
  if (!comesBack) return `c.${before(status)}`;
  return `coalesce(c.${before(status)}, (select p.status from ${tableSql(prunedRuns)} p
        where p.entity = ${literal(entity)} and p.entity_id = ${own}))`;
}

function rowEventsSql(resolved: Resolved, history: RowHistory): string {
  const own = (property: string | undefined) => (property ? `c.${quote(columnName(property))}` : 'null');
  const { status } = history;
  return `insert into ${TARGET}
    select ${literal(history.entity)}, ${own(history.entityId)}, ${own(history.nodeId)}, ${own(history.nodeType)}, $1, $2, e.kind,
      ${fromStatusSql(history, own(history.entityId))}, ${status ? `c.${after(status)}` : 'null'},
      d.changes, ${sourceTimeSql(resolved, history)}, c.observed_at, c.answer_request_id
    from changed c join done on ${resolved.sameKey('done', 'c')}
    cross join lateral (select ${changesSql(resolved, history)} as changes) d
    cross join lateral unnest(${kindsSql(resolved, history)}) with ordinality as e(kind, step)
    where e.kind <> 'changed' or d.changes is not null
    order by c.ord, e.step`;
}

/** Params and labels: the value is [old, new], and null on the side where the key does not exist. */
function fieldEventsSql(resolved: Resolved, prefix: string): string {
  const value = (side: (name: string) => string) =>
    `case when c.${side('deleted_at')} is null then to_jsonb(c.${side('value')}) end`;
  return `insert into ${TARGET}
    select 'run', c.run_id, null, null, $1, $2, 'changed', null, null,
      jsonb_object_agg(${literal(`${prefix}.`)} || c.key, jsonb_build_array(${value(before)}, ${value(after)})),
      min(c.x_source_time), max(c.observed_at), max(c.answer_request_id)
    from changed c join done on ${resolved.sameKey('done', 'c')}
    where c.x_history group by c.run_id order by c.run_id`;
}

/** The history of exactly the rows that this statement wrote. */
export function eventsSql(resolved: Resolved, history: History): string {
  return history.kind === 'row' ? rowEventsSql(resolved, history) : fieldEventsSql(resolved, history.prefix);
}
