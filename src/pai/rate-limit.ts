import { MirrorError } from '../domain/errors.js';
import {
  type BudgetKeeper,
  lateOf,
  MAX_PAUSE_MS,
  newBudgetState,
  planSlots,
  SLOWER_EVERY_MS,
  SLOWEST,
  type SlotGrant,
  type SlotRequest,
  spareOf,
  stepOf,
} from '../domain/pace.js';
import type { Clock } from '../util/clock.js';
import { OtherClock } from '../util/other-clock.js';
import { isUrgent } from '../util/urgency.js';
import { WaitingLine } from './waiting-line.js';

/** To make one call, now. */
export interface Permission {
  /**
   * Asked right before the request leaves: false when that is too late by now, and another permission has to be taken.
   * The first answer stands.
   */
  use(): boolean;
}

/** Permission to call. Behind an interface because all replicas of an account share one quota. */
export interface Budget {
  /**
   * Resolves when one call may be made, at once and not later; calls of an urgent signal (util/urgency.ts) first. Rejects
   * with the signal's reason when that aborts first, with StoreError when the budget is kept in a database that cannot be
   * reached.
   */
  take(signal: AbortSignal): Promise<Permission>;
  /** The source said that calls come too fast, and perhaps for how many milliseconds to stop. */
  throttled(hintMs?: number): void;
  /** The source did not answer, or not usefully: 5xx, network, time-out. Not: it refused one item. */
  failed(): void;
  succeeded(): void;
}

/** An answer that takes longer than this is allowed for when the next slots are asked for. */
const SLOW_MS = 30;
/** After a slot that was lost the next one is asked for so much later, and twice as much after the next loss. */
const LOST_MS = 60;
/** Between them the process cannot even wake up in time; then calls fail instead of waiting for ever. */
const MAX_FORFEITS = 20;
/** One run whose calls always fail is no outage: others succeed between its attempts. */
const FAILURES_IN_A_ROW = 3;
/** Slots that are asked for at once when several callers wait: more would be unfair to other replicas. */
const BATCH_MS = 100;
/**
 * Replicas share slots by how many they ask for at once: one that has urgent calls waiting asks for so many times as many.
 * It gets four of five slots beside one other replica, and the others always get theirs.
 */
const URGENT_WEIGHT = 4;
/** The next slots are asked for so long before the last one in hand, at least, so that none is lost to the asking. */
const AHEAD_MS = 20;
const MOST_AHEAD_MS = 1000;
/** Who was told that all slots are taken asks again after at most this time. */
const RECHECK_MS = 5000;
/** Without a single slot for so long, and for so many steps, something else is wrong. */
const STARVED_MS = 900_000;
const STARVED_STEPS = 100;

interface Waiter {
  readonly isUrgent: boolean;
  enter(permission: Permission): void;
  refuse(reason: unknown): void;
}

const ALWAYS: Permission = { use: () => true };

export interface RateLimiterOptions {
  /** Where slots are given out; default: in this process. */
  readonly keeper?: BudgetKeeper;
  /** In [0, 1). */
  readonly random?: () => number;
}

/**
 * Takes slots, times at which a call may be made, from the keeper of the budget and lets the callers go in the order in
 * which they came, urgent ones first, each at its time. One question is under way at a time, and it carries what was heard
 * of the source. Throttling drops the slots in hand, is told at once, and halves the pace; successes are told along with
 * the next question and raise it again.
 */
export class RateLimiter implements Budget {
  private readonly stepMs: number;
  private readonly spareMs: number;
  /** Used later than this after its time a slot is dropped: a process that was stopped must not use up old ones at once. */
  private readonly lateMs: number;
  private readonly keeper: BudgetKeeper;
  private readonly random: () => number;
  private readonly keeperClock = new OtherClock();
  private readonly line = new WaitingLine<Waiter>();
  /** Times by this process's clock, in order. */
  private slots: number[] = [];
  private serving = false;
  private asking: Promise<void> | null = null;
  private napping: AbortController | null = null;
  private askAgainAt = Number.NEGATIVE_INFINITY;
  private roundTripMs = 0;
  private forfeits = 0;
  private starvedSince: number | null = null;
  /** Grows with every slow-down: slots that were asked for before it are void. */
  private era = 0;
  private pace = 1;
  private slowedAt = Number.NEGATIVE_INFINITY;
  private pausedUntil = Number.NEGATIVE_INFINITY;
  private failures = 0;
  /** Not told yet. */
  private news = { successes: 0, slow: false };

