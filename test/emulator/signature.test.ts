import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Emulator } from '../../src/emulator/server.js';
import { expectedSignature, SignatureCheck } from '../../src/emulator/signature.js';
import { useEmulators } from './harness.js';

// CommonJS with a `default` export, which loaders present differently: required as what it is.
const require = createRequire(import.meta.url);
const OpenApi = require('@alicloud/openapi-client') as typeof import('@alicloud/openapi-client', { with: {
  'resolution-mode': 'require',
}});
const OpenApiUtil = require('@alicloud/openapi-util') as typeof import('@alicloud/openapi-util', { with: {
  'resolution-mode': 'require',
}});

const KEY = { accessKeyId: 'LTAI-test', accessKeySecret: 'secret-of-the-test' };
const STS = { ...KEY, accessKeyId: 'STS.test', securityToken: 'token-1' };

const start = useEmulators();

interface ClientKey {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string;
}

/** A call through the real client library; resolves to its body or rejects with its error. */
async function callThroughLibrary(
  emulator: Emulator,
  key: ClientKey,
  operation: {
    action?: string;
    version?: string;
    method?: string;
    query?: { [name: string]: string };
    body?: unknown;
  } = {},
): Promise<{ body: { [name: string]: unknown } }> {
  const client = new OpenApi.default(new OpenApi.Config({ ...key, endpoint: `127.0.0.1:${emulator.port}` }));
  const params = new OpenApi.Params({
    action: operation.action ?? 'ListPipelineRuns',
    version: operation.version ?? '2021-02-02',
    protocol: 'HTTP',
    method: operation.method ?? 'GET',
    pathname: '/api/v1/pipelineruns',
    authType: 'AK',
    style: 'ROA',
    reqBodyType: 'json',
    bodyType: 'json',
  });
  const request = new OpenApi.OpenApiRequest({ query: operation.query ?? {}, headers: {}, body: operation.body });
  return (await client.callApi(params, request, {} as never)) as { body: { [name: string]: unknown } };
}

