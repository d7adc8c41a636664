import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StoreError } from '../domain/errors.js';

/** One SQL file, as drizzle-kit numbers them in migrations/meta/_journal.json. */
export interface Migration {
  /** File name without `.sql`. */
  readonly tag: string;
  readonly statements: readonly string[];
  /** SHA-256 of the text, line ends as \n: a checkout on Windows has the same. */
  readonly hash: string;
}

/** Beside `src` and beside `dist`: two levels above this file in both. */
const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'migrations');

interface Journal {
  readonly entries: readonly { readonly idx: number; readonly tag: string }[];
}

/** Throws StoreError when the files are not there: the installation is incomplete. */
export async function readMigrations(folder: string = FOLDER): Promise<Migration[]> {
  try {
    const journal = JSON.parse(await readFile(join(folder, 'meta', '_journal.json'), 'utf8')) as Journal;
    const entries = [...journal.entries].sort((a, b) => a.idx - b.idx);
    return await Promise.all(entries.map(({ tag }) => readMigration(folder, tag)));
  } catch (error) {
    throw new StoreError(`cannot read the migrations in ${folder}; reinstall pai-mirror`, {
      code: 'STORE_MIGRATIONS',
      retryable: false,
      blast: 'global',
      cause: error,
    });
  }
}

/** The schema that all migrations together make, as schema-dump.ts prints it. Throws StoreError when it is not there. */
export async function readSchemaFile(folder: string = FOLDER): Promise<string> {
  try {
    return (await readFile(join(folder, 'schema.sql'), 'utf8')).replaceAll('\r\n', '\n');
  } catch (error) {
    throw refuse('STORE_MIGRATIONS', `cannot read schema.sql in ${folder}; reinstall pai-mirror`, error);
  }
}

async function readMigration(folder: string, tag: string): Promise<Migration> {
  const text = (await readFile(join(folder, `${tag}.sql`), 'utf8')).replaceAll('\r\n', '\n');
  return {
    tag,
    statements: text.split('--> statement-breakpoint'),
    hash: createHash('sha256').update(text).digest('hex'),
  };
}

const refuse = (code: string, message: string, cause?: unknown): StoreError =>
  new StoreError(message, { code, retryable: false, blast: 'global', cause });

interface Applied {
  readonly tag: string;
  readonly hash: string;
}

/** What came after everything that this version knows: tags are numbered. */
export function newerMigrations(known: readonly Migration[], applied: readonly Applied[]): string[] {
  const latest = known.at(-1)?.tag ?? '';
  return applied.map(({ tag }) => tag).filter((tag) => tag > latest);
}

/**
 * For a version that goes on beside a newer schema, which only ever has more than its own. Throws StoreError when the
 * database lacks something that this version has, or has it in another form.
 */
export function checkNewer(known: readonly Migration[], applied: readonly Applied[]): void {
  const newer = newerMigrations(known, applied);
  const [lacking] = compareMigrations(
    known,
    applied.filter(({ tag }) => !newer.includes(tag)),
  );
  if (lacking) throw refuse('STORE_EDITED', `the database has ${newer.join(', ')} but not ${lacking.tag}`);
}

/**
 * What is still to be applied. Throws StoreError when the database is not a state that this version ever had: newer,
 * with an edited migration, or with a hole.
 */
export function compareMigrations(known: readonly Migration[], applied: readonly Applied[]): Migration[] {
  const latest = known.at(-1)?.tag ?? 'nothing';
  const unknown = applied.filter(({ tag }) => !known.some((migration) => migration.tag === tag));
  if (unknown.length > 0) {
    const at = unknown
      .map(({ tag }) => tag)
      .sort()
      .at(-1);
    const told = `the database is at ${at}, this version knows up to ${latest}; upgrade pai-mirror`;
    throw refuse('STORE_NEWER', `${told} (after a rollback \`pai-mirror start --newer-schema\` works with it)`);
  }
  for (const { tag, hash } of applied) {
    const file = known.find((migration) => migration.tag === tag);
    if (file?.hash === hash) continue;
    throw refuse(
      'STORE_EDITED',
      `migration ${tag} was applied as ${hash.slice(0, 12)}, this version has ${file?.hash.slice(0, 12)} of it: was the file edited?`,
    );
  }
  const pending = known.slice(applied.length);
  const hole = pending.find(({ tag }) => applied.some((row) => row.tag === tag));
  if (hole) throw refuse('STORE_EDITED', `the database has ${hole.tag} but not all migrations before it`);
  return [...pending];
}
