import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config.js';

const parse = (env: Record<string, string>) => parseConfig({ PAI_SCOPES: 'cn-shanghai:1', ...env }, { scopes: true });
const TOKEN = '0123456789abcdef';

describe('the HTTP side of the configuration', () => {
  it('listens on this machine alone, without a token, unless told otherwise', () => {
    expect(parse({})).toMatchObject({ httpHost: '127.0.0.1', httpPort: 8080, httpToken: null, httpPublic: false });
    expect(parse({ HTTP_PORT: 'off' }).httpPort).toBeNull();
    expect(parse({ HTTP_PORT: '0' }).httpPort).toBe(0);
    expect(parse({ HTTP_HOST: '[::1]' }).httpHost).toBe('::1');
  });

  it.each(['0.0.0.0', '::', '10.0.0.7', 'mirror.example', '128.0.0.1', '127.0.0.1.example'])(
    'takes %s only with a token or by an explicit decision',
    (host) => {
      expect(() => parse({ HTTP_HOST: host })).toThrow(
        /HTTP_TOKEN: found nothing while HTTP_HOST is .* expected a token .* or HTTP_PUBLIC=true/,
      );
      expect(parse({ HTTP_HOST: host, HTTP_TOKEN: TOKEN }).httpToken).toBe(TOKEN);
      expect(parse({ HTTP_HOST: host, HTTP_PUBLIC: 'true' }).httpPublic).toBe(true);
      expect(parse({ HTTP_HOST: host, HTTP_PORT: 'off' }).httpPort).toBeNull();
    },
  );

  it.each(['localhost', '127.0.0.1', '127.1.2.3', '::1'])('takes %s without either', (host) => {
    expect(parse({ HTTP_HOST: host }).httpHost).toBe(host);
  });

  it('refuses a token and its opposite at once', () => {
    expect(() => parse({ HTTP_TOKEN: TOKEN, HTTP_PUBLIC: 'true' })).toThrow(/HTTP_PUBLIC: .* expected one of them/);
  });

  it.each(['short', 'with a blank inside it', 'ümlaut-0123456789', 'x'.repeat(257), '0123456789:abcdef'])(
    'refuses %j as a token, and does not repeat it',
    (token) => {
      expect(() => parse({ HTTP_TOKEN: token })).toThrow(/HTTP_TOKEN: found something else, expected 16 to 256/);
      expect(() => parse({ HTTP_TOKEN: token })).not.toThrow(token);
    },
  );

  it.each([
    ['HTTP_PORT', '65536'],
    ['HTTP_PORT', '-1'],
    ['HTTP_PORT', 'none'],
    ['HTTP_HOST', 'http://127.0.0.1'],
    ['HTTP_HOST', '/tmp/socket'],
    ['HTTP_HOST', 'a b'],
    ['HTTP_PUBLIC', 'perhaps'],
  ])('refuses %s=%s, with what was found and what is expected', (name, value) => {
    expect(() => parse({ [name]: value })).toThrow(`${name}: found ${JSON.stringify(value)}, expected `);
  });
});
