import type { ClientBase } from 'pg';
import { StoreError } from '../../domain/errors.js';
import { tableName } from '../sql.js';
import type { Row, UpsertSpec } from './spec.js';
import { buildUpsert, type UpsertStatement } from './statement.js';

/** A row that was written. */
export interface Change {
  /** Position in the rows as given. */
  readonly index: number;
  /** The row's revision now; 1 in tables that have none. */
  readonly revision: bigint;
  readonly isNew: boolean;
  /** The status differs from the one before (or there was no row before). */
  readonly statusMoved: boolean;
  /** The row belongs to another scope than before. */
  readonly rescoped: boolean;
}

export interface UpsertResult {
  inserted: number;
  updated: number;
  unchanged: number;
  /** Positions of rows refused because a newer observation is stored. */
  readonly stale: number[];
  readonly changes: Change[];
}

interface ResultRow {
  readonly inserted: number;
  readonly updated: number;
  readonly unknown: number;
  readonly stale: readonly number[];
  readonly contended: readonly number[];
  readonly changes: readonly (readonly [
    ord: number,
    revision: string,
    isNew: boolean,
    statusMoved: boolean,
    rescoped: boolean,
  ])[];
}

/** Somebody else may insert the same keys first, once; after that they are known, unless they are being deleted. */
const MAX_ROUNDS = 5;

const statements = new WeakMap<UpsertSpec, UpsertStatement>();

function statementOf(spec: UpsertSpec): UpsertStatement {
  let statement = statements.get(spec);
  if (!statement) statements.set(spec, (statement = buildUpsert(spec)));
  return statement;
}

const element = (value: Row[string] | undefined): string => {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'boolean') return value ? 't' : 'f';
  return /["\\]/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : `"${value}"`;
};

/** One array a column, in PostgreSQL's own notation: pg would write it too, but takes half as long again for it. */
function parameters(statement: UpsertStatement, rows: readonly Row[]): string[] {
  return statement.inputs.map((property) => `{${rows.map((row) => element(row[property])).join(',')}}`);
}

function add(result: UpsertResult, row: ResultRow, positions: readonly number[]): void {
  const at = (ord: number): number => positions[ord - 1] as number;
  const done = row.inserted + row.updated + row.stale.length + row.contended.length + row.unknown;
  result.inserted += row.inserted;
  result.updated += row.updated;
  result.unchanged += positions.length - done;
  result.stale.push(...row.stale.map(at));
  for (const [ord, revision, isNew, statusMoved, rescoped] of row.changes) {
    result.changes.push({ index: at(ord), revision: BigInt(revision), isNew, statusMoved, rescoped });
  }
}

/**
 * Writes up to a few thousand rows with one statement. No two rows may have the same key. Rows that another transaction
 * inserted after this statement began are merged by running it again for just those.
 */
export async function upsert(
  client: ClientBase,
  spec: UpsertSpec,
  scope: { readonly region: string; readonly name: string },
  rows: readonly Row[],
): Promise<UpsertResult> {
  const result: UpsertResult = { inserted: 0, updated: 0, unchanged: 0, stale: [], changes: [] };
  const statement = statementOf(spec);
  let positions = rows.map((_, index) => index);
  for (let round = 0; positions.length > 0; round += 1) {
    if (round === MAX_ROUNDS) {
      throw new StoreError(
        `${tableName(spec.table)}: ${positions.length} rows still contended after ${MAX_ROUNDS} rounds`,
        {
          code: 'STORE_CONFLICT',
          retryable: true,
          blast: 'scope',
        },
      );
    }
    const batch = positions.map((position) => rows[position] as Row);
    const values = [scope.region, scope.name, ...parameters(statement, batch)];
    const { rows: answer } = await client.query<ResultRow>(statement.text, values);
    const row = answer[0] as ResultRow;
    add(result, row, positions);
    positions = row.contended.map((ord) => positions[ord - 1] as number);
  }
  return result;
}
