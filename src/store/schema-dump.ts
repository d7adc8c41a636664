import type { ClientBase, Pool } from 'pg';

/**
 * The schemas `pai` and `analytics` as text, read from the catalogs: the same on every supported PostgreSQL, so that a test can compare
 * it with migrations/schema.sql and `doctor` can tell a database that was changed by hand. Monthly partitions are left
 * out, there are other ones every month.
 */
export async function dumpSchema(client: Pool | ClientBase): Promise<string> {
  const parts: string[] = [];
  for (const sql of [SEQUENCES, TYPES, FUNCTIONS, TABLES, VIEWS]) {
    const { rows } = await client.query<{ text: string }>(sql);
    parts.push(...rows.map((row) => row.text.trimEnd()));
  }
  return `${parts.join('\n\n')}\n`;
}

/** `'…'` with quotes doubled; null gives nothing. */
const comment = (kind: string, name: string, description: string): string =>
  `coalesce(E'\\ncomment on ${kind} ' || ${name} || ' is ' || quote_literal(${description}) || ';', '')`;

/** Sequences of identity columns belong to their column and are shown there. */
const SEQUENCES = `
  select format('create sequence pai.%I as %s increment %s start %s cache %s;', c.relname, format_type(s.seqtypid, null),
      s.seqincrement, s.seqstart, s.seqcache)
    || ${comment('sequence', "format('pai.%I', c.relname)", "obj_description(c.oid, 'pg_class')")} as text
  from pg_class c join pg_sequence s on s.seqrelid = c.oid
  where c.relnamespace = to_regnamespace('pai')
    and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype = 'i')
  order by c.relname collate "C"`;

/** Of those that were made as types. */
const TYPES = `
  select format(E'create type analytics.%I as (\\n%s\\n);', c.relname, (select string_agg(format('  %I %s', a.attname, format_type(a.atttypid, a.atttypmod)),
      E',\\n' order by a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped))
    || ${comment('type', "format('analytics.%I', c.relname)", "obj_description(c.reltype, 'pg_type')")} as text
  from pg_class c where c.relnamespace = to_regnamespace('analytics') and c.relkind = 'c' order by c.relname collate "C"`;

const FUNCTIONS = `
  select trim(trailing E'\\n' from pg_get_functiondef(p.oid)) || ';'
    || ${comment('function', "format('%s.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))", "obj_description(p.oid, 'pg_proc')")} as text
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname in ('pai', 'analytics') order by n.nspname desc, p.proname collate "C"`;

/** In the order of the table; a generated identity stands where a default would. */
const COLUMNS = `
  select string_agg(format('  %I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
      case when a.attidentity = 'a' then ' generated always as identity'
        else coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') end,
      case when a.attnotnull then ' not null' else '' end), E',\\n' order by a.attnum)
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`;

/** PostgreSQL 18 lists NOT NULL as constraints too ('n'); everywhere they are shown with the column. */
const CONSTRAINTS = `
  select string_agg(format(E',\\n  constraint %I %s', k.conname, pg_get_constraintdef(k.oid)), '' order by k.conname collate "C")
  from pg_constraint k where k.conrelid = c.oid and k.contype <> 'n'`;

const INDEXES = `
  select string_agg(E'\\n' || pg_get_indexdef(i.indexrelid) || ';', '' order by ic.relname collate "C")
  from pg_index i join pg_class ic on ic.oid = i.indexrelid
  where i.indrelid = c.oid and not exists (select from pg_constraint k where k.conindid = i.indexrelid)`;

/** Without those that a partition has from its parent. */
const TRIGGERS = `
  select string_agg(E'\\n' || pg_get_triggerdef(t.oid) || ';', '' order by t.tgname collate "C")
  from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgparentid = 0`;

const COLUMN_COMMENTS = `
  select string_agg(${comment('column', "format('pai.%I.%I', c.relname, a.attname)", 'col_description(c.oid, a.attnum)')}, '' order by a.attnum)
  from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`;

const VIEW_COLUMN_COMMENTS = COLUMN_COMMENTS.replaceAll("'pai.%I.%I', c.relname", "'%s.%I', c.oid::regclass");

/** The default partition counts as a table of its own; its columns, keys and indexes are its parent's. */
const TABLES = `
  select case when c.relispartition
      then format('create table pai.%I partition of %s %s;', c.relname,
        (select inhparent::regclass from pg_inherits where inhrelid = c.oid), pg_get_expr(c.relpartbound, c.oid))
      else format(E'create %stable pai.%I (\\n%s%s\\n)%s;', case c.relpersistence when 'u' then 'unlogged ' else '' end, c.relname, (${COLUMNS}), (${CONSTRAINTS}),
        coalesce(' partition by ' || pg_get_partkeydef(c.oid), ''))
        || coalesce((${INDEXES}), '') end
    || coalesce((${TRIGGERS}), '')
    || ${comment('table', "format('pai.%I', c.relname)", "obj_description(c.oid, 'pg_class')")}
    || coalesce((${COLUMN_COMMENTS}), '') as text
  from pg_class c
  where c.relnamespace = to_regnamespace('pai') and c.relkind in ('r', 'p')
    and (not c.relispartition or pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT')
  order by c.relname collate "C"`;

/** What a view shows; not how it is written, which no two versions of PostgreSQL print alike. */
const VIEWS = `
  select format(E'view %s (\\n%s\\n);', c.oid::regclass, (select string_agg(format('  %I %s', a.attname, format_type(a.atttypid, a.atttypmod)),
      E',\\n' order by a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped))
    || ${comment('view', 'c.oid::regclass', "obj_description(c.oid, 'pg_class')")}
    || coalesce((${VIEW_COLUMN_COMMENTS}), '') as text
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('pai', 'analytics') and c.relkind = 'v'
  order by n.nspname desc, c.relname collate "C"`;
