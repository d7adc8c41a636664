/**
 * Who may ask what, decided from a request's head alone. Rejected: cookies and a login page, since a browser sends a
 * password of its own accord only to where it was given (Basic), and everything else here is a program with a header.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isLoopback } from '../domain/endpoint.js';

export interface Access {
  /** The address that is listened on. */
  readonly host: string;
  /** Null: none is asked for. */
  readonly token: string | null;
}

/** The head of a request. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly host: string | undefined;
  readonly authorization: string | undefined;
}

export interface Refusal {
  readonly status: 401 | 405 | 414 | 421;
  readonly error: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Characters of path and query. A page of a list needs a few hundred; browsers send up to 2,000 without complaint. */
export const MOST_URL = 2048;

/**
 * Null: go on. `isOpen`: the route needs no token (it tells nothing worth one).
 *
 * Whoever owns a domain can let its name lead to 127.0.0.1, and a page of it then reads what listens there through the
 * visitor's browser (DNS rebinding). Such a request carries the foreign name; so without a token a loopback address answers
 * to its own names only. With a token that page has nothing to show, and a proxy may pass on the name that it was asked by.
 */
export function refusalOf(asked: Asked, access: Access, isOpen: boolean): Refusal | null {
  if (asked.method !== 'GET' && asked.method !== 'HEAD')
    return { status: 405, error: 'this server only answers GET and HEAD', headers: { allow: 'GET, HEAD' } };
  if (asked.url.length > MOST_URL)
    return { status: 414, error: `the address has more than ${MOST_URL} characters`, headers: {} };
  if (access.token === null) {
    return isLoopback(access.host) && !namesLoopback(asked.host)
      ? { status: 421, error: 'ask by the name localhost or the address of this machine', headers: {} }
      : null;
  }
  if (isOpen || showsToken(asked.authorization, access.token)) return null;
  const challenge = 'Basic realm="pai-mirror, the password is HTTP_TOKEN", charset="UTF-8"';
  return { status: 401, error: 'a token is needed', headers: { 'www-authenticate': challenge } };
}

/** Any port: a forwarded one is another than ours. */
function namesLoopback(host: string | undefined): boolean {
  const [, name] = /^(\[[0-9a-f:]+\]|[^:@/\s]+)(?::\d{1,5})?$/i.exec(host ?? '') ?? [];
  return name !== undefined && isLoopback(name.toLowerCase());
}

/** `Bearer <token>` of programs, or Basic with the token as the password and any user, which is what browsers ask for. */
function showsToken(authorization: string | undefined, token: string): boolean {
  const [, scheme = '', shown = ''] = /^(bearer|basic) +([^\s]{1,1024})$/i.exec(authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return isSame(shown, token);
  const [, password] = /^[^:]*:(.*)$/s.exec(Buffer.from(shown, 'base64').toString('utf8')) ?? [];
  return password !== undefined && isSame(password, token);
}

/** In the same time however much of it is right, and however long it is. */
const isSame = (shown: string, token: string): boolean => timingSafeEqual(digest(shown), digest(token));

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
