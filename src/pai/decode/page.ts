import type { Rejected } from '../../domain/entities.js';
import { idOfParts } from '../../domain/quarantine.js';
import { printDeep } from '../deep-json.js';
import { isNumeric, isObject, type JsonObject, jsonText, mayHoldUnstorable, numberText, parseExact } from '../json.js';
import { FieldError, MAX_ID_LENGTH } from './fields.js';
import { isStorableText } from './jsonb.js';

/** The answer as a whole is not what the operation promises: worth another try, unlike a bad item. */
export class BadAnswer extends Error {}

/** One parsed answer, while its items are being decoded. */
export interface Page {
  readonly body: JsonObject;
  readonly requestId: string | null;
  /** Decoders add to it. */
  readonly rejected: Rejected[];
  /** Whether some string may hold what PostgreSQL's text cannot; false spares a look at every string. */
  readonly suspicious: boolean;
}

/** How an entity is named in quarantine. Neither function throws: they read what nobody could decode. */
export interface Kind {
  readonly entity: string;
  /** Null when the id cannot be read. */
  readonly id: (item: JsonObject) => string | null;
  /** The run that the call asked for, or that the item hangs on. */
  readonly parentId?: (item: JsonObject) => string | null;
  /** Fields with members that have a place in quarantine of their own: their strings are looked at one member a time. */
  readonly lists?: ReadonlySet<string>;
}

/** An id made of these fields, joined with `/`. */
export const idFrom =
  (...fields: readonly string[]) =>
  (item: JsonObject): string | null => {
    const parts = fields.map((field) => readablePart(item[field]));
    return parts.includes(null) ? null : idOfParts(...(parts as string[]));
  };

function readablePart(value: unknown): string | null {
  const part = typeof value === 'string' ? value.trim() : isNumeric(value) ? numberText(value) : '';
  return part !== '' && part.length <= MAX_ID_LENGTH && isStorableText(part) ? part : null;
}

/** Throws BadAnswer when the text is not one JSON object. */
export function openPage(text: string): Page {
  let body: unknown;
  try {
    body = parseExact(text);
  } catch (error) {
    const found = text === '' ? 'an empty body' : `${text.length} characters`;
    // RangeError: a text that no string can hold twice.
    const why = error instanceof RangeError ? `, ${error.message}` : '';
    throw new BadAnswer(`the answer is not JSON: found ${found}${why}`);
  }
  if (!isObject(body)) throw new BadAnswer('the answer is not a JSON object');
  return { body, requestId: requestIdOf(body), rejected: [], suspicious: mayHoldUnstorable(text) };
}

/** ListRuns says `requestId`, the others say `RequestId`. */
export function requestIdOf(body: JsonObject): string | null {
  const value = body.RequestId ?? body.requestId;
  const trimmed = typeof value === 'string' ? value.trim() : '';
  return trimmed !== '' && isStorableText(trimmed) ? trimmed : null;
}

/** TotalCount, or null when there is none. Throws BadAnswer when it is no count. */
export function totalCountOf(page: Page): number | null {
  const value = page.body.TotalCount;
  if (value === undefined || value === null) return null;
  const digits = typeof value === 'string' ? value.trim() : isNumeric(value) ? numberText(value) : '';
  const count = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw new BadAnswer('TotalCount is not a count');
  return count;
}

/** The members of a list; an absent or null list is empty, unless TotalCount says that there is something. */
export function listOf(page: Page, field: string): readonly unknown[] {
  const value = page.body[field];
  if (Array.isArray(value)) return value;
  if (value !== undefined && value !== null) throw new BadAnswer(`${field} is not a list`);
  const total = totalCountOf(page);
  if (total !== null && total > 0) throw new BadAnswer(`${field} is missing although TotalCount is ${total}`);
  return [];
}

/** Decodes the items of a list; those that cannot be decoded go into `page.rejected`. */
export function decodeList<T>(
  page: Pick<Page, 'suspicious' | 'rejected'>,
  list: readonly unknown[],
  kind: Kind,
  decode: (item: JsonObject) => T,
): T[] {
  const decoded: T[] = [];
  for (const item of list) {
    const entity = decodeItem(page, item, kind, decode);
    if (entity !== null) decoded.push(entity);
  }
  return decoded;
}

/** One item; null when it was rejected. */
export function decodeItem<T>(
  page: Pick<Page, 'suspicious' | 'rejected'>,
  item: unknown,
  kind: Kind,
  decode: (item: JsonObject) => T,
): T | null {
  try {
    if (!isObject(item)) throw new FieldError(kind.entity, item, 'a JSON object');
    if (page.suspicious) checkStrings(item, kind.entity, kind.lists);
    return decode(item);
  } catch (error) {
    page.rejected.push(rejected(item, kind, whyRejected(error)));
    return null;
  }
}

/** Throws what is a mistake of this program and not of the item. */
function whyRejected(error: unknown): string {
  if (error instanceof FieldError) return error.message;
  if (error instanceof RangeError) return 'nested deeper than this program can walk, or longer than a string can be';
  throw error;
}

/** The name of an item in quarantine, and its text. */
export function rejected(item: unknown, kind: Kind, error: string): Rejected {
  const named = isObject(item) ? item : {};
  const parentId = kind.parentId?.(named) ?? null;
  return {
    entity: kind.entity,
    entityId: kind.id(named),
    ...(parentId === null ? {} : { parentId }),
    raw: rawText(item),
    error,
  };
}

function checkStrings(value: unknown, path: string, except?: ReadonlySet<string>): void {
  if (typeof value === 'string') {
    if (!isStorableText(value)) throw new FieldError(path, value, 'a text without U+0000 and half surrogate pairs');
  } else if (Array.isArray(value)) {
    for (const member of value) checkStrings(member, path);
  } else if (isObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (except?.has(key)) continue;
      checkStrings(key, `${path}, a key`);
      checkStrings(member, `${path}.${key}`);
    }
  }
}

/** JSON escapes what PostgreSQL's text cannot hold, so this can always be stored. */
function rawText(item: unknown): string {
  try {
    return jsonText(item);
  } catch {
    return printDeep(item);
  }
}
