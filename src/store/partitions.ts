import type { ClientBase, Pool } from 'pg';
import { storeError } from './pg-errors.js';

/**
 * Makes sure that the history has partitions from this month (UTC) up to `monthsAhead` months ahead; returns the names
 * of those it created. Safe to call at any time and from several replicas: the second waits and finds them there.
 * Creating one briefly locks the history, so a lock that does not come within 5 seconds is given up (STORE_TIMEOUT) and
 * the events go to the default partition meanwhile.
 */
export async function ensurePartitions(client: ClientBase, monthsAhead: number): Promise<string[]> {
  await client.query('begin');
  try {
    await client.query(`set local lock_timeout = '5s'`);
    await client.query(`select pg_advisory_xact_lock(hashtext('pai.change_events'))`);
    const { rows } = await client.query<{ name: string }>('select pai.ensure_change_event_partitions($1) as name', [
      monthsAhead,
    ]);
    await client.query('commit');
    return rows.map((row) => row.name);
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw storeError('creating partitions of pai.change_events', error);
  }
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
