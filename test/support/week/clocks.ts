/** The two clocks of an emulated week: the world's, which runs fast, and the database's, which is only set ahead. */
import type { Pool } from 'pg';
import type { WorldClock } from '../../../src/emulator/clock.js';

/** Stands until it is started, runs `speed` times as fast as real time, and stands again when it is stopped. */
export class WeekClock implements WorldClock {
  readonly origin: number;
  private startedAt: number | null = null;
  private passed = 0;

  constructor(
    origin: number,
    readonly speed: number,
  ) {
    this.origin = origin;
  }

  start(): void {
    this.startedAt = performance.now();
  }

  stop(): void {
    this.passed = this.now() - this.origin;
    this.startedAt = null;
  }

  now(): number {
    if (this.startedAt === null) return this.origin + this.passed;
    return Math.floor(this.origin + this.passed + (performance.now() - this.startedAt) * this.speed);
  }
}

/** `current_timestamp` is no function and cannot be replaced; neither the mirror nor its views use it. */
const FUNCTIONS = {
  now: 'stable',
  transaction_timestamp: 'stable',
  statement_timestamp: 'stable',
  clock_timestamp: 'volatile',
} as const;

/**
 * Sets the clock of one database ahead, for an empty one before it is migrated: functions of these names in a schema in
 * front of pg_catalog are found first. Leases, budgets, retries, observations and the months of the history follow it.
 */
export async function setDatabaseAhead(pool: Pool, databaseName: string, aheadMs: number): Promise<void> {
  const functions = Object.entries(FUNCTIONS).map(
    ([name, volatility]) => `create function week_clock.${name}() returns timestamptz ${volatility} language sql
      begin atomic select pg_catalog.${name}() + interval '${Math.round(aheadMs)} milliseconds'; end`,
  );
  await pool.query(`create schema week_clock; ${functions.join(';\n')};
    alter database "${databaseName}" set search_path = week_clock, pg_catalog, public`);
}

/** 00:00 UTC on the first of the next month, milliseconds since 1970. */
export function nextMonth(now: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
