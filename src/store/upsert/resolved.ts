import { isEarlier } from '../clock.js';
import { column, columnName, quote, type SqlColumn } from '../sql.js';
import type { UpsertSpec } from './spec.js';

/** The columns of a spec, resolved once. */
export interface Resolved {
  readonly spec: UpsertSpec;
  readonly keys: readonly SqlColumn[];
  readonly merged: readonly (SqlColumn & { readonly property: string; readonly rule: string })[];
  /** `x.key1 = y.key1 and …` */
  readonly sameKey: (x: string, y: string) => string;
}

export function resolve(spec: UpsertSpec): Resolved {
  const keys = spec.keys.map((property) => column(spec.table, property));
  const merged = Object.entries(spec.merge).map(([property, rule]) => {
    const found = column(spec.table, property);
    return { ...found, property, rule: rule(found.sql) };
  });
  return {
    spec,
    keys,
    merged,
    sameKey: (x, y) => keys.map((key) => `${x}.${key.sql} = ${y}.${key.sql}`).join(' and '),
  };
}

/** Merged value and known value of a column, as the inner parts of the statement name them. */
export const after = (name: string): string => quote(`n_${name}`);
export const before = (name: string): string => quote(`o_${name}`);

export const prefixed = (alias: string, columns: readonly SqlColumn[]): string =>
  columns.map((c) => `${alias}.${c.sql}`).join(', ');

export const hasColumn = (spec: UpsertSpec, property: string): boolean => property in spec.table;

/** SQL: the times at which the mirror has seen the row `k` before. */
export function seenTimes(spec: UpsertSpec): string[] {
  const known = spec.observed ? [`k.${column(spec.table, spec.observed).sql}`] : [];
  return [...known, ...(spec.remembers ? ['i.seen_at'] : [])];
}

/** SQL: what the rules ask of a pair `i` and `k`. */
export function verdictSql({ spec, keys }: Resolved): string {
  const first = (keys[0] as SqlColumn).sql;
  const late = seenTimes(spec).map((time) => isEarlier('i.observed_at', time));
  return `select k.${first} is null as is_new, coalesce(${spec.moved ?? 'true'}, true) as moved,
      k.${first} is not null and coalesce(${late.join(' or ') || 'false'}, false) as is_late`;
}

/** SQL: the row is refused, because a newer one is known. */
export function staleSql({ spec }: Resolved): string {
  const reasons = [
    spec.lateButNewWhen ? `v.is_late and (${spec.lateButNewWhen}) is not true` : 'v.is_late',
    ...(spec.staleWhen ? [spec.staleWhen] : []),
  ];
  return `not v.is_new and coalesce(${reasons.join(' or ')}, false)`;
}

type Assignment = [name: string, value: string];
/** How a statement names a value of the merged row: a key, `n_…`, `newest_at` or `answer_request_id`. */
type ValueAs = (name: string) => string;

/** Columns that every write sets. */
export function stamps(spec: UpsertSpec, valueAs: ValueAs): Assignment[] {
  const own: Assignment[] = [['updated_at', 'statement_timestamp()']];
  if (!spec.observed) return own;
  return [
    ...own,
    [columnName(spec.observed), valueAs('newest_at')],
    ['answer_request_id', valueAs('answer_request_id')],
  ];
}

/** All columns of a new row. */
export function insertedColumns({ spec, keys, merged }: Resolved, valueAs: ValueAs): Assignment[] {
  return [
    ...keys.map((c): Assignment => [c.sql, valueAs(c.sql)]),
    ...merged.map((c): Assignment => [c.sql, valueAs(after(c.name))]),
    ['region', '$1'],
    ...(hasColumn(spec, 'scope') && !('scope' in spec.merge) ? [['scope', '$2'] as Assignment] : []),
    ['first_seen_at', 'statement_timestamp()'],
    ...stamps(spec, valueAs),
    ...(hasColumn(spec, 'revision') ? [['revision', '1'] as Assignment] : []),
  ];
}
