import type { Row } from './spec.js';

/** A row together with what it was made of. */
export interface Entry {
  readonly row: Row;
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
function isOlder(a: Row, b: Row): boolean {
  for (const property of ['observedAt', 'gmtModifiedTime']) {
    const [left, right] = [text(a[property]), text(b[property])];
    if (left !== right) return left < right;
  }
  return false;
}

/**
 * Of several rows with one key the newest: observed later, else modified later, else later in the batch. One statement
 * cannot write a row twice.
 */
export function newestByKey(entries: readonly Entry[], keys: readonly string[]): Entry[] {
  const newest = new Map<string, Entry>();
  for (const entry of entries) {
    const key = JSON.stringify(keys.map((property) => entry.row[property] ?? null));
    const known = newest.get(key);
    if (!known || !isOlder(entry.row, known.row)) newest.set(key, entry);
  }
  return [...newest.values()];
}
