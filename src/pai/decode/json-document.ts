import type { JsonDocument, JsonText } from '../../domain/entities.js';
import { whyNotJsonb } from './jsonb.js';

const NOTHING: JsonDocument = { json: null, raw: null };

export const noDocument = (): JsonDocument => NOTHING;

/**
 * Reads a JSON document that PAI sends inside a string, at times escaped once more (`{\"a\": 1}` with the backslashes
 * in the text) or quoted once more (`"{\"a\": 1}"`), and with a newline behind it. The document's own text is kept, not
 * a second print of it, so its numbers stay exact. What is no JSON, or no jsonb, stays as it came.
 */
export function readDocument(text: string): JsonDocument {
  const trimmed = text.trim();
  const json = documentIn(trimmed) ?? documentIn(unescapeOnce(trimmed));
  return json === null ? { json: null, raw: text } : { json, raw: null };
}

function documentIn(text: string | null): JsonText | null {
  const value = text === null ? undefined : tryParse(text);
  if (text === null || value === undefined) return null;
  if (typeof value === 'string') {
    // Only an object or an array is unwrapped: the string "1.10" is a version, and stays one.
    const inner = value.trim();
    const document = /^[[{]/.test(inner) ? tryParse(inner) : undefined;
    if (document !== undefined) return whyNotJsonb(inner) === null ? inner : null;
  }
  return whyNotJsonb(text) === null ? text : null;
}

/** Reads the text as the inside of a JSON string; null when it holds no escape or is none. */
function unescapeOnce(text: string): string | null {
  if (!text.includes('\\')) return null;
  const quoted = text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
  const value = tryParse(`"${quoted}"`);
  return typeof value === 'string' ? value.trim() : null;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
