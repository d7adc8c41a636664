/** What every schema, view, table and column of the mirror means, read from the database's own comments. */
import { type Queryable, query } from './pool.js';

export interface DictionaryColumn {
  readonly name: string;
  readonly type: string;
  /** Whether it can be null; views do not say. */
  readonly nullable: boolean | null;
  readonly comment: string | null;
}

export interface DictionaryRelation {
  readonly name: string;
  readonly kind: 'view' | 'table';
  readonly comment: string | null;
  readonly columns: readonly DictionaryColumn[];
  /** In the key's order; empty without one. */
  readonly primaryKey: readonly string[];
  /** How it is divided: `RANGE (observed_at)`; null: it is not. */
  readonly partitionedBy: string | null;
}

export interface DictionaryFunction {
  readonly name: string;
  /** `id text, at timestamp with time zone`. */
  readonly parameters: string;
  readonly returns: string;
  readonly comment: string | null;
}

export interface DictionarySchema {
  readonly name: string;
  readonly comment: string | null;
  /** By name. */
  readonly relations: readonly DictionaryRelation[];
  readonly functions: readonly DictionaryFunction[];
}

/** Throws StoreError. Monthly partitions are left out: they are their table. */
export async function readDictionary(db: Queryable, schema: string): Promise<DictionarySchema> {
  const ask = async <T extends object>(text: string): Promise<T[]> =>
    (await query<{ it: T }>(db, `reading the comments of schema ${schema}`, text, [schema])).map(({ it }) => it);
  const [about] = await ask<{ comment: string | null }>(SCHEMA);
  return {
    name: schema,
    comment: about?.comment ?? null,
    relations: await ask<DictionaryRelation>(RELATIONS),
    functions: await ask<DictionaryFunction>(FUNCTIONS),
  };
}

const SCHEMA = `
  select jsonb_build_object('comment', obj_description(oid, 'pg_namespace')) as it from pg_namespace where nspname = $1`;

const COLUMNS = `
  select coalesce(jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
      'nullable', case when c.relkind in ('r', 'p') then not a.attnotnull end,
      'comment', col_description(c.oid, a.attnum)) order by a.attnum), '[]')
  from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`;

const PRIMARY_KEY = `
  select coalesce(jsonb_agg(a.attname order by k.place), '[]')
  from pg_index i cross join unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where i.indrelid = c.oid and i.indisprimary`;

const RELATIONS = `
  select jsonb_build_object('name', c.relname, 'kind', case when c.relkind in ('r', 'p') then 'table' else 'view' end,
    'comment', obj_description(c.oid, 'pg_class'), 'columns', (${COLUMNS}), 'primaryKey', (${PRIMARY_KEY}),
    'partitionedBy', pg_get_partkeydef(c.oid)) as it
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
  order by c.relname collate "C"`;

/** Those that people call; trigger functions are called by nobody. */
const FUNCTIONS = `
  select jsonb_build_object('name', p.proname, 'parameters', pg_get_function_arguments(p.oid),
    'returns', pg_get_function_result(p.oid), 'comment', obj_description(p.oid, 'pg_proc')) as it
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = $1 and p.prorettype <> 'trigger'::regtype
  order by p.proname collate "C", pg_get_function_arguments(p.oid) collate "C"`;
