/** `export`: a range of the mirror into files, and the check that reads them back. Does not talk to PAI. */
import { mkdir, readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { openDatabase } from '../app.js';
import { MirrorError, UsageError } from '../domain/errors.js';
import { type ExportRange, parseTime } from '../domain/export.js';
import type { ScopePattern } from '../domain/scope.js';
import { writeExport } from '../store/export/export.js';
import { checkMigratedAt } from '../store/migrate.js';
import { createContext, type ExitCode } from './context.js';
import type { Interrupt } from './interrupt.js';
import { type Output, stdoutOutput } from './output.js';
import { verifyExport } from './verify-export.js';

export interface ExportCommandOptions {
  readonly out?: string;
  readonly verify?: string;
  readonly from?: string;
  readonly to?: string;
  /** Default: every scope. */
  readonly scope?: ScopePattern | '*';
}

export function exportCommand(options: ExportCommandOptions, interrupt: Interrupt): Promise<ExitCode> {
  const { out, verify, from, to, scope } = options;
  if (verify !== undefined) {
    const others = Object.entries({ '--out': out, '--from': from, '--to': to, '--scope': scope });
    const found = others.filter(([, value]) => value !== undefined).map(([name]) => name);
    if (found.length > 0)
      throw new UsageError(`export --verify: found ${found.join(' and ')} beside it, expected DIR only`);
    return verifyCommand(resolve(verify), stdoutOutput());
  }
  if (out === undefined) throw new UsageError('export: found no directory, expected --out DIR (or --verify DIR)');
  return writeCommand(resolve(out), rangeOf(from, to), scope === undefined || scope === '*' ? null : scope, interrupt);
}

function rangeOf(from: string | undefined, to: string | undefined): ExportRange {
  const time = (name: string, text: string | undefined) => {
    const parsed = text === undefined ? null : parseTime(text);
    if (text !== undefined && parsed === null)
      throw new UsageError(
        `export ${name}: found ${text}, expected a day or a time such as 2026-01-01 or 2026-01-01T08:00Z`,
      );
    return parsed;
  };
  const range = { from: time('--from', from), to: time('--to', to) };
  if (range.from !== null && range.to !== null && range.from >= range.to)
    throw new UsageError(`export: found --from ${from} and --to ${to}, expected --from to be earlier`);
  return range;
}

/** Files of another export, or of anybody, are never written over. */
async function prepareDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    const entries = await readdir(directory);
    if (entries.length === 0) return;
    const shown = `${entries.slice(0, 3).join(', ')}${entries.length > 3 ? ' …' : ''}`;
    throw new UsageError(`export --out ${directory}: found ${shown} in it, expected an empty directory, or none`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`export --out ${directory}: ${(error as Error).message}`);
  }
}

async function writeCommand(
  directory: string,
  range: ExportRange,
  scope: ScopePattern | null,
  interrupt: Interrupt,
): Promise<ExitCode> {
  const { config, logger, output } = createContext({ scopes: false }, { LOG_LEVEL: 'warn' });
  await prepareDirectory(directory);
  const database = await openDatabase(config, logger);
  try {
    const { connectionString } = database;
    await checkMigratedAt(connectionString);
    const { manifest, sha256 } = await writeExport({
      connectionString,
      directory,
      range,
      scope,
      signal: interrupt.signal,
      onTable: ({ file, rows, bytes }) => output.print(`${file}: ${rows} rows, ${bytes} bytes`),
    }).catch((error: unknown) => {
      throw notWhole(directory, error);
    });
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
    output.print(`${rows} rows of ${manifest.exportedAt} in ${directory}; SHA-256 of manifest.json: ${sha256}`);
    return 0;
  } finally {
    await database.close();
  }
}

/** Whatever is there by then cannot be taken for an export: it has no manifest. */
function notWhole(directory: string, error: unknown): Error {
  if (error instanceof MirrorError) return error;
  return new Error(`the export to ${directory} is not whole, it can be removed: ${(error as Error).message}`, {
    cause: error,
  });
}

async function verifyCommand(directory: string, output: Output): Promise<ExitCode> {
  const { manifest, faults } = await verifyExport(directory);
  for (const fault of faults) output.print(fault);
  if (manifest !== null) {
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
    output.print(
      faults.length === 0
        ? `${directory}: whole and right, ${manifest.tables.length} tables, ${rows} rows of ${manifest.exportedAt}, schema ${manifest.schemaVersion}`
        : `${directory}: ${faults.length} faults`,
    );
  }
  return faults.length === 0 ? 0 : 1;
}
