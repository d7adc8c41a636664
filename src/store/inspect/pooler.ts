/** Whether a pooler (PgBouncer and its like) stands between, and what it makes of sessions. */
import type pg from 'pg';
import { newClient } from '../client.js';
import { errorCode } from '../pg-errors.js';

/** `transactions`: the next transaction of a client may be given another session of the server. */
export type Pooling = 'none' | 'sessions' | 'transactions';

/** Looked at so often: a pooler may hand out the same session again by chance. */
const ROUNDS = 3;
/** A pooler with one session of the server left has none for the second client, and lets it wait. */
const WAIT_MS = 3_000;

/**
 * A pooler announces itself: the process that it names when a client connects is none of the server's. Whether it keeps
 * sessions shows when a second client takes one in the moment in which the first is between two transactions.
 */
export async function readPooling(connectionString: string, client: pg.Client): Promise<Pooling> {
  const { processID } = client as unknown as { readonly processID: number | null };
  if ((await sessionOf(client)) === processID) return 'none';
  const clients = [1, 2].map(() => newPoolerClient(connectionString)) as [pg.Client, pg.Client];
  try {
    for (const each of clients) await each.connect();
    return await watch(...clients);
  } finally {
    for (const each of clients) await each.end().catch(() => {});
  }
}

async function watch(one: pg.Client, other: pg.Client): Promise<Pooling> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await sessionOf(one);
    await other.query('begin read only').catch(lateAsNull);
    const after = await sessionOf(one).catch(lateAsNull);
    await other.query('rollback').catch(lateAsNull);
    if (after !== before) return 'transactions';
  }
  return 'sessions';
}

/** A client that got no turn in time has had to wait for the transaction of another. */
function lateAsNull(error: unknown): null {
  if (error instanceof Error && errorCode(error) === null && /timeout/.test(error.message)) return null;
  throw error;
}

async function sessionOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? 0;
}

function newPoolerClient(connectionString: string): pg.Client {
  const client = newClient({
    connectionString,
    application_name: 'pai-mirror doctor',
    connectionTimeoutMillis: WAIT_MS,
    query_timeout: WAIT_MS,
  });
  client.on('error', () => {});
  return client;
}
