import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDeep, printDeep } from '../../src/pai/deep-json.js';
import { parseExact } from '../../src/pai/json.js';

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);

test(`reads and prints what the usual parser and printer do (TEST_SEED=${seed})`, () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('', ' ', '\n\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(JSON.parse(printDeep(parseDeep(text)))).toEqual(JSON.parse(text));
      expect(printDeep(parseExact(text))).toBe(printDeep(parseDeep(text)));
    }),
    { seed, numRuns: 300 },
  );
});

test('invariant 10: numbers come through digit by digit, at any depth', () => {
  const deep = (inner: string) => `${'{"a":['.repeat(100_000)}${inner}${']}'.repeat(100_000)}`;
  const text = deep('12345678901234567890,1.50,-0,1e400,"\\u0000"');
  expect(printDeep(parseExact(text))).toBe(text);
});

test('the last of two equal keys stays, and __proto__ is a key like any other', () => {
  const text = '{"a":1,"a":2,"__proto__":{"b":1}}';
  expect(printDeep(parseDeep(text))).toBe('{"a":2,"__proto__":{"b":1}}');
});

test.each([
  '',
  ' ',
  '[',
  '{',
  ']',
  '[1,]',
  '[,1]',
  '[1 2]',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{a:1}',
  '{"a":1]',
  '[1}',
  '1 1',
  '01',
  '1.',
  '.5',
  '-',
  'nul',
  'nullnull',
  '"a',
  '"\n"',
  '"\\x"',
  '\ufeff{}',
  '[1]x',
  ':',
  '{1:2}',
])('refuses %j, as JSON.parse does', (text) => {
  expect(() => JSON.parse(text)).toThrow(SyntaxError);
  expect(() => parseDeep(text)).toThrow(SyntaxError);
});
