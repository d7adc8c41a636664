/** The fewest calls that the API allows for a piece of work, by formula. */

/** Pages that show every row once. */
export const pagesOf = (rows: number, pageSize: number): number => Math.max(1, Math.ceil(rows / pageSize));

/** `calls 10,005 of at least 10,000 (1.0005)` */
export function callsText(made: number, minimum: number): string {
  const ratio = minimum === 0 ? '' : ` (${(made / minimum).toFixed(3)} times)`;
  return `${made.toLocaleString('en-US')} calls, at least ${minimum.toLocaleString('en-US')}${ratio}`;
}
