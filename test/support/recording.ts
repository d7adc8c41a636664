/**
 * What a released version says to its database, statement by statement: recorded once from that version's own code
 * (recorder.ts), kept in test/fixtures/released, and played by tests of upgrades (player.ts). The code itself is not kept:
 * what a migration can break is its statements.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

/** What a statement of the upsert answers, as far as it depends on the rows alone. */
export type Answer = Readonly<Record<string, unknown>>;

export interface Call {
  /** When it was said, in microseconds of the database's clock since the recording's beginning. */
  readonly at: number;
  /** Connections are told by number. */
  readonly connection: number;
  /** Place in `statements`. */
  readonly statement: number;
  /** Of a prepared statement: a connection keeps it, also across a migration. */
  readonly name?: string;
  readonly values?: readonly unknown[];
  /** What COPY sent. */
  readonly copy?: string;
  /** Rows that it answered or touched; null where the server tells none. */
  readonly rows: number | null;
  readonly answer?: Answer;
  /** The id that the start of a pass answered: later statements name it. */
  readonly passId?: string;
}

export interface Recording {
  /** The schema that the recorded version brings along. */
  readonly tag: string;
  /** The commit whose code was recorded: the last one with this schema. */
  readonly revision: string;
  /** The one scope of it all. */
  readonly scope: string;
  /** When it began, by the database's clock, in microseconds since 1970. */
  readonly from: number;
  readonly statements: readonly string[];
  readonly calls: readonly Call[];
}

const FOLDER = join(import.meta.dirname, '../fixtures/released');
const FIRST_LINE = '-- Recorded from the code of ';
const SEPARATOR = /^-- statement \d+\n/m;

/** Statements to be read by people, calls to be played: those are large, and all alike. */
export async function readRecording(tag: string): Promise<Recording> {
  const [sql, calls] = await Promise.all([
    readFile(join(FOLDER, `${tag}.sql`), 'utf8'),
    readFile(join(FOLDER, `${tag}.calls.json.gz`)),
  ]);
  const [, ...statements] = sql.split(SEPARATOR);
  const rest = JSON.parse(gunzipSync(calls).toString()) as Omit<Recording, 'statements'>;
  return { ...rest, statements: statements.map((text) => text.slice(0, -2)) };
}

export async function writeRecording({ statements, ...rest }: Recording): Promise<void> {
  const head = `${FIRST_LINE}${rest.revision}, see README.md here. In the order of their first use.\n`;
  const sql = statements.map((text, at) => `-- statement ${at}\n${text};\n`).join('');
  await writeFile(join(FOLDER, `${rest.tag}.sql`), head + sql);
  await writeFile(join(FOLDER, `${rest.tag}.calls.json.gz`), gzipSync(JSON.stringify(rest), { level: 9 }));
}

/** The schemas of which there is a recording. */
export async function recordedTags(): Promise<string[]> {
  const names = await readdir(FOLDER);
  return names
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.slice(0, -'.sql'.length))
    .sort();
}

/** Microseconds of the database's clock: what the connection takes is less than what matters here. */
export async function databaseClock(db: Queryable): Promise<() => number> {
  const now = (): number => (performance.timeOrigin + performance.now()) * 1000;
  const { rows } = await db.query('select extract(epoch from clock_timestamp())::float8 * 1000000 as now');
  const ahead = (rows[0] as { now: number }).now - now();
  return () => Math.round(now() + ahead);
}

interface Queryable {
  query(text: string): Promise<{ rows: unknown[] }>;
}

/** The part of an answer that is the same whenever the same is said to a database that holds the same. */
const ANSWERED = ['inserted', 'updated', 'unknown', 'stale', 'contended', 'changes', 'fresh', 'differing', 'known'];

export function answerOf(row: Record<string, unknown> | undefined): Answer | undefined {
  const found = Object.entries(row ?? {}).filter(([name]) => ANSWERED.includes(name));
  if (found.length === 0) return undefined;
  // Rows are told in the order of a plan.
  const inOrder = (value: unknown): unknown =>
    Array.isArray(value) ? value.map((one) => JSON.stringify(one)).sort() : value;
  return Object.fromEntries(found.map(([name, value]) => [name, inOrder(value)]));
}
