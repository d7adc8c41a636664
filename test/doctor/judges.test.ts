/** What facts mean: the cases that a healthy machine cannot bring about by itself. */
import { describe, expect, test } from 'vitest';
import { exitCodeOf, type Finding, failed, ok, runChecks, skipped, warning } from '../../src/cli/doctor/check.js';
import {
  judgeConnections,
  judgeDisk,
  judgePartitions,
  judgeRights,
  judgeVersion,
} from '../../src/cli/doctor/judge-database.js';
import { duration, judgeFreshness, judgeLeases, judgeSums } from '../../src/cli/doctor/judge-mirror.js';
import { judgeCallFailure, judgeClock, judgeClocksAlone, judgeProbe } from '../../src/cli/doctor/judge-pai.js';
import { reportText } from '../../src/cli/doctor/report.js';
import { PaiError } from '../../src/domain/errors.js';
import type { EmbeddedLook } from '../../src/embedded/look.js';
import { compareDumps } from '../../src/store/inspect/schema-diff.js';
import type { ServerFacts } from '../../src/store/inspect/server.js';

const server: ServerFacts = { versionNum: 180_004, version: '18.4', isStandby: false, isReadOnly: false, now: 0 };

test.each([
  [130_014, 'failed'],
  [139_999, 'failed'],
  [140_000, 'ok'],
  [180_004, 'ok'],
])('a server of version %d: %s', (versionNum, verdict) => {
  expect(judgeVersion({ ...server, versionNum })).toMatchObject({ verdict });
});

test.each([
  [0, 'ok', 'within a minute'],
  [-60_000, 'ok', 'within a minute'],
  [61_000, 'warning', '61 s ahead of'],
  [-899_000, 'warning', '15 minutes behind'],
  [900_000, 'failed', '15 minutes ahead of'],
  [-1_200_000, 'failed', '20 minutes behind'],
])('a clock that is %d ms ahead: %s', (aheadMs, verdict, found) => {
  for (const whose of ['this machine', 'the database'] as const)
    expect(judgeClock(whose, aheadMs)).toMatchObject({
      subject: whose,
      verdict,
      found: expect.stringContaining(found),
    });
});

test('clocks of which PAI tells nothing are compared with each other, and none is called wrong', () => {
  expect(judgeClock('this machine', null)).toMatchObject({ verdict: 'skipped' });
  expect(judgeClocksAlone(30_000)).toMatchObject({ verdict: 'ok' });
  expect(judgeClocksAlone(-3_000_000)).toMatchObject({
    verdict: 'warning',
    found: expect.stringContaining('50 minutes behind'),
  });
});

test('rights: everything that is missing is told at once', () => {
  const rights = {
    user: 'm"x',
    database: 'd',
    mayCreateSchemas: false,
    mayUseTemporary: false,
    hasSchema: false,
    foreign: [],
    foreignCount: 0,
    lacks: [],
    lacksCount: 0,
  };
  const judged = judgeRights(rights, { ...server, isStandby: true });
  expect(judged.map(({ subject, verdict }) => `${subject} ${verdict}`)).toEqual([
    'writing failed',
    'temporary tables failed',
    'schema pai failed',
  ]);
  expect(judged[2]?.remedy).toContain('GRANT CREATE ON DATABASE "d" TO "m""x"');
  expect(judgeRights({ ...rights, mayCreateSchemas: true, mayUseTemporary: true }, server)).toMatchObject([
    { verdict: 'ok' },
  ]);
  expect(
    judgeRights({ ...rights, hasSchema: true, mayUseTemporary: true }, server),
    'made by somebody before',
  ).toMatchObject([{ verdict: 'ok' }]);
});

