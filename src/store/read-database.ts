/**
 * Connections for whoever looks at the mirror while it works: the status page, the metrics, the probe of readiness. Apart
 * from those that write, so that a page never waits behind a commit nor a commit behind a page; as the mirror's own role,
 * because a reader's login is somebody's decision and may not be there.
 */
import type pg from 'pg';
import type { Logger } from '../util/logger.js';
import { checkMigrated } from './migrate.js';
import { createPool, query } from './pool.js';

/** One for a page and one for a scrape or a probe; idle ones are given back after 10 seconds. */
const CONNECTIONS = 2;
const STATEMENT_TIMEOUT_MS = 5_000;
const QUEUE_TIMEOUT_MS = 3_000;

export interface ReadDatabaseOptions {
  readonly connectionString: string;
  readonly logger?: Logger;
}

/** Reads only, by the server's own word. Connects with the first query; throws StoreError. */
export class ReadDatabase {
  readonly pool: pg.Pool;

  constructor(options: ReadDatabaseOptions) {
    this.pool = createPool({
      ...options,
      max: CONNECTIONS,
      applicationName: 'pai-mirror http',
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      queueTimeoutMs: QUEUE_TIMEOUT_MS,
      readOnly: true,
    });
  }

  /** `what`: `reading the list of runs`, for the message of an error. */
  query<R extends pg.QueryResultRow>(what: string, text: string, values: readonly unknown[] = []): Promise<R[]> {
    return query<R>(this.pool, what, text, values);
  }

  /** `older` when the schema lacks a migration of this version; a newer one serves it, too: schemas only ever grow. */
  async schemaState(): Promise<'current' | 'older'> {
    try {
      await checkMigrated(this.pool);
      return 'current';
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (code === 'STORE_NEWER') return 'current';
      if (code === 'STORE_SCHEMA') return 'older';
      throw error;
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
