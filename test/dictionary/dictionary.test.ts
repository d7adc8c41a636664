import { beforeAll, describe, expect, test } from 'vitest';
import { type DictionarySchema, readDictionary } from '../../src/store/dictionary.js';
import { answerOf } from './answer.js';
import { makeDemoData } from './demo-data.js';
import { EXAMPLES } from './examples.js';
import { type AnsweredExample, renderDictionary } from './markdown.js';

const INTRODUCTION = `What is in the database, in its own words: \`COMMENT\`s that psql shows with \`\\d+\`, and most SQL tools too. Read schema
\`analytics\`; its views keep their columns. The tables in schema \`pai\` hold what PAI says, field by field; they may get more
columns with a new version.

Every time is a \`timestamptz\`. Days and hours are those of the session's time zone (\`set timezone = 'Asia/Shanghai'\`). The
answers are real ones: of a small demo mirror whose clock stands at 2026-03-16 10:00 UTC.

This page is generated from the database and compared with it by a test
(\`npx vitest run --project mirror test/dictionary --update\` writes it anew).`;

/** What only the mirror itself reads and writes; everything else is for whoever likes. */
const INTERNAL = new Set(
  [
    ...[
      'run_rollup',
      'current_run_rollup',
      'failure_rollup',
      'node_rollup',
      'concurrency_rollup',
      'rollup_due',
      'node_due',
      'concurrency_due',
    ],
    ...[
      'sync_cursors',
      'sync_leases',
      'sync_passes',
      'sync_retries',
      'call_budgets',
      'quarantine',
      'schema_migrations',
    ],
  ].map((name) => `pai.${name}`),
);

const SCHEMAS = ['analytics', 'pai'];

let schemas: readonly DictionarySchema[];
const answers = new Map<string, AnsweredExample & { readonly rows: number }>();

/** Everything is asked at once, so that no connection is open any more when the file's database goes. */
beforeAll(async () => {
  const demo = await makeDemoData();
  try {
    schemas = await Promise.all(SCHEMAS.map((name) => readDictionary(demo.pool, name)));
    for (const { name, question, sql } of EXAMPLES) {
      const { text, rows } = await answerOf(demo.pool, sql).catch((error: Error) => ({ text: error.message, rows: 0 }));
      answers.set(name, { question, sql, answer: text, rows });
    }
  } finally {
    await demo.close();
  }
});

const namesOf = (schema: string): string[] =>
  schemas
    .filter(({ name }) => name === schema)
    .flatMap(({ relations, functions }) => [...relations, ...functions].map(({ name }) => `${schema}.${name}`));

describe('the data dictionary', () => {
  test('is the one in docs/data-dictionary.md (write it anew with vitest --update)', async () => {
    const page = renderDictionary({
      title: 'Data dictionary',
      introduction: INTRODUCTION,
      schemas,
      order: EXAMPLES.map(({ name }) => name),
      examples: answers,
      internal: INTERNAL,
    });
    await expect(page).toMatchFileSnapshot('../../docs/data-dictionary.md');
  });

  test('says something of every schema, view, table, column and function', () => {
    const silent = schemas.flatMap((schema) => [
      ...(schema.comment ? [] : [schema.name]),
      ...schema.relations.flatMap(({ name, comment, columns }) => [
        ...(comment ? [] : [`${schema.name}.${name}`]),
        ...columns.filter((column) => !column.comment).map((column) => `${schema.name}.${name}.${column.name}`),
      ]),
      ...schema.functions.filter(({ comment }) => !comment).map(({ name }) => `${schema.name}.${name}()`),
    ]);
    expect(silent).toEqual([]);
  });

  test('has one example for every view and function of analytics, and none for what there is not', () => {
    expect(EXAMPLES.map(({ name }) => name).toSorted()).toEqual([...new Set(namesOf('analytics'))].toSorted());
  });

  test.each(EXAMPLES)('$name answers: $question', ({ name, sql }) => {
    const found = answers.get(name);
    expect(found?.rows, found?.answer).toBeGreaterThan(0);
    expect(found?.rows, 'an answer that nobody wants to read').toBeLessThanOrEqual(20);
    expect(sql, 'about what it stands beside').toContain(name);
  });

  test('names as internal only what there is', () => {
    expect([...INTERNAL].filter((name) => !namesOf('pai').includes(name))).toEqual([]);
  });
});
