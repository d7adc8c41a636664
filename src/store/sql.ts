import { getTableColumns, getTableName } from 'drizzle-orm';
import { toSnakeCase } from 'drizzle-orm/casing';
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core';

/** One column of a drizzle table, as SQL needs it. */
export interface SqlColumn {
  /** Quoted where it has to be: `"timestamp"`, `pipeline_run_id`. */
  readonly sql: string;
  /** The bare name, as it appears in the catalog and in change_events.changes. */
  readonly name: string;
  readonly type: string;
}

/** `"key"`: quoted always, since PAI's names include words that SQL reserves. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text constant. Only for words of this code; what comes from outside travels as a parameter. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** `pai.pipeline_runs` */
export function tableSql(table: PgTable): string {
  const { schema, name } = getTableConfig(table);
  return `${quote(schema ?? 'public')}.${quote(name)}`;
}

/** Cheap, unlike `getTableConfig`, which builds all indexes anew: asked for once a row that was half of a load's time. */
export const tableName = (table: PgTable): string => getTableName(table);

/** The name that drizzle.config.ts gives a property: `gmtCreateTime` → `gmt_create_time`. */
export const columnName = (property: string): string => toSnakeCase(property);

/** Throws RangeError when the table has no such property. */
export function column(table: PgTable, property: string): SqlColumn {
  const found = getTableColumns(table)[property];
  if (!found) throw new RangeError(`table ${tableName(table)} has no column ${property}`);
  const name = columnName(property);
  return { name, sql: quote(name), type: found.getSQLType() };
}

/** A timestamptz as an Instant: UTC, six digits, whatever the session's time zone and date style are. */
export const instantSql = (expression: string): string =>
  `to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
