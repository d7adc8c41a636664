/** What the server is like, and what the mirror's role may do there. Every function throws StoreError. */
import { type Queryable, query } from '../pool.js';

export interface ServerFacts {
  /** Such as 180004. */
  readonly versionNum: number;
  readonly version: string;
  /** It takes no writes: a standby. */
  readonly isStandby: boolean;
  /** By default transactions of this role in this database may not write. */
  readonly isReadOnly: boolean;
  /** Milliseconds since 1970, of the server's clock. */
  readonly now: number;
}

const first = async <R extends object>(db: Queryable, what: string, sql: string): Promise<R> =>
  (await query<R>(db, what, sql))[0] as R;

/** The session's own setting says nothing, since a session that inspects is read-only: hence `reset_val`. */
export const readServer = (db: Queryable): Promise<ServerFacts> =>
  first(
    db,
    'asking the server what it is',
    `select current_setting('server_version_num')::int as "versionNum", current_setting('server_version') as version,
       pg_is_in_recovery() as "isStandby",
       coalesce((select reset_val = 'on' from pg_settings where name = 'default_transaction_read_only'), false) as "isReadOnly",
       (extract(epoch from clock_timestamp()) * 1000)::float8 as now`,
  );

export interface RightsFacts {
  readonly user: string;
  readonly database: string;
  readonly mayCreateSchemas: boolean;
  /** The walks of a reconcile keep the ids that they have seen in temporary tables. */
  readonly mayUseTemporary: boolean;
  /** Whether there is a schema `pai`. */
  readonly hasSchema: boolean;
  /** What in the schemas belongs to somebody else: name and owner, at most ten, and how many in all. */
  readonly foreign: readonly { readonly name: string; readonly owner: string }[];
  readonly foreignCount: number;
  /** What was taken from the role although everything is its own, `SELECT ON pai.runs`: at most five, and how many in all. */
  readonly lacks: readonly string[];
  readonly lacksCount: number;
}

/** Membership in the owner's role is as good as being it. */
const FOREIGN = `
  select n.nspname as name, n.nspowner as owner from pg_namespace n where n.nspname in ('pai', 'analytics')
  union all
  select format('%I.%I', n.nspname, c.relname), c.relowner from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('pai', 'analytics') and c.relkind in ('r', 'p', 'v')`;

const LACKS = `
  select format('%s ON SCHEMA %I', p, n.nspname) as name from pg_namespace n cross join unnest(array['USAGE', 'CREATE']) p
  where n.nspname in ('pai', 'analytics') and not has_schema_privilege(n.oid, p)
  union all
  select format('%s ON %I.%I', p, n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p
  where n.nspname = 'pai' and c.relkind in ('r', 'p') and not has_table_privilege(c.oid, p)`;

export const readRights = (db: Queryable): Promise<RightsFacts> =>
  first(
    db,
    'reading the rights of the role',
    `with foreigners as (select name, pg_get_userbyid(owner)::text as owner from (${FOREIGN}) f
       where not pg_has_role(current_user, owner, 'usage')), lacks as (${LACKS})
     select current_user::text as user, current_database()::text as database,
       has_database_privilege(current_database(), 'create') as "mayCreateSchemas",
       has_database_privilege(current_database(), 'temporary') as "mayUseTemporary",
       to_regnamespace('pai') is not null as "hasSchema",
       (select count(*)::int from foreigners) as "foreignCount",
       coalesce((select jsonb_agg(t) from (select name, owner from foreigners order by name limit 10) t), '[]') as foreign,
       (select count(*)::int from lacks) as "lacksCount",
       coalesce((select jsonb_agg(name) from (select name from lacks order by name limit 5) t), '[]') as lacks`,
  );

export interface RoomFacts {
  readonly user: string;
  readonly database: string;
  /** Connections that ordinary roles may have on the server, and how many there are. */
  readonly max: number;
  readonly used: number;
  /** Limits of the role and of the database; null: none. */
  readonly roleMax: number | null;
  readonly roleUsed: number;
  readonly databaseMax: number | null;
  readonly databaseUsed: number;
  /** Bytes of the whole database. */
  readonly databaseBytes: number;
}

/** Sessions of other roles are counted, though not shown, to everybody. `reserved_connections` came with PostgreSQL 16. */
export const readRoom = (db: Queryable): Promise<RoomFacts> =>
  first(
    db,
    'counting connections',
    `with sessions as (select usename, datname from pg_stat_activity where backend_type = 'client backend')
     select current_user::text as user, current_database()::text as database,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0) as max,
       (select count(*)::int from sessions) as used,
       (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user) as "roleMax",
       (select count(*)::int from sessions where usename = current_user) as "roleUsed",
       (select nullif(datconnlimit, -1) from pg_database where datname = current_database()) as "databaseMax",
       (select count(*)::int from sessions where datname = current_database()) as "databaseUsed",
       pg_database_size(current_database())::float8 as "databaseBytes"`,
  );
