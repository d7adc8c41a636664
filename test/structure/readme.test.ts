import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import { GROUPS, VARIABLES } from '../../src/config/variables.js';
import { parseConfig, unknownVariables } from '../../src/config.js';
import { commandTable, configurationTables, withPart } from './readme-tables.js';

const ROOT = resolve(import.meta.dirname, '../..');
const README = resolve(ROOT, 'README.md');
const text = readFileSync(README, 'utf8');

const program = createProgram(
  { signal: new AbortController().signal, interrupted: new Promise(() => {}), dispose: () => {} },
  () => {},
);

describe('README.md', () => {
  /** `npm run docs` is this test with `--update`: then it writes what it would compare. */
  test('has the tables of commands and variables as the code has them', async () => {
    const made = withPart(text, 'commands', commandTable(program));
    await expect(withPart(made, 'configuration', configurationTables(GROUPS))).toMatchFileSnapshot(README);
  });

  test('names no variable of the mirror that there is not', () => {
    const named = [...text.matchAll(/\b(?:PAI|HTTP|RETENTION)_[A-Z_]+[A-Z]\b/g)].map(([name]) => name);
    const elsewhere = ['PAI_MIRROR_IMAGE'];
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !(name in VARIABLES) && !elsewhere.includes(name))).toEqual([]);
  });
});

describe('the variables', () => {
  test('each stand in one group of the table', () => {
    expect(GROUPS.flatMap(({ variables }) => Object.keys(variables))).toEqual(Object.keys(VARIABLES));
  });

  test('have defaults that they take themselves, said in words where nothing is the default', () => {
    const set = Object.fromEntries(Object.entries(VARIABLES).map(([name, { fallback }]) => [name, fallback ?? '']));
    expect(parseConfig(set, { scopes: false })).toEqual({
      ...parseConfig({}, { scopes: false }),
      httpPortIsChosen: true,
    });
    for (const [name, { meaning, fallback, otherwise }] of Object.entries(VARIABLES)) {
      expect(meaning.length, name).toBeGreaterThan(8);
      if (fallback === null || fallback === '') expect(otherwise, name).not.toBe('');
    }
  });

  test('of the example of a .env file exist, and read well', () => {
    const example = readFileSync(resolve(ROOT, '.env.example'), 'utf8');
    const names = [...example.matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(4);
    expect(names.filter((name) => !name.startsWith('ALIBABA_CLOUD_') && !(name in VARIABLES))).toEqual([]);
    expect(unknownVariables(Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([]);
  });
});

describe('a part of a page', () => {
  const page = 'a\n<!-- x: made by npm run docs -->\nold\n<!-- end of x -->\nb';

  test('is replaced, and what is around it stays', () => {
    const made = withPart(page, 'x', 'new');
    expect(made).toBe('a\n<!-- x: made by npm run docs -->\n\nnew\n\n<!-- end of x -->\nb');
    expect(withPart(made, 'x', 'new')).toBe(made);
  });

  test.each([
    ['without its end', page.replace('<!-- end of x -->', '')],
    ['twice', `${page}${page}`],
    ['nowhere', 'nothing'],
  ])('is refused when it is there %s', (_, wrong) => {
    expect(() => withPart(wrong, 'x', 'new')).toThrow('x: found other than one');
  });
});
