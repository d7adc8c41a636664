/** One table into one file: COPY, gzip and two checksums in one stream, so that memory does not grow with the table. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { ExportedFile } from '../../domain/export.js';

/** Passes bytes on, and counts and hashes them. */
class Meter {
  bytes = 0;
  private readonly hash = createHash('sha256');

  async *through(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.bytes += chunk.length;
      this.hash.update(chunk);
      yield chunk;
    }
  }

  digest(): string {
    return this.hash.digest('hex');
  }
}

/** Under a name that nobody takes for a finished file, until all of it is on the disk. */
async function writeWhole(
  directory: string,
  file: string,
  write: (target: NodeJS.WritableStream) => Promise<void>,
): Promise<void> {
  const partial = join(directory, `${file}.partial`);
  await write(createWriteStream(partial, { flags: 'wx', flush: true }));
  await rename(partial, join(directory, file));
}

export interface Written extends ExportedFile {
  readonly contentBytes: number;
  readonly contentSha256: string;
}

/** Throws what reading or writing threw, or the signal's reason. */
export async function writeCompressed(
  directory: string,
  file: string,
  content: Readable,
  signal: AbortSignal,
): Promise<Written> {
  const inside = new Meter();
  const outside = new Meter();
  await writeWhole(directory, file, (target) =>
    pipeline(
      content,
      (chunks: AsyncIterable<Buffer>) => inside.through(chunks),
      createGzip(),
      (chunks: AsyncIterable<Buffer>) => outside.through(chunks),
      target,
      { signal },
    ),
  );
  return {
    file,
    bytes: outside.bytes,
    sha256: outside.digest(),
    contentBytes: inside.bytes,
    contentSha256: inside.digest(),
  };
}

export async function writeText(directory: string, file: string, text: string): Promise<ExportedFile> {
  const meter = new Meter();
  await writeWhole(directory, file, (target) => pipeline(meter.through(bytesOf(text)), target));
  return { file, bytes: meter.bytes, sha256: meter.digest() };
}

async function* bytesOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text, 'utf8');
}
