/**
 * How fast calls may follow each other. Pure arithmetic, the same for a budget of one process and for one that all
 * replicas share through the database, where `src/store/budgets.ts` says it once more in SQL. All times are milliseconds.
 */

/** The source counts within windows: 50 calls of ListRuns in 3 seconds. */
const WINDOW_MS = 3000;
/** What a window may hold, as a share of what the rate makes of it. */
const MOST = 1.1;
/** Two calls may come closer together by so much than they were meant to: timers, stalls, the network. */
const JITTER_MS = 400;
/** Kept below the rate, so that jitter and clocks do not add up to more than it. */
const MARGIN = 1.03;
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

/**
 * Between two calls at the whole pace. One call more than the most must not fit into a window, also when the first of them
 * came late and the last one did not: so `most` steps are at least the window and the jitter long. At 5 a second that is
 * 212.5 ms (4.7 a second), at 15 it is 69.4 ms (14.4). Idle time saves nothing up: a burst would need wider steps.
 */
export function stepOf(perSecond: number): number {
  const rate = perSecond === 0 ? UNLIMITED_SLOWED : perSecond;
  return Math.max((1000 * MARGIN) / rate, (WINDOW_MS + JITTER_MS) / mostInWindow(rate));
}

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
  /** No slot before so long from now: for a caller that would hear of it too late. 0 or more. */
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
  const firstAt = Math.max(dueAt, now + request.leadMs, slowed.pausedUntil ?? now);
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
