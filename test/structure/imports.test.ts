import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findViolations } from './import-rules.js';
import { importsOf, packageOf, readsEnvironment, reexports } from './source-imports.js';

const SRC = resolve(import.meta.dirname, '../../src');

function readSources(): Map<string, string> {
  const entries = readdirSync(SRC, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = paths.filter((path) => path.endsWith('.ts'));
  return new Map(files.map((path) => [relative(SRC, path).split(sep).join('/'), readFileSync(path, 'utf8')]));
}

describe('src', () => {
  test('keeps the direction of imports, has no cycle, no barrel and no overlong file', () => {
    const sources = readSources();
    expect(sources.size).toBeGreaterThan(10);
    expect(findViolations(sources)).toEqual([]);
  });

  test('is read completely: each line that ends an import statement is among the imports found', () => {
    for (const [file, text] of readSources()) {
      const found = importsOf(text);
      for (const [, name] of text.matchAll(/^(?:import|\}) [^'"\n]*'([^'\n]+)';$/gm))
        expect(found, file).toContain(name);
    }
  });
});

const violationsOf = (files: Record<string, string>) => findViolations(new Map(Object.entries(files)));

describe('the rules catch', () => {
  const some = { 'domain/a.ts': '', 'util/a.ts': '', 'pai/a.ts': '', 'store/a.ts': '', 'sync/a.ts': '', 'app.ts': '' };

  test.each([
    ['domain importing util', 'domain/b.ts', "import '../util/a.js';", 'domain may not import util'],
    ['pai importing the store', 'pai/b.ts', "import { a } from '../store/a.js';", 'pai may not import store'],
    ['the store importing sync', 'store/b.ts', "import type { a } from '../sync/a.js';", 'store may not import sync'],
    ['sync importing pai lazily', 'sync/b.ts', "const a = await import('../pai/a.js');", 'sync may not import pai'],
    ['a part importing app', 'scheduler/b.ts', "import { a } from '../app.js';", 'scheduler may not import .'],
    ['config importing a part', 'config.ts', "import { a } from './pai/a.js';", '. may not import pai'],
    ['config importing app', 'config.ts', "import { a } from './app.js';", '. may not import .'],
    ['pg in the engine', 'sync/b.ts', "import pg from 'pg';", 'only store and embedded may import pg'],
    ['drizzle in the embedded server', 'embedded/b.ts', "import { sql } from 'drizzle-orm/pg-core';", 'only store may'],
    [
      "Alibaba Cloud's client in app",
      'app.ts',
      "import A from '@alicloud/credentials';",
      'only pai may import @alicloud',
    ],
    ['a read of the environment', 'cli/b.ts', 'const level = process.env.LOG_LEVEL;', 'only config.ts reads'],
    ['a re-export', 'domain/b.ts', "export { a } from './a.js';", 'is a barrel'],
    ['an index file', 'domain/index.ts', '', 'is a barrel'],
    ['an unknown folder', 'helpers/b.ts', '', 'has no folder src/helpers'],
    ['an import that leads nowhere', 'app.ts', "import './gone.js';", 'there is no src/gone.ts'],
    ['a file of 501 lines', 'domain/b.ts', '\n'.repeat(501), '501 lines'],
  ])('%s', (_what, file, text, expected) => {
    const violations = violationsOf({ ...some, [file]: text });
    expect(violations).toEqual([expect.stringContaining(expected)]);
    expect(violations[0]?.startsWith(`${file}: `)).toBe(true);
  });

  test('a cycle over three files', () => {
    const files = { 'pai/a.ts': "import './b.js';", 'pai/b.ts': "import './c.js';", 'pai/c.ts': "import './a.js';" };
    expect(violationsOf(files)).toEqual(['cycle: pai/a.ts → pai/b.ts → pai/c.ts → pai/a.ts']);
  });

  test('nothing in what the design allows', () => {
    const files = {
      ...some,
      'store/b.ts': "import pg from 'pg';\nimport { sql } from 'drizzle-orm';\nimport '../domain/a.js';",
      'pai/b.ts': "import * as OpenApi from '@alicloud/openapi-client';\nimport '../util/a.js';\nimport './a.js';",
      'config.ts': "import './domain/a.js';\nexport const level = process.env.LOG_LEVEL;",
      'app.ts': "import './pai/a.js';\nimport './store/a.js';\nimport './sync/a.js';",
      'main.ts': "import './app.js';",
    };
    expect(violationsOf(files)).toEqual([]);
  });
});

describe('the reader of imports', () => {
  test('finds every kind of import, over several lines, too', () => {
    const source = `import a from 'a';
import {
  b, // from 'not-this'
  type c,
} from "b";
import * as d from 'd'; import 'e';
import type { F } from './f.js';
export * from 'g';
export { h } from 'h';
const i = await import('i');
const j = require('j');`;
    expect(importsOf(source)).toEqual(['a', 'b', 'd', 'e', './f.js', 'g', 'h', 'i', 'j']);
  });

  test('takes nothing out of comments', () => {
    const source = "// import 'a';\n/* import b from 'b'; */\nconst url = 'http://x'; // import('c')\n/** from 'd' */";
    expect(importsOf(source)).toEqual([]);
  });

  test('does not take a quote inside a regular expression for the beginning of a string', () => {
    const source = `const bare = text.replace(/['"]/g, '').split(/"/);\nimport a from 'a'; // import 'b'`;
    expect(importsOf(source)).toEqual(['a']);
  });

  test.each([
    ['pg', 'pg'],
    ['drizzle-orm/node-postgres', 'drizzle-orm'],
    ['@alicloud/openapi-client/dist/client', '@alicloud/openapi-client'],
    ['node:fs', null],
    ['./a.js', null],
  ])('%j belongs to package %j', (specifier, name) => expect(packageOf(specifier)).toBe(name));

  test.each([
    ['process.env.A', true],
    ["process['env'].A", true],
    ['const { env } = process;', true],
    ['// process.env.A', false],
    ['const environment = processes.env;', false],
  ])('%j reads the environment: %j', (source, reads) => expect(readsEnvironment(source)).toBe(reads));

  test.each([
    ["export * from './a.js';", true],
    ["export type { A } from './a.js';", true],
    ["export const from = 'a';", false],
    ["import { a } from 'a';\nexport const b = a;", false],
  ])('%j re-exports: %j', (source, does) => expect(reexports(source)).toBe(does));
});
