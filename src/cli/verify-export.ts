/** Reads an export back without a database: every byte, every record. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import {
  EXPORT_FORMAT,
  EXPORT_VERSION,
  type ExportedFile,
  type ExportedTable,
  type ExportManifest,
  MANIFEST_FILE,
} from '../domain/export.js';
import { CsvScanner } from '../util/csv.js';

const count = z.number().int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** A name and no path: a manifest must not lead anywhere else. */
const file = z.string().regex(/^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$/);
const time = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/);

const MANIFEST = z.object({
  format: z.literal(EXPORT_FORMAT),
  version: z.literal(EXPORT_VERSION),
  exportedAt: time,
  schemaVersion: z.string(),
  range: z.object({ from: time.nullable(), to: time.nullable() }),
  scope: z.string(),
  dictionary: z.object({ file, bytes: count, sha256 }),
  tables: z.array(
    z.object({
      table: z.string(),
      chosenBy: z.string(),
      file,
      rows: count,
      bytes: count,
      sha256,
      contentBytes: count,
      contentSha256: sha256,
      columns: z.array(z.object({ name: z.string(), type: z.string() })).min(1),
    }),
  ),
});

export interface Verified {
  /** Null when it cannot be read. */
  readonly manifest: ExportManifest | null;
  /** One sentence each: file, what was found, what was expected. */
  readonly faults: readonly string[];
}

export async function verifyExport(directory: string): Promise<Verified> {
  const manifest = await readManifest(directory);
  if (typeof manifest === 'string') return { manifest: null, faults: [manifest] };
  const faults = await verifyBytes(directory, manifest.dictionary);
  for (const table of manifest.tables) faults.push(...(await verifyTable(directory, table)));
  return { manifest, faults };
}

/** The manifest, or why there is none. */
async function readManifest(directory: string): Promise<ExportManifest | string> {
  const path = join(directory, MANIFEST_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return `${path}: ${(error as Error).message}; expected a finished export`;
  }
  try {
    const parsed = MANIFEST.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    return `${path}: ${issue?.path.join('.')}: ${issue?.message}; expected a manifest of version ${EXPORT_VERSION}`;
  } catch (error) {
    return `${path}: found no JSON (${(error as Error).message}), expected a manifest`;
  }
}

const differs = (name: string, what: string, found: number | string, expected: number | string): string[] =>
  found === expected ? [] : [`${name}: found ${what} ${found}, expected ${expected}`];

async function verifyBytes(directory: string, expected: ExportedFile): Promise<string[]> {
  const name = expected.file;
  try {
    const { size } = await stat(join(directory, name));
    const hash = createHash('sha256');
    await pipeline(
      createReadStream(join(directory, name)),
      consume((chunk) => hash.update(chunk)),
    );
    return [
      ...differs(name, 'bytes', size, expected.bytes),
      ...differs(name, 'SHA-256', hash.digest('hex'), expected.sha256),
    ];
  } catch (error) {
    return [`${name}: ${(error as Error).message}`];
  }
}

const consume = (take: (chunk: Buffer) => unknown) => async (chunks: AsyncIterable<Buffer>) => {
  for await (const chunk of chunks) take(chunk);
};

/** Read twice, as it lies there and unpacked: what is broken in the one may hide what is wrong in the other. */
async function verifyTable(directory: string, expected: ExportedTable): Promise<string[]> {
  const name = expected.file;
  const inside = { bytes: 0, hash: createHash('sha256'), csv: new CsvScanner() };
  const faults = await verifyBytes(directory, expected);
  try {
    await pipeline(
      createReadStream(join(directory, name)),
      createGunzip(),
      consume((chunk) => {
        inside.bytes += chunk.length;
        inside.hash.update(chunk);
        inside.csv.write(chunk);
      }),
    );
  } catch (error) {
    // What is not there was told already.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return faults;
    return [...faults, `${name}: found no whole gzip file: ${(error as Error).message}`];
  }
  inside.csv.end();
  return [...faults, ...contentFaults(expected, inside)];
}

function contentFaults(
  expected: ExportedTable,
  { bytes, hash, csv }: { bytes: number; hash: Hash; csv: CsvScanner },
): string[] {
  const name = expected.file;
  const columns = expected.columns.map((column) => column.name).join(',');
  const more = csv.faultCount - csv.faults.length;
  return [
    ...differs(name, 'bytes of CSV', bytes, expected.contentBytes),
    ...differs(name, 'SHA-256 of the CSV', hash.digest('hex'), expected.contentSha256),
    ...differs(name, 'columns', csv.header.join(','), columns),
    ...differs(name, 'rows', csv.records, expected.rows),
    ...csv.faults.map((fault) => `${name}: ${fault}`),
    ...(more > 0 ? [`${name}: and ${more} records more like these`] : []),
  ];
}
