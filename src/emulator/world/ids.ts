import { mix } from '../random.js';

/** What an id belongs to; part of what it is derived from. */
export const KIND = { run: 1, node: 2, pipeline: 3, artifact: 4, source: 5, experiment: 6, experimentRun: 7 } as const;

const BODY_LENGTH = 18;
const TRIPLE = 36 ** 3;
const MASK = 0x7fffffff;
const FACTOR = 0x2545f491;

/** The multiplicative inverse of an odd number modulo 2^32, by Newton's method. */
function inverse(odd: number): number {
  let x = odd;
  for (let round = 0; round < 5; round += 1) x = Math.imul(x, 2 - Math.imul(odd, x));
  return x;
}

/**
 * Ids of 18 lower-case letters and digits that look random and yet can be read back: the last six are the slot
 * number, scrambled by an invertible function; the rest is a hash. So a million runs need no map from id to slot.
 */
export class IdMaker {
  /** All three-character texts in base 36, 46,656 of them: six look-ups make an id. */
  private readonly triples: readonly string[];
  private readonly unfactor = inverse(FACTOR);
  private readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
    this.triples = Array.from({ length: TRIPLE }, (_, n) => n.toString(36).padStart(3, '0'));
  }

  /** 18 characters for a slot below 2^31; `part` tells several ids of one slot apart. */
  body(kind: number, slot: number, part = 0): string {
    const high = mix(this.seed + kind, slot, part);
    const low = mix(high, part, slot + kind);
    const tail = (Math.imul(slot, FACTOR) + this.offset(kind)) & MASK;
    return (
      this.triple(high & 0xffff) +
      this.triple(high >>> 16) +
      this.triple(low & 0xffff) +
      this.triple(low >>> 16) +
      this.triple(Math.floor(tail / TRIPLE)) +
      this.triple(tail)
    );
  }

  /** The slot from which `body` was made, or null when it cannot have been made by `body(kind, slot, 0)`. */
  slotOf(kind: number, body: string): number | null {
    if (body.length !== BODY_LENGTH) return null;
    const tail = Number.parseInt(body.slice(12), 36);
    if (!(tail <= MASK)) return null;
    const slot = Math.imul(tail - this.offset(kind), this.unfactor) & MASK;
    return this.body(kind, slot) === body ? slot : null;
  }

  /** A UUID in capital letters, as PAI writes RequestId. */
  uuid(kind: number, slot: number): string {
    const words = [0, 1, 2, 3].map((part) =>
      mix(this.seed ^ 0x1d, kind + part, slot)
        .toString(16)
        .padStart(8, '0'),
    );
    const hex = words.join('').toUpperCase();
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-A${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  private triple(n: number): string {
    return this.triples[n % TRIPLE] as string;
  }

  private offset(kind: number): number {
    return mix(this.seed, kind, 77);
  }
}
