import type { Logger } from './logger.js';

/** Warnings and errors that differ only in ids and numbers, within one window. */
const LINES_ALIKE = 10;
const WINDOW_MS = 600_000;
/** Kinds of lines that are remembered; the oldest is forgotten first, and may then say itself anew. */
const KINDS_KEPT = 500;
/** Characters of a message; a summary of many failures is long. */
const LOOKED_AT = 400;

interface Kind {
  readonly since: number;
  lines: number;
}

/** What becomes of a line. `leftOut`: lines like it that were passed over since the last one. */
export type Ruling =
  | { readonly show: false }
  | { readonly show: true; readonly leftOut: number; readonly isLast: boolean };

/** Fields that say what went wrong where the message is always the same: the code of an error, or its words. */
const TELLING = ['code', 'error'];
/** The status and the code of an answer, which may come without words of its own. */
const ANSWER = /\bHTTP \d{3}(?: [A-Za-z.]+)?/g;
/** A word with a digit. */
const ID = /[^\s:,;()]*\d[^\s:,;()]*/g;

function shapeOf(text: string): string {
  const shown = text.slice(0, LOOKED_AT);
  const parts = shown.split(': ');
  const ends = parts.length > 2 ? [parts[0], parts.at(-1)] : parts;
  return [ends.join(' … ').replace(ID, '#'), ...(shown.match(ANSWER) ?? [])].join(' ');
}

/**
 * Two lines are alike when they begin and end alike, `pass failed: … : the disk is full`, whatever was tried in between
 * and where; words that hold a digit (ids, counts, times, addresses) do not tell lines apart either. What PAI answered
 * does, and so do the fields that carry the error of a line.
 */
export function kindOf(level: string, message: string, fields: object = {}): string {
  const told = TELLING.map((name) => (fields as { readonly [name: string]: unknown })[name]);
  const errors = told.filter((value) => typeof value === 'string');
  return [level, shapeOf(message), ...errors.map(shapeOf)].join(' ');
}

/** Counts lines by kind. `now` in milliseconds of a clock that is never set back. */
export class LineCounts {
  private readonly kinds = new Map<string, Kind>();

  rule(kind: string, now: number): Ruling {
    const known = this.kinds.get(kind);
    if (known === undefined || now - known.since >= WINDOW_MS) {
      this.begin(kind, now);
      return { show: true, leftOut: Math.max(0, (known?.lines ?? 0) - LINES_ALIKE), isLast: false };
    }
    known.lines += 1;
    if (known.lines > LINES_ALIKE) return { show: false };
    return { show: true, leftOut: 0, isLast: known.lines === LINES_ALIKE };
  }

  private begin(kind: string, now: number): void {
    this.kinds.delete(kind);
    this.kinds.set(kind, { since: now, lines: 1 });
    if (this.kinds.size <= KINDS_KEPT) return;
    const oldest = this.kinds.keys().next();
    if (!oldest.done) this.kinds.delete(oldest.value);
  }
}

/**
 * Keeps a service from saying the same thing for ever: a database that is away for a night fails every pass of every
 * scope, thousands of times. What each pass came to is in `sync_passes` and in `status`; the log says it a few times,
 * then once in a while, and how many lines were left out. Only warnings and errors: the others are bounded by the work.
 */
export function limitedLogger(
  logger: Logger,
  now: () => number = () => performance.now(),
  counts = new LineCounts(),
): Logger {
  const limited = (level: 'warn' | 'error') => (fields: object, message: string) => {
    const ruling = counts.rule(kindOf(level, message, fields), now());
    if (!ruling.show) return;
    const note = ruling.isLast ? { note: `more lines like this are left out for ${WINDOW_MS / 60_000} minutes` } : {};
    const leftOut = ruling.leftOut > 0 ? { leftOut: ruling.leftOut } : {};
    logger[level]({ ...fields, ...leftOut, ...note }, message);
  };
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: limited('warn'),
    error: limited('error'),
    child: (bindings) => limitedLogger(logger.child(bindings), now, counts),
  };
}
