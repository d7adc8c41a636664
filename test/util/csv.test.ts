import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTime } from '../../src/domain/export.js';
import { CsvScanner } from '../../src/util/csv.js';

function scan(text: string, pieces = 1): CsvScanner {
  const scanner = new CsvScanner();
  const bytes = Buffer.from(text);
  const size = Math.max(1, Math.ceil(bytes.length / pieces));
  for (let start = 0; start < bytes.length; start += size) scanner.write(bytes.subarray(start, start + size));
  scanner.end();
  return scanner;
}

const written = (field: string | null): string =>
  field === null ? '' : /[",\r\n]/.test(field) || field === '' ? `"${field.replaceAll('"', '""')}"` : field;

describe('a CSV text', () => {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  it(`is counted whatever is in its fields, and however it is cut (TEST_SEED=${seed})`, () => {
    const field = fc.option(fc.oneof(fc.string(), fc.stringMatching(/^[",\r\n é漢a]*$/)), { nil: null });
    const table = fc
      .integer({ min: 2, max: 5 })
      .chain((width) => fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1 }));
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 50 }), (rows, pieces) => {
        const header = (rows[0] ?? []).map((_, index) => `column_${index}`);
        const text = [header, ...rows.map((row) => row.map(written))].map((row) => `${row.join(',')}\n`).join('');
        const scanner = scan(text, pieces);
        expect(scanner.faults).toEqual([]);
        expect(scanner.records).toBe(rows.length);
        expect(scanner.header).toEqual(header);
      }),
      { seed },
    );
  });

  it.each([
    ['a,b\n1,2,3\n', 'record 1 has 3 fields, expected 2'],
    ['a,b\n1,2\n1\n', 'record 2 has 1 fields, expected 2'],
    ['a,b\n1,"2\n', 'record 1 ends within quotes'],
    ['a,b\n1,2', 'record 1 does not end with a line end'],
    ['a,b\n1,"2"x\n', 'record 1 has text behind a closing quote'],
    ['a,b\n1,2"3\n', 'record 1 has a quote inside a field without quotes'],
    ['', 'record 1 has no header'],
  ])('%j: %s', (text, fault) => {
    expect(scan(text).faults).toContain(fault);
  });

  it('names the first faults and counts them all', () => {
    const scanner = scan(`a,b\n${'1\n'.repeat(100)}`);
    expect([scanner.faults.length, scanner.faultCount, scanner.records]).toEqual([5, 100, 100]);
  });

  it('keeps the quoted names of a header', () => {
    expect(scan('run_id,"timestamp","a""b"\n').header).toEqual(['run_id', 'timestamp', 'a"b']);
  });
});

describe('a time on the command line', () => {
  it.each([
    ['2026-01-31', '2026-01-31T00:00:00.000000Z'],
    ['2026-01-31T08:15Z', '2026-01-31T08:15:00.000000Z'],
    ['2026-01-31T08:15:30.123456+08:00', '2026-01-31T00:15:30.123456Z'],
    ['2026-01-31 08:15', '2026-01-31T08:15:00.000000Z'],
    ['2026-02-30', null],
    ['2026-13-01', null],
    ['2026-01-31T25:00Z', null],
    ['yesterday', null],
    ['2026', null],
  ])('%s is %s', (text, expected) => {
    expect(parseTime(text)).toBe(expected);
  });
});
