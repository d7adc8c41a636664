/** The world's clock: milliseconds since 1970. */
export interface WorldClock {
  now(): number;
  /**
   * When the world begins, where that is known exactly: worlds made a few milliseconds apart on equal clocks are then
   * equal. Otherwise it begins at `now()`.
   */
  readonly origin?: number;
}

export interface SimulatedClockOptions {
  /** Where it starts; default: the real time. */
  readonly startAt?: number;
  /** Simulated milliseconds for each real one; 0 stands still but for `advance`. Default 1. */
  readonly speed?: number;
  /** The real time, for tests. */
  readonly real?: () => number;
}

/** Runs `speed` times as fast as real time and jumps forward on request; never backward. */
export class SimulatedClock implements WorldClock {
  readonly speed: number;
  private readonly real: () => number;
  private readonly startedAt: number;
  readonly origin: number;
  private jumped = 0;
  /** Real milliseconds; stays where it is while the real clock is set back. */
  private passed = 0;

  constructor(options: SimulatedClockOptions = {}) {
    this.speed = options.speed ?? 1;
    if (!(this.speed >= 0)) throw new RangeError(`clock speed: found ${this.speed}, expected 0 or more`);
    this.real = options.real ?? Date.now;
    this.startedAt = this.real();
    this.origin = options.startAt ?? this.startedAt;
  }

  now(): number {
    this.passed = Math.max(this.passed, this.real() - this.startedAt);
    return this.origin + this.jumped + Math.floor(this.passed * this.speed);
  }

  advance(millis: number): void {
    if (!(millis >= 0)) throw new RangeError(`clock advance: found ${millis}, expected 0 or more milliseconds`);
    this.jumped += millis;
  }
}

/** Whether `POST /_emulator/advance` can move this clock. */
export const canAdvance = (clock: WorldClock): clock is WorldClock & { advance(millis: number): void } =>
  'advance' in clock && typeof clock.advance === 'function';
