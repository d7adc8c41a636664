/** Replicas that share one budget, in a time that passes only when all of them sleep. */
import { type BudgetKeeper, newBudgetState, planSlots } from '../../src/domain/pace.js';
import { RateLimiter } from '../../src/pai/rate-limit.js';
import type { Clock } from '../../src/util/clock.js';
import { FakeClock } from './support.js';

export interface Weather {
  /** In [0, 1). */
  readonly random: () => number;
  /** The longest way of a question, and of an answer, milliseconds. */
  readonly wayMs: number;
  /** The share of sleeps that end late, and by how much at most. */
  readonly stalls: number;
  readonly stallMs: number;
}

export const CALM: Weather = { random: () => 0.5, wayMs: 0, stalls: 0, stallMs: 0 };

export class Replicas {
  readonly clock = new FakeClock();
  /** Asked of the keeper so far. */
  questions = 0;
  private state = newBudgetState(this.keeperNow());

  constructor(
    readonly perSecond: number,
    private readonly weather: Weather = CALM,
  ) {}

  get pace(): number {
    return this.state.pace;
  }

  /** One more, whose clock is ahead of the others'. */
  join(aheadMs = 0): RateLimiter {
    const clock: Clock = {
      now: () => this.clock.now() + aheadMs,
      sleep: async (millis, signal) => {
        await this.clock.sleep(millis, signal);
        if (this.chance(this.weather.stalls)) await this.clock.sleep(this.upTo(this.weather.stallMs));
      },
    };
    return new RateLimiter(this.perSecond, clock, { keeper: this.keeper(), random: this.weather.random });
  }

  private keeper(): BudgetKeeper {
    return {
      reserve: async (request) => {
        this.questions += 1;
        await this.way();
        const [after, grant] = planSlots(this.state, request, this.keeperNow());
        this.state = after;
        await this.way();
        return grant;
      },
    };
  }

  /** A clock of its own, too. */
  private keeperNow(): number {
    return this.clock.now() + 123_456;
  }

  private async way(): Promise<void> {
    if (this.weather.wayMs > 0) await this.clock.sleep(this.upTo(this.weather.wayMs));
  }

  private chance(share: number): boolean {
    return share > 0 && this.weather.random() < share;
  }

  private upTo(most: number): number {
    return Math.floor(this.weather.random() * (most + 1));
  }
}

/** The most arrivals in any window of so many milliseconds, its end not included. */
export function mostWithin(times: readonly number[], windowMs = 3000): number {
  const sorted = [...times].sort((a, b) => a - b);
  let most = 0;
  for (let from = 0, to = 0; to < sorted.length; to += 1) {
    while ((sorted[to] as number) - (sorted[from] as number) >= windowMs) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}
