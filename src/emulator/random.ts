/**
 * Seeded randomness. Most of the world is not stored but *derived*: `mix(seed, what, which)` gives the same 32 bits
 * every time, so a node of a run from last year needs no memory until somebody asks for it.
 */

/** 32 well-mixed bits (as an unsigned number) of three integers; a murmur-style finaliser. */
export function mix(a: number, b: number, c = 0): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b);
  h = Math.imul(((h << 13) | (h >>> 19)) ^ b, 0xc2b2ae35);
  h = Math.imul(((h << 15) | (h >>> 17)) ^ c, 0x27d4eb2f);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  h ^= h >>> 12;
  h = Math.imul(h, 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

/** 32 bits to a number in [0, 1). */
export const unit = (bits: number): number => bits / 4_294_967_296;

/** True for about one in `n`, always the same ones. */
export const oneIn = (n: number, bits: number): boolean => bits % n === 0;

/** An element of a list that is not empty. */
export function pickBy<T>(items: readonly T[], bits: number): T {
  if (items.length === 0) throw new RangeError('cannot pick from an empty list');
  return items[bits % items.length] as T;
}

/** A stream of random numbers for where a sequence is more natural than a derivation. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = mix(seed, 0x5eed);
  }

  bits(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    return mix(this.state, 0x51ed);
  }

  /** In [0, 1). */
  next(): number {
    return unit(this.bits());
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + (this.bits() % (high - low + 1));
  }

  pick<T>(items: readonly T[]): T {
    return pickBy(items, this.bits());
  }

  /** Fisher-Yates, in place. */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const other = this.between(0, last);
      const kept = items[last] as T;
      items[last] = items[other] as T;
      items[other] = kept;
    }
    return items;
  }
}

/** A log-normal value from two uniform draws: durations have a median and a long tail. */
export function logNormal(median: number, sigma: number, u1: number, u2: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - u1)) * Math.cos(2 * Math.PI * u2);
  return median * Math.exp(sigma * normal);
}

/** Time to the next event of a Poisson process with `mean` milliseconds between events. */
export const exponential = (mean: number, u: number): number => -mean * Math.log(1 - u);
