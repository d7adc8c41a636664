/** Two dumps of the schema (schema-dump.ts) compared, object by object and line by line. Pure. */

export interface Drift {
  /** `table pai.pipeline_runs`, `view analytics.nodes`, `function pai.run_outcome`. */
  readonly object: string;
  /** Whether the whole object is missing, or is beside the schema. */
  readonly whole: 'missing' | 'extra' | null;
  /** Lines of the dump that are expected and not there; comments apart. */
  readonly missing: readonly string[];
  /** Lines that are there and not expected. */
  readonly extra: readonly string[];
  /** Comments that differ: nothing depends on them. */
  readonly comments: number;
}

const WORDS = 'create sequence|create type|CREATE OR REPLACE FUNCTION|create unlogged table|create table|view';
const BEGINNING = new RegExp(`^(?:${WORDS}) ([^\\s(]+)`);
/** Bodies of functions may hold empty lines, so an object ends only where the next one begins. */
const BETWEEN = new RegExp(`\\n\\n(?=(?:${WORDS}) )`);

/** `create unlogged table pai.call_budgets (` → `table pai.call_budgets`. */
function nameOf(block: string): string {
  const [words = '', name = ''] = BEGINNING.exec(block) ?? [];
  const kind = words.slice(0, -name.length).trim().split(' ').at(-1)?.toLowerCase() ?? '';
  return `${kind} ${name}`;
}

function objectsOf(dump: string): Map<string, string> {
  const objects = new Map<string, string>();
  for (const block of dump.trimEnd().split(BETWEEN)) {
    const name = nameOf(block);
    // Functions may share a name and differ in their arguments.
    objects.set(name, objects.has(name) ? `${objects.get(name)}\n${block}` : block);
  }
  return objects;
}

const isComment = (line: string): boolean => line.startsWith('comment on ');

/** Whether a column is the last one of its table, and has no comma, is no difference. */
const linesOf = (text: string): string[] => text.split('\n').map((line) => line.replace(/,$/, '').trim());

/** Lines of `one` that `other` does not have, as often as they are missing. */
function beyond(one: readonly string[], other: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of other) left.set(line, (left.get(line) ?? 0) + 1);
  return one.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}

/** What differs, in the order of the names; empty when the dumps say the same. */
export function compareDumps(expected: string, actual: string): Drift[] {
  const [wanted, found] = [objectsOf(expected), objectsOf(actual)];
  const names = [...new Set([...wanted.keys(), ...found.keys()])].sort();
  return names.flatMap((object) => {
    const [before, after] = [wanted.get(object), found.get(object)];
    return before === after ? [] : [driftOf(object, before, after)];
  });
}

function driftOf(object: string, before: string | undefined, after: string | undefined): Drift {
  const whole = after === undefined ? 'missing' : before === undefined ? 'extra' : null;
  if (whole !== null) return { object, whole, missing: [], extra: [], comments: 0 };
  const [lines, others] = [linesOf(before ?? ''), linesOf(after ?? '')];
  const [missing, extra] = [beyond(lines, others), beyond(others, lines)];
  return {
    object,
    whole,
    missing: missing.filter((line) => !isComment(line)),
    extra: extra.filter((line) => !isComment(line)),
    comments: Math.max(missing.filter(isComment).length, extra.filter(isComment).length),
  };
}
