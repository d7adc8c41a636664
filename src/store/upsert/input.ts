import { column, columnName, quote, tableSql } from '../sql.js';
import type { Statement, UpsertSpec } from './spec.js';

/** Merged columns that rules compute and no row brings. */
const MIRROR_OWN = ['deletedAt', 'missingSince'];

/** Which arrays a statement takes from $3 on ($1 region, $2 scope), and of which type. Evidence is sent by every row. */
export function inputTypes(spec: UpsertSpec): Map<string, string> {
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

/** The rows as they came, with their place in the batch as `ord`. */
export function inputSql(spec: UpsertSpec, types: ReadonlyMap<string, string>): string {
  const arrays = [...types.values()].map((type, index) => `$${index + 3}::${type}[]`);
  const names = [...types.keys()].map((property) => quote(columnName(property)));
  const looked = Object.entries(spec.resolve ?? {}).map(
    ([property, sql]) => `, ${sql} as ${quote(columnName(property))}`,
  );
  // Region and scope are named here so that they have a type also in a statement that writes neither.
  return `select a.*, $1::text as in_region, $2::text as in_scope${looked.join('')} from unnest(${arrays.join(', ')}) with ordinality as a(${names.join(', ')}, ord)`;
}

/**
 * Which of the rows the table has, by key, and what the database's clock says. The arrays begin with $1; `limit 1`: see
 * compare.ts.
 */
export function knownOnlySql(spec: UpsertSpec): Statement {
  const keys = spec.keys.map((property) => column(spec.table, property));
  const arrays = keys.map((key, index) => `$${index + 1}::${key.type}[]`).join(', ');
  const text = `select statement_timestamp()::text as now, array(
    select i.ord::int from unnest(${arrays}) with ordinality as i(${keys.map((key) => key.sql).join(', ')}, ord)
    cross join lateral (
      select from ${tableSql(spec.table)} t where ${keys.map((key) => `t.${key.sql} = i.${key.sql}`).join(' and ')} limit 1) k
  ) as known`;
  return { text, inputs: spec.keys };
}
