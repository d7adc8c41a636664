import type { Observed } from '../../domain/batch.js';
import type { Entry } from '../upsert/newest.js';
import type { Row } from '../upsert/spec.js';

/** Flattens observed items to rows for one table. `entity` and `id` are how quarantine names an item. */
export function toEntries<T>(
  groups: readonly Observed<T>[],
  naming: {
    readonly operation: string;
    readonly entity: string;
    readonly id: (item: T) => string;
    readonly parentId?: (item: T) => string;
  },
  row: (item: T) => Row,
): Entry[] {
  return groups.flatMap(({ evidence, items }) =>
    items.map((item) => ({
      row: row(item),
      evidence,
      item,
      operation: naming.operation,
      entity: naming.entity,
      entityId: naming.id(item),
      ...(naming.parentId ? { parentId: naming.parentId(item) } : {}),
    })),
  );
}
