import type pg from 'pg';
import {
  type BudgetKeeper,
  FASTER_BY,
  MAX_AHEAD_MS,
  MAX_PAUSE_MS,
  SLOWER_EVERY_MS,
  SLOWEST,
  type SlotGrant,
  type SlotRequest,
} from '../domain/pace.js';
import type { Logger } from '../util/logger.js';
import { storeError } from './pg-errors.js';
import { createPool, type Queryable, query } from './pool.js';

export interface BudgetTableOptions {
  readonly connectionString: string;
  readonly logger?: Logger;
}

/** A question takes about a millisecond; a server that needs longer than this has other troubles. */
const STATEMENT_TIMEOUT_MS = 10_000;

/**
 * The budgets of all replicas, one row of `pai.call_budgets` a region and name. On one connection of its own: a question
 * neither waits behind commits nor keeps them waiting, and a dry run, which rolls its commits back, shares the budget
 * all the same. Connects with the first question, so that budgets without a limit cost no connection.
 */
export class BudgetTable {
  readonly #pool: pg.Pool;

  constructor(options: BudgetTableOptions) {
    this.#pool = createPool({ ...options, max: 1, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  }

  keeper(region: string, name: string): BudgetKeeper {
    return budgetKeeper(this.#pool, region, name);
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

export function budgetKeeper(db: Queryable, region: string, name: string): BudgetKeeper {
  const what = `asking for a call of budget ${name} in ${region}`;
  let known = false;
  return {
    reserve: async (request) => {
      let [grant] = await query<SlotGrant>(db, what, RESERVE, parameters(region, name, request));
      if (grant === undefined) {
        // The table is not logged: after a crash of the server it is empty, while slots may still be in use.
        await query(db, what, INSERT, [region, name, known ? MAX_AHEAD_MS : 0]);
        [grant] = await query<SlotGrant>(db, what, RESERVE, parameters(region, name, request));
      }
      if (grant === undefined) throw storeError(what, new Error('the row is deleted as soon as it is made'));
      known = true;
      return grant;
    },
  };
}

const parameters = (region: string, name: string, request: SlotRequest): unknown[] => [
  region,
  name,
  request.stepMs,
  request.count,
  request.leadMs,
  request.successes,
  request.slow,
  request.pauseMs,
];

const INSERT = `insert into pai.call_budgets (region, name, due_at, pace)
  values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond', 1) on conflict do nothing`;

const millis = (expression: string): string => `(${expression}) * interval '1 millisecond'`;
const epochMillis = (expression: string): string => `(extract(epoch from ${expression}) * 1000)::float8`;

/**
 * planSlots of the domain, in one statement: no lock is ever held while a process thinks, so one that is stopped in
 * between holds up nobody. The clock is read after the row is locked, in a step of its own: replicas that waited for
 * the lock would otherwise plan with a time that is past. `now` is an expression so that a test can tell the time.
 */
export const reserveSql = (now: string): string => `
  with held as materialized (
    select due_at, pace, paused_until, slowed_at from pai.call_budgets where region = $1 and name = $2 for update
  ), timed as materialized (
    select *, ${now} as now from held
  ), heard as (
    select now, due_at, pace, slowed_at,
      $7::boolean and coalesce(slowed_at <= now - ${millis(`${SLOWER_EVERY_MS}`)} or slowed_at > now, true) as slows,
      case when paused_until is not null or $8::float8 > 0 then least(now + ${millis(`${MAX_PAUSE_MS}`)},
        greatest(paused_until, case when $8::float8 > 0 then now + ${millis('$8::float8')} end)) end as paused_until
    from timed
  ), paced as (
    select now, due_at, paused_until, case when slows then now else slowed_at end as slowed_at,
      case when slows then greatest(${SLOWEST}, pace / 2) else least(1, pace + $6::float8 * ${FASTER_BY}) end as pace
    from heard
  ), stepped as (
    select *, $3::float8 / pace as step, least(due_at, now + ${millis(`${MAX_AHEAD_MS} + $3::float8 / pace`)}) as due
    from paced
  ), first as (
    select *, greatest(due, now + ${millis('$5::float8')}, paused_until) as first_at
    from stepped
  ), planned as (
    select *, ${epochMillis('first_at - now')} as wait from first
  ), counted as (
    select *, greatest(0, least($4::float8, floor((${MAX_AHEAD_MS} - wait) / step) + 1)) as count from planned
  )
  update pai.call_budgets b set pace = c.pace, paused_until = c.paused_until, slowed_at = c.slowed_at,
    due_at = case when c.count > 0 then c.first_at + ${millis('c.count * c.step')} else c.due end
  from counted c where b.region = $1 and b.name = $2
  returning ${epochMillis('c.now')} as "now", ${epochMillis('c.first_at')} as "firstAt", c.count, c.step as "stepMs", c.pace,
    greatest(0, c.wait - ${MAX_AHEAD_MS})::float8 as "roomInMs"`;

const RESERVE = reserveSql('clock_timestamp()');
