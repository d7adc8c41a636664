/** Runs a query and shows its answer as psql would. */
import type { Pool } from 'pg';
import { table } from '../../src/cli/output.js';

/** Texts of PostgreSQL itself, so that nothing of JavaScript's numbers, dates or time zone gets into an answer. */
export async function answerOf(pool: Pool, sql: string): Promise<{ text: string; rows: number }> {
  const { rows, fields } = await pool.query<(string | null)[]>({
    text: sql,
    rowMode: 'array',
    types: { getTypeParser: () => (value: string) => value },
  });
  const numeric = fields.map(({ dataTypeID }) => NUMBERS.has(dataTypeID));
  const cells = rows.map((row) => row.map((value, at) => shown(value, numeric[at] === true)));
  const header = fields.map(({ name }) => name);
  return { text: `${table(header, cells)}\n(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})`, rows: rows.length };
}

/** int8, int2, int4, oid, float4, float8, numeric: to the right, as psql has them. */
const NUMBERS = new Set([20, 21, 23, 26, 700, 701, 1700]);

const shown = (value: string | null, isNumber: boolean): string | number | null =>
  value === null ? null : isNumber && String(Number(value)) === value ? Number(value) : value.replaceAll('\n', ' ');
