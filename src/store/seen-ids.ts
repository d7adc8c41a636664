import type { Pool, PoolClient } from 'pg';
import type { Instant } from '../domain/entities.js';
import { isAhead } from './clock.js';
import { storeError } from './pg-errors.js';
import { query } from './pool.js';
import { pipelineRuns } from './schema/pipeline-runs.js';
import { runs } from './schema/runs.js';
import { column, tableSql } from './sql.js';

export type Entity = 'pipeline_run' | 'run';

/** Table and key column of an entity. */
const TABLES: { readonly [entity in Entity]: { readonly table: string; readonly id: string } } = {
  pipeline_run: { table: tableSql(pipelineRuns), id: column(pipelineRuns, 'pipelineRunId').sql },
  run: { table: tableSql(runs), id: column(runs, 'runId').sql },
};

/** What the mirror takes to be in the source now. */
const PRESENT = 't.deleted_at is null and t.missing_since is null';

export async function countPresent(pool: Pool, scope: string, entity: Entity, sourceType?: string): Promise<number> {
  const ofType = sourceType === undefined ? '' : 'and t.source_type = $2';
  const rows = await query<{ count: number }>(
    pool,
    `counting rows in ${scope}`,
    `select count(*)::float8 as count from ${TABLES[entity].table} t where t.scope = $1 and ${PRESENT} ${ofType}`,
    sourceType === undefined ? [scope] : [scope, sourceType],
  );
  return rows[0]?.count ?? 0;
}

/**
 * The ids of one reconcile walk, in a temporary table: a million of them cost the process nothing. It occupies one
 * connection of the pool until it is closed.
 */
export class SeenIdTable {
  readonly #client: PoolClient;
  readonly #scope: string;
  readonly #entity: Entity;
  #broken: Error | undefined;
  #closed = false;
  #onClosed = (): void => {};
  /** Resolves when the connection is given back. */
  readonly closed = new Promise<void>((resolve) => {
    this.#onClosed = resolve;
  });

  private constructor(client: PoolClient, scope: string, entity: Entity) {
    this.#client = client;
    this.#scope = scope;
    this.#entity = entity;
    client.on('error', this.#onError);
  }

  static async open(pool: Pool, scope: string, entity: Entity): Promise<SeenIdTable> {
    let client: PoolClient;
    try {
      client = await pool.connect();
    } catch (error) {
      throw storeError('opening a set of seen ids', error);
    }
    const seen = new SeenIdTable(client, scope, entity);
    try {
      await seen.#run('create temporary table seen_ids (id text primary key)');
    } catch (error) {
      await seen.close();
      throw error;
    }
    return seen;
  }

  async add(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#run('insert into pg_temp.seen_ids select unnest($1::text[]) on conflict do nothing', [ids]);
  }

  async count(): Promise<number> {
    const rows = await this.#run<{ count: number }>('select count(*)::float8 as count from pg_temp.seen_ids');
    return rows[0]?.count ?? 0;
  }

  async unseen(page: {
    readonly after: string | null;
    readonly limit: number;
    readonly firstSeenBefore: Instant;
  }): Promise<string[]> {
    const { table, id } = TABLES[this.#entity];
    // Autovacuum never sees temporary tables; without statistics a large one is joined badly.
    if (page.after === null) await this.#run('analyze pg_temp.seen_ids');
    const rows = await this.#run<{ id: string }>(
      `select t.${id} as id from ${table} t where t.scope = $1 and t.${id} > $2 and ${PRESENT}
         and (t.first_seen_at < $3::timestamptz or ${isAhead('t.first_seen_at')})
         and not exists (select from pg_temp.seen_ids s where s.id = t.${id})
       order by t.${id} limit $4`,
      [this.#scope, page.after ?? '', page.firstSeenBefore, page.limit],
    );
    return rows.map((row) => row.id);
  }

  /** Drops the table and gives the connection back; closing twice is harmless. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#client.query('drop table if exists pg_temp.seen_ids').catch(this.#onError);
    this.#client.off('error', this.#onError);
    // A connection that could not drop its table is not fit for the next walk.
    this.#client.release(this.#broken);
    this.#onClosed();
  }

  readonly #onError = (error: Error): void => {
    this.#broken = error;
  };

  async #run<R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    try {
      return (await this.#client.query<R>(text, values as unknown[])).rows;
    } catch (error) {
      throw storeError(`the set of ids seen in ${this.#scope}`, error);
    }
  }
}
