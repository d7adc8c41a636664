import { isLosslessNumber, LosslessNumber, parse, stringify } from 'lossless-json';
import { parseDeep } from './deep-json.js';

/** One JSON object; numbers are JavaScript numbers or LosslessNumber, see `parseExact`. */
export type JsonObject = { readonly [key: string]: unknown };

/**
 * Every number of a JSON text that JSON.parse might change: 16 digits and more, a fraction, an exponent, minus zero.
 * A number stands behind `:`, `,`, `[`, white space or nothing and ends in front of `,`, `]`, `}`, white space or
 * nothing. Digits inside strings can match too, which costs time only.
 */
const RISKY_NUMBER = /(?:^|[:,[\s])(-0|-?\d{16,}|-?\d+[.eE][\d.eE+-]*)(?=[\s,\]}]|$)/g;

/** Escapes that may stand for what PostgreSQL cannot hold: U+0000, and halves of surrogate pairs. */
const RISKY_ESCAPE = /\\u(?:0000|[dD][89a-fA-F])/;

/** True when JSON.parse would change the text of a number. May err towards true, never towards false. */
export function changesNumbers(text: string): boolean {
  RISKY_NUMBER.lastIndex = 0;
  for (let match = RISKY_NUMBER.exec(text); match !== null; match = RISKY_NUMBER.exec(text)) {
    const token = match[1] as string;
    if (String(Number(token)) !== token) return true;
  }
  return false;
}

/** True when a string inside the JSON text may hold U+0000 or half a surrogate pair. May err towards true. */
export const mayHoldUnstorable = (text: string): boolean => RISKY_ESCAPE.test(text);

/**
 * Parses JSON so that `numberText` gives back every number exactly as it stood. JSON.parse does that for most pages and
 * is several times as fast as the lossless parser, which takes the others. Throws SyntaxError, as JSON.parse does.
 */
export function parseExact(text: string): unknown {
  try {
    if (!changesNumbers(text)) return JSON.parse(text);
    // JSON.parse and jsonb both keep the last of two equal keys.
    return parse(text, null, { onDuplicateKey: ({ newValue }) => newValue });
  } catch (error) {
    // Nested beyond the stack: one item that is must not cost its page.
    if (!(error instanceof RangeError)) throw error;
    return parseDeep(text);
  }
}

export const isNumeric = (value: unknown): value is number | LosslessNumber =>
  typeof value === 'number' || (typeof value === 'object' && isLosslessNumber(value));

/** The digits of a number, as they stood in the text. */
export const numberText = (value: number | LosslessNumber): string =>
  typeof value === 'number' ? String(value) : value.value;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isLosslessNumber(value);

/** One value as JSON text with exact numbers. Throws RangeError when it is nested thousands of levels deep. */
export const jsonText = (value: unknown): string => stringify(value) as string;

export { LosslessNumber };
