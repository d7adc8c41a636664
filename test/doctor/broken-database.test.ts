/** The database broken on purpose: `doctor` names the thing, what to do, and nothing else. */
import { createServer } from 'node:net';
import pg from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { migrate } from '../../src/store/migrate.js';
import { runCommand } from '../support/command.js';
import { createDatabase } from '../support/database.js';
import { migrationsUpTo } from '../support/migrations.js';
import { startPooler } from '../support/pooler.js';
import { doctor, expectProblems, isSuperuser, like, patient, problemsOf, type Report, run } from './harness.js';

const mirror = patient();

describe('the database', () => {
  const skippedChecks = ({ findings }: Report): string[] =>
    findings
      .filter(({ verdict, found }) => verdict === 'skipped' && found === 'needs database')
      .map(({ check }) => check);

  test('down: what needs it is not looked at, PAI is', async () => {
    const report = await doctor(mirror.environment('postgresql://u:hunter22@127.0.0.1:1/x'));
    expectProblems(report, {
      check: 'database',
      subject: null,
      found: 'ECONNREFUSED',
      remedy: 'host and port of DATABASE_URL',
    });
    expect(skippedChecks(report)).toContain('freshness');
    expect(report.findings).toContainEqual(expect.objectContaining({ check: 'scope', verdict: 'ok' }));
    expect(report.text).not.toContain('hunter22');
  });

  test('that takes the connection and never says a word', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const report = await doctor(mirror.environment(`postgresql://u:p@127.0.0.1:${port}/x`));
    expectProblems(report, { check: 'database', subject: null, found: /timeout/i, remedy: 'DATABASE_URL' });
  });

  test('that does not let the password in, and one that there is not', async () => {
    const wrong = new URL(await mirror.brokenCopy());
    wrong.password = 'hunter2hunter2';
    const report = await doctor(mirror.environment(wrong.href));
    expectProblems(report, { check: 'database', subject: null, found: /password.*28P01/, remedy: 'password' });
    expect(report.text).not.toContain('hunter2');
    const absent = new URL(mirror.healthy.url);
    absent.pathname = '/no_such_database';
    expectProblems(await doctor(mirror.environment(absent.href)), {
      check: 'database',
      subject: null,
      found: '3D000',
      remedy: 'DATABASE_URL',
    });
  });

  test('that has no connection left', async () => {
    const url = await mirror.brokenCopy();
    await run(inject('adminUrl'), `alter database ${new URL(url).pathname.slice(1)} connection limit 0`);
    expectProblems(
      await doctor(mirror.environment(url)),
      // No limit of a database keeps a superuser out.
      (await isSuperuser(inject('adminUrl')))
        ? {
            check: 'database-connections',
            subject: null,
            verdict: 'warning',
            found: '1 of 0',
            remedy: 'raise the limit',
          }
        : { check: 'database', subject: null, found: '53300', remedy: 'connection limit' },
    );
    await run(inject('adminUrl'), `alter database ${new URL(url).pathname.slice(1)} connection limit 3`);
    expectProblems(await doctor(mirror.environment(url)), {
      check: 'database-connections',
      subject: null,
      verdict: 'warning',
      found: '1 of 3 connections of the database',
      remedy: 'ALTER DATABASE',
    });
  });

  // With one session there is none for a second client, with several it gets one that was another's.
  test.each([1, 3])('behind a pooler that keeps no sessions, and has %i of them', async (sessions) => {
    const url = await startPooler(await mirror.brokenCopy(), 'transaction', sessions);
    const report = await doctor(mirror.environment(url));
    expectProblems(report, {
      check: 'database-connections',
      subject: 'pooler',
      found: 'gives each transaction another session',
      remedy: 'pool_mode = session',
    });
  });

  test('behind a pooler that keeps sessions: nothing is wrong', async () => {
    const report = await doctor(mirror.environment(await startPooler(await mirror.brokenCopy(), 'session', 6)));
    expectProblems(report);
    expect(report.findings).toContainEqual(expect.objectContaining({ subject: 'pooler', verdict: 'ok' }));
  });

  test('whose transactions may not write', async () => {
    const url = await mirror.brokenCopy();
    await run(
      inject('adminUrl'),
      `alter database ${new URL(url).pathname.slice(1)} set default_transaction_read_only = on`,
    );
    expectProblems(await doctor(mirror.environment(url)), {
      check: 'database-rights',
      subject: 'writing',
      found: 'read-only',
      remedy: 'RESET default_transaction_read_only',
    });
  });

  test('whose tables belong to somebody else', async () => {
    const url = await mirror.brokenCopy();
    const role = `doctor_${Date.now()}`;
    await run(
      url,
      `create role ${role} login password 'some-password'; grant usage on schema pai, analytics to ${role};
      grant select on all tables in schema pai, analytics to ${role}`,
    );
    onTestFinished(async () => {
      await run(
        url,
        `revoke all on schema pai, analytics from ${role}; revoke all on all tables in schema pai, analytics from ${role};
        drop role ${role}`,
      );
    });
    const other = new URL(url);
    other.username = role;
    other.password = 'some-password';
    const report = await doctor(mirror.environment(other.href));
    expectProblems(report, {
      check: 'database-rights',
      subject: 'schema pai',
      found: `${role} does not own analytics`,
      remedy: `connect as ${new URL(url).username}`,
    });
  });

  test('that lacks a migration', async () => {
    const { url } = await createDatabase({ empty: true });
    await migrate({ connectionString: url, folder: await migrationsUpTo('0003_budgets_quarantine') });
    const report = await doctor(mirror.environment(url));
    expectProblems(report, {
      check: 'migrations',
      subject: null,
      found: 'lacks 0004_rollups',
      remedy: 'pai-mirror migrate',
    });
  });

  test.each(['drop table pai.schema_migrations', 'truncate pai.schema_migrations'])(
    'that has forgotten of which version it is (%s): migrating it would fail',
    async (sql) => {
      const url = await mirror.brokenCopy(sql);
      const found = 'pai.schema_migrations, which tells of which version';
      expectProblems(await doctor(mirror.environment(url)), {
        check: 'migrations',
        subject: null,
        found,
        remedy: 'restore',
      });
      const env = { ...mirror.environment(url), LOG_LEVEL: 'silent' };
      expect((await runCommand(['migrate'], { env })).code).toBe(1);
    },
  );

  test('of which the mirror has lost rights on what is its own', async () => {
    const url = await mirror.brokenCopy('revoke insert on pai.runs from current_user');
    const problem = { check: 'database-rights', subject: 'schema pai' };
    expectProblems(await doctor(mirror.environment(url)), {
      ...problem,
      found: 'lacks INSERT ON pai.runs',
      remedy: 'GRANT ALL ON ALL TABLES IN SCHEMA pai, analytics TO "pai_mirror"',
    });
    await run(url, 'revoke usage on schema pai from current_user');
    const [first, ...rest] = problemsOf(await doctor(mirror.environment(url)));
    expect(first).toMatchObject({ ...problem, found: like('lacks') });
    expect(rest).toMatchObject([{ check: 'migrations', remedy: like('database-rights') }]);
  });

  test('that another session has locked: it is told who to look for', async () => {
    const url = await mirror.brokenCopy();
    const blocker = new pg.Client({ connectionString: url });
    await blocker.connect();
    onTestFinished(() => blocker.end());
    await blocker.query('begin; lock table pai.quarantine in access exclusive mode');
    const report = await doctor(mirror.environment(url));
    const locked = ['schema', 'quarantine'].map((check) => ({
      check,
      subject: null,
      found: '55P03',
      remedy: 'pg_locks',
    }));
    expectProblems(report, ...locked);
  });

  test.each([
    ['?sslmode=require', 'does not support SSL', 'sslmode=disable'],
    ['?sslmode=verify-full&sslrootcert=/no/such/file', '/no/such/file', 'sslrootcert'],
  ])('that is asked for TLS it does not have, or with a file that there is not: %s', async (query, found, remedy) => {
    const report = await doctor(mirror.environment(`${mirror.healthy.url}${query}`));
    expectProblems(report, { check: 'database', subject: null, found, remedy });
  });

  test.each([
    [
      'was migrated with an edited file',
      `update pai.schema_migrations set hash = 'abc' where tag = '0002_comments'`,
      '0002_comments was applied as abc',
      'install pai-mirror anew',
    ],
    [
      'is newer than this version',
      `insert into pai.schema_migrations values ('9999_future', 'x')`,
      'is at 9999_future',
      'run the version that migrated it',
    ],
  ])('that %s', async (_, sql, found, remedy) => {
    expectProblems(await doctor(mirror.environment(await mirror.brokenCopy(sql))), {
      check: 'migrations',
      subject: null,
      found,
      remedy,
    });
  });

  test.each([
    [
      'an index',
      'drop index pai.pipeline_runs_modified',
      'table pai.pipeline_runs',
      'failed',
      'lacks CREATE INDEX pipeline_runs_modified',
      'CREATE INDEX pipeline_runs_modified ON pai.pipeline_runs',
    ],
    [
      'a view',
      'drop view analytics.mirror_lag',
      'view analytics.mirror_lag',
      'failed',
      'is missing',
      'migrations/schema.sql',
    ],
    [
      'a trigger',
      'drop trigger append_only_rows on pai.change_events',
      'table pai.change_events',
      'failed',
      'append_only_rows',
      'CREATE TRIGGER append_only_rows',
    ],
    [
      'a trigger that is switched off',
      'alter table pai.pipeline_runs disable trigger note_changed',
      'table pai.pipeline_runs',
      'failed',
      'a trigger is disabled: note_changed',
      /^ALTER TABLE pai.pipeline_runs ENABLE TRIGGER USER.*rebuild_rollups/,
    ],
    [
      'the safety of a table',
      'alter table pai.runs set unlogged',
      'table pai.runs',
      'failed',
      'is unlogged',
      'ALTER TABLE pai.runs SET LOGGED',
    ],
    [
      'all the views at once',
      'drop schema analytics cascade',
      'schema analytics',
      'failed',
      /\d\d of its objects are missing/,
      'restore the database',
    ],
    [
      'the type of a column',
      'alter table pai.sync_passes alter error type varchar(900)',
      'table pai.sync_passes',
      'failed',
      /lacks error text; has error character varying/,
      'bring it back',
    ],
    [
      'nothing but a column too many',
      'alter table pai.runs add mood text',
      'table pai.runs',
      'warning',
      'has mood text',
      'drop it',
    ],
    [
      'nothing but a table too many',
      'create table pai.mine (a int)',
      'table pai.mine',
      'warning',
      'is not of pai-mirror',
      'another schema',
    ],
    [
      'nothing but a comment',
      `comment on table pai.runs is 'mine'`,
      'table pai.runs',
      'warning',
      'a comment differs',
      'nothing depends',
    ],
  ] as const)('whose schema lacks %s', async (_, sql, subject, verdict, found, remedy) => {
    // The views of a column that changes its type are in the way.
    const report = await doctor(
      mirror.environment(
        await mirror.brokenCopy(
          sql.startsWith('alter table pai.sync')
            ? `drop view analytics.mirror_passes, analytics.mirror_freshness; ${sql}`
            : sql,
        ),
      ),
    );
    const schema = problemsOf(report).filter(({ check, subject: of }) => check === 'schema' && of === subject);
    expect(schema).toEqual([{ check: 'schema', subject, verdict, found: like(found), remedy: like(remedy) }]);
    expect(report.code).toBe(verdict === 'failed' ? 1 : 0);
  });

  test('with an index that was not built to its end', async () => {
    const url = await mirror.brokenCopy();
    // There are two runs of one scope, so it fails, and stays behind.
    await expect(run(url, 'create unique index concurrently broken on pai.runs (scope)')).rejects.toThrow('broken');
    expectProblems(
      await doctor(mirror.environment(url)),
      { check: 'schema', subject: 'index pai.broken', found: 'is not valid', remedy: 'REINDEX INDEX pai.broken' },
      {
        check: 'schema',
        subject: 'table pai.runs',
        verdict: 'warning',
        found: 'has CREATE UNIQUE INDEX',
        remedy: 'drop',
      },
    );
  });

  test('without partitions ahead', async () => {
    const drop = (months: string): string =>
      `do $$ declare p regclass; begin for p in select inhrelid::regclass from pg_inherits where inhparent = 'pai.change_events'::regclass
         and inhrelid::regclass::text ${months} loop execute 'drop table ' || p; end loop; end $$`;
    const far = `> 'pai.change_events_' || to_char(now() at time zone 'UTC' + interval '1 month', 'YYYY_MM') and inhrelid::regclass::text <> 'pai.change_events_default'`;
    const report = await doctor(mirror.environment(await mirror.brokenCopy(drop(far))));
    expectProblems(report, {
      check: 'partitions',
      subject: 'ahead',
      verdict: 'warning',
      found: /no partition for \d{4}-\d\d, \d{4}-\d\d/,
      remedy: 'pai-mirror migrate',
    });
    const now = `= 'pai.change_events_' || to_char(now() at time zone 'UTC', 'YYYY_MM')`;
    expectProblems(await doctor(mirror.environment(await mirror.brokenCopy(drop(now)))), {
      check: 'partitions',
      subject: 'ahead',
      found: 'no partition for',
      remedy: 'pai-mirror migrate',
    });
  });

  test('with events in the default partition', async () => {
    const url =
      await mirror.brokenCopy(`insert into pai.change_events (entity, entity_id, region, scope, kind, observed_at)
      values ('run', 'r', 'cn-test', '${mirror.scope}', 'discovered', '2011-11-11'), ('run', 's', 'cn-test', '${mirror.scope}', 'discovered', '2012-11-11')`);
    expectProblems(await doctor(mirror.environment(url)), {
      check: 'partitions',
      subject: 'default',
      verdict: 'warning',
      found: '2 events',
      remedy: 'pai-mirror migrate',
    });
    await runCommand(['migrate'], { env: { ...mirror.environment(url), LOG_LEVEL: 'silent' } });
    expectProblems(await doctor(mirror.environment(url)));
  });

  test('that pai_reader may not read', async () => {
    const report = await doctor(
      mirror.environment(
        await mirror.brokenCopy(
          'revoke all on schema analytics from pai_reader; revoke all on pai.runs from pai_reader',
        ),
      ),
    );
    expectProblems(report, {
      check: 'reader',
      subject: null,
      verdict: 'warning',
      found: 'analytics, pai.runs',
      remedy: 'pai-mirror migrate',
    });
  });
});
