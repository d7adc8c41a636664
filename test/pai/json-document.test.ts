import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readDocument } from '../../src/pai/decode/json-document.js';
import { isStorableText } from '../../src/pai/decode/jsonb.js';
import { createDatabase } from '../support/database.js';

let client: pg.Client;
beforeAll(async () => {
  client = new pg.Client({ connectionString: (await createDatabase({ empty: true })).url });
  await client.connect();
});
afterAll(() => client.end());

/** What jsonb makes of a text; null when it refuses it. */
async function jsonb(text: string): Promise<string | null> {
  try {
    return (await client.query('SELECT $1::jsonb::text AS printed', [text])).rows[0].printed;
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^22|^54/) });
    return null;
  }
}

const OBJECT = '{"a": 1}';

test.each([
  ['plain', OBJECT, OBJECT],
  ['with a newline behind it', `${OBJECT}\n`, OBJECT],
  ['with literal backslashes', '{\\"a\\": 1}\n', OBJECT],
  ['with literal backslashes and real newlines', '{\\"a\\":\n\t1}', '{"a":\n\t1}'],
  ['quoted once more', JSON.stringify(OBJECT), OBJECT],
  ['quoted once more, with newlines inside and outside', `${JSON.stringify(`${OBJECT}\n`)}\n`, OBJECT],
  ['quoted and with literal backslashes', JSON.stringify(JSON.stringify(OBJECT)).slice(1, -1), OBJECT],
  ['an array', '[1, 2]', '[1, 2]'],
  [
    'with numbers that no float64 holds',
    '{"id":1557702098194904123,"x":0.10000000000000000000001}',
    '{"id":1557702098194904123,"x":0.10000000000000000000001}',
  ],
  ['a number', '42', '42'],
  ['a quoted version, which is no number', '"1.10"', '"1.10"'],
  ['a quoted word', '"word"', '"word"'],
  ['with a backslash and u0000, which is no U+0000', '{"a":"\\\\u0000"}', '{"a":"\\\\u0000"}'],
  ['with a whole surrogate pair', '{"a":"\\ud83d\\ude00"}', '{"a":"\\ud83d\\ude00"}'],
  ['nested to the limit', '['.repeat(500) + ']'.repeat(500), '['.repeat(500) + ']'.repeat(500)],
  ['with an exponent at the limit', '[1e1000,1E-1000]', '[1e1000,1E-1000]'],
])('a document %s is read, and jsonb takes it', async (_, text, json) => {
  expect(readDocument(text)).toEqual({ json, raw: null });
  expect(await jsonb(json)).not.toBeNull();
});

test.each([
  ['an empty text', ''],
  ['a newline', '\n'],
  ['free text', 'no JSON\n'],
  ['a cut document', '{"a": '],
  ['two documents', '{} {}'],
  ['U+0000 as an escape', '{"a":"\\u0000"}'],
  ['U+0000 in a key', '{"\\u0000":1}'],
  ['U+0000 in a quoted document', JSON.stringify('{"a":"\\u0000"}')],
  ['half a surrogate pair', '{"a":"\\ud83d"}'],
  ['half a surrogate pair behind literal backslashes', '{\\"a\\":\\"\\ud83d\\"}'],
  ['a number that numeric cannot hold', '{"a":1e200000}'],
  ['an exponent beyond the limit', '{"a":[1e1001]}'],
  ['a bad string under a key that comes twice', '{"a":"\\u0000","a":1}'],
  ['an extreme number under a key that comes twice', '{"a":1e200000,"a":1}'],
  ['nesting beyond the limit', `{"a":${'['.repeat(500)}${']'.repeat(500)}}`],
])('%s is kept as it came', (_, text) => {
  expect(readDocument(text)).toEqual({ json: null, raw: text });
});

const escapes = fc.constantFrom(
  '\\u0000',
  '\\ud83d',
  '\\ude00',
  '\\ud83d\\ude00',
  '\\u00e4',
  '\\n',
  '\\\\',
  '\\\\u0000',
  '\\"',
);
const string = fc
  .array(
    fc.oneof(
      escapes,
      fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text).slice(1, -1)),
    ),
    { maxLength: 4 },
  )
  .map((parts) => `"${parts.join('')}"`);
const number = fc.stringMatching(/^-?(0|[1-9]\d{0,30})(\.\d{1,30})?([eE][+-]?\d{1,3})?$/);
const { document } = fc.letrec<{ document: string }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 3 },
    string,
    number,
    fc.constantFrom('true', 'false', 'null'),
    fc.array(tie('document'), { maxLength: 3 }).map((values) => `[${values.join(', ')}]`),
    fc
      .array(fc.tuple(string, tie('document')), { maxLength: 3 })
      .map((pairs) => `{${pairs.map((p) => p.join(':')).join(',')}}`),
  ),
}));
const broken = fc.tuple(document, fc.nat(), fc.constantFrom('', '"', '{', '\\', 'x')).map(([text, at, put]) => {
  const cut = at % (text.length + 1);
  return text.slice(0, cut) + put + text.slice(cut);
});

test('objects and arrays are read exactly when jsonb takes them, and then mean the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      document.filter((text) => /^[[{]/.test(text)),
      async (text) => {
        const accepted = await jsonb(text);
        expect(readDocument(text)).toEqual(accepted === null ? { json: null, raw: text } : { json: text, raw: null });
      },
    ),
    { numRuns: 1000 },
  );
});

test('whatever the text, its document is one that jsonb takes, or the text itself', async () => {
  const wrapped = fc
    .oneof(document, broken)
    .chain((text) => fc.constantFrom(text, JSON.stringify(text), JSON.stringify(text).slice(1, -1), `${text}\n`));
  await fc.assert(
    fc.asyncProperty(wrapped, async (text) => {
      const { json, raw } = readDocument(text);
      if (json === null) expect(raw).toBe(text);
      else {
        expect(raw).toBeNull();
        expect(await jsonb(json)).not.toBeNull();
      }
    }),
    { numRuns: 1000 },
  );
});

test('a document escaped once more, or quoted once more, is the same document', async () => {
  await fc.assert(
    fc.asyncProperty(
      document.filter((text) => /^[[{]/.test(text)),
      async (text) => {
        const plain = readDocument(text);
        const escaped = JSON.stringify(text).slice(1, -1);
        for (const again of [JSON.stringify(text), escaped]) {
          if (plain.json !== null) expect(await jsonb(readDocument(again).json ?? '')).toBe(await jsonb(plain.json));
          else expect(readDocument(again)).toEqual({ json: null, raw: again });
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a text is storable exactly when PostgreSQL gives it back unchanged', async () => {
  const unit = fc.oneof(fc.constantFrom('\0', '\ud800', '\udc00', '\ud83d\ude00'), fc.string({ unit: 'binary' }));
  await fc.assert(
    fc.asyncProperty(fc.array(unit, { maxLength: 5 }), async (units) => {
      const text = units.join('');
      const back = await client.query('SELECT $1::text AS back', [text]).then(
        (result) => result.rows[0].back,
        () => null,
      );
      expect(isStorableText(text)).toBe(back === text);
    }),
    { numRuns: 500 },
  );
});
