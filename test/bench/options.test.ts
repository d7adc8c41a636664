import { describe, expect, test } from 'vitest';
import { OptionsEnd, parseOptions, SCENARIOS } from '../../bench/options.js';

const parse = (...argv: string[]) => parseOptions(argv, () => {});

/** Exit code and what was printed. */
function refusal(...argv: string[]): [number, string] {
  let printed = '';
  try {
    parseOptions(argv, (text) => {
      printed += text;
    });
  } catch (error) {
    if (error instanceof OptionsEnd) return [error.exitCode, printed];
    throw error;
  }
  throw new Error('was not refused');
}

describe('the command line of the bench', () => {
  test('measures everything at the size of the goals by default', () => {
    const options = parse();
    expect(options.only).toEqual(SCENARIOS);
    expect(options).toMatchObject({ runs: 1_000_000, smallRuns: 10_000, active: 5_000, check: false, profile: null });
  });

  test('takes sizes and scenarios', () => {
    const options = parse('--runs', '100000', '--only', 'first-load,idle', '--only=poll', '--check');
    expect(options).toMatchObject({ runs: 100_000, only: ['first-load', 'idle', 'poll'], check: true });
  });

  test('is small for a smoke test, but for the sizes that are given', () => {
    const options = parse('--smoke', '--active', '7');
    expect(options.runs).toBeLessThan(50_000);
    expect(options.active).toBe(7);
  });

  test('names what it does not understand, and what it expects', () => {
    expect(refusal('--only', 'first-load,nonsense')).toEqual([2, expect.stringContaining('found nonsense, expected')]);
    expect(refusal('--runs', '1e6')).toEqual([2, expect.stringContaining('found 1e6, expected a whole number')]);
    expect(refusal('--runs', '0')).toEqual([2, expect.stringContaining('at least 1')]);
    expect(refusal('--rums', '5')).toEqual([2, expect.stringContaining('--rums')]);
    expect(refusal('extra')[0]).toBe(2);
  });

  test('explains itself', () => {
    const [code, text] = refusal('--help');
    expect(code).toBe(0);
    for (const name of SCENARIOS) expect(text).toContain(name);
  });
});
