/** Whether a name is another one misspelt. Pure. */

/** One slip of the pen in a short name, two in a long one: more would take names of other programs for ours. */
const SHORT = 9;

/** Upper and lower case apart, which is no slip but another habit. */
export function isAlike(name: string, known: string): boolean {
  const [one, other] = [name.toUpperCase(), known.toUpperCase()];
  const most = Math.min(one.length, other.length) < SHORT ? 1 : 2;
  return Math.abs(one.length - other.length) <= most && distance(one, other) <= most;
}

/** Letters to put in, to leave out or to change, to make one of the other (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (const [j, wanted] of [...other].entries()) {
      const changed = (row[j] ?? 0) + Number(letter !== wanted);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
