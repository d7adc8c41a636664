/** The one connection that a run of retention has: its plan is a temporary table there, and its right to prune a lock. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientBase, PoolClient } from 'pg';
import { onAbort } from '../../util/on-abort.js';
import { errorCode, isConflict, storeError } from '../pg-errors.js';
import { createPool } from '../pool.js';

/** The plan reads every run once. */
const STATEMENT_TIMEOUT_MS = 3_600_000;

/** Milliseconds. Everybody who writes waits while a batch waits for its lock: not for long. */
export const LOCK_TIMEOUT_MS = 3_000;

/** Times that a transaction is tried when others are in its way. */
const MAX_ATTEMPTS = 8;

/** Ends what the connection is waiting for, be it a plan that takes minutes: the service has seconds to stop. */
const hangUp = (client: PoolClient) => (): void =>
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();

/** Runs `work` on a connection of its own. Throws StoreError, or the signal's reason: what was not committed is not done. */
export async function withSession<T>(
  connectionString: string,
  signal: AbortSignal,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const options = { connectionString, max: 1, applicationName: 'pai-mirror retention' };
  const pool = createPool({ ...options, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  try {
    const client = await pool.connect();
    const stopListening = onAbort(signal, hangUp(client));
    try {
      signal.throwIfAborted();
      return await work(client);
    } finally {
      stopListening();
      // Not to be used again: it has a temporary table and perhaps a lock.
      client.release(true);
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : storeError('pruning', error);
  } finally {
    await pool.end();
  }
}

const isInTheWay = (error: unknown): boolean => isConflict(error) || errorCode(error) === '55P03';

/** All of `work`, or nothing; tried again where another transaction was in the way. */
export async function inTransaction<T>(client: ClientBase, lockTimeoutMs: number, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    await client.query('begin');
    try {
      await client.query(`set local lock_timeout = ${Math.trunc(lockTimeoutMs)}`);
      const result = await work();
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      if (!isInTheWay(error) || attempt >= MAX_ATTEMPTS) throw error;
      await delay(Math.random() * 200 * attempt);
    }
  }
}
