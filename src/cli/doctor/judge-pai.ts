/** What the answers of PAI mean, and what to do about them. Pure. */
import { describeError, PaiError } from '../../domain/errors.js';
import type { EndpointProbe } from '../../pai/probe.js';
import { ramActionOf } from '../../pai/ram-actions.js';
import { failed, type Judged, ok, skipped, warning } from './check.js';

export const VARIABLES = { paiflow: 'PAI_FLOW_ENDPOINT', aiworkspace: 'PAI_AIWORKSPACE_ENDPOINT' } as const;

export function judgeProbe(
  what: { readonly product: keyof typeof VARIABLES; readonly region: string; readonly host: string },
  probe: EndpointProbe,
): Judged {
  const subject = `${what.product} ${what.region}`;
  const variable = VARIABLES[what.product];
  const why = `${what.host}: ${probe.error ?? ''}`;
  switch (probe.reached) {
    case 'dns':
      return failed(
        subject,
        `no such name: ${why}`,
        `is the region of PAI_SCOPES right? Inside a VPC ${variable}=${what.product}-vpc.${what.region}.aliyuncs.com may be the way; else see the resolver`,
      );
    case 'connect':
      return failed(
        subject,
        `no connection: ${why}`,
        `see the firewall (a proxy of HTTPS_PROXY is not used), and ${variable} if it is set`,
      );
    case 'tls':
      return failed(
        subject,
        `no trust: ${why}`,
        `behind a proxy that opens TLS name its authority in NODE_EXTRA_CA_CERTS; else see ${variable}`,
      );
    case 'http': {
      const found = `${what.host} answers in ${probe.tookMs} ms`;
      const status = probe.httpStatus ?? 0;
      if (status < 500) return ok(subject, found);
      return warning(
        subject,
        `${found}, with HTTP ${status}`,
        'PAI or a proxy before it has troubles: try again later',
      );
    }
  }
}

/** Whole seconds of the Date header, and the way there and back: this much says nothing. */
const CLOCKS_AGREE_MS = 60_000;
/** From here on PAI refuses what is signed with the wrong time. */
const REFUSED_MS = 15 * 60_000;

