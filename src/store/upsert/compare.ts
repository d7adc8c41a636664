import { tableSql } from '../sql.js';
import { inputSql, inputTypes } from './input.js';
import { resolve, staleSql, verdictSql } from './resolved.js';
import type { Statement, UpsertSpec } from './spec.js';

/**
 * Tells which rows would change anything. It only reads: most rows of most answers say what is known, and to lock them
 * (which writes to each of them, and to the log) took longer than to compare them. Rows that would change are merged
 * afterwards under their locks, from the beginning.
 *
 * A row that a running transaction is writing (its xmax) is no known one: what that transaction knows may be older, and
 * the merge waits for it.
 *
 * `limit 1` makes one look-up by key of each row. Left to itself PostgreSQL read all of a table of 100,000 rows for a
 * batch of 5,000, and its time grew with the history.
 */
export function buildCompare(spec: UpsertSpec): Statement {
  const resolved = resolve(spec);
  const { merged, sameKey } = resolved;
  const types = inputTypes(spec);
  const stale = staleSql(resolved);
  const values = merged.map((c) => `(${c.rule})::${c.type}`).join(', ');
  const known = merged.map((c) => `k.${c.sql}`).join(', ');
  const unknown = spec.insertNew === false ? 'v.is_new' : 'false';
  const text = `with input as (${inputSql(spec, types)}),
  busy as materialized (
    select array(select x::text::bigint & 4294967295 from pg_snapshot_xip(pg_current_snapshot()) x) as xids,
      pg_snapshot_xmax(pg_current_snapshot())::text::bigint & 4294967295 as beyond),
  found as (
    select i.ord::int, v.is_new, ${stale} as is_stale, ${unknown} as is_unknown
    from input i cross join busy b
    left join lateral (
      select t.*, t.xmax::text::bigint = any (b.xids) or t.xmax::text::bigint >= b.beyond as is_busy
      from ${tableSql(spec.table)} t where ${sameKey('t', 'i')} limit 1) k on true
    cross join lateral (${verdictSql(resolved)}) v
    where v.is_new or ${stale} or (${values}) is distinct from (${known}) or k.is_busy)
select statement_timestamp()::text as now,
  coalesce(array_agg(ord) filter (where is_new and not is_unknown), '{}') as fresh,
  coalesce(array_agg(ord) filter (where not is_new and not is_stale), '{}') as differing,
  coalesce(array_agg(ord) filter (where is_stale), '{}') as stale,
  count(*) filter (where is_unknown)::int as unknown
from found`;
  return { text, inputs: [...types.keys()] };
}
