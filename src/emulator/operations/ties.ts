import type { Random } from '../random.js';
import type { Page } from './parameters.js';

export interface Positions {
  readonly size: number;
  /** The slots at positions `offset` to `offset + limit - 1`. */
  slice(offset: number, limit: number): readonly number[];
}

/**
 * A page of a list in which slots of equal key come in random order: each group of ties that the page touches is taken
 * whole, shuffled and cut again. So a run can be on two pages, or on none, as with a server that breaks ties as it likes.
 */
export function pageWithShuffledTies(
  list: Positions,
  page: Page,
  keyOf: (slot: number) => unknown,
  random: Random,
): readonly number[] {
  const keyAt = (position: number): unknown => keyOf(list.slice(position, 1)[0] as number);
  const end = Math.min(list.size, page.offset + page.limit);
  if (page.offset >= end) return [];
  let first = page.offset;
  let last = end - 1;
  const firstKey = keyAt(first);
  const lastKey = keyAt(last);
  while (first > 0 && keyAt(first - 1) === firstKey) first -= 1;
  while (last < list.size - 1 && keyAt(last + 1) === lastKey) last += 1;
  const groups = new Map<unknown, number[]>();
  for (const slot of list.slice(first, last - first + 1)) {
    const group = groups.get(keyOf(slot));
    if (group) group.push(slot);
    else groups.set(keyOf(slot), [slot]);
  }
  const shuffled = [...groups.values()].flatMap((group) => random.shuffle(group));
  return shuffled.slice(page.offset - first, end - first);
}