test('connections: the tightest bound counts', () => {
  const room = {
    user: 'm',
    database: 'd',
    max: 97,
    used: 10,
    roleMax: null,
    roleUsed: 5,
    databaseMax: null,
    databaseUsed: 5,
    databaseBytes: 1,
  };
  expect(judgeConnections(room)).toMatchObject({
    verdict: 'ok',
    found: '10 of 97 connections of the server are in use',
  });
  expect(judgeConnections({ ...room, used: 94 })).toMatchObject({
    verdict: 'warning',
    remedy: expect.stringContaining('max_connections'),
  });
  expect(judgeConnections({ ...room, roleMax: 8 })).toMatchObject({
    verdict: 'warning',
    found: expect.stringContaining('5 of 8 connections of the role'),
    remedy: expect.stringContaining('ALTER ROLE "m" CONNECTION LIMIT 13'),
  });
});

test('free disk: of the embedded server, where it can be seen', () => {
  const look = { directory: '/data', freeBytes: 10e9, totalBytes: 20e9 } as EmbeddedLook;
  expect(judgeDisk(5e9, look)).toMatchObject({
    verdict: 'ok',
    found: 'the database holds 5.0 GB; 10.0 GB are free at /data',
  });
  expect(judgeDisk(5e9, { ...look, freeBytes: 1.5e9 })).toMatchObject({ verdict: 'warning' });
  expect(judgeDisk(null, { ...look, freeBytes: 100e6 })).toMatchObject({
    verdict: 'failed',
    found: '100 MB are free at /data',
  });
  expect(judgeDisk(5e9, null)).toMatchObject({ verdict: 'ok', found: expect.stringContaining('cannot be seen') });
});

test('neither a partition of this month nor a default one: nothing can be stored', () => {
  const months = [
    { month: '2026-11', exists: false },
    { month: '2026-12', exists: true },
  ];
  const [ahead, rest] = judgePartitions({ months, hasDefault: false, inDefault: 0 });
  expect(ahead).toMatchObject({ verdict: 'failed', found: expect.stringContaining('nothing can be stored') });
  expect(rest).toMatchObject({ subject: 'default', verdict: 'warning' });
});

describe('freshness', () => {
  const row = {
    scope: 'cn-a:1',
    stream: 'nodes',
    ageSeconds: 10,
    lastStartedSeconds: 10,
    lastError: null,
    failedInARow: 0,
    holder: null,
  };
  const scopes = [{ region: 'cn-a', workspaceId: '1' }];
  const judge = (change: Partial<typeof row | { ageSeconds: null }>, period = 30) =>
    judgeFreshness({ rows: [{ ...row, ...change } as typeof row], scopes, periodOf: () => period })[0];

  test.each([
    [899, 30, 'ok'],
    [901, 30, 'warning'],
    [3_601, 30, 'failed'],
    [3_601, 21_600, 'ok'],
    [43_201, 21_600, 'warning'],
    [86_401, 21_600, 'failed'],
  ])('%d s since the last success, every %d s: %s', (ageSeconds, period, verdict) => {
    expect(judge({ ageSeconds, lastStartedSeconds: ageSeconds }, period)).toMatchObject({ verdict });
  });

  test('never: a failure once passes have failed, a warning while the first one runs', () => {
    const first = { ageSeconds: null, lastStartedSeconds: 20 } as never;
    expect(judge(first)).toMatchObject({ verdict: 'warning', found: 'has never succeeded' });
    expect(judge({ ...(first as object), failedInARow: 2, lastError: 'no' as never })).toMatchObject({
      verdict: 'failed',
      found: 'has never succeeded, 2 passes failed; the last pass: no',
    });
  });

  test('a scope of region:* counts as configured, another one does not', () => {
    const all = [
      { region: 'cn-a', workspaceId: '*' as const },
      { region: 'cn-b', workspaceId: '2' },
    ];
    const stale = { ...row, ageSeconds: 1e6, lastStartedSeconds: 1e6 };
    const judged = judgeFreshness({ rows: [stale, { ...stale, scope: 'cn-c:1' }], scopes: all, periodOf: () => 30 });
    expect(judged.map(({ subject, verdict }) => [subject, verdict])).toEqual([
      ['cn-b:2', 'warning'],
      ['cn-a:1 nodes', 'failed'],
    ]);
  });
});

