/**
 * Pure decisions about paging over a source that changes meanwhile. See "Paging" in docs/pai-quirks.md for why each of
 * them cannot miss a row.
 */
import type { Instant } from '../domain/entities.js';
import { instantFromMillis, instantToMillis } from '../domain/instant.js';
import type { KeyedRow } from './plan-ties.js';

/**
 * The page size that the server really uses. It may clamp silently, so a short page is not the end: when there is more
 * than was received, what was received is the size, and asking for exactly that keeps the offsets of later pages right.
 */
export function effectivePageSize(asked: number, first: { received: number; totalCount: number | null }): number {
  const short = first.received > 0 && first.received < asked;
  const more = first.totalCount === null || first.totalCount > first.received;
  return short && more ? first.received : asked;
}

export const pageCount = (total: number, pageSize: number): number => Math.ceil(total / pageSize);

/** How many pages a walk may read before something is wrong with the source: twice what it holds, and some. */
export const walkBound = (total: number | null, pageSize: number): number =>
  total === null ? 1_000_000 : 2 * pageCount(total, pageSize) + 100;

/**
 * The watermark of a pass, from its first page (newest modification first): the newest modification there, by the
 * source's own clock; no later than the source's clock itself, so that one row dated into the future hides nothing.
 */
export function watermarkCandidate(
  modifiedTimes: readonly (Instant | null)[],
  serverTime: Instant | null,
): Instant | null {
  let newest: Instant | null = null;
  for (const time of modifiedTimes) if (time !== null && (newest === null || time > newest)) newest = time;
  return newest !== null && serverTime !== null && serverTime < newest ? serverTime : newest;
}

/** Everything modified at this instant or later is read again. */
export const overlapFloor = (watermark: Instant | null, overlapSeconds: number): Instant | null =>
  watermark === null ? null : instantFromMillis(Math.max(0, instantToMillis(watermark) - overlapSeconds * 1000));

/**
 * A watermark of the future says that the source's clock was put back: what is modified now is older than it, so it goes
 * back to the source's own clock of this moment.
 */
export const withinClock = (watermark: Instant | null, serverTime: Instant | null): Instant | null =>
  watermark !== null && serverTime !== null && serverTime < watermark ? serverTime : watermark;

/** The watermark after a pass: never back, but for a clock that was put back. */
export const nextWatermark = (
  stored: Instant | null,
  candidate: Instant | null,
  serverTime: Instant | null,
): Instant | null => later(withinClock(stored, serverTime), candidate);

/**
 * Newest first: the walk ends with the page whose last row is older than the floor, since everything behind it is older
 * still. A page that is not in that order, or has a row without a time, has to be older as a whole.
 */
export function isBehind(times: readonly (Instant | null)[], floor: Instant | null): boolean {
  const isOlder = (time: Instant | null | undefined): boolean => time != null && floor !== null && time < floor;
  if (!isOlder(times.at(-1))) return false;
  return times.every(isOlder) || times.every((time, index) => time !== null && time <= (times[index - 1] ?? time));
}

export const later = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null ? b : b === null ? a : a > b ? a : b;

/** Instants are text, so Math.min does not do. */
export function earlier(a: Instant, b: Instant): Instant {
  if (a < b) return a;
  return b;
}

/**
 * What an ascending page shows when the server cuts pages to another size than it is asked for (it may do so in one sort
 * order and not in another): returns that size, null while nothing speaks against `pageSize`. A page and its TotalCount
 * are one snapshot, so a full page has to be full; the last one may only show too much.
 */
export function revealedPageSize(
  page: number,
  pageSize: number,
  answer: { readonly received: number; readonly totalCount: number | null },
): number | null {
  const { received, totalCount } = answer;
  if (totalCount === null || received === 0 || received >= pageSize) return null;
  const expected = Math.max(0, Math.min(pageSize, totalCount - (page - 1) * pageSize));
  return received > expected || (received < expected && expected === pageSize) ? received : null;
}

/** A row whose place in ascending creation order is known: if it keeps it, nothing in front of it was deleted. */
export interface Anchor {
  readonly id: string;
  /** From 0, in ascending order of creation. */
  readonly index: number;
}

export const anchorPage = (anchor: Anchor, pageSize: number): number => Math.floor(anchor.index / pageSize) + 1;

/** Whether the anchor stands where it stood; `ids` is the page that `anchorPage` names. */
export const anchorHolds = (anchor: Anchor, pageSize: number, ids: readonly string[]): boolean =>
  ids[anchor.index % pageSize] === anchor.id;

/**
 * The last row of a page whose key neither neighbour shares, as the new anchor: among rows of one key it could stand
 * where it stood though the list has shifted. So never the first or the last row, whose neighbours are not known. Null
 * when the page has none.
 */
export function anchorFrom(page: number, pageSize: number, rows: readonly KeyedRow[]): Anchor | null {
  for (let index = rows.length - 2; index > 0; index -= 1) {
    const row = rows[index] as KeyedRow;
    const isAlone = row.key !== null && row.key !== rows[index - 1]?.key && row.key !== rows[index + 1]?.key;
    if (isAlone) return { id: row.id, index: (page - 1) * pageSize + index };
  }
  return null;
}
