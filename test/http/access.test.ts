import { describe, expect, it } from 'vitest';
import { type Asked, MOST_URL, refusalOf } from '../../src/http/access.js';

const TOKEN = '0123456789abcdef';
const asked = (more: Partial<Asked> = {}): Asked => ({
  method: 'GET',
  url: '/',
  host: 'localhost:8080',
  authorization: undefined,
  ...more,
});
const LOOPBACK = { host: '127.0.0.1', token: null };
const ELSEWHERE = { host: '0.0.0.0', token: TOKEN };
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('a loopback address without a token', () => {
  it.each(['localhost', 'localhost:8080', 'LOCALHOST:1', '127.0.0.1', '127.9.9.9:65535', '[::1]', '[::1]:8080'])(
    'answers to its own name %s',
    (host) => expect(refusalOf(asked({ host }), LOOPBACK, false)).toBeNull(),
  );

  it.each([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    '10.0.0.1',
    '',
    undefined,
    'localhost:8080:1',
    '[::1].evil',
  ])('refuses the foreign name %s, also for what is open', (host) => {
    expect(refusalOf(asked({ host }), LOOPBACK, true)?.status).toBe(421);
    expect(refusalOf(asked({ host }), { ...LOOPBACK, host: '::1' }, false)?.status).toBe(421);
  });

  it('answers to any name where it has a token, so that a proxy may stand in front', () => {
    const proxied = asked({ host: 'pai.example', authorization: `Bearer ${TOKEN}` });
    expect(refusalOf(proxied, { ...LOOPBACK, token: TOKEN }, false)).toBeNull();
    expect(refusalOf(asked({ host: 'pai.example' }), { ...LOOPBACK, token: TOKEN }, false)?.status).toBe(401);
  });
});

describe('an address with a token', () => {
  it.each([`Bearer ${TOKEN}`, `bearer  ${TOKEN}`, basic(`:${TOKEN}`), basic(`anybody:${TOKEN}`)])(
    'lets in %s',
    (authorization) => expect(refusalOf(asked({ authorization }), ELSEWHERE, false)).toBeNull(),
  );

  it.each([
    undefined,
    '',
    'Bearer',
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    basic(`:${TOKEN.slice(0, -1)}`),
    TOKEN,
    `Token ${TOKEN}`,
    basic(TOKEN),
    basic(`${TOKEN}:`),
    basic(`anybody:${TOKEN} `),
    `Bearer ${'x'.repeat(5000)}`,
    'Basic ====',
  ])('refuses %s, and says how it is asked for', (authorization) => {
    const refusal = refusalOf(asked({ authorization }), ELSEWHERE, false);
    expect(refusal).toMatchObject({ status: 401, headers: { 'www-authenticate': expect.stringContaining('Basic ') } });
    expect(JSON.stringify(refusal)).not.toContain(TOKEN);
  });

  it('answers what is open without one', () => {
    expect(refusalOf(asked({ host: '10.0.0.7:8080' }), ELSEWHERE, true)).toBeNull();
  });
});

describe('whoever asks', () => {
  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'get'])('may not %s', (method) => {
    expect(refusalOf(asked({ method }), LOOPBACK, true)).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
  });

  it('may not send a longer address than the bound', () => {
    expect(refusalOf(asked({ url: `/${'x'.repeat(MOST_URL)}` }), LOOPBACK, true)?.status).toBe(414);
    expect(refusalOf(asked({ url: `/${'x'.repeat(MOST_URL - 1)}` }), LOOPBACK, true)).toBeNull();
  });
});