test('leases: one that a clock ahead has written, and the many of one holder in one line', () => {
  const lease = { scope: 'cn-a:1', stream: 'nodes', holder: 'h/1/x', acquiredAt: '', secondsLeft: 20 };
  const beyond = judgeLeases([{ ...lease, secondsLeft: 1e6 }], () => false);
  expect(beyond).toMatchObject([{ verdict: 'warning', found: expect.stringContaining('clock was ahead') }]);
  const many = ['a', 'b', 'c', 'd', 'e'].map((stream) => ({ ...lease, stream }));
  expect(judgeLeases(many, () => false)).toEqual([
    ok('h/1/x', 'runs a of cn-a:1, b of cn-a:1, c of cn-a:1 and 2 more'),
  ]);
  expect(
    judgeLeases([{ ...lease, secondsLeft: -30 }], () => false),
    'a moment late',
  ).toMatchObject([{ verdict: 'ok' }]);
  expect(duration(90)).toBe('90 s');
});

test('sums: many that are due only make views slow', () => {
  expect(judgeSums(500)).toMatchObject({ verdict: 'ok' });
  expect(judgeSums(50_000)).toMatchObject({ verdict: 'warning' });
});

test('an endpoint that answers 5xx is a warning, one that refuses what is unsigned is fine', () => {
  const probe = { reached: 'http', error: null, aheadMs: 0, tookMs: 5 } as const;
  const what = { product: 'paiflow', region: 'cn-a', host: 'h' } as const;
  expect(judgeProbe(what, { ...probe, httpStatus: 400 })).toMatchObject({ verdict: 'ok' });
  expect(judgeProbe(what, { ...probe, httpStatus: 502 })).toMatchObject({ verdict: 'warning' });
});

test('each failure of a call has its own remedy', () => {
  const codes =
    'FORBIDDEN KEYS_REFUSED TOKEN_EXPIRED CLOCK_OFF THROTTLED NOT_FOUND UNKNOWN_OPERATION NETWORK TIMEOUT BAD_ANSWER UNAVAILABLE REFUSED';
  const remedies = codes.split(' ').map((code) => {
    const error = new PaiError('no', {
      code: `PAI_${code}`,
      retryable: false,
      blast: 'scope',
      operation: 'GetPipelineRun',
    });
    return judgeCallFailure('s', 'GetPipelineRun', '1', error).remedy;
  });
  expect(new Set(remedies).size).toBe(remedies.length);
  expect(remedies[0]).toContain('paiflow:GetPipelineRun');
});

describe('two dumps of a schema', () => {
  const FUNCTION = `CREATE OR REPLACE FUNCTION pai.f(a text)\n RETURNS text\nAS $$\n\n  body\n\n$$;\ncomment on function pai.f(a text) is 'x';`;
  const TABLE = `create table pai.t (\n  a text not null,\n  b text\n);\nCREATE INDEX t_a ON pai.t USING btree (a);\ncomment on table pai.t is 'x';`;
  const dump = (...parts: string[]): string => `${parts.join('\n\n')}\n`;
  const same = dump(FUNCTION, TABLE, 'view analytics.v (\n  a text\n);');

  test('that are the same do not differ, empty lines in a function included', () => {
    expect(compareDumps(same, same)).toEqual([]);
  });

  test.each([
    ['a column at the end', same.replace('  b text\n', '  b text,\n  c text\n'), 'table pai.t', [], ['c text']],
    ['a column in the middle gone', same.replace('  a text not null,\n', ''), 'table pai.t', ['a text not null'], []],
    ['the body of a function', same.replace('  body', '  other'), 'function pai.f', ['body'], ['other']],
    [
      'an index gone',
      same.replace(/CREATE INDEX.*\n/, ''),
      'table pai.t',
      ['CREATE INDEX t_a ON pai.t USING btree (a);'],
      [],
    ],
  ])('%s', (_, actual, object, missing, extra) => {
    expect(compareDumps(same, actual)).toEqual([{ object, whole: null, missing, extra, comments: 0 }]);
  });

  test('objects that are missing or too many, and comments', () => {
    const other = dump(FUNCTION.replace("is 'x'", "is 'y'"), 'create unlogged table pai.u (\n  a text\n);', TABLE);
    expect(compareDumps(same, other).map(({ object, whole, comments }) => [object, whole, comments])).toEqual([
      ['function pai.f', null, 1],
      ['table pai.u', 'extra', 0],
      ['view analytics.v', 'missing', 0],
    ]);
  });
});

