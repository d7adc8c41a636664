/** The way to PAI broken on purpose: `doctor` names the thing, what to do, and nothing else. */

import { describe, expect, onTestFinished, test } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { startEmulator } from '../../src/emulator/server.js';
import { emptyDirectory } from '../support/cli.js';
import { doctor, expectProblems, like, patient, problemsOf } from './harness.js';

const mirror = patient();

const bothScopes = (): string =>
  mirror.emulator.world
    .workspaces()
    .map(({ workspaceId }) => `cn-test:${workspaceId}`)
    .join(',');

describe('the way to PAI', () => {
  test('no credentials', async () => {
    const {
      ALIBABA_CLOUD_ACCESS_KEY_ID: _,
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: __,
      ...env
    } = mirror.environment(await mirror.brokenCopy());
    const report = await doctor({ ...env, HOME: emptyDirectory() });
    expectProblems(report, {
      check: 'credentials',
      subject: null,
      found: 'no Alibaba Cloud credentials',
      remedy: 'ALIBABA_CLOUD_ACCESS_KEY_ID',
    });
  });

  test('a wrong secret, which is not repeated, and after which no other call is tried', async () => {
    const env = {
      ...mirror.environment(await mirror.brokenCopy()),
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'not-the-secret-at-all',
    };
    mirror.emulator.stats.reset();
    const report = await doctor(env);
    expectProblems(report, {
      check: 'permission',
      subject: `ListPipelineRuns ${mirror.scope}`,
      found: 'SignatureDoesNotMatch',
      remedy: 'ALIBABA_CLOUD_ACCESS_KEY_ID',
    });
    expect(report.text).not.toContain('not-the-secret');
    expect(mirror.emulator.stats.calls('ListRuns')).toBe(0);
  });

  test('half of an access key, and one with a line break in it: the variable is named, and nothing is signed with it', async () => {
    const url = await mirror.brokenCopy();
    const { ALIBABA_CLOUD_ACCESS_KEY_SECRET: secret = '', ...half } = mirror.environment(url);
    const subject = 'ALIBABA_CLOUD_ACCESS_KEY_SECRET';
    mirror.emulator.stats.reset();
    expectProblems(await doctor({ ...half, HOME: emptyDirectory() }), {
      check: 'credentials',
      subject,
      found: /^is not set, and ALIBABA_CLOUD_ACCESS_KEY_ID is;/,
      remedy: `set ${subject}`,
    });
    const report = await doctor({ ...half, [subject]: `${secret}\n` });
    expectProblems(report, { check: 'credentials', subject, found: 'a line break', remedy: 'printf' });
    expect(report.text).not.toContain(secret);
    expect(mirror.emulator.stats.calls('ListPipelineRuns')).toBe(0);
  });

  test('what fails for good, or asks for patience, is found out once and not once a scope', async () => {
    const env = { ...mirror.environment(await mirror.brokenCopy()), PAI_SCOPES: 'cn-test:*' };
    const calls = () => mirror.emulator.stats.calls('ListPipelineRuns');
    mirror.emulator.stats.reset();
    const refused = await doctor({
      ...env,
      PAI_SCOPES: bothScopes(),
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'not-the-secret',
    });
    expect(problemsOf(refused)).toHaveLength(1);
    expect(calls()).toBe(1);

    // A minute of patience is more than whoever waits for a report has.
    mirror.emulator.faults.add({ operation: 'ListPipelineRuns', kind: 'throttle', retryAfterMillis: 60_000 });
    onTestFinished(() => mirror.emulator.faults.clear());
    mirror.emulator.stats.reset();
    expectProblems(await doctor(env), {
      check: 'permission',
      verdict: 'warning',
      found: 'Throttling',
      remedy: 'PAI_FLOW_QPS',
    });
    expect(calls()).toBe(1);
  });

  test('an endpoint at which something else answers', async () => {
    const url = await mirror.brokenCopy();
    const body = '<html>Please log in</html>';
    mirror.emulator.faults.add({ operation: 'ListRuns', kind: 'replace', body });
    onTestFinished(() => mirror.emulator.faults.clear());
    expectProblems(await doctor(mirror.environment(url)), {
      check: 'permission',
      subject: 'ListRuns',
      found: 'not JSON',
      remedy: /something else than PAI.*PAI_AIWORKSPACE_ENDPOINT/,
    });
  });

  test('a workspace that there is not among more than can be tried: it is tried first', async () => {
    const env = mirror.environment(await mirror.brokenCopy());
    // So few calls a second that there is time for one scope.
    const report = await doctor({ ...env, PAI_SCOPES: `${bothScopes()},cn-test:999999`, PAI_FLOW_QPS: '0.9' });
    const failures = report.findings.filter(({ verdict }) => verdict === 'failed');
    expect(failures).toMatchObject([{ check: 'scope', subject: 'cn-test:999999', remedy: like('correct PAI_SCOPES') }]);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ check: 'permission', verdict: 'skipped', found: '2 more scopes were not tried' }),
    );
  });

  test('an access key that there is not', async () => {
    const env = { ...mirror.environment(await mirror.brokenCopy()), ALIBABA_CLOUD_ACCESS_KEY_ID: 'LTAI-nobody' };
    const found = 'InvalidAccessKeyId.NotFound';
    expectProblems(await doctor(env), {
      check: 'permission',
      subject: 'ListPipelineRuns',
      found,
      remedy: 'access key',
    });
  });

  test.each([
    ['ListPipelineRuns', 'paiflow:ListPipelineRuns'],
    ['ListPipelineRunsStatus', 'paiflow:ListPipelineRunsStatus'],
    ['GetPipelineRun', 'paiflow:GetPipelineRun'],
    ['ListPipelineRunNodeStatus', 'paiflow:ListPipelineRunNodeStatus'],
    ['ListRuns', /member of workspace \d+.*no RAM action/],
  ])('%s denied: the RAM action it needs', async (operation, remedy) => {
    const url = await mirror.brokenCopy();
    mirror.emulator.faults.add({
      operation,
      kind: 'error',
      status: 403,
      code: 'Forbidden.RAM',
      message: 'User not authorized.',
    });
    onTestFinished(() => mirror.emulator.faults.clear());
    const report = await doctor(mirror.environment(url));
    expectProblems(report, {
      check: 'permission',
      subject: `${operation} ${mirror.scope}`,
      found: 'Forbidden.RAM',
      remedy,
    });
  });

  test('ListWorkspaces denied, which only region:* needs', async () => {
    const url = await mirror.brokenCopy();
    mirror.emulator.faults.add({ operation: 'ListWorkspaces', kind: 'error', status: 403, code: 'NoPermission' });
    onTestFinished(() => mirror.emulator.faults.clear());
    const report = await doctor({ ...mirror.environment(url), PAI_SCOPES: 'cn-test:*' });
    expectProblems(report, {
      check: 'workspaces',
      subject: 'cn-test:*',
      found: 'NoPermission',
      remedy: 'paiworkspace:ListWorkspaces',
    });
    expectProblems(await doctor(mirror.environment(url)));
  });

  test('a workspace that there is not', async () => {
    const report = await doctor({
      ...mirror.environment(await mirror.brokenCopy()),
      PAI_SCOPES: `${mirror.scope},cn-test:999999`,
    });
    expectProblems(
      report,
      { check: 'scope', subject: 'cn-test:999999', found: 'not among the workspaces', remedy: 'correct PAI_SCOPES' },
      {
        check: 'freshness',
        subject: 'cn-test:999999',
        verdict: 'warning',
        found: 'nothing has been mirrored',
        remedy: 'pai-mirror start',
      },
    );
    const left = report.findings.filter(({ subject, verdict }) => verdict === 'skipped' && subject?.includes('999999'));
    expect(left.map(({ found }) => found)).toEqual(Array(3).fill(expect.stringContaining('has a run in this scope')));
  });

  test.each([
    ['that refuses connections', () => 'http://127.0.0.1:1', 'ECONNREFUSED', 'firewall'],
    ['of a name that there is not', () => 'paiflow.no-such-region.invalid', 'no such name', 'region of PAI_SCOPES'],
    ['that speaks no TLS', () => `https://127.0.0.1:${mirror.emulator.port}`, 'no trust', 'NODE_EXTRA_CA_CERTS'],
  ])('an endpoint %s: the other product is tried all the same', async (_, endpoint, found, remedy) => {
    const report = await doctor({ ...mirror.environment(await mirror.brokenCopy()), PAI_FLOW_ENDPOINT: endpoint() });
    expectProblems(report, { check: 'endpoint', subject: 'paiflow cn-test', found, remedy });
    expect(report.findings).toContainEqual(
      expect.objectContaining({ check: 'permission', subject: `ListRuns ${mirror.scope}`, verdict: 'ok' }),
    );
  });

  test('an operation that never answers holds nothing up', async () => {
    const url = await mirror.brokenCopy();
    mirror.emulator.faults.add({ operation: 'ListRuns', kind: 'stall' });
    onTestFinished(() => mirror.emulator.faults.clear());
    const report = await doctor({ ...mirror.environment(url), PAI_CALL_TIMEOUT_MS: '200' });
    expectProblems(report, {
      check: 'permission',
      subject: `ListRuns ${mirror.scope}`,
      found: 'within 200 ms',
      remedy: 'network',
    });
  });

  test('clocks that are off by 20 minutes', async () => {
    const clock = new SimulatedClock({ startAt: Date.now() + 20 * 60_000 });
    const other = await startEmulator({ workspaces: 1, history: 5, active: 1, experimentRuns: 2, clock });
    onTestFinished(() => other.close());
    const url = await mirror.brokenCopy();
    const report = await doctor({
      ...mirror.environment(url),
      PAI_SCOPES: `cn-test:${other.world.workspaces()[0]?.workspaceId}`,
      PAI_FLOW_ENDPOINT: other.url,
      PAI_AIWORKSPACE_ENDPOINT: other.url,
    });
    const found = /its clock is (20 minutes|1[12]\d\d s) behind PAI's/;
    const clocks = problemsOf(report).filter(({ check }) => check === 'clock');
    expect(clocks).toEqual([
      expect.objectContaining({ subject: 'this machine', found: like(found), remedy: like('NTP'), verdict: 'failed' }),
      expect.objectContaining({ subject: 'the database', found: like(found), remedy: like('NTP'), verdict: 'failed' }),
    ]);
    expect(report.code).toBe(1);
  });
});
