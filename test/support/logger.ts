import type { Logger } from '../../src/util/logger.js';

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  /** The bindings of the logger and the fields of the call, merged. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface CapturingLogger extends Logger {
  /** In the order of the calls; children write here, too. */
  readonly entries: LogEntry[];
  /** The messages of one level, or of all. */
  messages(level?: LogEntry['level']): string[];
}

/** Keeps what is logged, so that a test can read it. */
export function capturingLogger(bindings: object = {}, entries: LogEntry[] = []): CapturingLogger {
  const at = (level: LogEntry['level']) => (fields: object, message: string) => {
    entries.push({ level, message, fields: { ...bindings, ...fields } });
  };
  return {
    entries,
    messages: (level) => entries.filter((entry) => level === undefined || entry.level === level).map((e) => e.message),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more) => capturingLogger({ ...bindings, ...more }, entries),
  };
}
