/**
 * COPY for rows that the mirror does not know. Nothing is to be merged into them, so their values are those of the
 * answer. What an INSERT of arrays costs beyond COPY is parsing 25 arrays, one more look for every key and one more log
 * record for every row: together a fifth of the server's time, and half of this process's.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Evidence } from '../../domain/answers.js';
import { changeEvents } from '../schema/history.js';
import { column, tableSql } from '../sql.js';
import { knownOnlySql } from './input.js';
import { hasColumn } from './resolved.js';
import type { History, Observation, Row, Statement, UpsertSpec } from './spec.js';

/** What all rows of one batch have in common. */
export interface CopyContext {
  readonly region: string;
  readonly scope: string;
  /** The database's clock. */
  readonly now: string;
}

type Value = Row[string] | undefined;

/** One COPY: the columns that every row has for itself, those of its answer, and those of the batch. */
interface Part {
  readonly text: string;
  readonly own: readonly Column[];
  readonly shared: readonly ((context: CopyContext, evidence: Evidence) => Value)[];
}

interface Column {
  readonly sql: string;
  readonly property: string;
  /** Where that has no value, the first of these that has one. */
  readonly others: readonly string[] | null;
  /** A number or a time has no character that COPY takes for its own. */
  readonly isPlain: boolean;
}

/** How new rows come into one table, and into the history where the table has one. */
export interface Copy {
  /** Asks which rows are known; its arrays are those of the keys. */
  readonly lookup: Statement;
  readonly keys: readonly string[];
  readonly parts: readonly Part[];
}

/** Rules that look at more than the row and its scope, and keys that are looked up, need a statement. */
export const canCopy = ({ insertNew, inputOnly, resolve, history, computed }: UpsertSpec): boolean =>
  insertNew !== false &&
  inputOnly === undefined &&
  resolve === undefined &&
  history?.kind !== 'fields' &&
  !history?.comesBack &&
  (computed ?? []).every((property) => property === 'scope');

type Shared = readonly [sql: string, value: (context: CopyContext, evidence: Evidence) => Value];

const part = (table: string, own: readonly Column[], shared: readonly Shared[]): Part => ({
  text: `copy ${table} (${[...own.map(({ sql }) => sql), ...shared.map(([sql]) => sql)].join(', ')}) from stdin`,
  own,
  shared: shared.map(([, value]) => value),
});

const OF_ALL: readonly Shared[] = [['region', ({ region }) => region]];
const SCOPE: Shared = ['scope', ({ scope }) => scope];

const isPlain = (type: string): boolean => type !== 'text' && type !== 'jsonb';

function rowsPart(spec: UpsertSpec): Part {
  const computed = new Set(['deletedAt', 'missingSince', ...(spec.computed ?? [])]);
  const merged = Object.keys(spec.merge).filter((property) => !computed.has(property));
  const own = [...spec.keys, ...merged].map((property): Column => {
    const { sql, type } = column(spec.table, property);
    return { sql, property, others: null, isPlain: isPlain(type) };
  });
  const shared: Shared[] = [...OF_ALL, ['first_seen_at', ({ now }) => now], ['updated_at', ({ now }) => now]];
  if (spec.observed) {
    shared.push(
      [column(spec.table, spec.observed).sql, (_, { observedAt }) => observedAt],
      ['answer_request_id', (_, { requestId }) => requestId],
    );
  }
  if (hasColumn(spec, 'scope')) shared.push(SCOPE);
  if (hasColumn(spec, 'revision')) shared.push(['revision', () => '1']);
  return part(tableSql(spec.table), own, shared);
}

