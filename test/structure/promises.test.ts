import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  COMPLAINTS,
  INVARIANTS,
  type NamedTest,
  numbersNamed,
  type Promised,
  testsNaming,
  titlesOf,
} from './promises.js';

const TESTS = resolve(import.meta.dirname, '..');

function readTests(): NamedTest[] {
  const entries = readdirSync(TESTS, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter(({ name }) => name.endsWith('.test.ts'))
    .map(({ parentPath, name }) => join(parentPath, name));
  return paths.sort().flatMap((path) => {
    const file = relative(resolve(TESTS, '..'), path).split(sep).join('/');
    // This folder's own titles are about the page, not about what it tells of.
    if (file.startsWith('test/structure/')) return [];
    return titlesOf(readFileSync(path, 'utf8')).map((title) => ({ file, title }));
  });
}

/** What a title says after the name of the promise. */
const saying = (title: string): string => title.replaceAll('|', '\\|').replaceAll('\n', ' ');

function rows(promises: readonly Promised[], word: 'invariant' | 'complaint', tests: readonly NamedTest[]): string {
  return promises
    .map(({ number, text }) => {
      const shown = testsNaming(tests, word, number).map(({ file, title }) => `\`${file}\`: ${saying(title)}`);
      return `| ${number} | ${text} | ${shown.join('<br>')} |`;
    })
    .join('\n');
}

const page = (tests: readonly NamedTest[]): string => `# What is promised, and which test shows it

Made from the titles of the tests; \`npx vitest run --project structure test/structure/promises --update\` makes it anew, and
a test fails when it is out of date or when a promise has no test.

## Invariants

| | Invariant | Tests |
|---|---|---|
${rows(INVARIANTS, 'invariant', tests)}

## Complaints

What users of comparable systems complain about most. Two more of the usual fifteen, slow queries over an archive and slow
dashboards, concern views and indexes.

| | Complaint | Tests that show that it does not happen here |
|---|---|---|
${rows(COMPLAINTS, 'complaint', tests)}
`;

describe('docs/invariants.md', () => {
  const tests = readTests();

  test.each(INVARIANTS)('has a test for invariant $number', ({ number }) => {
    expect(testsNaming(tests, 'invariant', number)).not.toEqual([]);
  });

  test.each(COMPLAINTS)('has a test for complaint $number', ({ number }) => {
    expect(testsNaming(tests, 'complaint', number)).not.toEqual([]);
  });

  test('is up to date', async () => {
    await expect(page(tests)).toMatchFileSnapshot('../../docs/invariants.md');
  });

  test('names no invariant and no complaint that does not exist', () => {
    const known = { invariant: INVARIANTS, complaint: COMPLAINTS };
    for (const word of ['invariant', 'complaint'] as const) {
      const numbers = new Set(known[word].map(({ number }) => number));
      const strays = tests.filter(({ title }) => numbersNamed(title, word).some((number) => !numbers.has(number)));
      expect(strays).toEqual([]);
    }
  });
});

describe('titles', () => {
  test('are found in every form in which a test can be written, and not in comments or skipped tests', () => {
    const source = `
      // it('in a comment', () => {})
      it('plain', () => {});
      test.each([[1, f(2)]])('from a table %s', () => {});
      it.each(seeds)(
        'on a line of its own', async () => {});
      describe("it's quoted", () => {});
      it.skip('skipped', () => {});
      describe.skipIf(slow)('only at times', () => {});
      expect(it).toBe('not a title');`;
    expect(titlesOf(source)).toEqual([
      'plain',
      'from a table %s',
      'on a line of its own',
      "it's quoted",
      'only at times',
    ]);
  });

  test('may name several promises at once', () => {
    expect(numbersNamed('invariants 1, 2, 3 and 5: whatever', 'invariant')).toEqual([1, 2, 3, 5]);
    expect(numbersNamed('invariant 7: two (complaint 15)', 'complaint')).toEqual([15]);
    expect(numbersNamed('invariant 10: ids', 'invariant')).toEqual([10]);
    expect(numbersNamed('nothing of the kind', 'invariant')).toEqual([]);
  });
});
