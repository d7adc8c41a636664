/** What one pass could not read, and how it is told. */
import type { QuarantinedItem, WriteBatch } from '../domain/batch.js';
import { fingerprintOf } from '../domain/quarantine.js';

/** Fingerprints remembered for an operation in one pass: about a megabyte. Beyond that the pass proves no absence. */
const MAX_REMEMBERED = 10_000;

/** The content of every item that a pass could not read, so that its end can tell what did not come up any more. */
export class UnreadableItems {
  private readonly prints = new Map<string, Set<string>>();

  constructor(private readonly most = MAX_REMEMBERED) {}

  note(groups: NonNullable<WriteBatch['rejected']>): void {
    for (const { operation, items } of groups) {
      const known = this.prints.get(operation) ?? new Set();
      if (items.length > 0) this.prints.set(operation, known);
      for (const { raw } of items) if (known.size <= this.most) known.add(fingerprintOf(raw));
    }
  }

  /** Null when there were more than could be remembered. */
  of(operation: string): readonly string[] | null {
    const known = this.prints.get(operation);
    if (known === undefined) return [];
    return known.size > this.most ? null : [...known];
  }
}

/** `2 items; ListRuns run_metric run-1/loss/7/…: Value: found "high", …` */
export function describeQuarantined(count: number, items: readonly QuarantinedItem[]): string {
  const shown = items.map(
    ({ operation, entity, entityId }) => `${operation} ${entity} ${entityId ?? '(no readable id)'}`,
  );
  const more = count > items.length ? ` and ${count - items.length} more` : '';
  return `${shown.join(', ')}${more}; ${items[0]?.error ?? 'no error'}`;
}
