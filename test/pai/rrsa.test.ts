/**
 * RRSA: a pod has a token that Kubernetes signed, and STS gives keys of a RAM role for it. What ack-pod-identity-webhook puts into
 * a pod is set here; the STS is a server of this test, and only the TLS in between is left out.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { askDefaultChain, defaultCredentials } from '../../src/pai/credentials.js';
import { silentLogger } from '../../src/util/logger.js';
import { FakeClock, never, type Script, startUpstream, type Upstream } from './support.js';

const ROLE = 'acs:ram::1234567890123456:role/pai-mirror';
const PROVIDER = 'acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0123456789';

let directory = '';
let sts: Upstream;
let asked: string[] = [];

const tokenFile = (): string => join(directory, 'token');

/** The n-th answer has the n-th keys. */
const givesKeys: Script = (response, _seen, index) => {
  const Credentials = {
    AccessKeyId: `STS.id-${index}`,
    AccessKeySecret: `secret-${index}`,
    SecurityToken: `session-${index}`,
    Expiration: new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, ''),
  };
  response.end(JSON.stringify({ RequestId: 'r', Credentials }));
};

async function startSts(script: Script): Promise<void> {
  sts = await startUpstream(script);
  const { port } = new URL(sts.url);
  vi.spyOn(https, 'request').mockImplementation(((options: https.RequestOptions, onAnswer: () => void) => {
    asked.push(String(options.host ?? options.hostname));
    const { method, path, headers } = options;
    return http.request({ host: '127.0.0.1', port, method, path, headers }, onAnswer);
  }) as typeof https.request);
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pai-mirror-rrsa-'));
  asked = [];
  for (const name of Object.keys(process.env)) if (/^ALIBABA_?CLOUD_/.test(name)) vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', directory);
  vi.stubEnv('ALIBABA_CLOUD_ECS_METADATA_DISABLED', 'true');
  vi.stubEnv('ALIBABA_CLOUD_ROLE_ARN', ROLE);
  vi.stubEnv('ALIBABA_CLOUD_OIDC_PROVIDER_ARN', PROVIDER);
  vi.stubEnv('ALIBABA_CLOUD_OIDC_TOKEN_FILE', tokenFile());
  writeFileSync(tokenFile(), 'token-of-the-first-hour');
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await sts.close();
  rmSync(directory, { recursive: true });
});

const formOf = (index: number): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(sts.seen[index]?.body ?? ''));

test('in a pod with RRSA the keys are those that STS gives for the token of the pod', async () => {
  await startSts(givesKeys);
  expect(await askDefaultChain()).toEqual({
    keys: { accessKeyId: 'STS.id-0', accessKeySecret: 'secret-0', securityToken: 'session-0' },
    provider: 'default/oidc_role_arn',
  });
  expect(asked).toEqual(['sts.aliyuncs.com']);
  expect(sts.seen[0]?.method).toBe('POST');
  expect(sts.seen[0]?.url).toContain('Action=AssumeRoleWithOIDC');
  expect(formOf(0)).toMatchObject({
    RoleArn: ROLE,
    OIDCProviderArn: PROVIDER,
    OIDCToken: 'token-of-the-first-hour',
  });
});

test('keys that PAI refuses are replaced by those for the token that Kubernetes has written since', async () => {
  await startSts(givesKeys);
  const source = defaultCredentials({ clock: new FakeClock(), logger: silentLogger });
  const first = await source.current(never());
  writeFileSync(tokenFile(), 'token-of-the-second-hour');
  expect((await source.refresh(first, never())).securityToken).toBe('session-1');
  expect([formOf(0).OIDCToken, formOf(1).OIDCToken]).toEqual(['token-of-the-first-hour', 'token-of-the-second-hour']);
});

test('STS is that of the region, and of the VPC, where the webhook says so', async () => {
  await startSts(givesKeys);
  vi.stubEnv('ALIBABA_CLOUD_STS_REGION', 'cn-shanghai');
  await askDefaultChain();
  vi.stubEnv('ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED', 'true');
  await askDefaultChain();
  expect(asked).toEqual(['sts.cn-shanghai.aliyuncs.com', 'sts-vpc.cn-shanghai.aliyuncs.com']);
});

test('a role that does not trust the pod is told, without the token', async () => {
  await startSts((response) => {
    response.statusCode = 403;
    response.end('{"Code":"AuthenticationFail.NoPermission","Message":"refused token-of-the-first-hour"}');
  });
  const failed = await askDefaultChain().catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 'PAI_NO_CREDENTIALS' });
  expect(String(failed)).toContain('OIDC');
  expect(String(failed)).not.toContain('token-of-the-first-hour');
});
