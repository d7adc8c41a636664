import { describe, expect, test } from 'vitest';
import { ALL, type Expansion, expandQuery, formatInterval } from '../../grafana/expand.js';

const RANGE: Expansion = {
  from: new Date('2026-01-02T03:04:05.600Z'),
  to: new Date('2026-01-03T00:00:00Z'),
  intervalMs: 1_800_000,
  variables: { scope: ['a', "b'c"], run: 'x"y', pipeline: ALL },
  timezone: 'Asia/Shanghai',
};

describe("Grafana's macros and variables", () => {
  test.each([
    ['$__timeFilter(t.at)', "t.at BETWEEN '2026-01-02T03:04:05.6Z' AND '2026-01-03T00:00:00Z'"],
    ['$__timeFrom() and $__timeTo()', "'2026-01-02T03:04:05.6Z' and '2026-01-03T00:00:00Z'"],
    ['$__timeGroup(at, $__interval) as x', 'floor(extract(epoch from at)/1800)*1800 as x'],
    ["$__timeGroup(at, '1h'), x", 'floor(extract(epoch from at)/3600)*3600 AS "time", x'],
    ['$__timeGroupAlias( at , $__interval )', 'floor(extract(epoch from at)/1800)*1800 AS "time"'],
    ['$__time(at)', 'at AS "time"'],
    ['60000.0 / $__interval_ms', '60000.0 / 1800000'],
    ['in (${scope:sqlstring})', "in ('a','b''c')"],
    ['[[scope:sqlstring]]', "'a','b''c'"],
    // What Grafana does with a double quote is no SQL of PostgreSQL; the value is then simply not found.
    ['= ${run:sqlstring}', `= 'x\\"y'`],
    ["('*' in (${pipeline:sqlstring}))", "('*' in ('*'))"],
    ['${__timezone:sqlstring}', "'Asia/Shanghai'"],
    ['p[1] as "p50", \'{1}\'', 'p[1] as "p50", \'{1}\''],
  ])('%s', (sql, expected) => expect(expandQuery(sql, RANGE)).toBe(expected));

  test.each([
    ['${nobody:sqlstring}', 'there is no variable nobody'],
    ['$scope', 'found format none, expected sqlstring'],
    ['${scope:raw}', 'found format raw, expected sqlstring'],
    ['${scope}', 'found format none, expected sqlstring'],
    ['${scope.text:sqlstring}', 'a path is not understood'],
    ['$__unixEpochFilter(t)', 'found macro $__unixEpochFilter'],
    ['$__timeGroup(at)', 'expected a column and an interval'],
    ["$__timeGroup(at, 'soon')", "found interval 'soon'"],
  ])('%s is refused', (sql, expected) => expect(() => expandQuery(sql, RANGE)).toThrow(expected));

  /** The brackets of a nested call would end the macro too early, in Grafana as well. */
  test('an argument with brackets is cut at the first one', () => {
    expect(expandQuery('$__timeFilter(coalesce(a, b))', RANGE)).toContain('coalesce(a BETWEEN');
  });

  test.each([
    [1, '1ms'],
    [999, '999ms'],
    [90_000, '1m'],
    [1_800_000, '30m'],
    [86_400_000, '1d'],
    [400 * 86_400_000, '1y'],
    [0.5, '1ms'],
  ])('%d ms are %s', (ms, text) => expect(formatInterval(ms)).toBe(text));
});
