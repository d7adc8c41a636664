/**
 * One migration beside replicas that go on writing. Its statements lock tables in the order of the file, and a commit in the
 * order of its batch: where both held what the other wanted, PostgreSQL ended one of them (seen from each released schema
 * up to 0003: 0004 makes indexes and triggers on six tables). So a migration first waits until no commit is under way, and
 * from then on holds the one table that every commit of every released version reads first: commits stand at their
 * beginning, and hold nothing that the migration could want.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { describeError } from '../domain/errors.js';
import type { Logger } from '../util/logger.js';
import type { Migration } from './migrations.js';
import { errorCode, storeError } from './pg-errors.js';
import { holdOffCommits } from './pruning-lock.js';

/**
 * Who waits for a lock keeps out everybody who comes after, also for what the other would have allowed. So each wait is
 * short, and replicas get their turn before the next one.
 */
export interface Patience {
  /** Milliseconds that one lock is waited for. */
  readonly lockTimeoutMs: number;
  /** Milliseconds between two attempts, about. */
  readonly pauseMs: number;
  readonly attempts: number;
}

/** A minute and a half: a query of the reader ends after 30 seconds, and most commits after one. */
export const PATIENCE: Patience = { lockTimeoutMs: 5_000, pauseMs: 2_000, attempts: 13 };

/** A deadlock, a failed serialization, a lock that did not come: nothing was changed, and it is worth trying again. */
const MET_ANOTHER = ['40P01', '40001', '55P03'];

/** The other writers of several tables in one transaction are retention, and passes that begin and end. */
async function holdOffWriters(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ present: boolean }>(
    `select to_regclass('pai.sync_leases') is not null and to_regclass('pai.sync_passes') is not null as present`,
  );
  if (!rows[0]?.present) return;
  await client.query('lock table pai.sync_leases in exclusive mode');
  await client.query('lock table pai.sync_passes in share row exclusive mode');
  await holdOffCommits(client);
}

/** All statements of it, or none. */
async function attempt(client: ClientBase, migration: Migration, lockTimeoutMs: number): Promise<void> {
  await client.query('begin');
  try {
    await client.query(`set local lock_timeout = ${Math.trunc(lockTimeoutMs)}`);
    await holdOffWriters(client);
    for (const statement of migration.statements) await client.query(statement);
    await client.query('insert into pai.schema_migrations (tag, hash) values ($1, $2)', [
      migration.tag,
      migration.hash,
    ]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

/** Throws StoreError, with code STORE_TIMEOUT when somebody held on to a table all the time. */
export async function applyMigration(
  client: ClientBase,
  migration: Migration,
  { lockTimeoutMs, pauseMs, attempts }: Patience,
  logger: Logger,
): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt(client, migration, lockTimeoutMs);
    } catch (error) {
      const again = MET_ANOTHER.includes(errorCode(error) ?? '') && tried < attempts;
      if (!again) throw storeError(`migration ${migration.tag}`, error);
      logger.warn({}, `migration ${migration.tag} is tried again, others use its tables: ${describeError(error)}`);
      await delay(pauseMs * (0.5 + Math.random()));
    }
  }
}
