import { Registry } from 'prom-client';
import { afterEach, expect, test } from 'vitest';
import type { CallReport } from '../../src/domain/call-report.js';
import { PaiError } from '../../src/domain/errors.js';
import { WorkMetrics } from '../../src/http/metrics/work-metrics.js';
import type { CredentialSource, Keys } from '../../src/pai/credentials.js';
import type { Budget } from '../../src/pai/rate-limit.js';
import { silentLogger } from '../../src/util/logger.js';
import { capturingLogger } from '../support/logger.js';
import {
  clientOf,
  FakeClock,
  json,
  KEYS,
  never,
  PAGE,
  SCOPE,
  type Script,
  startUpstream,
  type Upstream,
} from './support.js';

const opened: Upstream[] = [];
afterEach(async () => {
  for (const upstream of opened.splice(0)) await upstream.close();
});

async function serve(script: Script): Promise<Upstream> {
  const upstream = await startUpstream(script);
  opened.push(upstream);
  return upstream;
}

const EMPTY = { RequestId: 'OK', PipelineRuns: [], TotalCount: 0 };
const error = (Code: string, Message = 'said no') => ({ RequestId: 'REQ-1', Code, Message });

/** Fails the first `times` calls, then answers. */
const failing =
  (times: number, fail: Script): Script =>
  (response, seen, index) =>
    index < times ? fail(response, seen, index) : json(response, EMPTY);

test.each<[string, Script]>([
  ['throttling with HTTP 400', (r) => json(r, error('Throttling.User'), 400)],
  ['throttling with HTTP 429 and no code', (r) => json(r, {}, 429)],
  ['throttling with HTTP 503', (r) => json(r, error('Throttling'), 503)],
  ['ServiceUnavailable', (r) => json(r, error('ServiceUnavailable'), 503)],
  ['InternalError with HTTP 400', (r) => json(r, error('InternalError'), 400)],
  ['System.Busy', (r) => json(r, error('System.Busy'), 400)],
  ['a 502 with HTML', (r) => r.writeHead(502, { 'content-type': 'text/html' }).end('<html>bad gateway</html>')],
  ['an empty 500', (r) => r.writeHead(500).end()],
  ['a 500 with XML', (r) => r.writeHead(500, { 'content-type': 'text/xml;charset=utf-8' }).end('<a/>')],
  ['a 404 page that is not of PAI', (r) => r.writeHead(404).end('<html>nginx</html>')],
  ['a 200 with HTML', (r) => r.end('<html>log in</html>')],
  ['an empty 200', (r) => r.end()],
  ['a redirection', (r) => r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end('{}')],
  ['a JSON answer that is no object', (r) => json(r, '[1, 2]')],
  ['an answer without its list', (r) => json(r, { RequestId: 'x', TotalCount: 3 })],
  ['a list that is no list', (r) => json(r, { RequestId: 'x', TotalCount: 3, PipelineRuns: { a: 1 } })],
  ['a TotalCount that is no count', (r) => json(r, { TotalCount: 'many', PipelineRuns: [] })],
  ['throttling inside a 200', (r) => json(r, error('Throttling.Api'))],
  ['a 503 that does not find a part of PAI itself', (r) => json(r, error('BackendNotFound'), 503)],
  ['a reset connection', (r) => r.socket?.destroy()],
  [
    'SignatureNonceUsed',
    (r, _, index) => json(r, index === 0 ? error('SignatureNonceUsed') : {}, index === 0 ? 400 : 500),
  ],
])('%s is tried again, and the answer tells the number of calls', async (_, fail) => {
  const upstream = await serve(failing(2, fail));
  const answer = await clientOf(upstream).listPipelineRuns(SCOPE, PAGE, never());
  expect(answer).toMatchObject({ attempts: 3, requestId: 'OK', items: [] });
  const nonces = upstream.seen.map((seen) => seen.headers['x-acs-signature-nonce']);
  expect(new Set(nonces).size).toBe(3);
});

