import type { Client } from 'pg';
import pg from 'pg';
import { describeError, StoreError } from '../domain/errors.js';
import { type Logger, silentLogger } from '../util/logger.js';
import { applyMigration, PATIENCE, type Patience } from './apply-migration.js';
import { checkNewer, compareMigrations, type Migration, newerMigrations, readMigrations } from './migrations.js';
import { ensurePartitions } from './partitions.js';
import { storeError } from './pg-errors.js';
import { whenNotFull } from './pool.js';

export interface MigrateOptions {
  readonly connectionString: string;
  readonly logger?: Logger;
  /** Months of history partitions to create beyond this one; default 3. */
  readonly partitionsAhead?: number;
  /** Where the SQL files are; default: the package's own. */
  readonly folder?: string;
  /** Leaves a schema as it is that a newer version made; otherwise that is an error. Default false. */
  readonly acceptNewer?: boolean;
  /** How long it waits for tables that others use; default: a minute and a half in all. */
  readonly patience?: Patience;
}

/** The names of what was applied now, in order; empty when the database was up to date. */
export interface MigrateResult {
  readonly applied: readonly string[];
  /** The last migration that the database has now. */
  readonly version: string;
}

/** Another process may be migrating: wait for it that long. */
const WAIT_FOR_OTHERS = `set lock_timeout = '10min'; set statement_timeout = 0`;
const SESSION = `set timezone = 'UTC'`;
/** An arbitrary constant: the advisory lock of whoever changes what the migrations make. */
export const MIGRATION_LOCK = 7_305_148_210;

/** The mirror's own bookkeeping; not a migration, because the migrations are listed in it. */
const BOOKKEEPING = `
  create table if not exists pai.schema_migrations (
    tag text primary key, hash text not null, applied_at timestamptz not null default now());
  comment on table pai.schema_migrations is 'Migrations that were applied to this database.';
  comment on column pai.schema_migrations.tag is 'File name without .sql.';
  comment on column pai.schema_migrations.hash is 'SHA-256 of the file, in hexadecimal.';
  comment on column pai.schema_migrations.applied_at is 'When it was applied, by the database''s clock.'`;

/** `create schema if not exists` asks for the right to create even where there is nothing to create. */
async function prepare(client: Client): Promise<void> {
  const { rows } = await client.query<{ schema: boolean; bookkeeping: boolean }>(
    `select to_regnamespace('pai') is not null as schema, to_regclass('pai.schema_migrations') is not null as bookkeeping`,
  );
  if (!rows[0]?.schema) await client.query('create schema pai');
  if (!rows[0]?.bookkeeping) await client.query(BOOKKEEPING);
}

async function migrateLocked(
  client: Client,
  migrations: readonly Migration[],
  options: MigrateOptions,
): Promise<MigrateResult> {
  const logger = options.logger ?? silentLogger;
  await prepare(client);
  const { rows } = await client.query<{ tag: string; hash: string }>(
    'select tag, hash from pai.schema_migrations order by tag',
  );
  const newer = options.acceptNewer ? newerMigrations(migrations, rows) : [];
  const latest = (migrations.at(-1) as Migration).tag;
  if (newer.length > 0) {
    checkNewer(migrations, rows);
    logger.warn({ newer }, `the schema of the database is newer than this version, whose last migration is ${latest}`);
    return { applied: [], version: newer.at(-1) as string };
  }
  const pending = compareMigrations(migrations, rows);
  for (const migration of pending) {
    const started = performance.now();
    await applyMigration(client, migration, options.patience ?? PATIENCE, logger);
    logger.info({ migration: migration.tag, ms: Math.round(performance.now() - started) }, 'applied a migration');
  }
  await preparePartitions(client, options.partitionsAhead ?? 3, logger);
  await prepareReader(client, logger);
  return { applied: pending.map((migration) => migration.tag), version: latest };
}

/** Without them the events go to the default partition: no reason for the service not to start. */
async function preparePartitions(client: Client, monthsAhead: number, logger: Logger): Promise<void> {
  try {
    const created = await ensurePartitions(client, monthsAhead);
    if (created.length > 0) logger.debug({ partitions: created }, 'created partitions of the history');
  } catch (error) {
    const reason = describeError(error);
    logger.warn({}, `partitions of the history could not be made ahead of time, its default one is used: ${reason}`);
  }
}

/** Roles belong to the server, and many a mirror's own role may not make one. Nobody needs it for mirroring. */
async function prepareReader(client: Client, logger: Logger): Promise<void> {
  try {
    await client.query('select pai.ensure_reader()');
  } catch (error) {
    const reason = describeError(error);
    logger.warn(
      {},
      `the role pai_reader could not be made or given its rights, \`pai-mirror reader\` says how: ${reason}`,
    );
  }
}

async function connect(connectionString: string): Promise<Client> {
  const client = new pg.Client({ connectionString, application_name: 'pai-mirror migrate' });
  // The query that is under way fails too and tells; unheard, the event would end the process.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/**
 * Brings the database to this version's schema: one connection, one advisory lock, one transaction a migration. Safe to
 * start in several processes at once. Throws StoreError, with code STORE_NEWER when the database has migrations that
 * this version does not know, and STORE_EDITED when one of them is not the one that was applied.
 */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  const migrations = await readMigrations(options.folder);
  const client = await whenNotFull(() => connect(options.connectionString)).catch((error: unknown) => {
    throw storeError('migrating the database', error);
  });
  try {
    await client.query(WAIT_FOR_OTHERS);
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query(SESSION);
    return await migrateLocked(client, migrations, options);
  } catch (error) {
    throw storeError('migrating the database', error);
  } finally {
    // Ends the session, and with it the lock.
    await client.end().catch(() => undefined);
  }
}

/** Throws StoreError unless the database has exactly this version's schema; changes nothing. */
export async function checkMigrated(client: pg.Pool | pg.ClientBase, folder?: string): Promise<void> {
  const migrations = await readMigrations(folder);
  const applied = await client
    .query<{ tag: string; hash: string }>('select tag, hash from pai.schema_migrations order by tag')
    .catch((error: unknown) => {
      throw storeError('reading the version of the schema', error);
    });
  const pending = compareMigrations(migrations, applied.rows);
  if (pending.length === 0) return;
  throw new StoreError(`the database lacks ${pending.map((one) => one.tag).join(', ')}; run \`pai-mirror migrate\``, {
    code: 'STORE_SCHEMA',
    retryable: false,
    blast: 'global',
  });
}

/** The same on a connection of its own. Throws StoreError. */
export async function checkMigratedAt(connectionString: string): Promise<void> {
  const client = await whenNotFull(() => connect(connectionString)).catch((error: unknown) => {
    throw storeError('reading the version of the schema', error);
  });
  try {
    await checkMigrated(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
