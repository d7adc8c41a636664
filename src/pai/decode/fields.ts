/**
 * Readers of one field of one item. Each gives null when the field is absent or JSON null, and throws FieldError when
 * it holds something else than its kind: that rejects the item, not its page.
 */
import type { Float64, Instant, Int64, JsonDocument, JsonText } from '../../domain/entities.js';
import { isNumeric, isObject, type JsonObject, jsonText, numberText } from '../json.js';
import { noDocument, readDocument } from './json-document.js';
import { whyNotJsonb } from './jsonb.js';
import { readInstant, readMillis } from './time.js';

const SHOWN = 80;
/**
 * Characters of an id. PAI's have some 25; two of this length, of three bytes each, still fit into one index row
 * together, so that no id that was decoded can fail later, in a key of the mirror's own bookkeeping.
 */
export const MAX_ID_LENGTH = 256;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** The words for what is no number, as numeric strings carry them. */
const NOT_FINITE: { readonly [word: string]: Float64 } = {
  nan: 'NaN',
  inf: 'Infinity',
  infinity: 'Infinity',
  '-inf': '-Infinity',
  '-infinity': '-Infinity',
};

export class FieldError extends Error {
  constructor(field: string, found: unknown, expected: string) {
    super(`${field}: found ${describe(found)}, expected ${expected}`);
  }
}

/** A value for a message: its kind, and the first characters of its text. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (isObject(value)) return `an object with the keys ${shorten(Object.keys(value).join(', '))}`;
  return shorten(jsonText(value));
}

const shorten = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);

const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

/** Free text, exactly as it came; a number becomes its digits. */
export function text(item: JsonObject, field: string): string | null {
  const value = item[field];
  if (typeof value === 'string') return value;
  if (isAbsent(value)) return null;
  if (isNumeric(value)) return numberText(value);
  throw new FieldError(field, value, 'a text');
}

/** An id or a word such as Status: the samples carry newlines behind them, which belong to nothing. */
export const identifier = (item: JsonObject, field: string): string | null => text(item, field)?.trim() ?? null;

/** The id without which an item is nothing. */
export function requiredId(item: JsonObject, field: string): string {
  const value = identifier(item, field);
  if (value === null || value === '') throw new FieldError(field, item[field], 'a non-empty id');
  if (value.length > MAX_ID_LENGTH) {
    throw new FieldError(field, value, `an id of at most ${MAX_ID_LENGTH} characters, not ${value.length}`);
  }
  return value;
}

/** A key of a label, parameter or metric: may be empty, as in the sample, but must be there. Kept exactly. */
export function key(item: JsonObject, field: string): string {
  const value = text(item, field);
  if (value === null) throw new FieldError(field, item[field], 'a text');
  return value;
}

export function time(item: JsonObject, field: string): Instant | null {
  const value = item[field];
  if (isAbsent(value)) return null;
  const instant = typeof value === 'string' ? readInstant(value) : null;
  if (instant === null && typeof value === 'string' && value.trim() === '') return null;
  if (instant === null) throw new FieldError(field, value, 'a time such as 2021-01-30T12:51:33.028Z');
  return instant;
}

/** A whole number of 64 bits, sent as a number or as its digits; `60.0` is one too. */
export function int64(item: JsonObject, field: string): Int64 | null {
  const value = item[field];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  if (isAbsent(value)) return null;
  const digits = typeof value === 'string' ? value.trim() : isNumeric(value) ? numberText(value) : '';
  const whole = /^(-?\d{1,19})(?:\.0{1,19})?$/.exec(digits)?.[1];
  const exact = whole === undefined ? null : BigInt(whole);
  if (exact === null || exact < INT64_MIN || exact > INT64_MAX) {
    throw new FieldError(field, value, 'a whole number of 64 bits');
  }
  return exact.toString();
}

/** Milliseconds since 1970 as an int64. */
export function millis(item: JsonObject, field: string): Instant | null {
  const value = int64(item, field);
  const instant = value === null ? null : readMillis(Number(value));
  if (value !== null && instant === null) {
    throw new FieldError(field, item[field], 'milliseconds since 1970 within the years 1 to 9999');
  }
  return instant;
}

/** What PostgreSQL's double precision reads. A text of too many digits is rounded, as any float64 is. */
export function float64(item: JsonObject, field: string): Float64 | null {
  const value = item[field];
  if (typeof value === 'number' && Number.isFinite(value)) return floatText(value);
  if (isAbsent(value)) return null;
  const digits = typeof value === 'string' ? value.trim() : isNumeric(value) ? numberText(value) : '';
  const special = NOT_FINITE[digits.toLowerCase().replace(/^\+/, '')];
  if (special !== undefined) return special;
  // Every digit can be matched in one way only: with two, a million digits and a letter would take hours to refuse.
  const float = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isFinite(float)) throw new FieldError(field, value, 'a number of 64 bits');
  return floatText(float);
}

/** String() drops the sign of minus zero. */
const floatText = (float: number): Float64 => (Object.is(float, -0) ? '-0' : String(float));

export function boolean(item: JsonObject, field: string): boolean | null {
  const value = item[field];
  if (typeof value === 'boolean') return value;
  if (isAbsent(value)) return null;
  const word = typeof value === 'string' ? value.trim() : null;
  if (word !== 'true' && word !== 'false') throw new FieldError(field, value, 'true or false');
  return word === 'true';
}

/** A JSON document inside a string; one that comes as an object is taken as it is. */
export function document(item: JsonObject, field: string): JsonDocument {
  const value = item[field];
  if (typeof value === 'string') return readDocument(value);
  if (isAbsent(value)) return noDocument();
  if (!isObject(value) && !Array.isArray(value)) throw new FieldError(field, value, 'a JSON document in a text');
  const json = jsonText(value);
  return whyNotJsonb(json) === null ? { json, raw: null } : { json: null, raw: json };
}

/** A JSON object as text for jsonb. */
export function object(item: JsonObject, field: string): JsonText | null {
  const value = item[field];
  if (isAbsent(value)) return null;
  if (typeof value === 'string') {
    const { json } = readDocument(value);
    if (json !== null && /^\{/.test(json)) return json;
  }
  if (!isObject(value)) throw new FieldError(field, value, 'a JSON object');
  return jsonbText(field, value);
}

/** The fields that this version does not know, as one JSON object; null when there are none. */
export function extra(item: JsonObject, known: ReadonlySet<string>): JsonText | null {
  let unknown: [string, unknown][] | null = null;
  for (const field in item) {
    if (!known.has(field)) (unknown ??= []).push([field, item[field]]);
  }
  // fromEntries defines own properties, also one that is called __proto__.
  return unknown === null ? null : jsonbText('unknown fields', Object.fromEntries(unknown));
}

function jsonbText(field: string, value: JsonObject): JsonText {
  const json = jsonText(value);
  const reason = whyNotJsonb(json);
  if (reason !== null) throw new FieldError(field, value, `JSON that PostgreSQL can store, without ${reason}`);
  return json;
}
