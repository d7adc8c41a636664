import { columnName, literal, quote, tableSql } from '../sql.js';
import { eventsSql } from './events.js';
import { inputSql, inputTypes } from './input.js';
import {
  after,
  before,
  hasColumn,
  insertedColumns,
  prefixed,
  type Resolved,
  resolve,
  seenTimes,
  staleSql,
  stamps,
  verdictSql,
} from './resolved.js';
import type { Statement, UpsertSpec } from './spec.js';

/** Locks the known rows in key order: two batches that meet then wait for each other instead of deadlocking. */
function knownSql({ spec, keys, sameKey }: Resolved): string {
  return `select t.* from ${tableSql(spec.table)} t join input i on ${sameKey('t', 'i')}
    order by ${prefixed('t', keys)} for no key update of t`;
}

function mergedSql(resolved: Resolved): string {
  const { spec, keys, merged, sameKey } = resolved;
  const values = merged.map((c) => `(${c.rule})::${c.type} as ${after(c.name)}, k.${c.sql} as ${before(c.name)}`);
  const extra = Object.keys(spec.inputOnly ?? {})
    .map((property) => columnName(property))
    .filter((name) => name !== 'observed_at' && name !== 'answer_request_id')
    .map((name) => `i.${quote(name)} as ${quote(`x_${name}`)}`);
  return `select i.ord, i.observed_at, i.answer_request_id, ${prefixed('i', keys)}, v.is_new,
      case when v.is_late then greatest(${['i.observed_at', ...seenTimes(spec)].join(', ')}) else i.observed_at end as newest_at,
      ${staleSql(resolved)} as is_stale,
      ${[...values, ...extra].join(',\n      ')}
    from input i left join known k on ${sameKey('k', 'i')}
    cross join lateral (${verdictSql(resolved)}) v`;
}

function changedSql({ spec, merged }: Resolved): string {
  const differs = `(${merged.map((c) => after(c.name)).join(', ')}) is distinct from (${merged.map((c) => before(c.name)).join(', ')})`;
  const isNew = spec.insertNew === false ? 'false' : 'is_new';
  return `select * from merged where ${isNew} or (not is_new and not is_stale and ${differs})`;
}

function insertSql(resolved: Resolved): string {
  const { spec, keys } = resolved;
  const values = insertedColumns(resolved, (name) => `c.${name}`);
  return `insert into ${tableSql(spec.table)} (${values.map(([name]) => name).join(', ')})
    select ${values.map(([, value]) => value).join(', ')} from changed c where c.is_new order by ${prefixed('c', keys)}
    on conflict do nothing returning ${keys.map((c) => c.sql).join(', ')}, ${hasColumn(spec, 'revision') ? 'revision' : '1::bigint as revision'}`;
}

function updateSql({ spec, keys, merged, sameKey }: Resolved): string {
  const sets = [
    ...merged.map((c) => `${c.sql} = c.${after(c.name)}`),
    ...stamps(spec, (name) => `c.${name}`).map(([name, value]) => `${name} = ${value}`),
    ...(hasColumn(spec, 'revision') ? ['revision = t.revision + 1'] : []),
  ];
  return `update ${tableSql(spec.table)} t set ${sets.join(', ')}
    from changed c where not c.is_new and ${sameKey('t', 'c')}
    returning ${prefixed('t', keys)}, ${hasColumn(spec, 'revision') ? 't.revision' : '1::bigint as revision'}`;
}

/** What happened, by position in the batch: stale rows, rows that another transaction inserted first, and changes. */
function resultSql({ spec, sameKey }: Resolved): string {
  const status = spec.history?.kind === 'row' ? spec.history.status : undefined;
  const moved = status ? `c.is_new or c.${after(status)} is distinct from c.${before(status)}` : 'true';
  const rescoped = 'scope' in spec.merge ? `not c.is_new and c.${after('scope')} <> c.${before('scope')}` : 'false';
  return `select (select count(*)::int from ins) as inserted, (select count(*)::int from upd) as updated,
    (select coalesce(array_agg(ord::int), '{}') from merged where is_stale) as stale,
    (select count(*)::int from merged where is_new and ${literal(spec.insertNew === false ? 'y' : 'n')} = 'y') as unknown,
    (select coalesce(array_agg(c.ord::int), '{}') from changed c
      where c.is_new and not exists (select from ins where ${sameKey('ins', 'c')})) as contended,
    (select coalesce(json_agg(json_build_array(c.ord, done.revision::text, c.is_new, ${moved}, ${rescoped})), '[]')
      from changed c join done on ${sameKey('done', 'c')}) as changes`;
}

/**
 * One statement that locks the known rows, merges the incoming ones into them, writes only what differs, and adds the
 * history of exactly that. Its parameters are one array a column: 1,000 runs took 20 % longer as one JSON document. It is
 * right for any rows; compare.ts and copy.ts are short cuts for those that it is too much for.
 */
export function buildMerge(spec: UpsertSpec): Statement {
  const resolved = resolve(spec);
  const types = inputTypes(spec);
  const keys = resolved.keys.map((c) => c.sql).join(', ');
  const parts = [
    `input as materialized (${inputSql(spec, types)})`,
    `known as materialized (${knownSql(resolved)})`,
    `merged as materialized (${mergedSql(resolved)})`,
    `changed as materialized (${changedSql(resolved)})`,
    `ins as (${insertSql(resolved)})`,
    `upd as (${updateSql(resolved)})`,
    `done as (select ${keys}, revision from ins union all select ${keys}, revision from upd)`,
    ...(spec.history ? [`events as (${eventsSql(resolved, spec.history)})`] : []),
  ];
  return { text: `with ${parts.join(',\n  ')}\n${resultSql(resolved)}`, inputs: [...types.keys()] };
}