test.each([
  ['SignatureDoesNotMatch', 400, { code: 'PAI_KEYS_REFUSED', blast: 'global' }],
  ['InvalidAccessKeyId.NotFound', 404, { code: 'PAI_KEYS_REFUSED', blast: 'global', notFound: false }],
  ['InvalidSecurityToken.Malformed', 400, { code: 'PAI_KEYS_REFUSED', blast: 'global' }],
  ['Forbidden.RAM', 403, { code: 'PAI_FORBIDDEN', blast: 'scope' }],
  ['NoPermission', 403, { code: 'PAI_FORBIDDEN', blast: 'scope' }],
  ['InvalidTimeStamp.Expired', 400, { code: 'PAI_CLOCK_OFF', blast: 'global' }],
  ['MissingParameter', 400, { code: 'PAI_INVALID_REQUEST', blast: 'item' }],
  ['InvalidParameter.Depth', 400, { code: 'PAI_INVALID_REQUEST', blast: 'item' }],
  ['PipelineRun.NotFound', 400, { code: 'PAI_NOT_FOUND', blast: 'item', notFound: true }],
  ['PipelineRunNotExist', 400, { code: 'PAI_NOT_FOUND', blast: 'item', notFound: true }],
  ['Whatever', 404, { code: 'PAI_NOT_FOUND', blast: 'item', notFound: true }],
  ['InvalidAction.NotFound', 404, { code: 'PAI_UNKNOWN_OPERATION', blast: 'scope', notFound: false }],
  ['SomethingNew', 409, { code: 'PAI_REFUSED', blast: 'item' }],
  ['PipelineRun.NotFound', 200, { code: 'PAI_NOT_FOUND', blast: 'item', notFound: true }],
])('%s with HTTP %i is final after one call', async (code, status, expected) => {
  const upstream = await serve((response) => json(response, error(code, 'the words of PAI'), status));
  const failed = await clientOf(upstream)
    .getPipelineRun(SCOPE, 'flow-1', never())
    .catch((thrown: unknown) => thrown);
  expect(failed).toBeInstanceOf(PaiError);
  expect(failed).toMatchObject({
    notFound: false,
    ...expected,
    retryable: false,
    operation: 'GetPipelineRun',
    paiCode: code,
    httpStatus: status,
    requestId: 'REQ-1',
    attempts: 1,
  });
  expect((failed as PaiError).message).toMatch(
    new RegExp(
      `^GetPipelineRun in cn-shanghai failed: HTTP ${status} ${code}: the words of PAI.*\\(request id REQ-1, 1 attempt\\)$`,
    ),
  );
  expect(upstream.seen).toHaveLength(1);
});

test('a Code beside the data that the operation promises is no error', async () => {
  const upstream = await serve((response, _, index) =>
    json(response, index === 0 ? { Code: 'Partial', PipelineRuns: [] } : { Code: 'Odd', PipelineRunId: 'flow-1' }),
  );
  const client = clientOf(upstream);
  expect(await client.listPipelineRuns(SCOPE, PAGE, never())).toMatchObject({ items: [], attempts: 1 });
  const { details } = await client.getPipelineRun(SCOPE, 'flow-1', never());
  expect(details?.run).toMatchObject({ pipelineRunId: 'flow-1', extra: '{"Code":"Odd"}' });
});

test('a clock that is off is named as such', async () => {
  const upstream = await serve((response) => json(response, error('InvalidTimeStamp.Expired'), 400));
  await expect(clientOf(upstream).listPipelineRuns(SCOPE, PAGE, never())).rejects.toThrow(/clock .* 15 minutes/);
});

/** A PAI that is `aheadMs` ahead of this machine, and takes dates that are a quarter of an hour off at most. */
function elsewhen(clock: { aheadMs: number }): Script {
  return (response, seen) => {
    const now = Date.now() + clock.aheadMs;
    const off = Math.abs(now - Date.parse(String(seen.headers['x-acs-date'])));
    const headers = { date: new Date(now).toUTCString() };
    if (off > 15 * 60_000) json(response, error('InvalidTimeStamp.Expired'), 400, headers);
    else json(response, EMPTY, 200, headers);
  };
}