function eventsPart(history: Extract<History, { kind: 'row' }>): Part {
  const { entity, entityId, nodeId, nodeType, status, sourceTime } = history;
  const [time, ...others] = sourceTime;
  const timeElse = others.length === 0 ? null : others;
  const named: [sql: string, property: string | undefined][] = [
    ['entity_id', entityId],
    ['node_id', nodeId],
    ['node_type', nodeType],
    ['to_status', status],
  ];
  const own = named.flatMap(([sql, property]): Column[] =>
    property === undefined ? [] : [{ sql, property, others: null, isPlain: false }],
  );
  return part(
    tableSql(changeEvents),
    [...own, ...(time === undefined ? [] : [{ sql: 'source_time', property: time, others: timeElse, isPlain: true }])],
    [
      ...OF_ALL,
      SCOPE,
      ['entity', () => entity],
      ['kind', () => 'discovered'],
      ['observed_at', (_, { observedAt }) => observedAt],
      ['request_id', (_, { requestId }) => requestId],
    ],
  );
}

export function buildCopy(spec: UpsertSpec): Copy {
  const events = spec.history?.kind === 'row' ? [eventsPart(spec.history)] : [];
  return { lookup: knownOnlySql(spec), keys: spec.keys, parts: [rowsPart(spec), ...events] };
}

const SPECIAL = /[\\\n\r\t]/;
const ALL_SPECIAL = /[\\\n\r\t]/g;
const ESCAPES: { readonly [character: string]: string } = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One value in COPY's text format. */
function field(value: Value): string {
  if (value === null || value === undefined) return '\\N';
  if (typeof value === 'boolean') return value ? 't' : 'f';
  return SPECIAL.test(value) ? value.replace(ALL_SPECIAL, (character) => ESCAPES[character] as string) : value;
}

const firstOf = (row: Row, properties: readonly string[]): Value =>
  properties.map((property) => row[property]).find((value) => value != null);

/** Rows in one piece, some 2 ms of work: the server reads it, and answers of PAI are looked at, while the next is made. */
const ROWS_PER_CHUNK = 200;

/** Lines made by `join`: of texts that grow piece by piece the collector had to copy every piece. */
export function* copyText(
  { own, shared }: Part,
  rows: readonly Observation[],
  context: CopyContext,
): Generator<Buffer, void> {
  // All rows of a page have the same evidence.
  let evidence: Evidence | null = null;
  let end = '';
  let lines: string[] = [];
  const cells: string[] = new Array(own.length + 1).fill('');
  for (const each of rows) {
    if (each.evidence !== evidence) {
      evidence = each.evidence;
      end = `${shared.map((value) => field(value(context, each.evidence))).join('\t')}\n`;
    }
    for (let index = 0; index < own.length; index += 1) {
      const { property, others, isPlain } = own[index] as Column;
      const value = each.row[property] ?? (others === null ? null : firstOf(each.row, others));
      cells[index] = isPlain && typeof value === 'string' ? value : field(value);
    }
    cells[own.length] = end;
    if (lines.push(cells.join('\t')) < ROWS_PER_CHUNK) continue;
    yield Buffer.from(lines.join(''));
    lines = [];
  }
  if (lines.length > 0) yield Buffer.from(lines.join(''));
}

/** In the order of their keys: batches that meet then wait for each other instead of deadlocking. */
export function inKeyOrder(rows: readonly Observation[], keys: readonly string[]): Observation[] {
  const [first, ...others] = keys as [string, ...string[]];
  const keyOf = ({ row }: Observation): string => {
    const key = String(row[first]);
    return others.length === 0 ? key : JSON.stringify([key, ...others.map((property) => row[property])]);
  };
  const keyed = rows.map((row): [string, Observation] => [keyOf(row), row]);
  keyed.sort(([a], [b]) => (a < b ? -1 : 1));
  return keyed.map(([, row]) => row);
}

/** Copies rows that are not in the table. Fails with 23505 when one of them is there after all. */
export async function copyRows(
  client: ClientBase,
  copy: Copy,
  rows: readonly Observation[],
  context: CopyContext,
): Promise<void> {
  const sorted = inKeyOrder(rows, copy.keys);
  for (const each of copy.parts) {
    await pipeline(
      Readable.from(copyText(each, sorted, context), { objectMode: true, highWaterMark: 1 }),
      client.query(copyFrom(each.text)),
    );
  }
}
