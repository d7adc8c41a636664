/** What an export consists of, as its manifest tells it. */
import type { Instant } from './entities.js';

export const EXPORT_FORMAT = 'pai-mirror export';
export const EXPORT_VERSION = 1;
export const MANIFEST_FILE = 'manifest.json';
export const DICTIONARY_FILE = 'dictionary.md';

/** From `from` on, up to but without `to`; null: no border. */
export interface ExportRange {
  readonly from: Instant | null;
  readonly to: Instant | null;
}

export interface ExportedFile {
  /** Name within the directory. */
  readonly file: string;
  readonly bytes: number;
  /** Of the file as it lies there, in hexadecimal. */
  readonly sha256: string;
}

export interface ExportedTable extends ExportedFile {
  /** Of schema pai. */
  readonly table: string;
  /** What the range and the scope chose the rows by, in words. */
  readonly chosenBy: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** The header not counted. */
  readonly rows: number;
  /** Of the CSV inside. */
  readonly contentBytes: number;
  readonly contentSha256: string;
}

export interface ExportManifest {
  readonly format: typeof EXPORT_FORMAT;
  readonly version: typeof EXPORT_VERSION;
  /** All files are of this moment, by the database's clock. */
  readonly exportedAt: Instant;
  /** The last migration of the database. */
  readonly schemaVersion: string;
  readonly range: ExportRange;
  /** `*`, `region:*` or `region:workspaceId`. */
  readonly scope: string;
  readonly dictionary: ExportedFile;
  readonly tables: readonly ExportedTable[];
}

const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** A day or a time, in UTC unless it says otherwise; null when the text is neither. */
export function parseTime(text: string): Instant | null {
  const match = TIME.exec(text.trim());
  if (!match) return null;
  const [, day, minutes = '00:00', seconds = '00', fraction = '', zone = 'Z'] = match;
  const midnight = new Date(`${day}T00:00:00Z`);
  const millis = Date.parse(`${day}T${minutes}:${seconds}${zone}`);
  if (Number.isNaN(midnight.getTime()) || Number.isNaN(millis)) return null;
  // Date takes 30 February for 2 March.
  if (midnight.toISOString().slice(0, 10) !== day) return null;
  return `${new Date(millis).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0')}Z`;
}