test('with a wrong clock on this machine calls are dated by that of PAI, until it is set right', async () => {
  const clock = { aheadMs: 2 * 3_600_000 };
  const upstream = await serve(elsewhen(clock));
  const logger = capturingLogger();
  const client = clientOf(upstream, { logger });
  const list = async () => (await client.listPipelineRuns(SCOPE, PAGE, never())).attempts;
  expect(await list()).toBe(2);
  expect(logger.messages('warn').at(-1)).toMatch(
    /clock of this machine is 120 minutes behind PAI's.*signed with PAI's time/,
  );
  expect(await list()).toBe(1);
  // Somebody sets this machine's clock right: the offset is wrong now, and is found anew.
  clock.aheadMs = 0;
  expect(await list()).toBe(2);
  clock.aheadMs = -3 * 86_400_000;
  expect(await Promise.all([list(), list(), list()])).toEqual([2, 2, 2]);
  expect(await list()).toBe(1);
});

test("a date that stays refused although it is PAI's own ends the call, and names the clock", async () => {
  const date = new Date(Date.now() - 40 * 60_000).toUTCString();
  const upstream = await serve((response) => json(response, error('InvalidTimeStamp.Expired'), 400, { date }));
  const failed = await clientOf(upstream)
    .listPipelineRuns(SCOPE, PAGE, never())
    .catch((thrown: unknown) => thrown);
  expect(failed).toMatchObject({ code: 'PAI_CLOCK_OFF', blast: 'global', attempts: 2 });
  expect(String(failed)).toMatch(/clock/);
});

test('a list that is refused concerns its scope, for there is no item to skip', async () => {
  const upstream = await serve((response) => json(response, error('InvalidParameter'), 400));
  await expect(clientOf(upstream).listPipelineRuns(SCOPE, PAGE, never())).rejects.toMatchObject({ blast: 'scope' });
});

test('retries are bounded: the last failure is reported with the number of calls', async () => {
  const upstream = await serve((response) => json(response, error('Throttling.User'), 400));
  const call = clientOf(upstream, { retry: { attempts: 4, baseMs: 0, capMs: 0 } }).listPipelineRuns(
    SCOPE,
    PAGE,
    never(),
  );
  await expect(call).rejects.toMatchObject({ code: 'PAI_THROTTLED', retryable: true, blast: 'scope', attempts: 4 });
  expect(upstream.seen).toHaveLength(4);
});

test('a nonce that stays refused is signed again once, not for ever', async () => {
  const upstream = await serve((response) => json(response, error('SignatureNonceUsed'), 400));
  await expect(clientOf(upstream).listPipelineRuns(SCOPE, PAGE, never())).rejects.toMatchObject({
    code: 'PAI_NONCE_USED',
    attempts: 2,
  });
});

/** Sessions that follow each other; counts how often one is asked for. */
function sessions(lead: number): CredentialSource & { refreshed: number } {
  const session = (number: number): Keys => ({ ...KEYS, securityToken: `session-${number}` });
  return {
    refreshed: 0,
    current(): Promise<Keys> {
      return Promise.resolve(session(this.refreshed));
    },
    refresh(): Promise<Keys> {
      this.refreshed = Math.min(lead, this.refreshed + 1);
      return Promise.resolve(session(this.refreshed));
    },
  };
}

test.each(['InvalidSecurityToken.Expired', 'SecurityTokenExpired', 'SecurityToken.Expired', 'ExpiredToken'])(
  '%s: the credentials are refreshed once and the call is signed with the new ones',
  async (code) => {
    const upstream = await serve((response, seen) =>
      seen.headers['x-acs-security-token'] === 'session-1' ? json(response, EMPTY) : json(response, error(code), 400),
    );
    const credentials = sessions(9);
    const answer = await clientOf(upstream, { credentials }).listPipelineRuns(SCOPE, PAGE, never());
    expect(answer.attempts).toBe(2);
    expect(credentials.refreshed).toBe(1);
  },
);

test('a token that stays expired ends the call after one refresh', async () => {
  const upstream = await serve((response) => json(response, error('InvalidSecurityToken.Expired'), 400));
  const credentials = sessions(9);
  await expect(clientOf(upstream, { credentials }).listPipelineRuns(SCOPE, PAGE, never())).rejects.toMatchObject({
    code: 'PAI_TOKEN_EXPIRED',
    blast: 'global',
    attempts: 2,
  });
  expect(credentials.refreshed).toBe(1);
});

