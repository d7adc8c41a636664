/**
 * How fast calls may follow each other. Pure arithmetic, the same for a budget of one process and for one that all
 * replicas share through the database, where `src/store/budgets.ts` says it once more in SQL. All times are milliseconds.
 */

/** The source counts within windows: 50 calls of ListRuns in 3 seconds. */
const WINDOW_MS = 3000;
/** What a window may hold, as a share of what the rate makes of it. */
const MOST = 1.1;
/** So long after its slot a call may still leave; `src/pai/rate-limit.ts` asks right before it does. */
const LATE_MS = 100;
/** What the way there, and a source that is slow to notice a call, may add to that. */
const WAY_MS = 150;
/** What it takes at least that two calls come closer together than their slots are. */
export const JITTER_MS = LATE_MS + WAY_MS;
/** Kept below the rate, so that no long time sees more calls than that. What a stalled process loses comes on top. */
const MARGIN = 1.005;
/** More than that is not made up for: a checker with shorter windows than the source's must not see a burst either. */
const MOST_SPARE_MS = 50;
/** A budget without a rate has one once it was slowed down: so many calls a second times the pace. */
const UNLIMITED_SLOWED = 256;

export const SLOWEST = 1 / 16;
/** Successes that bring the pace from the slowest back to the whole rate: 30. */
export const FASTER_BY = 1 / 32;
/** Answers of calls that were under way together slow down once. */
export const SLOWER_EVERY_MS = 1000;
/** The longest pause of a source that is believed. */
export const MAX_PAUSE_MS = 60_000;
/**
 * No slot is given away further ahead: so a pause reaches all replicas within this time, a killed one wastes no more
 * of it, and a clock that jumps holds nobody up for longer.
 */
export const MAX_AHEAD_MS = 2000;

/**
 * The most calls that may arrive in any 3 seconds: ten percent above the rate, or what even spacing makes of a rate that
 * does not come out even (one every two seconds: 2).
 */
export const mostInWindow = (perSecond: number): number =>
  Math.max(
    Math.floor((perSecond * WINDOW_MS * MOST) / 1000 + 1e-9),
    Math.ceil((perSecond * WINDOW_MS) / 1000 - 1e-9),
    1,
  );

/** A budget without a rate is only ever slowed down. */
const rateOf = (perSecond: number): number => (perSecond === 0 ? UNLIMITED_SLOWED : perSecond);

/**
 * Between two calls at the whole pace. One call more than the most must not fit into a window, also when the first of them
 * came late and the last one did not: so `most` steps are at least the window and the jitter long. From 4 a second up that
 * costs 0.5 to 2.6 percent of the rate (5: 203.1 ms, 10: 100.5 ms, 15: 67 ms); at 1 to 3, where ten percent above the rate
 * is no whole call more, 8 percent. (With 400 ms of jitter, which is what calls needed that nobody asked once more before
 * they left, 5 a second were 4.7, and 15 were 14.4.)
 */
export function stepOf(perSecond: number): number {
  const rate = rateOf(perSecond);
  return Math.max((1000 * MARGIN) / rate, (WINDOW_MS + JITTER_MS) / mostInWindow(rate));
}

/**
 * What the steps leave of the window beyond the jitter: a slot that nobody wanted may be made up for within it, and a
 * call may leave that much later. 0 at 5 a second, 33 at 15, 50 at 10 and from 20 up: it makes up for timers of whole
 * milliseconds and short stalls. No more is saved up: a burst would need wider steps.
 */
export const spareOf = (perSecond: number): number =>
  Math.max(0, Math.min(MOST_SPARE_MS, mostInWindow(rateOf(perSecond)) * stepOf(perSecond) - WINDOW_MS - JITTER_MS));

/** So long after its slot a call may leave; later it is dropped. */
export const lateOf = (perSecond: number): number => LATE_MS + spareOf(perSecond);

/** What is kept of a budget, by the clock of whoever keeps it. */
export interface BudgetState {
  readonly dueAt: number;
  /** Of the rate, from SLOWEST to 1. */
  readonly pace: number;
  readonly pausedUntil: number | null;
  readonly slowedAt: number | null;
}

/** What was heard of the source since the last time. */
export interface PaceReport {
  readonly successes: number;
  /** It throttles, or fails call after call. */
  readonly slow: boolean;
  /** It asks for a pause; 0 for none. */
  readonly pauseMs: number;
}

export interface SlotRequest extends PaceReport {
  /** Between two slots at the whole pace. */
  readonly stepMs: number;
  /** Slots that are wanted; 0 only reports. */
  readonly count: number;
  /**
   * No slot before so long from now: for a caller that would hear of it too late. Below 0, and no further than `spareOf`:
   * also slots of so long ago that nobody wanted then.
   */
  readonly leadMs: number;
}

/** `count` slots, `stepMs` apart. None when they would be too far ahead. */
export interface SlotGrant {
  /** By the clock of the budget's keeper, as `firstAt`. */
  readonly now: number;
  readonly firstAt: number;
  readonly count: number;
  readonly stepMs: number;
  readonly pace: number;
  /** After how long there can be a slot again, when there was none. */
  readonly roomInMs: number;
}

/** Where the state of a budget is kept. */
export interface BudgetKeeper {
  /** Rejects with StoreError when the state cannot be reached. */
  reserve(request: SlotRequest): Promise<SlotGrant>;
}

export const newBudgetState = (now: number): BudgetState => ({
  dueAt: now,
  pace: 1,
  pausedUntil: null,
  slowedAt: null,
});

/** The state after a request, and what is given. A time further ahead than it can be is of a clock that was set back. */
export function planSlots(state: BudgetState, request: SlotRequest, now: number): [BudgetState, SlotGrant] {
  const slowed = slowDown(state, request, now);
  const stepMs = request.stepMs / slowed.pace;
  const dueAt = Math.min(state.dueAt, now + MAX_AHEAD_MS + stepMs);
  const firstAt = Math.max(dueAt, now + request.leadMs, slowed.pausedUntil ?? dueAt);
  const fitting = Math.floor((now + MAX_AHEAD_MS - firstAt) / stepMs) + 1;
  const count = Math.max(0, Math.min(request.count, fitting));
  const after = { ...slowed, dueAt: count > 0 ? firstAt + count * stepMs : dueAt };
  const roomInMs = Math.max(0, firstAt - now - MAX_AHEAD_MS);
  return [after, { now, firstAt, count, stepMs, pace: slowed.pace, roomInMs }];
}

function slowDown(state: BudgetState, report: PaceReport, now: number): BudgetState {
  const { slowedAt } = state;
  const justSlowed = slowedAt !== null && slowedAt > now - SLOWER_EVERY_MS && slowedAt <= now;
  const slows = report.slow && !justSlowed;
  const asked = report.pauseMs > 0 ? now + report.pauseMs : null;
  const latest = asked === null ? state.pausedUntil : Math.max(asked, state.pausedUntil ?? asked);
  return {
    dueAt: state.dueAt,
    pace: slows ? Math.max(SLOWEST, state.pace / 2) : Math.min(1, state.pace + report.successes * FASTER_BY),
    pausedUntil: latest === null ? null : Math.min(latest, now + MAX_PAUSE_MS),
    slowedAt: slows ? now : slowedAt,
  };
}