describe('the signature check, asked by the real client library', () => {
  it('accepts a call with the right key, with parameters that need encoding', async () => {
    const emulator = await start({ verifySignature: true, accessKeys: [KEY], history: 5 });
    const query = { PageSize: '3', Name: "a b*c'(d)!~/é+消融&=", SortBy: 'GmtModifiedTime', Empty: '' };
    const { body } = await callThroughLibrary(emulator, KEY, { query });
    expect(body.TotalCount).toBe(0);
    expect((await callThroughLibrary(emulator, KEY)).body.TotalCount).toBe(emulator.world.pipelineRuns().length);
  });

  it('accepts a signed JSON body', async () => {
    const emulator = await start({ verifySignature: true, accessKeys: [KEY], history: 5 });
    const id = emulator.world.pipelineRuns()[0]?.pipelineRunId;
    const operation = {
      action: 'ListPipelineRunsStatus',
      method: 'PUT',
      body: { PipelineRuns: [id], WorkspaceId: '' },
    };
    const { body } = await callThroughLibrary(emulator, KEY, operation);
    expect(body.PipelineRuns).toMatchObject([{ PipelineRunId: id, IsDeleted: false }]);
  });

  it('refuses a wrong secret and an unknown key with their codes', async () => {
    const emulator = await start({ verifySignature: true, accessKeys: [KEY] });
    const wrong = { ...KEY, accessKeySecret: 'wrong' };
    await expect(callThroughLibrary(emulator, wrong)).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
    const unknown = { ...KEY, accessKeyId: 'nobody' };
    await expect(callThroughLibrary(emulator, unknown)).rejects.toMatchObject({ code: 'InvalidAccessKeyId.NotFound' });
    expect(emulator.stats.summary().operations.ListPipelineRuns).toMatchObject({ calls: 2, ok: 0, refused: 2 });
  });

  it('wants the security token of a temporary key, and refuses it once it has expired', async () => {
    let now = Date.now();
    const keys = [{ ...STS, expiresAt: now + 60_000 }];
    const emulator = await start({ verifySignature: true, accessKeys: keys, wallClock: () => now });
    await expect(callThroughLibrary(emulator, STS)).resolves.toBeDefined();
    const { securityToken: _, ...bare } = STS;
    await expect(callThroughLibrary(emulator, bare)).rejects.toMatchObject({ code: 'MissingSecurityToken' });
    const other = { ...STS, securityToken: 'token-2' };
    await expect(callThroughLibrary(emulator, other)).rejects.toMatchObject({
      code: 'InvalidSecurityToken.MismatchWithAccessKey',
    });
    now += 61_000;
    await expect(callThroughLibrary(emulator, STS)).rejects.toMatchObject({ code: 'InvalidSecurityToken.Expired' });
  });

  it.each([-16, 16])('refuses a clock that is off by %i minutes', async (minutes) => {
    const wallClock = (): number => Date.now() + minutes * 60_000;
    const emulator = await start({ verifySignature: true, accessKeys: [KEY], wallClock });
    await expect(callThroughLibrary(emulator, KEY)).rejects.toMatchObject({ code: 'InvalidTimeStamp.Expired' });
  });

  it('goes by the wall clock and not by the clock of the world', async () => {
    const emulator = await start({ verifySignature: true, accessKeys: [KEY], startAt: Date.UTC(2001, 0, 1) });
    await expect(callThroughLibrary(emulator, KEY)).resolves.toBeDefined();
  });

  it('refuses the version of the other product and the action of another path', async () => {
    const emulator = await start({ verifySignature: true, accessKeys: [KEY] });
    const other = { version: '2021-02-04' };
    await expect(callThroughLibrary(emulator, KEY, other)).rejects.toMatchObject({ code: 'InvalidVersion' });
    const action = { action: 'ListRuns' };
    await expect(callThroughLibrary(emulator, KEY, action)).rejects.toMatchObject({ code: 'InvalidAction.NotFound' });
  });
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function signed(
  overrides: { [name: string]: string } = {},
  body = '',
  nonce = 'nonce-1',
): Parameters<SignatureCheck['verify']>[0] {
  const headers: { [name: string]: string } = {
    host: '127.0.0.1:1',
    'x-acs-version': '2021-02-02',
    'x-acs-action': 'ListPipelineRuns',
    'x-acs-date': `${new Date().toISOString().slice(0, 19)}Z`,
    'x-acs-signature-nonce': nonce,
    'x-acs-content-sha256': sha256(body),
  };
  const request = { method: 'GET', pathname: '/api/v1/pipelineruns', query: {}, headers };
  headers.authorization = OpenApiUtil.default.getAuthorization(
    request as never,
    'ACS3-HMAC-SHA256',
    sha256(body),
    KEY.accessKeyId,
    KEY.accessKeySecret,
  );
  return {
    method: 'GET',
    path: '/api/v1/pipelineruns',
    query: '',
    headers: { ...headers, ...overrides },
    body: Buffer.from(body),
  };
}

describe('the signature check, asked directly', () => {
  const refusal = (request: ReturnType<typeof signed>, check = new SignatureCheck([KEY])): unknown => {
    try {
      check.verify(request);
      return null;
    } catch (error) {
      return (error as { paiCode: string }).paiCode;
    }
  };

  it('accepts a nonce once', () => {
    const check = new SignatureCheck([KEY]);
    expect(refusal(signed(), check)).toBeNull();
    expect(refusal(signed(), check)).toBe('SignatureNonceUsed');
    expect(refusal(signed({}, '', 'nonce-2'), check)).toBeNull();
  });

  it('forgets old nonces when many have been used, so that memory stays bounded', () => {
    const check = new SignatureCheck([KEY], { keptNonces: 10 });
    for (let n = 0; n < 25; n += 1) expect(refusal(signed({}, '', `nonce-${n}`), check)).toBeNull();
    expect(refusal(signed({}, '', 'nonce-24'), check)).toBe('SignatureNonceUsed');
    expect(refusal(signed({}, '', 'nonce-0'), check)).toBeNull();
  });

  it('does not spend the nonce of a call that it refuses', () => {
    const check = new SignatureCheck([KEY]);
    expect(refusal(signed({ 'x-acs-action': 'GetPipelineRun' }), check)).toBe('SignatureDoesNotMatch');
    expect(refusal(signed(), check)).toBeNull();
  });

  it('refuses what was changed after signing: a header, the body, an added x-acs header', () => {
    expect(refusal(signed({ 'x-acs-version': '2021-02-04' }))).toBe('SignatureDoesNotMatch');
    expect(refusal({ ...signed({}, 'a'), body: Buffer.from('b') })).toBe('SignatureDoesNotMatch');
    expect(refusal(signed({ 'x-acs-more': '1' }))).toBe('SignatureDoesNotMatch');
    expect(refusal({ ...signed(), query: 'PageSize=1' })).toBe('SignatureDoesNotMatch');
  });

  it('refuses a missing and a malformed Authorization', () => {
    expect(refusal(signed({ authorization: '' }))).toBe('MissingAuthorization');
    expect(refusal(signed({ authorization: 'acs id:signature' }))).toBe('IncompleteSignature');
  });

  it('computes what the library computes, for any query', () => {
    // The library signs names as they stand, so only names that need no encoding (all of PAI's) can be compared.
    const parameters = fc.dictionary(fc.stringMatching(/^[A-Za-z0-9._~-]{1,9}$/), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(parameters, (query) => {
        const headers = { host: 'h', 'x-acs-date': 'd', 'x-acs-content-sha256': sha256('') };
        const request = { method: 'GET', pathname: '/api/v1/runs', query, headers };
        const authorization = OpenApiUtil.default.getAuthorization(
          request as never,
          'ACS3-HMAC-SHA256',
          sha256(''),
          'id',
          'secret',
        );
        const text = Object.entries(query)
          .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
          .join('&');
        const received = { method: 'GET', path: '/api/v1/runs', query: text, headers, body: Buffer.alloc(0) };
        const own = expectedSignature(received, ['host', 'x-acs-content-sha256', 'x-acs-date'], 'secret');
        expect(authorization.endsWith(`Signature=${own}`)).toBe(true);
      }),
    );
  });
});
