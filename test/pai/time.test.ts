import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readInstant, readMillis } from '../../src/pai/decode/time.js';

test.each([
  ['2021-01-30T12:51:33.028Z', '2021-01-30T12:51:33.028000Z'],
  ['2021-01-21T17:12:35Z', '2021-01-21T17:12:35.000000Z'],
  ['2021-01-21T17:12Z', '2021-01-21T17:12:00.000000Z'],
  ['2021-01-30T12:51:33.1Z', '2021-01-30T12:51:33.100000Z'],
  ['2021-01-30T12:51:33.123456789Z', '2021-01-30T12:51:33.123456Z'],
  ['2021-01-30T20:51:33.028+08:00', '2021-01-30T12:51:33.028000Z'],
  ['2021-01-30T20:51:33.0281+0800', '2021-01-30T12:51:33.028100Z'],
  ['2020-12-31T20:00-05:30', '2021-01-01T01:30:00.000000Z'],
  ['2024-02-29T00:00:00.000Z', '2024-02-29T00:00:00.000000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000Z'],
  ['0099-01-01T00:00:00+00:00', '0099-01-01T00:00:00.000000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999000Z'],
])('%s is %s', (text, expected) => {
  expect(readInstant(text)).toBe(expected);
});

test.each([
  '2021-02-30T00:00:00.000Z',
  '2021-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2021-13-01T00:00:00.000Z',
  '2021-00-01T00:00:00.000Z',
  '2021-01-00T00:00:00.000Z',
  '2021-04-31T00:00:00.000Z',
  '2021-01-01T25:00:00.000Z',
  '2021-01-01T24:00:00.000Z',
  '2021-01-01T00:60:00.000Z',
  '2021-01-01T00:00:60.000Z',
  '0000-01-01T00:00:00.000Z',
  '0001-01-01T00:00:00+08:00',
  '9999-12-31T23:59:59-08:00',
  '2021-01-01T00:00:00.0000000000Z',
  '2021-01-01T00:00:00+24:00',
  '2021-01-01T00:00:00',
  '2021-01-01',
  '1612011093028',
  'yesterday',
])('%s is no time', (text) => {
  expect(readInstant(text)).toBeNull();
});

test('exactly the days that a calendar has are times', () => {
  const two = (value: number): string => String(value).padStart(2, '0');
  for (const year of ['0000', '0001', '0004', '1900', '2000', '2023', '2024', '9999']) {
    for (let month = 0; month <= 13; month += 1) {
      for (let day = 0; day <= 32; day += 1) {
        const date = `${year}-${two(month)}-${two(day)}`;
        const millis = Date.parse(`${date}T12:51:33.028Z`);
        const there = !Number.isNaN(millis) && new Date(millis).toISOString().startsWith(date) && year !== '0000';
        expect(readInstant(`${date}T12:51:33.028Z`), date).toBe(there ? `${date}T12:51:33.028000Z` : null);
      }
    }
  }
});

test.each(['\n', ' ', '\r\n\t'])('white space behind and before a time is none of it (%j)', (blank) => {
  expect(readInstant(`${blank}2021-01-30T12:51:33.028Z${blank}`)).toBe('2021-01-30T12:51:33.028000Z');
  expect(readInstant(`2021-01-30T12:51Z${blank}`)).toBe('2021-01-30T12:51:00.000000Z');
  expect(readInstant(`2021-01-30${blank}12:51:33.1Z`)).toBe(blank === ' ' ? '2021-01-30T12:51:33.100000Z' : null);
  expect(readInstant(blank)).toBeNull();
});

const anyMillis = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });

test('every moment of the years 1 to 9999 is read from its ISO form, and text order is time order', () => {
  fc.assert(
    fc.property(anyMillis, anyMillis, (a, b) => {
      const iso = [a, b].map((millis) => new Date(millis).toISOString());
      const [first, second] = iso.map((text) => readInstant(text)) as [string, string];
      expect(first).toBe(`${iso[0]?.slice(0, 23)}000Z`);
      expect(first).toBe(readMillis(a));
      expect(Math.sign(a - b)).toBe(first < second ? -1 : first > second ? 1 : 0);
    }),
    { numRuns: 2000 },
  );
});

test('a time with an offset is the same moment in UTC', () => {
  const twoDigits = (value: number) => String(value).padStart(2, '0');
  const inner = fc.integer({ min: -62_000_000_000_000, max: 253_000_000_000_000 });
  fc.assert(
    fc.property(inner, fc.integer({ min: -1439, max: 1439 }), fc.boolean(), (millis, offset, colon) => {
      const local = new Date(millis + offset * 60_000).toISOString().slice(0, 23);
      const minutes = Math.abs(offset);
      const zone = `${twoDigits(Math.floor(minutes / 60))}${colon ? ':' : ''}${twoDigits(minutes % 60)}`;
      expect(readInstant(`${local}${offset < 0 ? '-' : '+'}${zone}`)).toBe(readMillis(millis));
    }),
    { numRuns: 2000 },
  );
});

test('whatever the digits, a text is refused or is a moment that exists', () => {
  const two = fc.integer({ min: 0, max: 99 }).map((value) => String(value).padStart(2, '0'));
  const four = fc.integer({ min: 0, max: 9999 }).map((value) => String(value).padStart(4, '0'));
  fc.assert(
    fc.property(four, two, two, two, two, two, (year, month, day, hour, minute, second) => {
      const text = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
      const millis = Date.parse(text);
      const exists = !Number.isNaN(millis) && new Date(millis).toISOString() === text && year !== '0000';
      expect(readInstant(text)).toBe(exists ? `${text.slice(0, 23)}000Z` : null);
    }),
    { numRuns: 3000 },
  );
});
