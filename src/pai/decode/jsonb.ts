import { isNumeric, mayHoldUnstorable, numberText, parseExact } from '../json.js';

/** Levels of arrays and objects that the mirror stores; PostgreSQL's parser recurses and ends at its stack limit. */
const MAX_DEPTH = 500;
/** numeric holds 131,072 digits before and 16,383 behind the point: far inside both. */
const MAX_EXPONENT = 1000;
const MAX_NUMBER_LENGTH = 2000;

/** Numbers that deserve a second look; matches inside strings cost time only. */
const EXTREME_NUMBER = /\d[eE][+-]?\d{4,}|[\d.]{1000}/;

/** ES2024, present in Node.js 20, not yet in the ES2023 library types. */
const isWellFormed = (text: string): boolean => (text as unknown as { isWellFormed(): boolean }).isWellFormed();

/** PostgreSQL's text holds every string but those with U+0000 or half a surrogate pair. */
export const isStorableText = (text: string): boolean => !text.includes('\0') && isWellFormed(text);

function isStorableNumber(token: string): boolean {
  const exponent = /[eE]([+-]?\d+)$/.exec(token)?.[1];
  return token.length <= MAX_NUMBER_LENGTH && (exponent === undefined || Math.abs(Number(exponent)) <= MAX_EXPONENT);
}

/**
 * Says why jsonb would refuse (or change) a parsed value, null when it takes it. `strings` false skips the look at
 * strings, for texts of which `mayHoldUnstorable` is false.
 */
export function whyNotJsonb(value: unknown, strings: boolean, depth = 0): string | null {
  if (typeof value === 'string') {
    return strings && !isStorableText(value) ? 'a string with U+0000 or half a surrogate pair' : null;
  }
  if (isNumeric(value)) return isStorableNumber(numberText(value)) ? null : 'a number beyond the range of numeric';
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= MAX_DEPTH) return `more than ${MAX_DEPTH} levels of nesting`;
  if (Array.isArray(value)) return firstReason(value, (member) => whyNotJsonb(member, strings, depth + 1));
  return firstReason(
    Object.entries(value),
    ([key, member]) => whyNotJsonb(key, strings) ?? whyNotJsonb(member, strings, depth + 1),
  );
}

function firstReason<T>(members: readonly T[], reason: (member: T) => string | null): string | null {
  for (const member of members) {
    const found = reason(member);
    if (found !== null) return found;
  }
  return null;
}

/** Whether jsonb takes a text as it stands; `value` is what JSON.parse made of it. */
export function isJsonbText(text: string, value: unknown): boolean {
  if (!isWellFormed(text)) return false;
  const exact = EXTREME_NUMBER.test(text) ? tryParseExact(text) : value;
  return exact !== undefined && whyNotJsonb(exact, mayHoldUnstorable(text)) === null;
}

function tryParseExact(text: string): unknown {
  try {
    return parseExact(text);
  } catch {
    // JSON.parse took the text, so this is the lossless parser's recursion limit, far beyond MAX_DEPTH.
    return undefined;
  }
}
