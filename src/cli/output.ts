/** Plain text tables for people; JSON for programs. Everything a command has to say on stdout goes through here. */

export interface Output {
  readonly isTerminal: boolean;
  print(line: string): void;
}

export const stdoutOutput = (): Output => ({
  isTerminal: process.stdout.isTTY === true,
  print: (line) => void process.stdout.write(`${line}\n`),
});

/** Columns as wide as their widest cell; numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  const cells = [header, ...rows.map((row) => row.map((cell) => (cell === null ? '-' : String(cell))))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const isNumeric = header.map((_, column) =>
    rows.every((row) => typeof row[column] === 'number' || row[column] === null),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(cells[0] ?? []), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.slice(1).map(line)].join(
    '\n',
  );
}
