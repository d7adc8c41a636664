/** What a progress line says: pure, of a clock that is given. */
import type { ProgressEvent } from '../sync/pass.js';

/** Milliseconds between two lines about the same work; the first comes after the shorter time. */
const LINE_EVERY_MS = 5000;
const FIRST_LINE_AFTER_MS = 1000;

export interface ProgressLine {
  readonly message: string;
  readonly done: number;
  readonly total: number | null;
  /** Whole per cent; null while the total is not known. */
  readonly percent: number | null;
  /** Seconds left at the pace of this process; null while that is not known. */
  readonly etaSeconds: number | null;
}

/** One piece of work, from its first event on. Work that was done before (a resumed load) says nothing about the pace. */
export class WorkProgress {
  private readonly beganMs: number;
  private readonly doneBefore: number;
  private doneLast: number;
  private toldMs: number | null = null;

  constructor(first: ProgressEvent, nowMs: number) {
    this.beganMs = nowMs;
    this.doneBefore = first.done;
    this.doneLast = first.done;
  }

  /** The same work has begun anew. */
  isAnother(event: ProgressEvent): boolean {
    return event.done < this.doneLast;
  }

  /** Null when it is too soon for another line. Work that ends before its first line gets none at all. */
  line(event: ProgressEvent, nowMs: number): ProgressLine | null {
    this.doneLast = event.done;
    const due = this.toldMs === null ? this.beganMs + FIRST_LINE_AFTER_MS : this.toldMs + LINE_EVERY_MS;
    const isLast = isDone(event) && this.toldMs !== null;
    if (nowMs < due && !isLast) return null;
    this.toldMs = nowMs;
    return progressLine(event, this.etaSeconds(event, nowMs));
  }

  private etaSeconds({ done, total }: ProgressEvent, nowMs: number): number | null {
    const perMs = (done - this.doneBefore) / (nowMs - this.beganMs);
    return total === null || !(perMs > 0) ? null : Math.max(0, Math.round((total - done) / perMs / 1000));
  }
}

export const isDone = ({ done, total }: ProgressEvent): boolean => total !== null && done >= total;

/** `first load: 12,300 of 40,000 (31 %), about 3 min left` */
export function progressLine({ phase, done, total }: ProgressEvent, etaSeconds: number | null): ProgressLine {
  if (total === null) {
    return { message: `${phase}: ${count(done)} so far`, done, total, percent: null, etaSeconds: null };
  }
  const percent = total === 0 ? 100 : Math.min(100, Math.floor((100 * done) / total));
  const left = etaSeconds === null || done >= total ? '' : `, about ${duration(etaSeconds)} left`;
  return {
    message: `${phase}: ${count(done)} of ${count(total)} (${percent} %)${left}`,
    done,
    total,
    percent,
    etaSeconds,
  };
}

const count = (value: number): string => value.toLocaleString('en-US');

/** Rough, as an estimate is: `40 s`, `3 min`, `2 h 10 min`. */
function duration(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
