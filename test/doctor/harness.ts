/** For the tests of `doctor`: an emulator, a healthy mirror of it, copies of that to break, and what the report has to say. */
import { tmpdir } from 'node:os';
import pg from 'pg';
import { beforeAll, expect, inject, onTestFinished } from 'vitest';
import type { Finding } from '../../src/cli/doctor/check.js';
import { type Emulator, startEmulator } from '../../src/emulator/server.js';
import { environmentFor } from '../support/cli.js';
import { runCommand } from '../support/command.js';
import { createDatabase } from '../support/database.js';
import { copyDatabase, type TestDatabase } from '../support/test-databases.js';

export interface Patient {
  readonly emulator: Emulator;
  /** The scope that PAI_SCOPES names; the emulator and the mirror have another one, too. */
  readonly scope: string;
  /** A mirror in which all is well. */
  readonly healthy: TestDatabase;
  environment(url: string): Record<string, string>;
  /** The URL of a copy of the healthy mirror, after the SQL; gone with the test. */
  brokenCopy(sql?: string): Promise<string>;
}

/** Made once a file. */
export function patient(): Patient {
  const made: { emulator?: Emulator; healthy?: TestDatabase } = {};
  beforeAll(async () => {
    made.emulator = await startEmulator({ workspaces: 2, history: 20, active: 2, experimentRuns: 6 });
    made.healthy = await createDatabase();
    const env = { ...own.environment(made.healthy.url), PAI_SCOPES: 'cn-test:*', LOG_LEVEL: 'silent' };
    const synced = await runCommand(['sync'], { env, cwd: tmpdir() });
    expect(synced.code, synced.stderr).toBe(0);
    return () => made.emulator?.close();
  });
  const own: Patient = {
    get emulator() {
      return made.emulator as Emulator;
    },
    get healthy() {
      return made.healthy as TestDatabase;
    },
    get scope() {
      return `cn-test:${own.emulator.world.workspaces()[0]?.workspaceId}`;
    },
    environment: (url) => ({
      ...environmentFor(own.emulator, url),
      PAI_SCOPES: own.scope,
      // No metadata server is asked, wherever the test runs.
      ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true',
    }),
    brokenCopy: async (sql = '') => {
      const copy = await copyDatabase(inject('adminUrl'), own.healthy.name);
      onTestFinished(() => copy.drop());
      if (sql !== '') await run(copy.url, sql);
      return copy.url;
    },
  };
  return own;
}

export async function run<R extends object>(url: string, sql: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result: unknown = await client.query(sql);
    return [result].flat().flatMap((one) => (one as { rows: R[] }).rows);
  } finally {
    await client.end();
  }
}

/** As in a container of PostgreSQL 14, see test/support/server.ts. */
export async function isSuperuser(url: string): Promise<boolean> {
  const [row] = await run<{ rolsuper: boolean }>(url, 'select rolsuper from pg_roles where rolname = current_user');
  return row?.rolsuper === true;
}

export interface Report {
  readonly code: number;
  readonly findings: readonly Finding[];
  readonly text: string;
}

export async function doctor(env: Record<string, string>): Promise<Report> {
  const { code, stdout, stderr } = await runCommand(['doctor', '--json'], { env });
  expect(stderr).toBe('');
  return { code, findings: JSON.parse(stdout), text: stdout };
}

export const problemsOf = ({ findings }: Report): readonly Finding[] =>
  findings.filter(({ verdict }) => verdict === 'failed' || verdict === 'warning');

export interface Expected {
  readonly check: string;
  readonly subject?: string | RegExp | null;
  readonly verdict?: 'failed' | 'warning';
  readonly found: string | RegExp;
  readonly remedy: string | RegExp;
}

export const like = (text: string | RegExp) =>
  typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text);

/** These problems, in this order, and no other. */
export function expectProblems(report: Report, ...expected: readonly Expected[]): void {
  expect(problemsOf(report)).toEqual(
    expected.map(({ check, subject, verdict = 'failed', found, remedy }) => ({
      check,
      verdict,
      subject: subject === undefined ? expect.anything() : subject === null ? null : like(subject),
      found: like(found),
      remedy: like(remedy),
    })),
  );
  const worst = expected.some(({ verdict = 'failed' }) => verdict === 'failed') ? 1 : 0;
  expect(report.code).toBe(worst);
}
