import type { Observation, Row } from './spec.js';

/** A row together with what it was made of. */
export interface Entry extends Observation {
  /** The decoded item: what quarantine keeps when the database refuses the row. */
  readonly item: unknown;
  /** The PAI operation that brought it. */
  readonly operation: string;
  readonly entity: string;
  readonly entityId: string;
  /** The run that the call asked for, or that the row hangs on. */
  readonly parentId?: string;
}

const text = (value: Row[string] | undefined): string => (typeof value === 'string' ? value : '');

/** Instants compare as text; a missing one is older than any. */
function isOlder(a: Entry, b: Entry): boolean {
  const { observedAt: left } = a.evidence;
  const { observedAt: right } = b.evidence;
  if (left !== right) return left < right;
  return text(a.row.gmtModifiedTime) < text(b.row.gmtModifiedTime);
}

const keyOf = (row: Row, keys: readonly string[]): string =>
  keys.length === 1 ? text(row[keys[0] as string]) : JSON.stringify(keys.map((property) => row[property] ?? null));

/**
 * Of several rows with one key the newest: observed later, else modified later, else later in the batch. One statement
 * cannot write a row twice.
 */
export function newestByKey(entries: readonly Entry[], keys: readonly string[]): Entry[] {
  const newest = new Map<string, Entry>();
  for (const entry of entries) {
    const key = keyOf(entry.row, keys);
    const known = newest.get(key);
    if (!known || !isOlder(entry, known)) newest.set(key, entry);
  }
  return [...newest.values()];
}
