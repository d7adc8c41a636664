/** Months of the history that go as a whole: their partition is dropped, which costs the same however large it is. */
import type { ClientBase } from 'pg';
import type { Instant } from '../../domain/entities.js';
import { instantSql, quote } from '../sql.js';

export interface HistoryMonth {
  /** The table's name in schema pai, `change_events_2025_03`. */
  readonly partition: string;
  /** It holds the events observed from then on, and up to but without `to`. */
  readonly from: Instant;
  readonly to: Instant;
  /** Of PostgreSQL's own statistics. */
  readonly estimatedRows: number;
  readonly bytes: number;
}

/**
 * Those whose every event is older than the cut-off, oldest first. The default partition has no bounds and is never among
 * them; neither is the month of now, since a cut-off is a day old at least.
 */
export async function oldMonths(client: ClientBase, cutoff: Instant): Promise<HistoryMonth[]> {
  const { rows } = await client.query<HistoryMonth>(
    `select relname as partition, ${instantSql('lower')} as "from", ${instantSql('upper')} as "to",
       "estimatedRows", bytes
     from (
       select c.relname, greatest(c.reltuples, 0)::float8 as "estimatedRows", pg_total_relation_size(c.oid)::float8 as bytes,
         (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''([^'']+)''\\)'))[1]::timestamptz as lower,
         (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)''\\)'))[1]::timestamptz as upper
       from pg_inherits i join pg_class c on c.oid = i.inhrelid
       where i.inhparent = 'pai.change_events'::regclass and c.relnamespace = 'pai'::regnamespace) months
     where lower is not null and upper <= least($1::timestamptz, date_trunc('month', now()))
     order by upper`,
    [cutoff],
  );
  return rows;
}

/** Inside a transaction with a lock_timeout: the history is locked for a moment. The same lock keeps months from being made. */
export async function dropMonth(client: ClientBase, { partition }: HistoryMonth): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtext('pai.change_events'))`);
  await client.query(`alter table pai.change_events detach partition pai.${quote(partition)}`);
  await client.query(`drop table pai.${quote(partition)}`);
}
