/** Bits of `flags`. */
export const FLAG = {
  /** IsDeleted. */
  deleted: 1,
  /** The workflow is initialised: NodeId is known. */
  nodeKnown: 2,
  /** Follows a script: its nodes progress with the clock. */
  scripted: 4,
} as const;

/** Status words are stored as numbers; unknown words are taken in as they come. */
export class Words {
  private readonly words: string[] = ['Initialized', 'Running', 'Succeeded', 'Failed', 'Terminated', 'Skipped'];

  at(index: number): string {
    return this.words[index] as string;
  }

  indexOf(word: string): number {
    const found = this.words.indexOf(word);
    if (found >= 0) return found;
    if (this.words.length > 255) throw new RangeError('status words: found more than 256 different ones');
    return this.words.push(word) - 1;
  }
}

/**
 * The state of every pipeline run, one slot a run: 50 bytes instead of some kilobytes of objects. Everything else about
 * a run is derived from its slot. Times are milliseconds since 1970, NaN for "not yet".
 */
export class RunColumns {
  count = 0;
  created = new Float64Array(0);
  modified = new Float64Array(0);
  started = new Float64Array(0);
  finished = new Float64Array(0);
  /** When the current attempt will end, or has ended. */
  plannedEnd = new Float64Array(0);
  /** Index into the catalog's pipelines. */
  pipeline = new Uint16Array(0);
  status = new Uint8Array(0);
  /** The status with which the current attempt will end, or has ended. */
  outcome = new Uint8Array(0);
  /** 0 for the first attempt; a rerun adds one. */
  attempt = new Uint8Array(0);
  flags = new Uint8Array(0);
  /** Grows with every change of the run. */
  revision = new Uint32Array(0);

  constructor(capacity: number) {
    this.resize(Math.max(16, capacity));
  }

  /** A new slot; the caller fills its columns. */
  append(): number {
    if (this.count === this.created.length) this.resize(this.count * 2);
    this.started[this.count] = Number.NaN;
    this.finished[this.count] = Number.NaN;
    this.plannedEnd[this.count] = Number.NaN;
    return this.count++;
  }

  has(slot: number, flag: number): boolean {
    return ((this.flags[slot] as number) & flag) !== 0;
  }

  setFlag(slot: number, flag: number, on: boolean): void {
    const flags = this.flags[slot] as number;
    this.flags[slot] = on ? flags | flag : flags & ~flag;
  }

  private resize(capacity: number): void {
    const grow = <T extends Float64Array | Uint32Array | Uint16Array | Uint8Array>(old: T, larger: T): T => {
      larger.set(old);
      return larger;
    };
    this.created = grow(this.created, new Float64Array(capacity));
    this.modified = grow(this.modified, new Float64Array(capacity));
    this.started = grow(this.started, new Float64Array(capacity));
    this.finished = grow(this.finished, new Float64Array(capacity));
    this.plannedEnd = grow(this.plannedEnd, new Float64Array(capacity));
    this.pipeline = grow(this.pipeline, new Uint16Array(capacity));
    this.status = grow(this.status, new Uint8Array(capacity));
    this.outcome = grow(this.outcome, new Uint8Array(capacity));
    this.attempt = grow(this.attempt, new Uint8Array(capacity));
    this.flags = grow(this.flags, new Uint8Array(capacity));
    this.revision = grow(this.revision, new Uint32Array(capacity));
  }
}
