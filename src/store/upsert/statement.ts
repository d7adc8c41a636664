import { isEarlier } from '../clock.js';
import { column, columnName, literal, quote, type SqlColumn, tableSql } from '../sql.js';
import { eventsSql } from './events.js';
import { after, before, type Resolved, resolve } from './resolved.js';
import type { UpsertSpec } from './spec.js';

/** A generated statement: its text, and the properties whose arrays are its parameters from $3 on ($1 region, $2 scope). */
export interface UpsertStatement {
  readonly text: string;
  readonly inputs: readonly string[];
}

const prefixed = (alias: string, columns: readonly SqlColumn[]): string =>
  columns.map((c) => `${alias}.${c.sql}`).join(', ');

/** Which arrays the statement takes, and of which type. Evidence is sent by every row. */
function inputTypes(spec: UpsertSpec): Map<string, string> {
  const types = new Map<string, string>();
  for (const key of spec.keys) if (!spec.resolve?.[key]) types.set(key, column(spec.table, key).type);
  const own = new Set([...MIRROR_OWN, ...(spec.computed ?? [])]);
  for (const property of Object.keys(spec.merge)) {
    if (!own.has(property)) types.set(property, column(spec.table, property).type);
  }
  for (const [property, type] of Object.entries(spec.inputOnly ?? {})) types.set(property, type);
  if (spec.remembers) types.set('seenAt', 'timestamptz');
  types.set('observedAt', 'timestamptz');
  types.set('answerRequestId', 'text');
  return types;
}

/** Merged columns that rules compute and no row brings. */
const MIRROR_OWN = ['deletedAt', 'missingSince'];

function inputSql(spec: UpsertSpec, types: Map<string, string>): string {
  const arrays = [...types.values()].map((type, index) => `$${index + 3}::${type}[]`);
  const names = [...types.keys()].map((property) => quote(columnName(property)));
  const looked = Object.entries(spec.resolve ?? {}).map(
    ([property, sql]) => `, ${sql} as ${quote(columnName(property))}`,
  );
  // Region and scope are named here so that they have a type also in a statement that writes neither.
  return `select a.*, $1::text as in_region, $2::text as in_scope${looked.join('')} from unnest(${arrays.join(', ')}) with ordinality as a(${names.join(', ')}, ord)`;
}

/** Locks the known rows in key order: two batches that meet then wait for each other instead of deadlocking. */
function knownSql({ spec, keys, sameKey }: Resolved): string {
  return `select t.* from ${tableSql(spec.table)} t join input i on ${sameKey('t', 'i')}
    order by ${prefixed('t', keys)} for no key update of t`;
}

function mergedSql({ spec, keys, merged, sameKey }: Resolved): string {
  const first = (keys[0] as SqlColumn).sql;
  const known = spec.observed ? `k.${column(spec.table, spec.observed).sql}` : null;
  const seen = [...(known ? [known] : []), ...(spec.remembers ? ['i.seen_at'] : [])];
  const late = seen.map((time) => isEarlier('i.observed_at', time));
  const stale = [
    spec.lateButNewWhen ? `v.is_late and (${spec.lateButNewWhen}) is not true` : 'v.is_late',
    ...(spec.staleWhen ? [spec.staleWhen] : []),
  ];
  const values = merged.map((c) => `(${c.rule})::${c.type} as ${after(c.name)}, k.${c.sql} as ${before(c.name)}`);
  const extra = Object.keys(spec.inputOnly ?? {})
    .map((property) => columnName(property))
    .filter((name) => name !== 'observed_at' && name !== 'answer_request_id')
    .map((name) => `i.${quote(name)} as ${quote(`x_${name}`)}`);
  return `select i.ord, i.observed_at, i.answer_request_id, ${prefixed('i', keys)}, v.is_new,
      case when v.is_late then greatest(${['i.observed_at', ...seen].join(', ')}) else i.observed_at end as newest_at,
      not v.is_new and coalesce(${stale.join(' or ')}, false) as is_stale,
      ${[...values, ...extra].join(',\n      ')}
    from input i left join known k on ${sameKey('k', 'i')}
    cross join lateral (select k.${first} is null as is_new, coalesce(${spec.moved ?? 'true'}, true) as moved,
      k.${first} is not null and coalesce(${late.join(' or ') || 'false'}, false) as is_late) v`;
}

function changedSql({ spec, merged }: Resolved): string {
  const differs = `(${merged.map((c) => after(c.name)).join(', ')}) is distinct from (${merged.map((c) => before(c.name)).join(', ')})`;
  const isNew = spec.insertNew === false ? 'false' : 'is_new';
  return `select * from merged where ${isNew} or (not is_new and not is_stale and ${differs})`;
}

/** Columns that every write sets, with their values over `c`, the changed row. */
function stamps(spec: UpsertSpec): [string, string][] {
  const own: [string, string][] = [['updated_at', 'statement_timestamp()']];
  if (spec.observed) own.push([columnName(spec.observed), 'c.newest_at'], ['answer_request_id', 'c.answer_request_id']);
  return own;
}

const hasColumn = (spec: UpsertSpec, property: string): boolean => property in spec.table;

function insertSql({ spec, keys, merged }: Resolved): string {
  const values: [string, string][] = [
    ...keys.map((c): [string, string] => [c.sql, `c.${c.sql}`]),
    ...merged.map((c): [string, string] => [c.sql, `c.${after(c.name)}`]),
    ['region', '$1'],
    ...(hasColumn(spec, 'scope') && !('scope' in spec.merge) ? [['scope', '$2'] as [string, string]] : []),
    ['first_seen_at', 'statement_timestamp()'],
    ...stamps(spec),
    ...(hasColumn(spec, 'revision') ? [['revision', '1'] as [string, string]] : []),
  ];
  return `insert into ${tableSql(spec.table)} (${values.map(([name]) => name).join(', ')})
    select ${values.map(([, value]) => value).join(', ')} from changed c where c.is_new order by ${prefixed('c', keys)}
    on conflict do nothing returning ${keys.map((c) => c.sql).join(', ')}, ${hasColumn(spec, 'revision') ? 'revision' : '1::bigint as revision'}`;
}

function updateSql({ spec, keys, merged, sameKey }: Resolved): string {
  const sets = [
    ...merged.map((c) => `${c.sql} = c.${after(c.name)}`),
    ...stamps(spec).map(([name, value]) => `${name} = ${value}`),
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
 * history of exactly that. Its parameters are one array a column: 1,000 runs took 20 % longer as one JSON document.
 */
export function buildUpsert(spec: UpsertSpec): UpsertStatement {
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
