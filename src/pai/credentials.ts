import { PaiError } from '../domain/errors.js';
import type { Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import { concealPassing } from '../util/secrets.js';
import { orAborted } from './abort.js';
import { loadCredentials } from './alicloud.js';

/** What a call is signed with. */
export interface Keys {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Null for keys that do not expire. */
  readonly securityToken: string | null;
}

export interface CredentialSource {
  current(signal: AbortSignal): Promise<Keys>;
  /** Other keys than `expired`, which PAI refused. */
  refresh(expired: Keys, signal: AbortSignal): Promise<Keys>;
}

/** Asks for keys once; a later question may give newer ones. */
export type KeyProvider = () => Promise<Keys>;

/** The providers renew a session themselves 3 minutes before its end, when they are asked. */
const ASK_AGAIN_MS = 60_000;

const LOOKED_FOR = [
  'the environment (ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, perhaps ALIBABA_CLOUD_SECURITY_TOKEN)',
  'an OIDC role (ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN, ALIBABA_CLOUD_OIDC_TOKEN_FILE)',
  '~/.aliyun/config.json',
  '~/.alibabacloud/credentials',
  'the RAM role of an ECS instance (unless ALIBABA_CLOUD_ECS_METADATA_DISABLED)',
  'a credentials URI (ALIBABA_CLOUD_CREDENTIALS_URI)',
].join('; ');

/** Keys that are given, for tests and the demo. */
export function staticCredentials(keys: Keys): CredentialSource {
  concealKeys(keys);
  return { current: async () => keys, refresh: async () => keys };
}

function concealKeys({ accessKeySecret, securityToken }: Keys): void {
  concealPassing(accessKeySecret);
  concealPassing(securityToken);
}

/** The default chain of @alicloud/credentials, which reads the environment and the files itself. */
export const defaultCredentials = (options: { readonly clock: Clock; readonly logger: Logger }): CredentialSource =>
  new SharedCredentials({ ...options, newProvider: newDefaultChain });

function newDefaultChain(): KeyProvider {
  const ask = newNamedChain();
  return async () => (await ask()).keys;
}

/** The keys, and who gave them, as @alicloud/credentials names it: `default/env`, `default/ecs_ram_role` … */
export interface NamedKeys {
  readonly keys: Keys;
  readonly provider: string;
}

/** Asks the default chain once, for whoever wants to know where keys come from. Throws PaiError. */
export const askDefaultChain = (): Promise<NamedKeys> =>
  Promise.resolve()
    .then(() => newNamedChain()())
    .catch((error: unknown) => {
      throw noCredentials(error);
    });

function newNamedChain(): () => Promise<NamedKeys> {
  const { default: Credential } = loadCredentials();
  const credential = new Credential();
  return async () => {
    const { accessKeyId, accessKeySecret, securityToken, providerName } = await credential.getCredential();
    if (!accessKeyId || !accessKeySecret) throw new Error('the provider gave no access key');
    const keys = { accessKeyId, accessKeySecret, securityToken: securityToken || null };
    concealKeys(keys);
    return { keys, provider: providerName || 'unknown' };
  };
}

/**
 * One answer for all callers. The providers must never be asked twice at once (of concurrent first questions some
 * fail), and a chain that failed as a whole keeps failing, so the next question goes to a new one.
 */
export class SharedCredentials implements CredentialSource {
  private provider: KeyProvider | null = null;
  private keys: Keys | null = null;
  private askedAt = Number.NEGATIVE_INFINITY;
  private asking: Promise<Keys> | null = null;

  constructor(
    private readonly options: {
      readonly clock: Clock;
      readonly logger: Logger;
      readonly newProvider: () => KeyProvider;
    },
  ) {}

  async current(signal: AbortSignal): Promise<Keys> {
    const age = this.options.clock.now() - this.askedAt;
    if (this.keys !== null && age >= 0 && age < ASK_AGAIN_MS) return this.keys;
    return orAborted(this.ask(this.keys), signal);
  }

  async refresh(expired: Keys, signal: AbortSignal): Promise<Keys> {
    // A question that is under way may end with the same keys, out of the provider's cache.
    if (this.asking !== null)
      await orAborted(
        this.asking.catch(() => null),
        signal,
      );
    if (this.keys !== null && !sameKeys(this.keys, expired)) return this.keys;
    if (this.asking === null) this.provider = null;
    return orAborted(this.ask(null), signal);
  }

  /** Joins the question that is under way. `fallback` are keys that may still serve when there is no answer. */
  private ask(fallback: Keys | null): Promise<Keys> {
    this.asking ??= this.askProvider(fallback).finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  private async askProvider(fallback: Keys | null): Promise<Keys> {
    try {
      this.provider ??= this.options.newProvider();
      this.keys = await this.provider();
      concealKeys(this.keys);
    } catch (error) {
      this.provider = null;
      if (fallback === null) throw noCredentials(error);
      this.options.logger.warn({ reason: presentable(error) }, 'credentials could not be read again, keeping the old');
    }
    this.askedAt = this.options.clock.now();
    return this.keys as Keys;
  }
}

const sameKeys = (a: Keys, b: Keys): boolean =>
  a.accessKeyId === b.accessKeyId && a.accessKeySecret === b.accessKeySecret && a.securityToken === b.securityToken;

const noCredentials = (error: unknown): PaiError =>
  new PaiError(
    `no Alibaba Cloud credentials found; looked for ${LOOKED_FOR}. The providers said: ${presentable(error)}`,
    {
      code: 'PAI_NO_CREDENTIALS',
      retryable: false,
      blast: 'global',
      operation: 'GetCredentials',
    },
  );

/**
 * The providers put whole answers and files into their messages, keys included: everything from the first brace on
 * goes, and every long word that is not the name of a variable or a file.
 */
function presentable(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .replace(/[{[=][\s\S]*$/, '…')
    .replace(/[^\s,;:'"()]{16,}/g, (word) => (/^(?:[A-Z_]+|[~.]?\/[\w./-]+)$/.test(word) ? word : '…'))
    .slice(0, 600);
}
