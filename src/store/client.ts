import pg from 'pg';
import { storeError } from './pg-errors.js';

/** Not connected yet. The files that the address names (sslrootcert …) are read at once: throws StoreError. */
export function newClient(options: pg.ClientConfig): pg.Client {
  try {
    return new pg.Client(options);
  } catch (error) {
    throw storeError('connecting to the database', error);
  }
}
