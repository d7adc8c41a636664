/**
 * Pure decisions about paging over a source that changes meanwhile. See "Paging" in docs/pai-quirks.md for why each of
 * them cannot miss a row.
 */
import type { Instant } from '../domain/entities.js';
import { instantFromMillis, instantToMillis } from '../domain/instant.js';

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

/** Whether rows were deleted between two answers (more than were added). */
export const hasFallen = (total: number | null, previousTotal: number | null): boolean =>
  total !== null && previousTotal !== null && total < previousTotal;

/**
 * Walking forward: the page to read after `page`. When TotalCount fell by n since the answer before, up to n rows slid
 * from behind the place that was read to so far (the start of `page`) to in front of it: step back that many rows and
 * read on from there. Null at the end.
 */
export function nextForwardPage(
  page: number,
  pageSize: number,
  answer: { readonly received: number; readonly totalCount: number | null },
  previousTotal: number | null,
): number | null {
  const total = answer.totalCount;
  const fell = total !== null && previousTotal !== null ? Math.max(0, previousTotal - total) : 0;
  const readTo = fell > 0 ? Math.max(0, (page - 1) * pageSize - fell) : page * pageSize;
  if (total === null ? answer.received === 0 : readTo >= total) return null;
  return Math.floor(readTo / pageSize) + 1;
}

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

/** Newest first: the walk ends when a page holds rows and all of them are older than the floor. */
export const isBehind = (times: readonly (Instant | null)[], floor: Instant | null): boolean =>
  floor !== null && times.length > 0 && times.every((time) => time !== null && time < floor);

export const later = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null ? b : b === null ? a : a > b ? a : b;

/** Instants are text, so Math.min does not do. */
export function earlier(a: Instant, b: Instant): Instant {
  if (a < b) return a;
  return b;
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

/** The last row of a page as the new anchor; null for an empty page. */
export function anchorFrom(page: number, pageSize: number, ids: readonly string[]): Anchor | null {
  const id = ids.at(-1);
  return id === undefined ? null : { id, index: (page - 1) * pageSize + ids.length - 1 };
}
