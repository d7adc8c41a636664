/** What a service has said in a week. */

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Throws where a line is no JSON: whatever is written beside the log is a fault as well. */
export const linesOf = (stderr: string): LogLine[] =>
  stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as LogLine;
      } catch {
        throw new Error(`no line of the log: ${line}`);
      }
    });

/** Lines of error level and above, short enough to be read. */
export const errorsIn = (lines: readonly LogLine[]): string[] =>
  lines.filter(({ level }) => level === 'error' || level === 'fatal').map((line) => JSON.stringify(line).slice(0, 600));

/** How often each message of a level was said; `leftOut` lines are counted, ids and numbers do not tell messages apart. */
export function countMessages(lines: readonly LogLine[], level: string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) {
    if (line.level !== level) continue;
    const message = [line.msg.slice(0, 120), line.code ?? '']
      .join(' ')
      .replace(/[^\s:,;()]*\d[^\s:,;()]*/g, '#')
      .trim();
    counts.set(message, (counts.get(message) ?? 0) + 1 + Number(line.leftOut ?? 0));
  }
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}
