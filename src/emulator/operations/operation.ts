import type { FragmentCache, PageWriter } from '../fragments.js';
import type { Random } from '../random.js';
import type { Wire } from '../wire.js';
import type { World } from '../world/world.js';
import type { Parameters } from './parameters.js';

/** What an operation is given; all of it belongs to one request but for the world. */
export interface Call {
  readonly world: World;
  readonly wire: Wire;
  readonly parameters: Parameters;
  /** Variable parts of the path, decoded. */
  readonly path: readonly string[];
  readonly body: string;
  readonly requestId: string;
  /** For what may differ from call to call (the order of ties). */
  readonly random: Random;
  /** Results that are expensive to find, kept until the world changes. */
  readonly cache: QueryCache;
  /** Texts of pipeline runs, and what joins them. */
  readonly fragments: FragmentCache;
  readonly pages: PageWriter;
}

/** Returns the JSON text of the answer, as UTF-8 where it was made as bytes; throws Refusal for an error. */
export type Operation = (call: Call) => string | Buffer;

const KEPT = 8;

/** The last few sorted or filtered lists. Memory: four bytes a slot and list. */
export class QueryCache {
  private readonly results = new Map<string, { readonly version: number; readonly slots: Uint32Array }>();

  /** `find` runs only when the list is not known for this version. */
  get(key: string, version: number, find: () => number[]): Uint32Array {
    const known = this.results.get(key);
    if (known && known.version === version) return known.slots;
    const slots = Uint32Array.from(find());
    this.results.delete(key);
    this.results.set(key, { version, slots });
    const oldest = this.results.keys().next();
    if (this.results.size > KEPT && !oldest.done) this.results.delete(oldest.value);
    return slots;
  }
}
