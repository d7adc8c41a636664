/**
 * What PostgreSQL can store. JSON is judged by its text, not by a parsed value: jsonb also reads (and refuses) the first
 * of two equal keys, which a parsed value has lost.
 */
import { mayHoldUnstorable } from '../json.js';

/** Levels of arrays and objects that the mirror stores; PostgreSQL's parser recurses and ends at its stack limit. */
const MAX_DEPTH = 500;
/** numeric holds 131,072 digits before and 16,383 behind the point: these stay far inside both. */
const MAX_EXPONENT = 1000;
const MAX_NUMBER_LENGTH = 2000;

/** Numbers that deserve a second look; a match inside a string costs time only. */
const EXTREME_EXPONENT = /\d[eE][+-]?\d{4,}/;
const DIGITS = /[\d.]+/g;
const MANY_DIGITS = 1000;
const STRINGS = /"(?:[^"\\]|\\.)*"/gs;
const NUMBERS = /-?\d+(?:\.\d+)?(?:[eE]([+-]?\d+))?/g;
/** Escapes one after the other: a surrogate pair, then (captured) what no text can hold, then any other. */
const ESCAPES = /\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u(0000|[dD][89a-fA-F]..)|\\./gs;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** ES2024, present in Node.js 20, not yet in the ES2023 library types. */
const isWellFormed = (text: string): boolean => (text as unknown as { isWellFormed(): boolean }).isWellFormed();

/** PostgreSQL's text holds every string but those with U+0000 or half a surrogate pair. */
export const isStorableText = (text: string): boolean => !text.includes('\0') && isWellFormed(text);

/** Says why jsonb would refuse a valid JSON text; null when it takes it. */
export function whyNotJsonb(json: string): string | null {
  if (!isWellFormed(json) || (mayHoldUnstorable(json) && hasBadEscape(json))) {
    return 'strings with U+0000 or half a surrogate pair';
  }
  if (mayHoldExtremeNumber(json) && hasExtremeNumber(json)) return 'numbers beyond the range of numeric';
  if (json.length > MAX_DEPTH && isDeeper(json, MAX_DEPTH)) return `more than ${MAX_DEPTH} levels of nesting`;
  return null;
}

function hasBadEscape(json: string): boolean {
  for (const [, unstorable] of json.matchAll(ESCAPES)) if (unstorable !== undefined) return true;
  return false;
}

/** Runs of digits are measured and not searched for: `[\d.]{1000}` looks at each digit up to a thousand times. */
function mayHoldExtremeNumber(json: string): boolean {
  if (EXTREME_EXPONENT.test(json)) return true;
  if (json.length < MANY_DIGITS) return false;
  for (const [digits] of json.matchAll(DIGITS)) if (digits.length >= MANY_DIGITS) return true;
  return false;
}

function hasExtremeNumber(json: string): boolean {
  for (const [token, exponent = '0'] of json.replace(STRINGS, '""').matchAll(NUMBERS)) {
    if (token.length > MAX_NUMBER_LENGTH || Math.abs(Number(exponent)) > MAX_EXPONENT) return true;
  }
  return false;
}

/** One pass over the characters; about a tenth of the time that JSON.parse needs. */
function isDeeper(json: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) inString = !inString;
    else if (code === BACKSLASH) at += 1;
    else if (!inString && (code === 0x5b || code === 0x7b)) depth += 1;
    else if (!inString && (code === 0x5d || code === 0x7d)) depth -= 1;
    if (depth > limit) return true;
  }
  return false;
}
