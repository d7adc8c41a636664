import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8Text } from '../../src/pai/utf8.js';

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);

const word = fc.constantFrom('a', 'é', '中', '😀', '\u0000', '\ufeff', 'plain text of an answer, ');

test(`a text of any length and any characters comes through, wherever it is cut (TEST_SEED=${seed})`, () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(word, fc.nat(5000)), { maxLength: 8 }), (parts) => {
      const text = parts.map(([part, times]) => part.repeat(times)).join('');
      expect(utf8Text(Buffer.from(text)) === text).toBe(true);
    }),
    { seed, numRuns: 300 },
  );
});

test.each([4093, 4094, 4095, 4096, 4097])('a character of four bytes that begins at byte %i stays whole', (at) => {
  const text = `${'a'.repeat(at)}😀${'b'.repeat(9000)}`;
  expect(utf8Text(Buffer.from(text))).toBe(text);
});

test('a byte order mark is a character like any other, as it was', () => {
  const bytes = Buffer.from(`\ufeff${'a'.repeat(5000)}é`);
  expect(utf8Text(bytes)).toBe(bytes.toString('utf8'));
});
