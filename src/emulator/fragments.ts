const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * The JSON text of runs that were asked for before, as bytes in large chunks outside JavaScript's heap. Making the text
 * of a run costs about 4 µs, copying it from here 0.1 µs. When the limit is reached everything is forgotten at once:
 * that needs no bookkeeping, and a walk over all runs would push the oldest ones out anyway.
 */
export class FragmentCache {
  private chunks: Buffer[] = [];
  private used = CHUNK_BYTES;
  /** Of each slot: where its text begins, counted over all chunks; its length (0: none) and the revision it is of. */
  private starts = new Float64Array(0);
  private lengths = new Uint32Array(0);
  private revisions = new Uint32Array(0);
  private readonly mostChunks: number;

  constructor(mostBytes: number) {
    this.mostChunks = Math.floor(mostBytes / CHUNK_BYTES);
  }

  /** The text, as a view that is valid until the next `keep`; null when it is not known (any more). */
  get(slot: number, revision: number): Buffer | null {
    const length = this.lengths[slot] ?? 0;
    if (length === 0 || this.revisions[slot] !== revision) return null;
    const start = this.starts[slot] as number;
    const offset = start % CHUNK_BYTES;
    return (this.chunks[Math.floor(start / CHUNK_BYTES)] as Buffer).subarray(offset, offset + length);
  }

  keep(slot: number, revision: number, text: Buffer): void {
    if (this.mostChunks === 0 || text.length > CHUNK_BYTES) return;
    if (this.used + text.length > CHUNK_BYTES) this.nextChunk();
    if (slot >= this.lengths.length) this.grow(slot + 1);
    const chunk = this.chunks.length - 1;
    (this.chunks[chunk] as Buffer).set(text, this.used);
    this.starts[slot] = chunk * CHUNK_BYTES + this.used;
    this.lengths[slot] = text.length;
    this.revisions[slot] = revision;
    this.used += text.length;
  }

  private nextChunk(): void {
    if (this.chunks.length >= this.mostChunks) {
      this.chunks = [];
      this.lengths.fill(0);
    }
    this.chunks.push(Buffer.allocUnsafeSlow(CHUNK_BYTES));
    this.used = 0;
  }

  private grow(least: number): void {
    const size = Math.max(least, 2 * this.lengths.length, 1_024);
    const starts = new Float64Array(size);
    const lengths = new Uint32Array(size);
    const revisions = new Uint32Array(size);
    starts.set(this.starts);
    lengths.set(this.lengths);
    revisions.set(this.revisions);
    Object.assign(this, { starts, lengths, revisions });
  }
}

/** What a page is made of: texts by slot, from the cache or made now. */
export interface FragmentSource {
  readonly cache: FragmentCache;
  revisionOf(slot: number): number;
  render(slot: number): string;
}

const MOST_BYTES_A_CHARACTER = 3;

/** Joins fragments to one body. Its buffer is used again for every page; the page itself is a copy. */
export class PageWriter {
  private scratch = Buffer.allocUnsafeSlow(256 * 1024);

  write(head: string, slots: readonly number[], tail: string, source: FragmentSource): Buffer {
    let at = this.put(head, 0);
    for (const [place, slot] of slots.entries()) {
      if (place > 0) at = this.put(',', at);
      at = this.putFragment(slot, at, source);
    }
    return Buffer.from(this.scratch.subarray(0, this.put(tail, at)));
  }

  private putFragment(slot: number, at: number, source: FragmentSource): number {
    const revision = source.revisionOf(slot);
    const known = source.cache.get(slot, revision);
    if (known) {
      this.reserve(at, known.length);
      this.scratch.set(known, at);
      return at + known.length;
    }
    const end = this.put(source.render(slot), at);
    source.cache.keep(slot, revision, this.scratch.subarray(at, end));
    return end;
  }

  private put(text: string, at: number): number {
    this.reserve(at, text.length * MOST_BYTES_A_CHARACTER);
    return at + this.scratch.write(text, at, 'utf8');
  }

  private reserve(at: number, bytes: number): void {
    if (at + bytes <= this.scratch.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (at + bytes));
    larger.set(this.scratch.subarray(0, at));
    this.scratch = larger;
  }
}
