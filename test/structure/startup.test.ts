import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageOf, withoutComments } from './source-imports.js';

/** What is loaded along with a file; `import type` leaves nothing behind, and `import()` comes later or never. */
const LOADED = /(?:^|[;}\n])\s*(?:import|export)\s+(?!type\b)(?:[^'"`;()]*?\bfrom\s*)?['"]([^'"\n]+)['"]/g;

const loadedWith = (source: string): string[] =>
  [...withoutComments(source).matchAll(LOADED)].map((match) => match[1] as string);

/** The packages that are loaded along with a file of src, by way of whatever other files; each at least once. */
function packagesOf(file: URL, seen = new Set<string>()): string[] {
  if (seen.has(file.href)) return [];
  seen.add(file.href);
  return loadedWith(readFileSync(file, 'utf8')).flatMap((specifier) => {
    if (specifier.startsWith('node:')) return [];
    const name = packageOf(specifier);
    return name === null ? packagesOf(new URL(specifier.replace(/\.js$/, '.ts'), file), seen) : [name];
  });
}

const src = (file: string): URL => new URL(`../../src/${file}`, import.meta.url);

test('--help and mistakes on the command line load no package but the one that reads it', () => {
  expect([src('main.ts'), src('cli/program.ts')].flatMap((file) => packagesOf(file))).toEqual(['commander']);
});

test('no command loads what draws bars, colours lines, signs calls or serves HTTP before it needs that', () => {
  for (const command of ['sync', 'start', 'status', 'migrate', 'quarantine', 'retention', 'export']) {
    const packages = packagesOf(src(`cli/${command}.ts`));
    expect(packages).toContain('pg');
    expect(
      [...packages].filter((name) =>
        /^(?:cli-progress|pino-pretty|@alicloud\/.*|embedded-.*|@?fastify.*|prom-client)$/.test(name),
      ),
    ).toEqual([]);
  }
});

test.each([
  ["import a from 'a';", ['a']],
  ["import 'a';\nexport { b } from './b.js';", ['a', './b.js']],
  ["import { type A, b } from 'a';", ['a']],
  ["import type { A } from 'a';\nexport type { B } from './b.js';", []],
  ["const { a } = await import('a');\nexport const load = () => require('b');", []],
  ["// import a from 'a'\nexport const from = 'b';", []],
])('%j loads %j', (source, loaded) => {
  expect(loadedWith(source)).toEqual(loaded);
});
