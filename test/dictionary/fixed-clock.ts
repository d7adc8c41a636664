/** A database in which it is the time that a test says: for answers that are the same every time. */
import type { Pool } from 'pg';

/**
 * Functions of these names in a schema before pg_catalog are found first; views and column defaults are bound to them
 * when the migrations make them, everything else when it runs. (`current_timestamp` is no function and cannot be
 * replaced; neither the mirror nor its views use it.)
 */
const FUNCTIONS = ['now', 'transaction_timestamp', 'statement_timestamp', 'clock_timestamp'];

const setupSql = (databaseName: string): string => `
  create schema fixed_clock;
  create table fixed_clock.present (at timestamptz not null);
  insert into fixed_clock.present values ('epoch');
  ${FUNCTIONS.map(
    (name) => `create function fixed_clock.${name}() returns timestamptz stable language sql
      begin atomic select at from fixed_clock.present; end;`,
  ).join('\n')}
  alter database "${databaseName}" set search_path = fixed_clock, pg_catalog, public`;

/** For an empty database, before it is migrated. Sessions that are open already keep the real time. */
export async function fixClock(pool: Pool, databaseName: string): Promise<void> {
  await pool.query(setupSql(databaseName));
}

/** `millis` since 1970. */
export async function setTime(pool: Pool, millis: number): Promise<void> {
  await pool.query('update fixed_clock.present set at = $1', [new Date(millis)]);
}
