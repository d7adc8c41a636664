import type { ClientBase, Pool } from 'pg';
import { storeError } from './pg-errors.js';

/** Months that one call moves out of the default partition at most; the next call goes on. */
const MOVED_AT_ONCE = 24;

/**
 * PostgreSQL copies row triggers to partitions, and fires none of the parent's for a statement that names a partition:
 * one that touches no row would pass there, which is harmless but looks as if the history could be changed.
 */
const GUARD_PARTITIONS = `do $$
declare
  partition regclass;
begin
  for partition in select i.inhrelid from pg_inherits i where i.inhparent = 'pai.change_events'::regclass
    and not exists (select from pg_trigger t where t.tgrelid = i.inhrelid and t.tgname = 'append_only_statements')
  loop
    execute format('create trigger append_only_statements before update or delete on %s '
      'for each statement execute function pai.refuse_history_change()', partition);
  end loop;
end $$`;

/** Somebody may have dropped it, and an event of a month without a partition would then have no place to go. */
const MAKE_DEFAULT = `do $$
begin
  if to_regclass('pai.change_events_default') is null then
    create table pai.change_events_default partition of pai.change_events default;
    create trigger append_only_truncate before truncate on pai.change_events_default
      for each statement execute function pai.refuse_history_change();
    perform pai.describe_change_event_partition('change_events_default');
  end if;
end $$`;

/**
 * Months that have events in the default partition, oldest first, as `2026-11-01`. What is dated later is left there, and
 * so is a month whose table exists already: it was detached, and is not ours to fill.
 */
const MONTHS_IN_DEFAULT = `
  select to_char(start, 'YYYY-MM-DD') as month
  from (select distinct date_trunc('month', observed_at at time zone 'UTC') as start from pai.change_events_default
    where observed_at >= '1970-01-01T00:00:00Z') months
  where start < date_trunc('month', now() at time zone 'UTC') + make_interval(months => $1 + 1)
    and to_regclass('pai.change_events_' || to_char(start, 'YYYY_MM')) is null
  order by start limit $2`;

/**
 * Makes sure that the history has partitions from this month (UTC) up to `monthsAhead` months ahead, moves the events of
 * months that had none out of the default partition, and returns the names of the partitions that were created. Safe to
 * call at any time and from several replicas: the second waits and finds them there. Each step briefly locks the history
 * (moving a month locks out whoever writes to the default partition, some seconds for a million events), so a lock that
 * does not come within 5 seconds is given up (STORE_TIMEOUT) and the events go to the default partition meanwhile.
 */
export async function ensurePartitions(client: ClientBase, monthsAhead: number): Promise<string[]> {
  const created = await inTransaction(client, async () => {
    await client.query(MAKE_DEFAULT);
    const { rows } = await client.query<{ name: string }>('select pai.ensure_change_event_partitions($1) as name', [
      monthsAhead,
    ]);
    await client.query(GUARD_PARTITIONS);
    return rows.map((row) => row.name);
  });
  const moved = await inTransaction(client, async () => {
    const { rows } = await client.query<{ month: string }>(MONTHS_IN_DEFAULT, [monthsAhead, MOVED_AT_ONCE]);
    return moveOutOfDefault(
      client,
      rows.map(({ month }) => month),
    );
  });
  return [...created, ...moved];
}

async function inTransaction(client: ClientBase, work: () => Promise<string[]>): Promise<string[]> {
  await client.query('begin');
  try {
    await client.query(`set local lock_timeout = '5s'`);
    await client.query(`select pg_advisory_xact_lock(hashtext('pai.change_events'))`);
    const names = await work();
    await client.query('commit');
    return names;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw storeError('creating partitions of pai.change_events', error);
  }
}

/**
 * Retention drops whole months, and would never get at what lies in the default partition. The guards rest only inside
 * this transaction, which nobody else sees while it holds the partition for itself; every event keeps its number.
 */
async function moveOutOfDefault(client: ClientBase, months: readonly string[]): Promise<string[]> {
  if (months.length === 0) return [];
  const guard = (state: 'disable' | 'enable'): Promise<unknown> =>
    client.query(`alter table pai.change_events_default ${state} trigger append_only_rows;
      alter table pai.change_events_default ${state} trigger append_only_statements`);
  await client.query('lock table pai.change_events_default in access exclusive mode');
  await guard('disable');
  const names: string[] = [];
  for (const month of months) names.push(await moveMonth(client, month));
  await guard('enable');
  await client.query(GUARD_PARTITIONS);
  return names;
}

async function moveMonth(client: ClientBase, month: string): Promise<string> {
  const name = `change_events_${month.slice(0, 7).replace('-', '_')}`;
  const { rows } = await client.query<{ lower: string; upper: string }>(
    `select quote_literal($1::timestamp at time zone 'UTC') as lower,
       quote_literal(($1::timestamp + interval '1 month') at time zone 'UTC') as upper`,
    [month],
  );
  const { lower, upper } = rows[0] as { lower: string; upper: string };
  await client.query(`create table pai.${name} (like pai.change_events including defaults)`);
  await client.query(`with moved as (delete from pai.change_events_default
      where observed_at >= ${lower}::timestamptz and observed_at < ${upper}::timestamptz returning *)
    insert into pai.${name} select * from moved`);
  await client.query(
    `alter table pai.change_events attach partition pai.${name} for values from (${lower}) to (${upper})`,
  );
  await client.query(`create trigger append_only_truncate before truncate on pai.${name}
    for each statement execute function pai.refuse_history_change()`);
  await client.query('select pai.describe_change_event_partition($1)', [name]);
  return name;
}

/** The same on a connection of the pool. */
export async function ensurePartitionsInPool(pool: Pool, monthsAhead: number): Promise<string[]> {
  const client = await pool.connect().catch((error: unknown) => {
    throw storeError('creating partitions of pai.change_events', error);
  });
  try {
    return await ensurePartitions(client, monthsAhead);
  } finally {
    client.release();
  }
}
