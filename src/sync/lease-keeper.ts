/**
 * The lease of one pass, as this process sees it. The fence keeps a former owner from writing; the keeper keeps it from
 * calling PAI, too: it knows by its own clocks until when the lease certainly holds, and renews it before anything is
 * done after that.
 */
import { LeaseLostError } from '../domain/errors.js';
import { scopeName } from '../domain/scope.js';
import { guardSignal } from '../util/signal-guard.js';
import type { Lease, Store } from './ports.js';

/**
 * Two clocks of this machine, milliseconds. The monotonic one cannot be set, but stands still while the machine sleeps;
 * the other one does not, but can be set. Whichever says that more time has passed is believed: the price of a wrong
 * answer is one renewal too many.
 */
export interface LocalTime {
  readonly monotonic: number;
  readonly wall: number;
}

export type ReadTime = () => LocalTime;

export const localTime: ReadTime = () => ({ monotonic: performance.now(), wall: Date.now() });

const elapsedMs = (since: LocalTime, now: LocalTime): number =>
  Math.max(now.monotonic - since.monotonic, now.wall - since.wall);

/** A tenth of the lease's time is kept back: for the way from the check to PAI, and for clocks of different speed. */
const USABLE_SHARE = 0.9;

/** The process may be stopped during a renewal, too, and then needs another one. */
const MAX_RENEWALS = 3;

export interface KeeperOptions {
  /** Aborts when the service stops. */
  readonly signal: AbortSignal;
  /** How often the lease is renewed while the pass runs, milliseconds. */
  readonly heartbeatMs: number;
  /** Read before the lease was asked for: its time runs from there at the earliest. */
  readonly askedAt: LocalTime;
  readonly readTime?: ReadTime;
}

export class LeaseKeeper {
  /** Aborts when the service stops, the lease is lost or the pass is over; asks `hold` wherever it is guarded. */
  readonly signal: AbortSignal;
  private readonly ended = new AbortController();
  private readonly readTime: ReadTime;
  private readonly timer: NodeJS.Timeout;
  private validSince: LocalTime;
  private renewal: Promise<void> | null = null;
  private isStopped = false;

  constructor(
    private readonly store: Store,
    private readonly lease: Lease,
    private readonly options: KeeperOptions,
  ) {
    this.readTime = options.readTime ?? localTime;
    this.validSince = options.askedAt;
    this.signal = this.ended.signal;
    guardSignal(this.signal, { isOver: () => !this.holds(), check: () => this.hold() });
    // By a listener that goes with the pass: AbortSignal.any keeps something in the service's own signal for every pass
    // that ever was, on some Node.js versions.
    options.signal.addEventListener('abort', this.onStop, { once: true });
    if (options.signal.aborted) this.onStop();
    // What goes wrong here is met again, and told, by the pass itself.
    this.timer = setInterval(() => void this.renew().catch(() => {}), options.heartbeatMs);
  }

  /** The lease was lost, not merely given up because the service stops. */
  get isLost(): boolean {
    return this.signal.reason instanceof LeaseLostError;
  }

  /**
   * Resolves when the lease holds now. Throws LeaseLostError when another process has it, StoreError when that cannot be
   * found out, and the signal's reason when the service stops.
   */
  async hold(): Promise<void> {
    for (let renewals = 0; ; renewals += 1) {
      this.signal.throwIfAborted();
      if (this.holds()) return;
      if (renewals === MAX_RENEWALS) throw new LeaseLostError(scopeName(this.lease.scope), this.lease.stream);
      await this.renew();
    }
  }

  /** The pass is over, well or not: what it still has under way (a failure leaves its neighbours behind) ends too. */
  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    clearInterval(this.timer);
    this.options.signal.removeEventListener('abort', this.onStop);
    this.ended.abort(new Error('the pass is over'));
  }

  private holds(): boolean {
    return elapsedMs(this.validSince, this.readTime()) < this.lease.ttlMs * USABLE_SHARE;
  }

  /** One statement at a time, however many calls and commits ask for it at once. */
  private renew(): Promise<void> {
    this.renewal ??= this.renewOnce().finally(() => {
      this.renewal = null;
    });
    return this.renewal;
  }

  private async renewOnce(): Promise<void> {
    const askedAt = this.readTime();
    try {
      await this.store.renewLease(this.lease);
      this.validSince = askedAt;
    } catch (error) {
      if (error instanceof LeaseLostError) this.ended.abort(error);
      throw error;
    }
  }

  private readonly onStop = (): void => this.ended.abort(this.options.signal.reason);
}
