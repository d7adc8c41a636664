/** A connection that only looks, for `doctor`. */
import type pg from 'pg';
import { newClient } from '../client.js';
import { storeError } from '../pg-errors.js';

export interface Inspection {
  readonly client: pg.Client;
  /** Never throws. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 8_000;
const STATEMENT_TIMEOUT_MS = 15_000;

/**
 * One try, no patience: a server that is down or full is the finding. The session is read-only, whatever the role may
 * do; names in texts of the catalogs are printed with their schema, whatever search_path the role has. Throws StoreError.
 */
export async function openInspection(connectionString: string): Promise<Inspection> {
  const client = newClient({
    connectionString,
    application_name: 'pai-mirror doctor',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 2_000,
  });
  // The query under way fails too and tells; unheard, the event would end the process.
  client.on('error', () => {});
  const close = (): Promise<void> => client.end().catch(() => {});
  try {
    await client.connect();
    await client.query(`set default_transaction_read_only = on; set statement_timeout = ${STATEMENT_TIMEOUT_MS};
      set lock_timeout = '5s'; set timezone = 'UTC'; set datestyle = 'ISO'; set search_path = pg_catalog; set jit = off`);
    return { client, close };
  } catch (error) {
    await close();
    throw storeError('connecting to the database', error);
  }
}
