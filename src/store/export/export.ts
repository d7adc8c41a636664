/**
 * A range of the mirror into a directory of files that outlive it. All of it is read in one transaction, so the files are
 * of one moment, whatever is written meanwhile; the manifest comes last, and without it an export is none.
 */
import { open } from 'node:fs/promises';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import {
  DICTIONARY_FILE,
  EXPORT_FORMAT,
  EXPORT_VERSION,
  type ExportedTable,
  type ExportManifest,
  MANIFEST_FILE,
} from '../../domain/export.js';
import { storeError } from '../pg-errors.js';
import { whenNotFull } from '../pool.js';
import { instantSql, quote } from '../sql.js';
import { dictionaryText, readNotes, type TableNote } from './dictionary.js';
import { EXPORT_TABLES, type ExportChoice } from './tables.js';
import { writeCompressed, writeText } from './write-table.js';

export interface ExportOptions extends ExportChoice {
  readonly connectionString: string;
  /** Exists, and is empty. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Told of every table once its file is there. */
  readonly onTable?: (table: ExportedTable) => void;
}

/** A COPY of a large table may take hours, and the server must not take the pauses between two for idleness. */
const SESSION = `set timezone = 'UTC'; set datestyle = 'ISO'; set statement_timeout = 0; set extra_float_digits = 1;
  set idle_in_transaction_session_timeout = 0; set random_page_cost = 1.1`;

/** Throws StoreError, what writing the files threw, or the signal's reason; then there is no manifest. */
export async function writeExport(options: ExportOptions): Promise<{ manifest: ExportManifest; sha256: string }> {
  const client = await whenNotFull(() => connect(options.connectionString)).catch((error: unknown) => {
    throw storeError('exporting', error);
  });
  try {
    await client.query(SESSION);
    await client.query('begin isolation level repeatable read read only');
    const manifest = await writeTables(client, options);
    await client.query('commit');
    const { sha256 } = await writeText(options.directory, MANIFEST_FILE, `${JSON.stringify(manifest, null, 2)}\n`);
    await syncDirectory(options.directory);
    return { manifest, sha256 };
  } catch (error) {
    // In the middle of a COPY the connection would not listen any more.
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString, application_name: 'pai-mirror export' });
  // The query that is under way fails too and tells; unheard, the event would end the process.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function writeTables(client: pg.Client, options: ExportOptions): Promise<ExportManifest> {
  const { rows } = await client.query<{ at: string; tag: string }>(
    `select ${instantSql('now()')} as at, (select max(tag) from pai.schema_migrations) as tag`,
  );
  const notes = await readNotes(
    client,
    EXPORT_TABLES.map(({ table }) => table),
  );
  const dictionary = await writeText(options.directory, DICTIONARY_FILE, dictionaryText(notes));
  const tables: ExportedTable[] = [];
  for (const note of notes) {
    const table = await writeTable(client, options, note);
    tables.push(table);
    options.onTable?.(table);
  }
  const { range, scope } = options;
  return {
    format: EXPORT_FORMAT,
    version: EXPORT_VERSION,
    exportedAt: rows[0]?.at as string,
    schemaVersion: rows[0]?.tag as string,
    range,
    scope: scope === null ? '*' : `${scope.region}:${scope.workspaceId}`,
    dictionary,
    tables,
  };
}

async function writeTable(client: pg.Client, options: ExportOptions, note: TableNote): Promise<ExportedTable> {
  const { table, columns } = note;
  const { where, chosenBy } = EXPORT_TABLES.find((one) => one.table === table) as (typeof EXPORT_TABLES)[number];
  const condition = where(options);
  const names = columns.map(({ name }) => `t.${quote(name)}`).join(', ');
  const rowsSql = `select ${names} from pai.${quote(table)} t${condition === null ? '' : ` where ${condition}`}`;
  const copy = client.query(copyTo(`copy (${rowsSql}) to stdout with (format csv, header true, encoding 'UTF8')`));
  const { file, bytes, sha256, contentBytes, contentSha256 } = await writeCompressed(
    options.directory,
    `${table}.csv.gz`,
    copy,
    options.signal,
  );
  const types = columns.map(({ name, type }) => ({ name, type }));
  const rows = copy.rowCount;
  return { table, chosenBy, file, rows, bytes, sha256, contentBytes, contentSha256, columns: types };
}

/** The names, too, are on the disk then. (Windows has no such thing.) */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
