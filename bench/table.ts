/** A table for a terminal that is a Markdown table as well, so that it can be pasted. */

const line = (cells: readonly string[], widths: readonly number[]): string =>
  `| ${cells.map((cell, at) => cell.padEnd(widths[at] as number)).join(' | ')} |`;

/** Every row has as many cells as there are headings. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = headings.map((heading, at) =>
    Math.max(3, heading.length, ...escaped.map((row) => (row[at] ?? '').length)),
  );
  const rule = widths.map((width) => '-'.repeat(width));
  return [headings, rule, ...escaped].map((cells) => line(cells, widths));
}
