/** The mirror and this machine broken on purpose: `doctor` names the thing, what to do, and nothing else. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { migrate } from '../../src/store/migrate.js';
import { emptyDirectory } from '../support/cli.js';
import { runCommand } from '../support/command.js';
import { startOwnServer } from '../support/own-server.js';
import { doctor, expectProblems, like, patient, problemsOf, run } from './harness.js';

const mirror = patient();

describe('the mirror', () => {
  test('items in quarantine', async () => {
    const url =
      await mirror.brokenCopy(`insert into pai.quarantine (scope, region, stream, operation, entity, raw, fingerprint, error, observed_at, first_seen_at)
      select '${mirror.scope}', 'cn-test', 'nodes', 'GetPipelineRun', 'pipeline_run', '{}', n::text, 'odd', now(), '2026-01-02' from generate_series(1, 3) n`);
    expectProblems(await doctor(mirror.environment(url)), {
      check: 'quarantine',
      subject: null,
      verdict: 'warning',
      found: new RegExp(`3 items.*2026-01-02.*3 of nodes in ${mirror.scope}`),
      remedy: 'pai-mirror quarantine list',
    });
  });

  test('a stream that stands still, and one that fails', async () => {
    const stopped = await mirror.brokenCopy(
      `update pai.sync_passes set started_at = started_at - interval '3 days', finished_at = finished_at - interval '3 days' where stream = 'status'`,
    );
    expectProblems(await doctor(mirror.environment(stopped)), {
      check: 'freshness',
      subject: `${mirror.scope} status`,
      found: 'succeeded 3 days ago',
      remedy: 'no process runs it',
    });
    const failing =
      await mirror.brokenCopy(`insert into pai.sync_passes (scope, stream, fence, started_at, finished_at, outcome, error)
      values ('${mirror.scope}', 'nodes', 9, now(), now(), 'failed', 'PAI said no')`);
    expectProblems(await doctor(mirror.environment(failing)), {
      check: 'freshness',
      subject: `${mirror.scope} nodes`,
      verdict: 'warning',
      found: /1 pass failed since; the last pass: PAI said no/,
      remedy: 'see what the error says',
    });
  });

  test('a lease of a dead process, and one that ran out and that nobody took', async () => {
    // This process has run the sync, and holds nothing any more.
    const held = await mirror.brokenCopy(
      `update pai.sync_leases set expires_at = now() + interval '20 s' where scope = '${mirror.scope}' and stream = 'nodes'`,
    );
    expectProblems(await doctor(mirror.environment(held)), {
      check: 'leases',
      subject: `/${process.pid}/`,
      verdict: 'warning',
      found: `holds nodes of ${mirror.scope}, and that process is gone`,
      remedy: 'takes over',
    });
    const over = await mirror.brokenCopy(
      `update pai.sync_leases set expires_at = now() - interval '5 min', holder = 'elsewhere/7/x' where scope = '${mirror.scope}' and stream = 'details'`,
    );
    expectProblems(await doctor(mirror.environment(over)), {
      check: 'leases',
      subject: 'elsewhere/7/x',
      verdict: 'warning',
      found: /details of .* ran out 5 minutes ago/,
      remedy: 'pai-mirror start',
    });
    const alive = await mirror.brokenCopy(
      `update pai.sync_leases set expires_at = now() + interval '20 s', holder = 'elsewhere/7/x' where scope = '${mirror.scope}' and stream = 'details'`,
    );
    const report = await doctor(mirror.environment(alive));
    expectProblems(report);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ check: 'leases', subject: 'elsewhere/7/x', found: `runs details of ${mirror.scope}` }),
    );
  });

  test('scopes that PAI_SCOPES does not name are not judged', async () => {
    const url =
      await mirror.brokenCopy(`update pai.sync_passes set started_at = started_at - interval '3 days' where scope <> '${mirror.scope}';
      update pai.sync_leases set expires_at = now() - interval '5 min' where scope <> '${mirror.scope}'`);
    expectProblems(await doctor(mirror.environment(url)));
  });

  test('a retention rule for a scope that is not mirrored', async () => {
    const report = await doctor({
      ...mirror.environment(await mirror.brokenCopy()),
      RETENTION_RULES: 'cn-elsewhere:1/*=1y',
    });
    expectProblems(report, {
      check: 'retention',
      subject: 'cn-elsewhere:1/*=1y',
      verdict: 'warning',
      found: 'PAI_SCOPES does not',
      remedy: 'correct the rule',
    });
  });
});

describe('this machine', () => {
  test('a configuration with mistakes: each is named, nothing else is tried, and it is usage', async () => {
    const env = { PAI_SCOPES: 'everywhere', PAI_PAGE_SIZE: '-3', DATABASE_URL: 'mysql://root:hunter2@db/x' };
    const report = await doctor(env);
    expect(report.code).toBe(2);
    expect(problemsOf(report)).toEqual(
      ['PAI_SCOPES', 'DATABASE_URL', 'PAI_PAGE_SIZE'].map((subject) => ({
        check: 'configuration',
        subject,
        verdict: 'failed',
        found: like('expected'),
        remedy: like(`correct ${subject}`),
      })),
    );
    expect(report.text).not.toContain('hunter2');
    const text = await runCommand(['doctor'], { env });
    expect(text.stdout).toMatch(/✗ configuration +PAI_PAGE_SIZE +found "-3", expected .*\n +→ correct PAI_PAGE_SIZE/);
    expect(text.stdout).toMatch(/not looked at \(needs configuration\): data-directory, database,/);
  });

  test('certificates that nobody checks', async () => {
    const env = { ...mirror.environment(await mirror.brokenCopy()), NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    const subject = 'NODE_TLS_REJECT_UNAUTHORIZED';
    const remedy = 'NODE_EXTRA_CA_CERTS';
    const found = 'no certificate is checked';
    expectProblems(await doctor(env), { check: 'configuration', subject, verdict: 'warning', found, remedy });
  });

  test('a variable that nobody reads', async () => {
    const report = await doctor({ ...mirror.environment(await mirror.brokenCopy()), PAI_PAGESIZE: '50' });
    expectProblems(report, {
      check: 'configuration',
      subject: 'PAI_PAGESIZE',
      verdict: 'warning',
      found: 'knows no such variable',
      remedy: 'PAI_PAGE_SIZE may be meant',
    });
  });

  // Nothing is read-only to root.
  test.skipIf(process.getuid?.() === 0)('a data directory that is read-only', async () => {
    const directory = emptyDirectory();
    await chmod(directory, 0o555);
    const { DATABASE_URL: _, ...env } = mirror.environment(mirror.healthy.url);
    const report = await doctor({ ...env, PAI_MIRROR_DATA_DIR: join(directory, 'data') });
    expectProblems(report, {
      check: 'data-directory',
      subject: directory,
      found: 'may not write in',
      remedy: 'PAI_MIRROR_DATA_DIR',
    });
  });

  test('a password file of the embedded database that others may read', async () => {
    const directory = emptyDirectory();
    await writeFile(join(directory, 'password'), 'a'.repeat(48), { mode: 0o644 });
    const { DATABASE_URL: _, ...env } = mirror.environment(mirror.healthy.url);
    const report = await doctor({ ...env, PAI_MIRROR_DATA_DIR: directory });
    expectProblems(report, {
      check: 'data-directory',
      subject: directory,
      found: 'can be read by others',
      remedy: 'chmod 600',
    });
    expect(report.text).not.toContain('aaaaaaaa');
  });

  test('a data directory that cannot be one', async () => {
    const file = join(emptyDirectory(), 'file');
    await writeFile(file, '');
    const { DATABASE_URL: _, ...env } = mirror.environment(mirror.healthy.url);
    const report = await doctor({ ...env, PAI_MIRROR_DATA_DIR: join(file, 'data') });
    expectProblems(report, {
      check: 'data-directory',
      subject: file,
      found: 'is not a directory',
      remedy: 'PAI_MIRROR_DATA_DIR',
    });
  });

  test('an embedded PostgreSQL: looked into while it runs, started by nobody while it does not, without pai_reader', async () => {
    const server = await startOwnServer();
    await migrate({ connectionString: server.url });
    await run(
      server.url,
      `revoke all on schema pai, analytics from pai_reader;
        revoke all on all tables in schema pai, analytics from pai_reader; drop role pai_reader`,
    );
    const { DATABASE_URL: _, ...own } = mirror.environment('');
    const env = { ...own, PAI_MIRROR_DATA_DIR: server.dataDirectory };
    const up = await doctor(env);
    expectProblems(
      up,
      { check: 'reader', subject: null, verdict: 'warning', found: 'no role pai_reader', remedy: 'pai-mirror reader' },
      {
        check: 'freshness',
        subject: null,
        verdict: 'warning',
        found: 'nothing has been mirrored',
        remedy: 'pai-mirror start',
      },
    );
    expect(up.findings).toContainEqual(
      expect.objectContaining({ check: 'disk', found: like(/database holds \d+ MB; .* are free at/) }),
    );
    expect(up.text).not.toContain(new URL(server.url).password);
    await server.down('fast');
    const down = await doctor(env);
    expectProblems(down, {
      check: 'database',
      subject: null,
      verdict: 'warning',
      found: 'embedded PostgreSQL is down',
      remedy: 'pai-mirror start',
    });
  });
});
