import { UsageError } from './errors.js';

export interface Endpoint {
  readonly protocol: 'http' | 'https';
  /** `paiflow.cn-shanghai.aliyuncs.com`, `127.0.0.1:8091`: what goes into the Host header. */
  readonly host: string;
}

/** A name or address of this machine alone; IPv6 with or without brackets. */
export const isLoopback = (hostname: string): boolean =>
  ['localhost', '[::1]', '::1'].includes(hostname) || /^127(\.\d{1,3}){3}$/.test(hostname);

/**
 * Reads an endpoint: a host, `host:port`, or a URL without path; https unless it says otherwise. Published metadata
 * contains endpoints with a trailing tab, so blanks around it are dropped. Plain http sends everything unencrypted and
 * is refused for other machines unless `allowHttp`.
 */
export function parseEndpoint(text: string, options: { readonly allowHttp: boolean }): Endpoint {
  const trimmed = text.trim();
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`;
  // The text itself is not repeated in the message: a URL may carry a password.
  const expected = 'expected a host, host:port, or http(s) URL without path, user or password';
  if (/\s/.test(trimmed) || !URL.canParse(withScheme)) throw new UsageError(`endpoint: not readable, ${expected}`);
  const url = new URL(withScheme);
  const bare =
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  if (!bare || url.hostname === '' || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new UsageError(`endpoint: ${expected}`);
  }
  const protocol = url.protocol === 'http:' ? 'http' : 'https';
  if (protocol === 'http' && !options.allowHttp && !isLoopback(url.hostname)) {
    throw new UsageError(`endpoint ${url.host}: plain http is for this machine only, expected https`);
  }
  return { protocol, host: url.host };
}
