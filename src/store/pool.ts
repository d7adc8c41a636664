import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from '../util/logger.js';
import { errorCode, storeError } from './pg-errors.js';

export interface PoolOptions {
  readonly connectionString: string;
  /** Most connections at once; default 3. */
  readonly max?: number;
  /** Shown in pg_stat_activity; default `pai-mirror`. */
  readonly applicationName?: string;
  /** Milliseconds after which the server ends a statement; default 5 minutes. */
  readonly statementTimeoutMs?: number;
  /** Milliseconds to wait for a connection, be it one of ours or a new one; default a minute. */
  readonly queueTimeoutMs?: number;
  /** The server refuses every write of these sessions. Default false. */
  readonly readOnly?: boolean;
  readonly logger?: Logger;
}

/**
 * With the one of the budgets (budgets.ts) 20 replicas take 80 of the 100 connections that PostgreSQL allows by itself.
 * Nothing is slower for it: a first load of 40,000 rows in four scopes took as long with 3, 4 and 10 of them. Whoever
 * holds one connection and needs a second one to go on has to be bounded below this number (PgStore.openSeenIds).
 */
export const DEFAULT_CONNECTIONS = 3;

/** Milliseconds to wait for the server to accept a connection. */
const CONNECT_TIMEOUT_MS = 15_000;

/**
 * Milliseconds to wait for one of our own connections. Not the same as above: with few connections and long commits a
 * queue is no sign of trouble.
 */
const QUEUE_TIMEOUT_MS = 60_000;

/** The pool hands its options on, and means the queue by this one. */
class Client extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super({ ...(config as pg.ClientConfig), connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  }
}

/** The server has no connection left: another client will end one soon, idle ones of ours go after 10 seconds. */
const isFull = (error: unknown): boolean => errorCode(error) === '53300';

/** Tries again for a while where the server has no connection left, at random moments: many of us may be waiting. */
export async function whenNotFull<T>(connect: () => Promise<T>, patienceMs = CONNECT_TIMEOUT_MS): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (!isFull(error) || performance.now() >= deadline) throw error;
      await delay(100 + Math.random() * 400);
    }
  }
}

type OnConnected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: pg.PoolClient['release'],
) => void;

/** A pool that waits while the server is full. `query` of the base class connects by the form with a callback. */
class PatientPool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>;
  override connect(callback: OnConnected): void;
  override connect(callback?: OnConnected): Promise<pg.PoolClient> | undefined {
    const connected = whenNotFull(() => super.connect());
    if (callback === undefined) return connected;
    connected.then(
      (client) => callback(undefined, client, client.release),
      (error: Error) => callback(error, undefined, () => {}),
    );
    return undefined;
  }
}

/**
 * What every session of the mirror relies on: UTC for the texts of times, ISO dates, and no transaction left open by a
 * process that stands still: it holds the row of its lease, and nobody could take that over. Three settings are for speed:
 * compiling the merge statements took 140 of the 160 ms that 1,000 unchanged rows needed, and at the usual price of a
 * random page PostgreSQL read a table of 100,000 rows whole to update 1,000 of them by key. A prepared statement is
 * planned for the rows that it is given: a plan for any number of them takes ten for granted, and 5,000 would be joined
 * each with each. Sent as a statement and not in the start packet, which poolers such as PgBouncer refuse.
 */
const sessionSql = (statementTimeoutMs: number, readOnly: boolean): string =>
  `set timezone = 'UTC'; set datestyle = 'ISO'; set statement_timeout = ${Math.trunc(statementTimeoutMs)};
   set idle_in_transaction_session_timeout = '15s'; set jit = off; set random_page_cost = 1.1;
   set plan_cache_mode = force_custom_plan${readOnly ? '; set default_transaction_read_only = on' : ''}`;

/** Connects lazily; the caller ends it. */
export function createPool(options: PoolOptions): pg.Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 300_000;
  const pool = new PatientPool({
    connectionString: options.connectionString,
    max: options.max ?? DEFAULT_CONNECTIONS,
    application_name: options.applicationName ?? 'pai-mirror',
    connectionTimeoutMillis: options.queueTimeoutMs ?? QUEUE_TIMEOUT_MS,
    Client,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // For a server that is gone without a word: the statement timeout is the server's own.
    query_timeout: statementTimeoutMs + 15_000,
    onConnect: async (client: pg.ClientBase) => {
      // For its whole life: while a full pool hands it from one to the next nobody else listens for a moment, and the last
      // words of a dying server may come in the very packet that ended the query before. Unheard, they end the process;
      // heard, they make the client refuse the next query.
      client.on('error', () => {});
      await client.query(sessionSql(statementTimeoutMs, options.readOnly ?? false));
    },
  });
  // An idle connection that breaks (the server restarts) is replaced at the next use; unheard, the event would end the process.
  pool.on('error', (error) => options.logger?.warn({ error: error.message }, 'an idle database connection broke'));
  return pool;
}

/**
 * Runs `work` in one transaction: commits when it ends, rolls back when it throws. `rollback: true` rolls back also
 * after success.
 */
export async function transaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  options: { readonly rollback?: boolean } = {},
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that breaks while no query runs would otherwise end the process.
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('begin isolation level read committed');
    const result = await work(client);
    await client.query(options.rollback ? 'rollback' : 'commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/** Any connection of a pool, or one connection. */
export type Queryable = pg.Pool | pg.ClientBase;

/** One query, its failure as StoreError. */
export async function query<R extends pg.QueryResultRow>(
  db: Queryable,
  what: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<R[]> {
  try {
    return (await db.query<R>(text, values as unknown[])).rows;
  } catch (error) {
    throw storeError(what, error);
  }
}
