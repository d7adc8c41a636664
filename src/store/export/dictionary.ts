/** What the columns mean, from the COMMENTs of the database: an export must be readable without the mirror. */
import type { ClientBase } from 'pg';

export interface TableNote {
  readonly table: string;
  readonly comment: string | null;
  readonly key: readonly string[];
  readonly columns: readonly { readonly name: string; readonly type: string; readonly comment: string | null }[];
}

const NOTES = `
  select c.relname as table, obj_description(c.oid, 'pg_class') as comment,
    coalesce((select array_agg(a.attname::text order by k.n) from pg_index i
      cross join lateral unnest(i.indkey::int[]) with ordinality as k(attnum, n)
      join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
      where i.indrelid = c.oid and i.indisprimary), '{}') as key,
    (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
        'comment', col_description(c.oid, a.attnum)) order by a.attnum)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
  from pg_class c where c.relnamespace = 'pai'::regnamespace and c.relname = any($1::text[])
  order by array_position($1::text[], c.relname::text)`;

/** In the order of the names. */
export async function readNotes(client: ClientBase, tables: readonly string[]): Promise<TableNote[]> {
  return (await client.query<TableNote>(NOTES, [tables])).rows;
}

const cell = (text: string | null): string => (text ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ');

export function dictionaryText(notes: readonly TableNote[]): string {
  const tables = notes.map(({ table, comment, key, columns }) =>
    [
      `## ${table}`,
      '',
      `${comment ?? ''}${key.length > 0 ? ` Key: ${key.join(', ')}.` : ''}`,
      '',
      '| Column | Type | Meaning |',
      '|---|---|---|',
      ...columns.map(({ name, type, comment: meaning }) => `| ${name} | ${type} | ${cell(meaning)} |`),
    ].join('\n'),
  );
  const intro = [
    '# Data dictionary',
    '',
    'One gzipped CSV file a table (UTF-8, comma, the names of the columns in the first line). An empty field is NULL, two',
    'quotes are the empty text. Times are with their offset; jsonb is JSON text.',
  ].join('\n');
  return `${[intro, ...tables].join('\n\n')}\n`;
}
