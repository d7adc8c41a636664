import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Refusal } from './refusal.js';

/** Who may call. With a security token it is a temporary (STS) key, and the token must be sent along. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string;
  /** Milliseconds since 1970, on the wall clock, from which the token is expired. */
  readonly expiresAt?: number;
}

/** A request as it came in: nothing decoded. */
export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: Buffer;
}

const ALGORITHM = 'ACS3-HMAC-SHA256';
const MAX_SKEW_MILLIS = 15 * 60_000;
const MUST_BE_SIGNED = [
  'host',
  'x-acs-action',
  'x-acs-content-sha256',
  'x-acs-date',
  'x-acs-signature-nonce',
  'x-acs-version',
];
const EMPTY_HASH = createHash('sha256').update('').digest('hex');

/** Percent-encoding of RFC 3986: everything but letters, digits and `-_.~`. */
const encode = (value: string): string =>
  encodeURIComponent(value).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

const sha256 = (data: Buffer | string): string =>
  data.length === 0 ? EMPTY_HASH : createHash('sha256').update(data).digest('hex');

function header(request: SignedRequest, name: string): string {
  const value = request.headers[name];
  return (Array.isArray(value) ? value.join(',') : (value ?? '')).trim();
}

/** Parameters sorted by name, each name and value encoded again in the one canonical way. */
export function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = [...new URLSearchParams(query)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
}

interface Authorization {
  readonly accessKeyId: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

function readAuthorization(request: SignedRequest): Authorization {
  const value = header(request, 'authorization');
  if (value === '') throw new Refusal(400, 'MissingAuthorization', 'The header Authorization is missing.');
  const match = /^(\S+)\s+Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/.exec(value);
  if (match?.[1] !== ALGORITHM) {
    throw new Refusal(400, 'IncompleteSignature', `The header Authorization is not of the form of ${ALGORITHM}.`);
  }
  const [, , accessKeyId, names, signature] = match as unknown as [string, string, string, string, string];
  return { accessKeyId, signedHeaders: names.split(';'), signature };
}

/** The signature that `request` should carry: hex HMAC-SHA256 of the hashed canonical request. */
export function expectedSignature(request: SignedRequest, signedHeaders: readonly string[], secret: string): string {
  const canonical = [
    request.method,
    request.path,
    canonicalQuery(request.query),
    ...signedHeaders.map((name) => `${name}:${header(request, name)}`),
    '',
    signedHeaders.join(';'),
    header(request, 'x-acs-content-sha256'),
  ].join('\n');
  return createHmac('sha256', secret)
    .update(`${ALGORITHM}\n${sha256(canonical)}`)
    .digest('hex');
}

/** Nonces of the last requests, in two generations so that memory stays bounded: the older one is dropped as a whole. */
class Nonces {
  private recent = new Set<string>();
  private older = new Set<string>();
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
  }

  /** False when the nonce was used before. */
  use(nonce: string): boolean {
    if (this.recent.has(nonce) || this.older.has(nonce)) return false;
    this.recent.add(nonce);
    if (this.recent.size >= this.most) {
      this.older = this.recent;
      this.recent = new Set();
    }
    return true;
  }
}

/** Checks ACS3-HMAC-SHA256 signatures, with code that shares nothing with the client library. */
export class SignatureCheck {
  private readonly keys: Map<string, AccessKey>;
  private readonly nonces: Nonces;
  private readonly wallClock: () => number;

  constructor(
    keys: readonly AccessKey[],
    options: { readonly wallClock?: () => number; readonly keptNonces?: number } = {},
  ) {
    this.keys = new Map(keys.map((key) => [key.accessKeyId, key]));
    this.wallClock = options.wallClock ?? Date.now;
    this.nonces = new Nonces(options.keptNonces ?? 100_000);
  }

  /** Throws a Refusal with PAI's code when the request is not properly signed. */
  verify(request: SignedRequest): void {
    const authorization = readAuthorization(request);
    const key = this.keys.get(authorization.accessKeyId);
    if (!key) throw new Refusal(404, 'InvalidAccessKeyId.NotFound', 'The specified AccessKey ID does not exist.');
    this.checkDate(request);
    this.checkSignature(request, authorization, key);
    this.checkToken(request, key);
    if (!this.nonces.use(header(request, 'x-acs-signature-nonce'))) {
      throw new Refusal(400, 'SignatureNonceUsed', 'The signature nonce of this request was used before.');
    }
  }

  private checkDate(request: SignedRequest): void {
    const date = header(request, 'x-acs-date');
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(date) ? Date.parse(date) : Number.NaN;
    if (Number.isNaN(time)) {
      throw new Refusal(
        400,
        'InvalidTimeStamp.Format',
        `The header x-acs-date is "${date}", not yyyy-MM-ddTHH:mm:ssZ.`,
      );
    }
    if (Math.abs(this.wallClock() - time) > MAX_SKEW_MILLIS) {
      throw new Refusal(400, 'InvalidTimeStamp.Expired', 'The header x-acs-date is more than 15 minutes off.');
    }
  }

  private checkSignature(request: SignedRequest, authorization: Authorization, key: AccessKey): void {
    const { signedHeaders, signature } = authorization;
    const unsigned = Object.keys(request.headers).find(
      (name) => (MUST_BE_SIGNED.includes(name) || name.startsWith('x-acs-')) && !signedHeaders.includes(name),
    );
    const absent = MUST_BE_SIGNED.find((name) => header(request, name) === '');
    const hashed = header(request, 'x-acs-content-sha256') === sha256(request.body);
    const expected = expectedSignature(request, signedHeaders, key.accessKeySecret);
    const equal = timingSafeEqual(Buffer.from(expected, 'hex'), Buffer.from(signature, 'hex'));
    if (equal && hashed && unsigned === undefined && absent === undefined) return;
    const reason = absent ? `${absent} is missing` : unsigned ? `${unsigned} is not signed` : 'it does not match';
    throw new Refusal(
      400,
      'SignatureDoesNotMatch',
      `The signature is wrong: ${hashed ? reason : 'the body was changed'}.`,
    );
  }

  private checkToken(request: SignedRequest, key: AccessKey): void {
    const token = header(request, 'x-acs-security-token');
    if (key.securityToken === undefined) return;
    if (token === '') throw new Refusal(400, 'MissingSecurityToken', 'The header x-acs-security-token is missing.');
    if (key.expiresAt !== undefined && this.wallClock() >= key.expiresAt) {
      throw new Refusal(400, 'InvalidSecurityToken.Expired', 'The security token has expired.');
    }
    if (token !== key.securityToken) {
      throw new Refusal(400, 'InvalidSecurityToken.MismatchWithAccessKey', 'The security token is not of this key.');
    }
  }
}
