import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isNumeric, isObject, jsonText, mayHoldUnstorable, numberText, parseExact } from '../../src/pai/json.js';

/** A JSON number as some server might write it. */
const numberToken = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((float) => JSON.stringify(float)),
  fc.stringMatching(/^-?(0|[1-9]\d{0,24})(\.\d{1,24})?([eE][+-]?\d{1,3})?$/),
  fc.constantFrom('-0', '0.0', '-0.0', '1.0', '1e2', '9007199254740993', '1557702098194904123', '0.1', '1E400'),
);

const space = fc.constantFrom('', ' ', '\n', '\t', '\r\n  ');
const quoted = fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text));

/** JSON text written out by hand, so that no printer normalises its numbers. */
const { document } = fc.letrec<{ document: string; object: string; array: string }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 4 },
    numberToken,
    quoted,
    fc.constantFrom('true', 'null'),
    tie('object'),
    tie('array'),
  ),
  object: fc
    .tuple(fc.uniqueArray(quoted, { maxLength: 4 }), fc.array(tie('document'), { minLength: 4, maxLength: 4 }), space)
    .map(([keys, values, s]) => `{${s}${keys.map((key, i) => `${key}${s}:${s}${values[i]}`).join(`${s},${s}`)}${s}}`),
  array: fc
    .tuple(fc.array(tie('document'), { maxLength: 4 }), space)
    .map(([values, s]) => `[${values.join(`${s},`)}${s}]`),
}));

/** The number tokens outside strings, in order: an independent reading of the text. */
const tokensOf = (text: string): string[] =>
  [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs)]
    .map(String)
    .filter((t) => !t.startsWith('"'));

/** Keys that look like integers change places in a JavaScript object, so the order is left out. */
const sorted = (tokens: string[]): string[] => [...tokens].sort();

function numbersIn(value: unknown): string[] {
  if (isNumeric(value)) return [numberText(value)];
  if (Array.isArray(value)) return value.flatMap(numbersIn);
  return isObject(value) ? Object.values(value).flatMap(numbersIn) : [];
}

test('whatever numbers a JSON text holds, each is read exactly as it stands', () => {
  fc.assert(
    fc.property(document, (text) => {
      expect(sorted(numbersIn(parseExact(text)))).toEqual(sorted(tokensOf(text)));
    }),
    { numRuns: 2000 },
  );
});

test('a parsed value is printed with the numbers that it came with, and reads the same again', () => {
  fc.assert(
    fc.property(document, (text) => {
      const printed = jsonText(parseExact(text));
      expect(sorted(tokensOf(printed))).toEqual(sorted(tokensOf(text)));
      expect(JSON.parse(printed)).toEqual(JSON.parse(text));
    }),
    { numRuns: 1000 },
  );
});

test('both parsers refuse the same texts', () => {
  const mangled = fc
    .tuple(document, fc.nat(), fc.constantFrom('', ',', '"', '}', '1', '-', '\\'))
    .map(([text, at, put]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + put + text.slice(cut + 1);
    });
  const accepts = (parse: (text: string) => unknown, text: string): boolean => {
    try {
      parse(text);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(SyntaxError);
      return false;
    }
  };
  fc.assert(
    fc.property(mangled, (text) => {
      expect(accepts(parseExact, text)).toBe(accepts(JSON.parse, text));
    }),
    { numRuns: 2000 },
  );
});

test('of two equal keys the last one counts, in both parsers', () => {
  expect(parseExact('{"a": 1, "a": 2}')).toEqual({ a: 2 });
  expect(jsonText(parseExact('{"a": 1, "a": 12345678901234567890}'))).toBe('{"a":12345678901234567890}');
});

test('a key called __proto__ is a key like any other', () => {
  for (const number of ['1', '12345678901234567890']) {
    expect(jsonText(parseExact(`{"__proto__": {"a": ${number}}}`))).toBe(`{"__proto__":{"a":${number}}}`);
  }
});

test('a text whose strings PostgreSQL cannot hold is always suspected', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('\0', '\ud800', '\udfff', '\u0000x'), (text, bad) => {
      expect(mayHoldUnstorable(JSON.stringify({ a: [text + bad] }))).toBe(true);
    }),
  );
  expect(mayHoldUnstorable('{"a": "\\u00e4 plain \\n text"}')).toBe(false);
});
