/**
 * What pai-mirror promises, and the tests that show it: a test (or a group of tests) names what it shows in its title,
 * `invariant 3: …`, `invariants 1 and 2: …`, `complaint 5: …`. The page docs/invariants.md is made from those titles.
 */
import { withoutComments } from './source-imports.js';

export interface Promised {
  readonly number: number;
  readonly text: string;
}

export const INVARIANTS: readonly Promised[] = [
  'After a quiet round the mirror equals the source, field by field, for everything that the source still has; and it still holds what the source dropped.',
  'A crash at any point, kill -9 included, loses nothing and duplicates nothing: rows, history and cursor commit together.',
  'What did not change is not written: a second round over an unchanged source makes no insert, update or delete in any data table.',
  'An older observation never overwrites a newer one, whichever order the answers arrive in.',
  'A cursor never moves past something that was neither committed nor put into quarantine.',
  'One bad item never stops its page, one bad run never stops its scope, one bad scope never stops the others; each failure is counted, shown and retried.',
  'Two replicas never run the same stream of a scope at once, and a replica that lost its lease cannot write.',
  'Calls never exceed the budget, all replicas together; throttling slows them down and never makes a storm.',
  'Every loop has a bound: attempts, pages, bytes, memory in flight.',
  'Ids and numbers arrive exact, whatever their size.',
].map((text, index) => ({ number: index + 1, text }));

/** What users of comparable systems complain about most, where the answer is code of this version. */
export const COMPLAINTS: readonly Promised[] = [
  { number: 1, text: 'Unfinished runs freeze once the watermark has passed them.' },
  { number: 2, text: 'Rows are missed where one pass ends and the next begins.' },
  { number: 3, text: 'Rows fall into the gaps between offset pages.' },
  { number: 4, text: 'A failure is recorded as a success.' },
  { number: 5, text: 'Polling turns into a storm of calls against a rate limit.' },
  { number: 6, text: 'The first load is slow, starts over after a crash, and nobody knows when it ends.' },
  { number: 7, text: 'Memory grows with the history.' },
  { number: 8, text: 'Concurrent upserts deadlock.' },
  { number: 9, text: 'Deletes are lost, or applied too eagerly.' },
  { number: 10, text: 'The disk fills up although nothing happens.' },
  { number: 12, text: 'Dashboards are slow, or wrong.' },
  { number: 13, text: 'Times depend on the time zone of a server or a session.' },
  { number: 14, text: 'An upgrade breaks the schema.' },
  { number: 15, text: 'Rows are duplicated, and updates lost.' },
];

export interface NamedTest {
  readonly file: string;
  readonly title: string;
}

/** `it('…'`, `test.each(table)('…'`, `describe("…"`; what is skipped or still to be written shows nothing. */
const TITLE =
  /(?<![.\w])(?:it|test|describe)((?:\.[a-zA-Z]+)*)(?:\((?:[^()]|\([^()]*\))*\))?\(\s*(?:'((?:\\.|[^'\\\n])+)'|"((?:\\.|[^"\\\n])+)"|`((?:\\.|[^`\\])+)`)/g;
const NOT_RUN = /\.(skip|todo|fails)\b/;

/** The titles in a test file, in order. */
export function titlesOf(source: string): string[] {
  return [...withoutComments(source).matchAll(TITLE)]
    .filter(([, modifiers]) => !NOT_RUN.test(modifiers ?? ''))
    .map(([, , single, double, template]) => (single ?? double ?? template ?? '').replace(/\\(['"`\\])/g, '$1'));
}

/** The numbers that a title names: `invariants 1, 2 and 5: …` names three. */
export function numbersNamed(title: string, word: 'invariant' | 'complaint'): number[] {
  const lists = title.matchAll(new RegExp(`\\b${word}s? (\\d+(?:(?:, | and |, and )\\d+)*)`, 'gi'));
  return [...lists].flatMap(([, list]) => (list as string).match(/\d+/g) ?? []).map(Number);
}

export function testsNaming(tests: readonly NamedTest[], word: 'invariant' | 'complaint', number: number): NamedTest[] {
  return tests.filter(({ title }) => numbersNamed(title, word).includes(number));
}
