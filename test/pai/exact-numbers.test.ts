import fc from 'fast-check';
import { LosslessNumber, parse } from 'lossless-json';
import { expect, test } from 'vitest';
import { changesNumbers, holdsLooseNumber, mayChangeMember, parseMarked } from '../../src/pai/exact-numbers.js';
import { jsonText, parseExact } from '../../src/pai/json.js';
import { sample } from './support.js';

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
const TITLE = `(TEST_SEED=${seed})`;
const RUNS = { seed, numRuns: 3000 };

/** The lossless parser reads everything; it is the judge. */
const lossless = (text: string): unknown => parse(text, null, { onDuplicateKey: ({ newValue }) => newValue });

const NUMBERS = [
  ...['0', '7', '-7', '264', '264.0', '-0', '2.64e2', '1E2', '0.93', '1e400', '264.00000000000000001'],
  ...['999999999999999', '1260483875522973', '1557702098194904123', '-1557702098194904123', '9007199254740993'],
];
/** Look like members and numbers, and are text. */
const TEXTS = [
  '',
  'Id',
  '1.0',
  ':5.0',
  ',5.0',
  'a":1.0,',
  '":1.0}',
  'x\\":1.0,',
  '\u0091',
  '\u00911.0',
  'é\n',
  '中":9e9]',
];
/** End in a letter, in a quote, in a backslash, or say what marks a number. */
const KEYS = ['Id', 'UserId', 'a1', '', 'ä', 'x"', 'a\\', '1.0', '\u0091', '":5.0', 'é:1.0', '_'];

/** A mark that is written as an escape shows only in the parsed text. */
const escaped = (text: string): string =>
  JSON.stringify(text).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
const text = fc.constantFrom(...TEXTS).chain((word) => fc.constantFrom(JSON.stringify(word), escaped(word)));
const key = fc.constantFrom(...KEYS).chain((word) => fc.constantFrom(JSON.stringify(word), escaped(word)));
const blank = fc.oneof({ weight: 6, arbitrary: fc.constant('') }, fc.constantFrom(' ', '\n', '\t', '\r\n'));

/** Objects may say a key twice; most documents are compact, as those of PAI are. */
const { document } = fc.letrec<{ document: string; member: string }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...NUMBERS),
    text,
    fc.constantFrom('true', 'false', 'null', '[]', '{}'),
    fc
      .array(fc.tuple(tie('member'), blank), { maxLength: 5 })
      .map((all) => `{${all.map((m) => m.join('')).join(',')}}`),
    fc.array(fc.tuple(blank, tie('document'), blank), { maxLength: 4 }).map((all) => `[${all.map((m) => m.join(''))}]`),
  ),
  member: fc.tuple(blank, key, blank, blank, tie('document')).map(([a, k, b, c, d]) => `${a}${k}${b}:${c}${d}`),
}));

test(`invariant 10: every text reads as the lossless parser reads it ${TITLE}`, () => {
  fc.assert(
    fc.property(document, (json) => {
      expect(jsonText(parseExact(json))).toBe(jsonText(lossless(json)));
    }),
    RUNS,
  );
});

test(`a text whose numbers can be marked reads as the lossless parser reads it ${TITLE}`, () => {
  let marked = 0;
  fc.assert(
    fc.property(document, (json) => {
      const value = parseMarked(json);
      if (value === undefined) return;
      marked += 1;
      expect(jsonText(value)).toBe(jsonText(lossless(json)));
    }),
    RUNS,
  );
  expect(marked).toBeGreaterThan(RUNS.numRuns / 10);
});

test(`marks make no wrong text right, and no right text wrong ${TITLE}`, () => {
  const mangled = fc
    .tuple(document, fc.nat(), fc.constantFrom('', ',', '"', '}', '1', '-', '\\', '01557702098194904123', '1.', ':'))
    .map(([json, at, put]) => {
      const cut = at % (json.length + 1);
      return json.slice(0, cut) + put + json.slice(cut + 1);
    });
  const accepts = (read: (json: string) => unknown, json: string): boolean => {
    try {
      read(json);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(SyntaxError);
      return false;
    }
  };
  fc.assert(
    fc.property(mangled, (json) => {
      expect(accepts(parseExact, json)).toBe(accepts(JSON.parse, json));
    }),
    RUNS,
  );
});

test(`what the quick look lets through changes no number ${TITLE}`, () => {
  fc.assert(
    fc.property(document, (json) => {
      const value: unknown = JSON.parse(json);
      if (mayChangeMember(json) || holdsLooseNumber(value)) return;
      expect(jsonText(value)).toBe(jsonText(lossless(json)));
    }),
    RUNS,
  );
});

test.each([
  ['{"Id":1557702098194904123}', '{"Id":1557702098194904123}'],
  // The last of two equal keys counts, and its number is not the one that looks harmless.
  ['{"Id":5,"Id" :1.0}', '{"Id":1.0}'],
  ['{"Id":5,"\\u0049d":1.0}', '{"Id":1.0}'],
  ['{"Id":[1.0],"Id":5}', '{"Id":5}'],
  ['{"Id":\t1.0}', '{"Id":1.0}'],
  ['[1,{"Id":5},-0]', '[1,{"Id":5},-0]'],
  ['1.0', '1.0'],
  // A text that begins with the mark is a text.
  ['{"a":"\\u00911","Id":1557702098194904123}', '{"a":"\u00911","Id":1557702098194904123}'],
  ['{"a":"\u00911","Id":1557702098194904123}', '{"a":"\u00911","Id":1557702098194904123}'],
])('invariant 10: %j is exactly %j', (json, printed) => {
  expect(jsonText(parseExact(json))).toBe(printed);
});

test('an answer as PAI documents it needs neither the long look nor the lossless parser', () => {
  const page = JSON.stringify(JSON.parse(sample('ListPipelineRuns')));
  expect(mayChangeMember(page)).toBe(false);
  expect(holdsLooseNumber(JSON.parse(page))).toBe(false);
});

test('a page with account ids as bare numbers is marked, and the lossless parser is not needed', () => {
  const page = '{"PipelineRuns":[{"Name":"a \\"b\\":1.0","UserId":1557702098194904123,"Duration":60}]}';
  expect(changesNumbers(page)).toBe(true);
  const userId = new LosslessNumber('1557702098194904123');
  expect(parseMarked(page)).toEqual({ PipelineRuns: [{ Name: 'a "b":1.0', UserId: userId, Duration: 60 }] });
});
