import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchorsOf, linksOf, sectionOf, slugOf } from './markdown.js';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGES = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(resolve(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].sort();

const read = (page: string): string => readFileSync(resolve(ROOT, page), 'utf8');

/** Links of a page that lead nowhere, one sentence each. */
function brokenLinks(page: string): string[] {
  const text = read(page);
  return linksOf(text).flatMap(({ target, line }) => {
    if (/^(?:https?|mailto|postgresql):/.test(target)) return [];
    const [path = '', anchor = ''] = target.split('#');
    const file = path === '' ? resolve(ROOT, page) : resolve(ROOT, dirname(page), path);
    if (relative(ROOT, file).startsWith('..')) return [`${page}:${line}: ${target} leads out of the repository`];
    if (!existsSync(file)) return [`${page}:${line}: there is no ${path}`];
    if (anchor === '' || !file.endsWith('.md')) return [];
    return anchorsOf(readFileSync(file, 'utf8')).has(anchor) ? [] : [`${page}:${line}: no heading for ${target}`];
  });
}

describe('the documentation', () => {
  test.each(PAGES)('%s links to files and headings that are there', (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  test('has its pages in the list of docs/README.md', () => {
    const listed = linksOf(read('docs/README.md')).map(({ target }) => `docs/${target}`);
    const others = PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
    expect(others.length).toBeGreaterThan(10);
    expect(others.filter((page) => !listed.includes(page))).toEqual([]);
  });
});

describe('links and headings', () => {
  test('are not those of code', () => {
    const text = '# A\n```\n# B\n[x](y.md)\n```\n`[x](z.md)` [ok](a.md#b) ![picture](c.svg "title")\n';
    expect([...anchorsOf(text)]).toEqual(['a']);
    expect(linksOf(text)).toEqual([
      { target: 'a.md#b', line: 6 },
      { target: 'c.svg', line: 6 },
    ]);
  });

  test.each([
    ['The RAM policy', 'the-ram-policy'],
    ['`/healthz` never looks at the database, `/readyz` does', 'healthz-never-looks-at-the-database-readyz-does'],
    ["A run's scope: 10 %", 'a-runs-scope-10-'],
    ['analytics.run_as_of()', 'analyticsrun_as_of'],
  ])('the heading %j is found by #%s', (heading, slug) => expect(slugOf(heading)).toBe(slug));

  test('that are there twice are numbered', () => {
    expect([...anchorsOf('# A\n## a\n## A\n')]).toEqual(['a', 'a-1', 'a-2']);
  });

  test('bound a section', () => {
    const text = '# T\n## One\nx\n### In it\ny\n```\n# no\n```\n## Two\nz\n';
    expect(sectionOf(text, 'One')).toBe('x\n### In it\ny\n```\n# no\n```');
    expect(sectionOf(text, 'Two').trim()).toBe('z');
    expect(() => sectionOf(text, 'Three')).toThrow('no heading "Three"');
  });
});
