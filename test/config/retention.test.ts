import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config.js';
import { ageText, parseAge, prunesAnything } from '../../src/domain/retention.js';

const read = (env: Record<string, string>) => parseConfig(env, { scopes: false }).retention;

function mistakeOf(env: Record<string, string>): string {
  try {
    read(env);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('expected a mistake');
}

describe('RETENTION_*', () => {
  it('unset, and with rules that only keep, nothing is ever pruned', () => {
    expect(prunesAnything(read({}))).toBe(false);
    expect(
      prunesAnything(read({ RETENTION_RULES: '*/*=keep', RETENTION_EXPERIMENTS: '*=keep', RETENTION_HISTORY: 'keep' })),
    ).toBe(false);
    for (const name of ['HISTORY', 'PASSES', 'QUARANTINE'])
      expect(prunesAnything(read({ [`RETENTION_${name}`]: '2y' })), name).toBe(true);
    expect(prunesAnything(read({ RETENTION_EXPERIMENTS: '*=1d' }))).toBe(true);
  });

  it('reads rules in their order, whatever the blanks', () => {
    const { runs, experiments, history } = read({
      RETENTION_RULES: ' cn-shanghai:15945 / Failed = keep,cn-shanghai:*/Succeeded=180d, */* = 2y ,',
      RETENTION_EXPERIMENTS: 'cn-shanghai:*=26w',
      RETENTION_HISTORY: '36m',
    });
    expect(runs).toEqual([
      {
        text: 'cn-shanghai:15945/Failed=keep',
        scope: { region: 'cn-shanghai', workspaceId: '15945' },
        outcome: 'Failed',
        age: null,
      },
      {
        text: 'cn-shanghai:*/Succeeded=180d',
        scope: { region: 'cn-shanghai', workspaceId: '*' },
        outcome: 'Succeeded',
        age: { number: 180, unit: 'day' },
      },
      { text: '*/*=2y', scope: null, outcome: null, age: { number: 2, unit: 'year' } },
    ]);
    expect(experiments).toEqual([
      {
        text: 'cn-shanghai:*=26w',
        scope: { region: 'cn-shanghai', workspaceId: '*' },
        outcome: null,
        age: { number: 26, unit: 'week' },
      },
    ]);
    expect(history).toEqual({ number: 36, unit: 'month' });
  });

  it.each([
    [{ RETENTION_RULES: '*/*' }, 'RETENTION_RULES: found "*/*", expected one = in it'],
    [{ RETENTION_RULES: '*/*=1d=2d' }, 'expected one = in it'],
    [{ RETENTION_RULES: '*=1d' }, 'RETENTION_RULES: found "*=1d", expected SCOPE/OUTCOME=AGE'],
    [{ RETENTION_EXPERIMENTS: '*/Failed=1d' }, 'RETENTION_EXPERIMENTS: found "*/Failed=1d", expected SCOPE=AGE'],
    [
      { RETENTION_RULES: '15945/*=1d' },
      'found scope "15945" in "15945/*=1d", expected *, region:* or region:workspaceId',
    ],
    [
      { RETENTION_RULES: '*/Success=1d' },
      'found outcome "Success" in "*/Success=1d", expected one of Succeeded, Failed, Terminated, Skipped or *',
    ],
    [{ RETENTION_RULES: '*/Running=1d' }, 'found outcome "Running"'],
    [{ RETENTION_RULES: '*/*=0d' }, 'found age "0d" in "*/*=0d", expected keep, or a number of days'],
    [{ RETENTION_RULES: '*/*=180' }, 'found age "180"'],
    [{ RETENTION_RULES: '*/*=never' }, 'found age "never"'],
    [{ RETENTION_HISTORY: '2 years' }, 'RETENTION_HISTORY: found "2 years", expected keep, or a number of days'],
    [{ RETENTION_PASSES: '-1d' }, 'RETENTION_PASSES: found "-1d"'],
    [{ RETENTION_QUARANTINE: '1000y' }, 'RETENTION_QUARANTINE: found "1000y"'],
    [{ RETENTION_CRON: 'daily' }, 'RETENTION_CRON: found "daily", expected a cron expression'],
    [
      { RETENTION_RULE: '*/*=1d' },
      'RETENTION_RULE: found a variable that there is not, expected one of RETENTION_RULES',
    ],
    [
      { RETENTION_RULES: '*/*=1y, cn-a:1/Failed=keep' },
      'found "cn-a:1/Failed=keep" behind "*/*=1y", which decides first',
    ],
    [{ RETENTION_RULES: 'cn-a:*/Failed=1y, cn-a:1/Failed=keep' }, 'behind "cn-a:*/Failed=1y"'],
  ])('%j: %s', (env, expected) => {
    expect(mistakeOf(env as Record<string, string>)).toContain(expected);
  });

  it('tells every mistake in one message, and counts variables', () => {
    const message = mistakeOf({ RETENTION_RULES: '*/A=1d, x/*=1d, */*=9', RETENTION_HISTORY: '1', HTTP_PORT: 'x' });
    expect(message).toMatch(/^configuration: 3 variables are wrong\n/);
    for (const text of ['outcome "A"', 'scope "x"', 'age "9"', 'RETENTION_HISTORY', 'HTTP_PORT'])
      expect(message).toContain(text);
  });

  it('lets narrower rules stand in front of wider ones, and side by side', () => {
    for (const rules of [
      'cn-a:1/Failed=keep, cn-a:*/Failed=1y, */Failed=2y, */*=1d',
      'cn-a:1/*=1d, cn-b:1/*=2d',
      '*/Failed=1d, */Succeeded=2d',
    ])
      expect(read({ RETENTION_RULES: rules }).runs.length).toBeGreaterThan(1);
  });

  it('says ages in words that PostgreSQL knows', () => {
    expect(['1d', '2w', '1m', '30y'].map((text) => ageText(parseAge(text) as never))).toEqual([
      '1 day',
      '2 weeks',
      '1 month',
      '30 years',
    ]);
  });
});