describe('the loop', () => {
  test('skips what needs something that failed, also by way of others, and goes on with the rest', async () => {
    const ran: string[] = [];
    const check = (name: string, needs: string[], judged = ok(null, 'good')) => ({
      name,
      needs,
      run: () => {
        ran.push(name);
        return [judged];
      },
    });
    const { findings, hung } = await runChecks([
      check('a', [], failed(null, 'bad', 'mend it')),
      check('b', ['a']),
      check('c', ['b']),
      check('d', [], warning(null, 'odd', 'look')),
      check('e', ['d']),
      { ...check('f', []), isUsable: () => false },
      check('g', ['f']),
    ]);
    expect(ran).toEqual(['a', 'd', 'e', 'f']);
    expect(findings.filter(({ verdict }) => verdict === 'skipped')).toEqual(
      [
        ['b', 'needs a'],
        ['c', 'needs a'],
        ['g', 'needs f'],
      ].map(([name, found]) => ({ check: name, ...skipped(null, found ?? '') })),
    );
    expect(hung).toBe(false);
  });

  test('invariant 9: a check that never ends is a failure, and one that throws is another', async () => {
    let aborted = false;
    const { findings, hung } = await runChecks([
      {
        name: 'endless',
        timeoutMs: 20,
        run: (signal) => {
          signal.addEventListener('abort', () => {
            aborted = true;
          });
          return new Promise(() => {});
        },
      },
      {
        name: 'broken',
        run: () => {
          throw new Error('of all things');
        },
      },
      { name: 'good', run: () => [ok(null, 'good')] },
    ]);
    expect(findings.map(({ check, verdict, found }) => [check, verdict, found])).toEqual([
      ['endless', 'failed', 'no result within 0.02 s'],
      ['broken', 'failed', 'of all things'],
      ['good', 'ok', 'good'],
    ]);
    expect([hung, aborted]).toEqual([true, true]);
  });
});

test('the exit code: 2 for the configuration, 1 for anything else that failed, 0 with warnings', () => {
  const of = (...findings: Omit<Finding, 'found' | 'remedy' | 'subject'>[]) =>
    exitCodeOf(findings.map((one) => ({ ...one, subject: null, found: '', remedy: null })));
  expect(
    of({ check: 'a', verdict: 'ok' }, { check: 'b', verdict: 'warning' }, { check: 'c', verdict: 'skipped' }),
  ).toBe(0);
  expect(of({ check: 'a', verdict: 'failed' })).toBe(1);
  expect(of({ check: 'configuration', verdict: 'warning' }, { check: 'a', verdict: 'failed' })).toBe(1);
  expect(of({ check: 'configuration', verdict: 'failed' }, { check: 'a', verdict: 'failed' })).toBe(2);
});

test('the report: aligned within a check, the remedy below, what was skipped for one reason in one line', () => {
  const text = reportText(
    [
      { check: 'clock', ...ok('this machine', 'right') },
      { check: 'clock', ...failed('the database', '20 minutes behind', 'run NTP\nsoon') },
      { check: 'partitions', ...warning(null, 'one is missing', 'make it') },
      { check: 'permission', ...skipped('GetPipelineRun cn-a:1', 'no run') },
      { check: 'leases', ...skipped(null, 'needs database') },
      { check: 'sums', ...skipped(null, 'needs database') },
    ],
    { colours: false },
  );
  expect(text).toBe(`✓ clock       this machine  right
✗ clock       the database  20 minutes behind
              → run NTP
                soon
! partitions  one is missing
              → make it
- permission  GetPipelineRun cn-a:1  no run
- not looked at (needs database): leases, sums

1 failed, 1 warning, 3 not looked at.`);
  expect(reportText([], { colours: true })).toContain('All well');
});
