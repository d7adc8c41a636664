/**
 * What a walk over everything may find that is no fault of anybody: a source that changes all the time has changed since
 * the stream last read it, and reconcile then is merely the first to see it. Pure.
 */
import type { Cursor } from '../domain/batch.js';
import type { Instant, PipelineRun } from '../domain/entities.js';
import { isFirstLoad } from './load-state.js';
import { overlapFloor, withinClock } from './plan-paging.js';

/**
 * Everything modified before this time was read by the stream, and will not be read by it again: the place behind which
 * its next pass stops. Null as long as it has not read everything once. `serverTime`: of the walk's first answer.
 */
export const readUpTo = (cursor: Cursor | null, serverTime: Instant | null, overlapSeconds: number): Instant | null =>
  cursor === null || isFirstLoad(cursor)
    ? null
    : overlapFloor(withinClock(cursor.watermark, serverTime), overlapSeconds);

export interface Divided {
  /** Where one of these differs from the mirror, the mirror has drifted. */
  readonly known: readonly PipelineRun[];
  readonly news: readonly PipelineRun[];
}

/** A run without a modification time is never news: no pass of the stream would come by for it. */
export function divideNews(runs: readonly PipelineRun[], readUpTo: Instant | null): Divided {
  const isNews = ({ gmtModifiedTime }: PipelineRun): boolean =>
    readUpTo === null || (gmtModifiedTime !== null && gmtModifiedTime >= readUpTo);
  return { known: runs.filter((run) => !isNews(run)), news: runs.filter(isNews) };
}
