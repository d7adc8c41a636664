import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { STREAMS } from '../../src/domain/streams.js';
import { STEPS, wayOfOneRun } from './way-of-one-run.js';

const ROOT = resolve(import.meta.dirname, '../..');
const PICTURE = resolve(ROOT, 'docs/images/way-of-one-run.svg');

describe('the picture of the way of one run', () => {
  /** `npm run docs` is this test with `--update`: then it writes what it would compare. */
  test('is what its source makes', async () => {
    await expect(wayOfOneRun(STREAMS)).toMatchFileSnapshot(PICTURE);
  });

  test('names tables that there are, and operations that the mirror calls', () => {
    const schema = readFileSync(resolve(ROOT, 'migrations/schema.sql'), 'utf8');
    const operations = readFileSync(resolve(ROOT, 'src/pai/operations.ts'), 'utf8');
    const words = (lines: readonly string[]): string[] => lines.join(' ').match(/\b[a-z]+_[a-z_]+\b/g) ?? [];
    const tables = Object.values(STEPS).flatMap(({ writes }) => words(writes));
    expect(tables.length).toBeGreaterThan(8);
    for (const name of tables) expect(schema, name).toMatch(new RegExp(`\\b${name}\\b`));
    const called = Object.values(STEPS).flatMap(({ calls }) => calls.join(' ').match(/\b(?:List|Get)\w+/g) ?? []);
    expect(called.length).toBeGreaterThan(6);
    for (const name of called) expect(operations, name).toContain(`'${name}'`);
  });

  test('is text that any reader of XML reads: no entity but those of XML, each tag closed', () => {
    const svg = wayOfOneRun(STREAMS);
    expect(svg.match(/&(?!(?:lt|gt|amp|quot);)/g)).toBeNull();
    for (const tag of ['text', 'svg', 'style', 'marker'])
      expect(svg.split(`<${tag}`).length, tag).toBe(svg.split(`</${tag}>`).length);
  });
});
