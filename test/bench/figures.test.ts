import { describe, expect, test } from 'vitest';
import { type Figure, figureCells, isMissed, shortNumber, verdictOf } from '../../bench/figures.js';
import { callsText, pagesOf } from '../../bench/minimum.js';
import { formatTable } from '../../bench/table.js';

const figure = (fields: Partial<Figure>): Figure => ({
  ...{ scenario: 's', name: 'f', measured: 60, floor: 100, floorName: 'COPY', goal: null },
  ...fields,
});

describe('a verdict', () => {
  test.each<[string, Partial<Figure>, string]>([
    ['is empty without a goal', {}, ''],
    ['takes the ratio', { goal: { of: 'ratio', atLeast: 0.6 } }, 'ok'],
    ['is strict', { goal: { of: 'ratio', atLeast: 0.61 } }, 'missed'],
    ['has upper bounds, too', { goal: { of: 'ratio', atMost: 0.5 } }, 'missed'],
    ['takes the figure itself', { goal: { of: 'measured', atMost: 60 } }, 'ok'],
    ['prefers the ratio that was given', { ratio: 0.1, goal: { of: 'ratio', atLeast: 0.6 } }, 'missed'],
    ['is missed where there is nothing to compare', { floor: null, goal: { of: 'ratio', atLeast: 0.6 } }, 'missed'],
    ['is missed where the floor is zero', { floor: 0, goal: { of: 'ratio', atMost: 9 } }, 'missed'],
    ['is missed for no number', { measured: Number.NaN, goal: { of: 'measured', atMost: 9 } }, 'missed'],
  ])('%s', (_title, fields, expected) => {
    expect(verdictOf(figure(fields))).toBe(expected);
    expect(isMissed(figure(fields))).toBe(expected === 'missed');
  });
});

test.each([
  [1_234_567.8, '1,234,568'],
  [200, '200'],
  [12.345, '12.3'],
  [0.012345, '0.0123'],
  [0, '0'],
])('%d is written as %s', (value, text) => expect(shortNumber(value)).toBe(text));

test('a figure is told beside its floor, and what the floor is', () => {
  const cells = figureCells(figure({ goal: { of: 'ratio', atLeast: 0.6 } }));
  expect(cells).toEqual(['f', '60', '100 (COPY)', '0.60', 'ratio ≥ 0.6', 'ok']);
});

test('the table is Markdown, its columns as wide as their widest cell', () => {
  expect(formatTable(['a', 'figure'], [['1|2', 'x']])).toEqual([
    '| a    | figure |',
    '| ---- | ------ |',
    '| 1\\|2 | x      |',
  ]);
});

test('the fewest calls are one a page, and one for a scope without rows', () => {
  expect([0, 1, 100, 101].map((rows) => pagesOf(rows, 100))).toEqual([1, 1, 1, 2]);
  expect(callsText(212, 200)).toBe('212 calls, at least 200 (1.060 times)');
});