  /** `perSecond` 0 sets no limit, but throttling slows down and pauses all the same. `clock` should never be set. */
  constructor(
    private readonly perSecond: number,
    private readonly clock: Clock,
    options: RateLimiterOptions = {},
  ) {
    this.stepMs = stepOf(perSecond);
    this.spareMs = spareOf(perSecond);
    this.lateMs = lateOf(perSecond);
    this.keeper = options.keeper ?? localKeeper(clock);
    this.random = options.random ?? Math.random;
  }

  async take(signal: AbortSignal): Promise<Permission> {
    signal.throwIfAborted();
    if (this.isFree()) return ALWAYS;
    return new Promise<Permission>((resolve, reject) => {
      const onAbort = (): void => this.leave(waiter, signal.reason);
      const waiter: Waiter = {
        isUrgent: isUrgent(signal),
        enter: (permission) => {
          signal.removeEventListener('abort', onAbort);
          resolve(permission);
        },
        refuse: (reason) => {
          signal.removeEventListener('abort', onAbort);
          reject(reason as Error);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.line.add(waiter);
      if (!this.serving) void this.serve();
    });
  }

  throttled(hintMs = 0): void {
    this.slowDown(Math.min(hintMs, MAX_PAUSE_MS));
  }

  failed(): void {
    this.failures += 1;
    if (this.failures >= FAILURES_IN_A_ROW) this.slowDown(0);
  }

  succeeded(): void {
    this.failures = 0;
    this.news.successes += 1;
  }

  private isFree(): boolean {
    return this.perSecond === 0 && this.pace === 1 && this.line.length === 0 && this.clock.now() >= this.pausedUntil;
  }

  private leave(waiter: Waiter, reason: unknown): void {
    this.line.remove(waiter);
    waiter.refuse(reason);
    // With nobody in line there is nothing to wait for.
    if (this.line.length === 0) this.napping?.abort();
  }

  private slowDown(pauseMs: number): void {
    const now = this.clock.now();
    const isNew = now - this.slowedAt >= SLOWER_EVERY_MS || now < this.slowedAt;
    if (!isNew && now + pauseMs <= this.pausedUntil) return;
    if (!isNew && pauseMs === 0) return;
    this.slowedAt = now;
    if (pauseMs > 0) this.pausedUntil = Math.max(this.pausedUntil, now + pauseMs);
    this.news = { successes: 0, slow: true };
    // Until the keeper says what it is: a budget without a rate is no longer free.
    this.pace = Math.max(SLOWEST, this.pace / 2);
    this.era += 1;
    this.slots = [];
    this.askAgainAt = Number.NEGATIVE_INFINITY;
    this.napping?.abort();
    void this.tell();
  }

  /** Other replicas slow down, too, even when nobody waits here. What cannot be told goes along with the next question. */
  private async tell(): Promise<void> {
    try {
      await this.asking?.catch(() => {});
      if (this.news.slow && this.line.length === 0) await this.ask();
    } catch {
      // Whoever waits for a slot hears of it.
    }
  }

  private async serve(): Promise<void> {
    this.serving = true;
    try {
      while (this.line.length > 0) await this.serveNext();
    } catch (error) {
      for (const waiter of this.line.takeAll()) waiter.refuse(error);
    } finally {
      this.serving = false;
    }
  }

  /** One step: lets the next one in, asks for slots, or sleeps until one of these is due. */
  private async serveNext(): Promise<void> {
    const now = this.clock.now();
    const next = this.slots[0];
    if (next !== undefined && now >= next) return this.use(next, now);
    const askAt = this.askAt();
    if (now >= askAt) void this.ask().catch(() => {});
    // A question that fails while slots are in hand is asked once more when they are used up.
    if (next === undefined && this.asking !== null) return this.asking;
    await this.nap(Math.min(next ?? Number.POSITIVE_INFINITY, now >= askAt ? Number.POSITIVE_INFINITY : askAt));
  }

  private use(slot: number, now: number): void {
    this.slots.shift();
    if (now <= slot + this.lateMs) {
      this.forfeits = 0;
      this.line.next()?.enter(this.permission(slot));
      return;
    }
    this.slots = this.slots.filter((at) => now <= at + this.lateMs);
    this.forfeits += 1;
    if (this.forfeits > MAX_FORFEITS) throw budgetError(`${MAX_FORFEITS} times in a row it came too late for its turn`);
  }

  /** Between the permission and the call the process may have been stopped, or busy. */
  private permission(slot: number): Permission {
    let answer: boolean | null = null;
    const ask = (): boolean => {
      const isInTime = this.clock.now() <= slot + this.lateMs;
      if (!isInTime) this.forfeits += 1;
      return isInTime;
    };
    return { use: () => (answer ??= ask()) };
  }

  private askAt(): number {
    if (this.asking !== null || this.line.length <= this.slots.length) return Number.POSITIVE_INFINITY;
    const last = this.slots.at(-1);
    const ahead = Math.min(MOST_AHEAD_MS, Math.max(AHEAD_MS, this.roundTripMs * 2));
    return Math.max(this.askAgainAt, last === undefined ? Number.NEGATIVE_INFINITY : last - ahead);
  }

  private ask(): Promise<void> {
    this.asking ??= this.reserve().finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  private async reserve(): Promise<void> {
    const { era } = this;
    const sentAt = this.clock.now();
    const request = this.request(sentAt);
    this.news = { successes: 0, slow: false };
    let grant: SlotGrant;
    try {
      grant = await this.keeper.reserve(request);
    } catch (error) {
      this.news.slow ||= request.slow;
      throw error;
    }
    const receivedAt = this.clock.now();
    this.roundTripMs = receivedAt - sentAt;
    this.keeperClock.heard(sentAt, receivedAt, grant.now);
    if (era !== this.era) return;
    this.pace = grant.pace;
    if (grant.count > 0) this.accept(grant);
    else if (request.count > 0) this.askLater(grant, receivedAt);
  }

  private request(now: number): SlotRequest {
    const { stepMs } = this;
    const batchMs = Math.min(MOST_AHEAD_MS, Math.max(BATCH_MS, this.roundTripMs * 2));
    const share = Math.max(1, Math.floor((batchMs / stepMs) * this.pace));
    const fair = Math.max(share, Math.min(this.line.urgentLength, share * URGENT_WEIGHT));
    const count = Math.min(this.line.length - this.slots.length, fair);
    const pauseMs = this.news.slow ? Math.max(0, this.pausedUntil - now) : 0;
    return { stepMs, ...this.news, count: Math.max(0, count), pauseMs, leadMs: this.leadMs() };
  }

  /** A slot that would be past before its answer is here: of a database far away, or after slots that were lost. */
  private leadMs(): number {
    const slow = this.roundTripMs > SLOW_MS ? this.roundTripMs : 0;
    const again = this.forfeits > 0 ? LOST_MS * 2 ** Math.min(this.forfeits - 1, 4) : -this.spareMs;
    return Math.min(MOST_AHEAD_MS, slow + again);
  }

  private accept(grant: SlotGrant): void {
    this.starvedSince = null;
    for (let index = 0; index < grant.count; index += 1) {
      this.slots.push(this.keeperClock.toOurs(grant.firstAt + index * grant.stepMs));
    }
  }

  /** At random, so that replicas that were refused together do not come back together. */
  private askLater(grant: SlotGrant, now: number): void {
    this.starvedSince = Math.min(this.starvedSince ?? now, now);
    const starvedMs = now - this.starvedSince;
    if (starvedMs > Math.max(STARVED_MS, grant.stepMs * STARVED_STEPS))
      throw budgetError(`there was no room for a call in ${Math.round(starvedMs / 60_000)} minutes`);
    const spread = Math.min(1500, Math.max(500, grant.stepMs));
    this.askAgainAt = now + Math.min(grant.roomInMs, RECHECK_MS) + this.random() * spread;
  }

  private async nap(until: number): Promise<void> {
    const napping = new AbortController();
    this.napping = napping;
    try {
      await this.clock.sleep(Math.max(1, Math.ceil(until - this.clock.now())), napping.signal);
    } catch (error) {
      if (!napping.signal.aborted) throw error;
    } finally {
      this.napping = null;
    }
  }
}

const budgetError = (what: string): MirrorError =>
  new MirrorError(`no permission to call PAI: ${what}`, { code: 'CALL_BUDGET', retryable: true, blast: 'scope' });

/** For one process alone. */
function localKeeper(clock: Clock): BudgetKeeper {
  let state = newBudgetState(clock.now());
  return {
    reserve: async (request) => {
      const [after, grant] = planSlots(state, request, clock.now());
      state = after;
      return grant;
    },
  };
}