const span = (millis: number): string => {
  const seconds = Math.round(Math.abs(millis) / 1_000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`;
};

/** `aheadMs`: by how much the clock is ahead of PAI's; null when PAI told no time. */
export function judgeClock(whose: 'this machine' | 'the database', aheadMs: number | null): Judged {
  if (aheadMs === null) return skipped(whose, 'no answer of PAI tells its time');
  const found = `${span(aheadMs)} ${aheadMs < 0 ? 'behind' : 'ahead of'} PAI's`;
  if (Math.abs(aheadMs) <= CLOCKS_AGREE_MS) return ok(whose, `within a minute of PAI's`);
  const host = whose === 'this machine' ? 'of this machine' : "of the database's server";
  const remedy = `set the clock ${host} right: run NTP (chrony, systemd-timesyncd)`;
  return (Math.abs(aheadMs) >= REFUSED_MS ? failed : warning)(whose, `its clock is ${found}`, remedy);
}

/** Where PAI tells no time the two are at least compared with each other. `aheadMs`: the database's, of this machine's. */
export function judgeClocksAlone(aheadMs: number): Judged {
  const whose = 'the database';
  if (Math.abs(aheadMs) <= CLOCKS_AGREE_MS) return ok(whose, 'within a minute of this machine');
  const found = `its clock is ${span(aheadMs)} ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine's`;
  return warning(whose, found, 'one of the two is wrong: run NTP on both');
}

const KEYS =
  'check the access key: is the secret that of ALIBABA_CLOUD_ACCESS_KEY_ID, is the key active, is the account right?';

const CORRECT_ENDPOINT = 'correct PAI_FLOW_ENDPOINT or PAI_AIWORKSPACE_ENDPOINT';

/** A call that got no turn. */
export const judgeWait = (subject: string, seconds: number): Judged =>
  warning(
    subject,
    `got no turn within ${seconds} s: PAI has asked for a pause, or the budget is used up`,
    'try again in a minute; if that stays so, lower PAI_FLOW_QPS or PAI_LIST_RUNS_QPS where PAI throttles, else raise them',
  );

const KEY_NAMES = ['ALIBABA_CLOUD_ACCESS_KEY_ID', 'ALIBABA_CLOUD_ACCESS_KEY_SECRET', 'ALIBABA_CLOUD_SECURITY_TOKEN'];

/** Of `echo`, of a file, of a copy: PAI takes it for a part of the key, and says only that the signature is wrong. */
export const judgeKeyTexts = (env: Readonly<Record<string, string | undefined>>): Judged[] =>
  KEY_NAMES.filter((name) => /[^!-~]/.test(env[name] ?? '')).map((name) =>
    failed(
      name,
      'holds a blank, a line break or another sign that is in no key',
      `set ${name} to the key alone (a secret made with \`echo\` ends in a line break: \`echo -n\` or \`printf\` makes none)`,
    ),
  );

/** Why there are no keys: `reason` is what the providers say. */
export function judgeNoKeys(env: Readonly<Record<string, string | undefined>>, reason: string): Judged {
  const [set = [], unset = []] = [true, false].map((isSet) =>
    KEY_NAMES.slice(0, 2).filter((name) => ((env[name] ?? '').trim() !== '') === isSet),
  );
  if (set.length !== 1) return failed(null, reason, CREDENTIALS_REMEDY);
  return failed(
    `${unset[0]}`,
    `is not set, and ${set[0]} is; ${reason}`,
    `set ${unset[0]}: one is no use without the other`,
  );
}

const CREDENTIALS_REMEDY =
  'set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or one of the other ways above';

/** `workspaceId`: null for calls that concern none. */
export function judgeCallFailure(
  subject: string,
  operation: string,
  workspaceId: string | null,
  error: unknown,
): Judged {
  const found = describeError(error);
  if (!(error instanceof PaiError)) return failed(subject, found, 'see the message');
  switch (error.code) {
    case 'PAI_FORBIDDEN':
      return failed(subject, found, allow(operation, workspaceId));
    case 'PAI_KEYS_REFUSED':
      return failed(subject, found, KEYS);
    case 'PAI_TOKEN_EXPIRED':
      return failed(subject, found, 'get a new security token: the one in the environment is not renewed by itself');
    case 'PAI_CLOCK_OFF':
      return failed(subject, found, 'set the clock of this machine right: run NTP');
    case 'PAI_THROTTLED':
      return warning(subject, found, 'others use up the quota of the account: lower PAI_FLOW_QPS or PAI_LIST_RUNS_QPS');
    case 'PAI_NOT_FOUND':
      return failed(subject, found, 'is the workspace of PAI_SCOPES one of this account, in this region?');
    case 'PAI_UNKNOWN_OPERATION':
      return failed(subject, found, `${CORRECT_ENDPOINT}: that is not where PAI is`);
    case 'PAI_NETWORK':
      return failed(subject, found, 'see the network between here and the endpoint');
    case 'PAI_TIMEOUT':
      return failed(
        subject,
        found,
        'see the network between here and the endpoint, and PAI_CALL_TIMEOUT_MS if it is set',
      );
    case 'PAI_BAD_ANSWER':
      return failed(
        subject,
        found,
        `something else than PAI answers there: a proxy, a login page? ${CORRECT_ENDPOINT}`,
      );
    case 'PAI_UNAVAILABLE':
      return failed(subject, found, 'PAI has troubles: try again later; its support asks for the request id');
    default:
      return failed(subject, found, 'see the message; the support of PAI asks for the request id');
  }
}

function allow(operation: string, workspaceId: string | null): string {
  const action = ramActionOf(operation);
  const member =
    workspaceId === null
      ? ''
      : `make the RAM user or role a member of workspace ${workspaceId} (a role that may read runs)`;
  if (action === null) return `${member || 'see the message'}; PAI documents no RAM action for ${operation}`;
  const grant = `allow the action ${action} on resource * in its RAM policy`;
  return member === '' ? grant : `${grant}, and ${member}`;
}
