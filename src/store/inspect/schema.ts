/** How far the schema of a database is from this version's. Every function throws StoreError. */
import { describeError, MirrorError } from '../../domain/errors.js';
import { compareMigrations, readMigrations, readSchemaFile } from '../migrations.js';
import { storeError } from '../pg-errors.js';
import { type Queryable, query } from '../pool.js';
import { READER } from '../reader-role.js';
import { dumpSchema } from '../schema-dump.js';
import { compareDumps, type Drift } from './schema-diff.js';

/**
 * `none`: the database holds no mirror yet. `lost`: it does, and nothing tells of which version. `refused`: newer, or edited;
 * `message` says what, `code` which of them.
 */
export type MigrationState =
  | { readonly state: 'none' }
  | { readonly state: 'lost' }
  | { readonly state: 'current'; readonly version: string }
  | { readonly state: 'pending'; readonly tags: readonly string[] }
  | { readonly state: 'refused'; readonly code: string; readonly message: string };

export async function readMigrationState(db: Queryable, folder?: string): Promise<MigrationState> {
  const migrations = await readMigrations(folder);
  const what = 'reading the migrations of the database';
  const [found] = await query<{ there: boolean; tables: boolean }>(
    db,
    what,
    `select to_regclass('pai.schema_migrations') is not null as there, to_regclass('pai.pipeline_runs') is not null as tables`,
  );
  if (!found?.there) return { state: found?.tables ? 'lost' : 'none' };
  const applied = await query<{ tag: string; hash: string }>(
    db,
    what,
    'select tag, hash from pai.schema_migrations order by tag',
  );
  if (applied.length === 0 && found.tables) return { state: 'lost' };
  try {
    const pending = compareMigrations(migrations, applied).map(({ tag }) => tag);
    if (pending.length > 0) return { state: 'pending', tags: pending };
    return { state: 'current', version: migrations.at(-1)?.tag ?? '' };
  } catch (error) {
    const code = error instanceof MirrorError ? error.code : '';
    return { state: 'refused', code, message: describeError(error) };
  }
}

/** Against migrations/schema.sql, which a test keeps equal to what the migrations make. */
export async function readDrift(db: Queryable, folder?: string): Promise<Drift[]> {
  const expected = await readSchemaFile(folder);
  const actual = await dumpSchema(db).catch((error: unknown) => {
    throw storeError('reading the schema', error);
  });
  return compareDumps(expected, actual);
}

/** What is there, and does nothing. Names as statements write them. */
export interface Inert {
  readonly kind: 'trigger' | 'index';
  readonly name: string;
  /** Of a trigger its table, of an index itself: `pai.runs`. */
  readonly object: string;
}

/**
 * Triggers that somebody switched off, and indexes that are not maintained to the end (CREATE INDEX CONCURRENTLY that
 * failed leaves such a one). A dump shows them like all others. Partitions whose parent's trigger is off go with that.
 */
export const readInert = (db: Queryable): Promise<Inert[]> =>
  query(
    db,
    'looking for what is switched off',
    `select 'trigger' as kind, t.tgname::text as name, format('%I.%I', n.nspname, c.relname) as object
     from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'pai' and not t.tgisinternal and t.tgenabled in ('D', 'R')
       and not exists (select from pg_trigger p where p.oid = t.tgparentid and p.tgenabled in ('D', 'R'))
     union all
     select 'index', ic.relname::text, format('%I.%I', n.nspname, ic.relname)
     from pg_index i join pg_class ic on ic.oid = i.indexrelid join pg_namespace n on n.oid = ic.relnamespace
     where n.nspname = 'pai' and not (i.indisvalid and i.indisready) order by kind desc, object, name limit 100`,
  );

export interface ReaderFacts {
  readonly exists: boolean;
  readonly mayLogIn: boolean;
  /** Schemas that it may not use, and tables and views that it may not read: at most ten, and how many in all. */
  readonly denied: readonly string[];
  readonly deniedCount: number;
}

const DENIED = `
  select n.nspname::text as name from pg_namespace n, reader
  where n.nspname in ('pai', 'analytics') and not has_schema_privilege(reader.oid, n.oid, 'usage')
  union all
  select format('%I.%I', n.nspname, c.relname) from reader, pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('pai', 'analytics') and c.relkind in ('r', 'p', 'v') and not has_table_privilege(reader.oid, c.oid, 'select')`;

export async function readReader(db: Queryable): Promise<ReaderFacts> {
  const rows = await query<ReaderFacts>(
    db,
    `looking for the role ${READER}`,
    `with reader as (select oid, rolcanlogin from pg_roles where rolname = '${READER}'), denied as (${DENIED})
     select exists (select from reader) as exists, coalesce((select rolcanlogin from reader), false) as "mayLogIn",
       (select count(*)::int from denied) as "deniedCount",
       coalesce((select jsonb_agg(name) from (select name from denied order by name limit 10) t), '[]') as denied`,
  );
  return rows[0] as ReaderFacts;
}

export interface PartitionFacts {
  /** This month (UTC, by the database's clock) and the next ones, `2026-11`, and whether each has its partition. */
  readonly months: readonly { readonly month: string; readonly exists: boolean }[];
  readonly hasDefault: boolean;
  /** Events in the default partition, counted up to a thousand. */
  readonly inDefault: number;
}

export async function readPartitions(db: Queryable, monthsAhead: number): Promise<PartitionFacts> {
  const what = 'looking at the partitions of the history';
  const attached = (name: string): string =>
    `exists (select from pg_inherits where inhparent = 'pai.change_events'::regclass and inhrelid = to_regclass(${name}))`;
  const rows = await query<{ months: PartitionFacts['months']; hasDefault: boolean }>(
    db,
    what,
    `select ${attached(`'pai.change_events_default'`)} as "hasDefault", (
       select jsonb_agg(jsonb_build_object('month', to_char(m, 'YYYY-MM'),
         'exists', ${attached(`'pai.change_events_' || to_char(m, 'YYYY_MM')`)}) order by m)
       from (select date_trunc('month', now() at time zone 'UTC') + make_interval(months => i) as m
         from generate_series(0, $1::int) i) months) as months`,
    [monthsAhead],
  );
  const { months, hasDefault } = rows[0] as { months: PartitionFacts['months']; hasDefault: boolean };
  if (!hasDefault) return { months, hasDefault, inDefault: 0 };
  const counted = await query<{ rows: number }>(
    db,
    what,
    'select count(*)::int as rows from (select from pai.change_events_default limit 1000) t',
  );
  return { months, hasDefault, inDefault: counted[0]?.rows ?? 0 };
}