test('no secret is shown, also where PAI repeats what was signed', async () => {
  const securityToken = 'session-token-never-shown';
  const echo = `does not match: x-acs-security-token:${securityToken} key ${KEYS.accessKeySecret}`;
  const upstream = await serve((response) => json(response, error('SignatureDoesNotMatch', echo), 400));
  const credentials = { current: async () => ({ ...KEYS, securityToken }), refresh: async () => KEYS };
  const failed = (await clientOf(upstream, { credentials })
    .listPipelineRuns(SCOPE, PAGE, never())
    .catch((thrown: unknown) => thrown)) as PaiError;
  expect(failed.message).toContain('SignatureDoesNotMatch: does not match: x-acs-security-token:*** key ***');
  expect(JSON.stringify([failed, failed.stack, String(failed.cause)])).not.toMatch(/never-shown/);
});

test('pauses are random below a bound that doubles, and the source may ask for longer ones', async () => {
  const hints: (string | undefined)[] = [undefined, undefined, '7000', undefined];
  const upstream = await serve((response, _, index) => {
    const hint = hints[index];
    json(response, error('ServiceUnavailable'), 503, hint === undefined ? {} : { 'x-acs-retry-after': hint });
  });
  const clock = new FakeClock();
  let settled = false;
  const call = clientOf(upstream, { clock, retry: { attempts: 5, baseMs: 500, capMs: 1500 }, random: () => 0.5 })
    .listPipelineRuns(SCOPE, PAGE, never())
    .catch((thrown: unknown) => thrown)
    .finally(() => {
      settled = true;
    });
  while (!settled) {
    await clock.run(() => settled);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(await call).toMatchObject({ attempts: 5, code: 'PAI_UNAVAILABLE' });
  expect(clock.slept).toEqual([250, 500, 7000 + 750, 750]);
});

test('an abort during a pause rejects at once with the reason', async () => {
  const upstream = await serve((response) => json(response, error('ServiceUnavailable'), 503));
  const abort = new AbortController();
  const logger = { ...silentLogger, warn: () => abort.abort('stop now') };
  const retry = { attempts: 5, baseMs: 3_600_000, capMs: 3_600_000 };
  const call = clientOf(upstream, { logger, retry, random: () => 0.9 }).listPipelineRuns(SCOPE, PAGE, abort.signal);
  await expect(call).rejects.toBe('stop now');
  expect(upstream.seen).toHaveLength(1);
});

test('every attempt passes the budget, which hears of throttling, its hint, failure and success', async () => {
  const events: string[] = [];
  const budget: Budget = {
    take: async () => {
      events.push('take');
      return { use: () => true };
    },
    throttled: (hint) => void events.push(`throttled ${hint}`),
    failed: () => void events.push('failed'),
    succeeded: () => void events.push('succeeded'),
  };
  const upstream = await serve((response, _, index) => {
    if (index === 0) json(response, error('Throttling.User'), 400, { 'x-acs-retry-after': '3' });
    else if (index === 1) json(response, error('InternalError'), 500);
    else json(response, EMPTY);
  });
  const named: string[] = [];
  const newBudget = (name: string, region: string) => {
    named.push(`${name} ${region}`);
    return budget;
  };
  const client = clientOf(upstream, { newBudget });
  await client.listPipelineRuns(SCOPE, PAGE, never());
  expect(events).toEqual(['take', 'throttled 3', 'take', 'failed', 'take', 'succeeded']);
  await client.listPipelineRunsStatus(SCOPE, { pipelineRunIds: ['flow-1'] }, never());
  await client.listRuns(SCOPE, { pageToken: null, maxResults: 10 }, never());
  await client.listWorkspaces('cn-beijing', { pageNumber: 1, pageSize: 10 }, never());
  expect(named).toEqual(['flow cn-shanghai', 'listRuns cn-shanghai', 'listWorkspaces cn-beijing']);
});

test('a request whose moment has passed is held back, calls nobody, and waits for another permission', async () => {
  const events: string[] = [];
  const answers = [false, false, true];
  const budget: Budget = {
    take: async () => {
      events.push('take');
      const inTime = answers.shift() ?? true;
      return { use: () => inTime };
    },
    throttled: () => {},
    failed: () => void events.push('failed'),
    succeeded: () => void events.push('succeeded'),
  };
  const upstream = await serve((response) => json(response, EMPTY));
  const client = clientOf(upstream, { newBudget: () => budget });
  expect(await client.listPipelineRuns(SCOPE, PAGE, never())).toMatchObject({ attempts: 1 });
  expect(events).toEqual(['take', 'take', 'take', 'succeeded']);
  expect(upstream.seen).toHaveLength(1);
  answers.push(...Array.from({ length: 100 }, () => false));
  await expect(client.listPipelineRuns(SCOPE, PAGE, never())).rejects.toMatchObject({
    code: 'PAI_NETWORK',
    attempts: 5,
  });
  expect(upstream.seen).toHaveLength(1);
});

test('every attempt is reported with its outcome', async () => {
  const reports: CallReport[] = [];
  const upstream = await serve(failing(1, (response) => json(response, error('Throttling'), 429)));
  await clientOf(upstream, { onCall: (report) => reports.push(report) }).listPipelineRuns(SCOPE, PAGE, never());
  expect(reports).toEqual([
    expect.objectContaining({
      operation: 'ListPipelineRuns',
      region: 'cn-shanghai',
      attempt: 1,
      outcome: 'PAI_THROTTLED',
      httpStatus: 429,
    }),
    expect.objectContaining({
      operation: 'ListPipelineRuns',
      region: 'cn-shanghai',
      attempt: 2,
      outcome: 'ok',
      httpStatus: 200,
    }),
  ]);
  for (const { durationMs } of reports) expect(durationMs ?? -1).toBeGreaterThanOrEqual(0);
});

test('a call for which there are no keys is reported, without a time: an alert goes by it, and nothing was sent', async () => {
  const reports: CallReport[] = [];
  const upstream = await serve((response) => json(response, EMPTY));
  const gone = new PaiError('none found', {
    code: 'PAI_NO_CREDENTIALS',
    retryable: false,
    blast: 'global',
    operation: 'GetCredentials',
  });
  const credentials: CredentialSource = { current: () => Promise.reject(gone), refresh: () => Promise.reject(gone) };
  const client = clientOf(upstream, { credentials, onCall: (report) => reports.push(report) });
  await expect(client.listPipelineRuns(SCOPE, PAGE, never())).rejects.toBe(gone);
  expect(reports).toEqual([
    {
      operation: 'ListPipelineRuns',
      region: 'cn-shanghai',
      attempt: 1,
      durationMs: null,
      outcome: 'PAI_NO_CREDENTIALS',
      httpStatus: null,
    },
  ]);
  expect(upstream.seen).toHaveLength(0);

  const registry = new Registry();
  const work = new WorkMetrics(registry);
  for (const report of reports) work.called(report);
  const text = await registry.metrics();
  expect(text).toContain('pai_mirror_calls_total{operation="ListPipelineRuns",outcome="no_credentials"} 1');
  expect(text).not.toContain('pai_mirror_call_duration_seconds_count{');
});

test('the observation is stamped when the call that answered was sent, later calls with later stamps', async () => {
  const sentAt: number[] = [];
  const upstream = await serve((response, _, index) => {
    sentAt.push(Date.now());
    if (index === 0) setTimeout(() => json(response, {}, 500), 50);
    else json(response, EMPTY);
  });
  const client = clientOf(upstream);
  const first = await client.listPipelineRuns(SCOPE, PAGE, never());
  const stamp = Date.parse(first.observedAt);
  expect(stamp).toBeGreaterThanOrEqual((sentAt[0] ?? 0) + 49);
  expect(stamp).toBeLessThanOrEqual(sentAt[1] ?? 0);
  const next = await Promise.all(Array.from({ length: 20 }, () => client.listPipelineRuns(SCOPE, PAGE, never())));
  const stamps = [first, ...next].map((answer) => answer.observedAt);
  expect(new Set(stamps).size).toBe(21);
  expect([...stamps].sort()).toEqual(stamps);
});

test('the clock of the source is read from the Date header, and null when that is no date', async () => {
  const dates = ['Sat, 30 Jan 2021 12:51:33 GMT', 'yesterday'];
  const upstream = await serve((response, _, index) => json(response, EMPTY, 200, { date: dates[index] }));
  const client = clientOf(upstream);
  expect((await client.listPipelineRuns(SCOPE, PAGE, never())).serverTime).toBe('2021-01-30T12:51:33.000000Z');
  expect((await client.listPipelineRuns(SCOPE, PAGE, never())).serverTime).toBeNull();
});
