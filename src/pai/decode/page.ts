import type { Rejected } from '../../domain/entities.js';
import { isNumeric, isObject, type JsonObject, jsonText, mayHoldUnstorable, numberText, parseExact } from '../json.js';
import { FieldError } from './fields.js';
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

/** How an entity is named in quarantine. */
export interface Kind {
  readonly entity: string;
  /** The fields that make up its id, joined with `/`. */
  readonly id: readonly string[];
}

/** Throws BadAnswer when the text is not one JSON object. */
export function openPage(text: string): Page {
  let body: unknown;
  try {
    body = parseExact(text);
  } catch (error) {
    const found = text === '' ? 'an empty body' : `${text.length} characters`;
    throw new BadAnswer(
      `the answer is not JSON: found ${found}${error instanceof RangeError ? ', nested too deep' : ''}`,
    );
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
export function decodeList<T>(page: Page, list: readonly unknown[], kind: Kind, decode: (item: JsonObject) => T): T[] {
  const decoded: T[] = [];
  for (const item of list) {
    const entity = decodeItem(page, item, kind, decode);
    if (entity !== null) decoded.push(entity);
  }
  return decoded;
}

/** One item; null when it was rejected. */
export function decodeItem<T>(page: Page, item: unknown, kind: Kind, decode: (item: JsonObject) => T): T | null {
  try {
    if (!isObject(item)) throw new FieldError(kind.entity, item, 'a JSON object');
    if (page.suspicious) checkStrings(item, kind.entity);
    return decode(item);
  } catch (error) {
    // RangeError: nested beyond what the stack can walk. Anything else is a mistake of this program.
    if (!(error instanceof FieldError) && !(error instanceof RangeError)) throw error;
    page.rejected.push({ entity: kind.entity, entityId: idOf(item, kind), raw: rawText(item), error: error.message });
    return null;
  }
}

function checkStrings(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (!isStorableText(value)) throw new FieldError(path, value, 'a text without U+0000 and half surrogate pairs');
  } else if (Array.isArray(value)) {
    for (const member of value) checkStrings(member, path);
  } else if (isObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      checkStrings(key, `${path}, a key`);
      checkStrings(member, `${path}.${key}`);
    }
  }
}

function idOf(item: unknown, kind: Kind): string | null {
  if (!isObject(item)) return null;
  const parts = kind.id.map((field) => readablePart(item[field]));
  return parts.includes(null) ? null : parts.join('/');
}

function readablePart(value: unknown): string | null {
  const part = typeof value === 'string' ? value.trim() : isNumeric(value) ? numberText(value) : '';
  return part !== '' && isStorableText(part) ? part : null;
}

/** JSON escapes what PostgreSQL's text cannot hold, so this can always be stored. */
function rawText(item: unknown): string {
  try {
    return jsonText(item);
  } catch {
    return '"(nested too deep to be printed)"';
  }
}
