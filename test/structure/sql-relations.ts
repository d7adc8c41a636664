/** Which relations a query names. A small reader of SQL, good for queries written by hand; the server has the last word. */

/** Text and comments become blanks of another kind: nothing in them is a name. */
const withoutTexts = (sql: string): string =>
  sql
    .replace(/--[^\n]*/g, ' ')
    .replace(/'(?:[^']|'')*'/g, "''")
    .replace(/\$\{[^}]*\}/g, "''");

/**
 * What stands behind FROM and JOIN and is neither a subquery, a function call, nor a name of a WITH. `extract(epoch from x)`
 * and the like are no FROM clause.
 */
export function relationsOf(sql: string): string[] {
  const text = withoutTexts(sql).replace(/\b(extract|trim|substring|overlay)\s*\(\s*\w+\s+from\b/gi, '$1(');
  const withNames = new Set(
    [
      ...text.matchAll(
        /(?:\bwith(?:\s+recursive)?|,|\))\s*(\w+)\s+as\s*(?:materialized\s*|not\s+materialized\s*)?\(/gi,
      ),
    ].map(([, name]) => (name as string).toLowerCase()),
  );
  const named = [...text.matchAll(/\b(?:from|join)\s+(?:lateral\s+)?([\w.]+)(\s*\()?/gi)];
  return named.flatMap(([, name = '', call]) =>
    call !== undefined || name.toLowerCase() === 'lateral' || withNames.has(name.toLowerCase()) ? [] : [name],
  );
}
