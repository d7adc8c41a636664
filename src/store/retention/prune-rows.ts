/** Bookkeeping that only ever grows: rows of old passes, and settled rows of quarantine. They leave nothing behind. */
import type { ClientBase } from 'pg';
import type { Instant } from '../../domain/entities.js';
import { instantSql } from '../sql.js';

export type PrunableRows = 'sync_passes' | 'quarantine';

/** Rows of a statement. */
const AT_ONCE = 10_000;

/**
 * The latest passes of a stream say how fresh it is, and a lease that is taken over looks at as many (leases.ts); the last
 * one that succeeded says since when it is not.
 */
const OLD_PASSES = `select p.id, p.finished_at as at from pai.sync_leases l
  cross join lateral (select min(id) as id from (
    select id from pai.sync_passes s where s.scope = l.scope and s.stream = l.stream order by s.id desc limit 5) s) latest
  cross join lateral (select max(id) as id from pai.sync_passes s
    where s.scope = l.scope and s.stream = l.stream and s.outcome = 'succeeded') succeeded
  join pai.sync_passes p on p.scope = l.scope and p.stream = l.stream
    and p.id < latest.id and p.id is distinct from succeeded.id
  where p.finished_at < $1::timestamptz`;

const SETTLED = 'select id, resolved_at as at from pai.quarantine where resolved_at < $1::timestamptz';

const OLD: { readonly [table in PrunableRows]: string } = { sync_passes: OLD_PASSES, quarantine: SETTLED };

export interface AgedRows {
  readonly rows: number;
  readonly oldest: Instant | null;
  readonly newest: Instant | null;
}

export async function countOldRows(client: ClientBase, table: PrunableRows, cutoff: Instant): Promise<AgedRows> {
  const { rows } = await client.query<AgedRows>(
    `select count(*)::float8 as rows, ${instantSql('min(at)')} as oldest, ${instantSql('max(at)')} as newest
     from (${OLD[table]}) old`,
    [cutoff],
  );
  return rows[0] as AgedRows;
}

/** One statement of many; `rows` 0 when nothing is left. */
export async function pruneOldRows(client: ClientBase, table: PrunableRows, cutoff: Instant): Promise<AgedRows> {
  const { rows } = await client.query<AgedRows>(
    `with old as materialized (select * from (${OLD[table]}) o order by id limit ${AT_ONCE}),
     gone as (delete from pai.${table} where id in (select id from old))
     select count(*)::float8 as rows, ${instantSql('min(at)')} as oldest, ${instantSql('max(at)')} as newest from old`,
    [cutoff],
  );
  return rows[0] as AgedRows;
}

export function joinRows(a: AgedRows, b: AgedRows): AgedRows {
  const times = (pick: (one: AgedRows) => Instant | null) =>
    [a, b]
      .map(pick)
      .filter((time) => time !== null)
      .sort();
  return {
    rows: a.rows + b.rows,
    oldest: times(({ oldest }) => oldest)[0] ?? null,
    newest: times(({ newest }) => newest).at(-1) ?? null,
  };
}
