/** Checks of the way to PAI: keys, endpoints, clocks, permissions, scopes. */
import { createSource, endpointsOf } from '../../app.js';
import { parseEndpoint } from '../../domain/endpoint.js';
import { PaiError } from '../../domain/errors.js';
import { type Scope, scopeName } from '../../domain/scope.js';
import { askDefaultChain, staticCredentials } from '../../pai/credentials.js';
import { type EndpointProbe, probeEndpoint } from '../../pai/probe.js';
import { systemClock } from '../../util/clock.js';
import { silentLogger } from '../../util/logger.js';
import { type Check, failed, type Judged, ok, skipped, warning } from './check.js';
import { judgeCallFailure, judgeClock, judgeClocksAlone, judgeKeyTexts, judgeNoKeys, judgeProbe } from './judge-pai.js';
import { permissionsIn, urgent } from './permissions.js';
import type { Session } from './session.js';

const PRODUCTS = ['paiflow', 'aiworkspace'] as const;

/** Of several scopes so many are tried: what a role may do hardly differs between the workspaces of one account. */
const MOST_SCOPES = 10;
const CALL_TIMEOUT_MS = 10_000;
/** After so long no other scope is begun: what was found is worth more than what was not. */
const ENOUGH_MS = 60_000;
const MOST_LISTED = 100;
/** One more try: whoever asks stands and waits. */
const RETRY = { attempts: 2, baseMs: 200, capMs: 1_000, mostHintMs: 2_000 };

export const paiChecks = (session: Session): readonly Check[] => [
  { name: 'credentials', needs: ['configuration'], run: () => credentials(session) },
  { name: 'endpoint', needs: ['configuration'], run: (signal) => endpoints(session, signal) },
  { name: 'clock', needs: ['configuration'], run: () => clocks(session) },
  {
    name: 'workspaces',
    needs: ['credentials'],
    timeoutMs: 60_000,
    run: (signal) => workspaces(session, urgent(signal)),
  },
  {
    name: 'permission',
    needs: ['credentials'],
    timeoutMs: 120_000,
    run: (signal) => permissions(session, urgent(signal)),
  },
  { name: 'scope', needs: ['credentials'], timeoutMs: 60_000, run: (signal) => scopes(session, urgent(signal)) },
  { name: 'account', needs: ['credentials'], run: () => [account(session)] },
];

async function credentials(session: Session): Promise<Judged[]> {
  try {
    session.keys = await askDefaultChain();
  } catch (error) {
    return [judgeNoKeys(session.environment, (error as Error).message)];
  }
  const { keys, provider } = session.keys;
  const odd = provider.includes('env') ? judgeKeyTexts(session.environment) : [];
  if (odd.length > 0) return odd;
  const config = session.settings;
  session.source = createSource({
    config: { ...config, callTimeoutMs: Math.min(config.callTimeoutMs, CALL_TIMEOUT_MS) },
    clock: systemClock,
    logger: silentLogger,
    credentials: staticCredentials(keys),
    budgets: session.budgets,
    retry: RETRY,
  });
  const kind = keys.securityToken === null ? 'an access key' : 'a temporary key with a security token';
  return [ok(null, `${kind}, from ${provider}`)];
}

const regionsOf = (session: Session): string[] => [...new Set(session.settings.scopes.map(({ region }) => region))];

/** Both products of all regions at once; those that share an address (an override) are asked once. */
async function endpoints(session: Session, signal: AbortSignal): Promise<Judged[]> {
  const { allowHttp } = session.settings;
  const known = new Map<string, Promise<EndpointProbe>>();
  const endpointOf = endpointsOf(session.settings);
  const asked = regionsOf(session).flatMap((region) => PRODUCTS.map((product) => ({ region, product })));
  const judged = await Promise.all(
    asked.map(async ({ region, product }) => {
      const endpoint = parseEndpoint(endpointOf(product, region), { allowHttp });
      const address = `${endpoint.protocol}://${endpoint.host}`;
      const probe = known.get(address) ?? probeEndpoint(endpoint, signal);
      known.set(address, probe);
      const answered = await probe;
      if (answered.reached !== 'http') session.unreachable.add(`${product} ${region}`);
      return judgeProbe({ product, region, host: endpoint.host }, answered);
    }),
  );
  for (const { aheadMs } of await Promise.all(known.values())) if (aheadMs !== null) session.paiAhead.push(aheadMs);
  return judged;
}

/** Two machines that disagree with PAI by the same time may both be right: PAI is what signatures are checked by. */
function clocks({ paiAhead, databaseAhead }: Session): Judged[] {
  const ahead = middle(paiAhead);
  const ours = judgeClock('this machine', ahead === null ? null : -ahead);
  if (databaseAhead === null) return [ours];
  return [ours, ahead === null ? judgeClocksAlone(databaseAhead) : judgeClock('the database', databaseAhead - ahead)];
}

/** The median: one endpoint may be a proxy with a wrong clock. */
const middle = (values: readonly number[]): number | null =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;

/** Lists the workspaces of each `region:*`; other scopes need no right to. */
async function workspaces(session: Session, signal: AbortSignal): Promise<Judged[]> {
  const regions = session.settings.scopes.filter(({ workspaceId }) => workspaceId === '*').map(({ region }) => region);
  if (regions.length === 0) return [ok(null, 'PAI_SCOPES names each one: no need to list them')];
  return Promise.all(regions.map((region) => workspacesOf(session, region, signal)));
}

async function workspacesOf(session: Session, region: string, signal: AbortSignal): Promise<Judged> {
  const subject = `${region}:*`;
  if (session.unreachable.has(`aiworkspace ${region}`))
    return skipped(subject, 'not tried: its endpoint does not answer');
  try {
    const { length } = await listWorkspaces(session, region, signal);
    if (length > 0) return ok(subject, `${length} ${length === 1 ? 'workspace' : 'workspaces'}`);
    return failed(subject, 'the account has no workspace there', 'make one there, or correct the region in PAI_SCOPES');
  } catch (error) {
    signal.throwIfAborted();
    return judgeCallFailure(subject, 'ListWorkspaces', null, error);
  }
}

/** The first hundred: enough to try, and to see whether one is among them. */
async function listWorkspaces(session: Session, region: string, signal: AbortSignal): Promise<readonly string[]> {
  session.workspaces.set(region, null);
  const answer = await session.source?.listWorkspaces(region, { pageNumber: 1, pageSize: MOST_LISTED }, signal);
  const listed = (answer?.items ?? []).map(({ workspaceId }) => workspaceId);
  session.workspaces.set(region, listed);
  return listed;
}

/** The same where it is only of use: null when it cannot be told, which one try settles. */
async function knownWorkspaces(
  session: Session,
  region: string,
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  const known = session.workspaces.get(region);
  if (known !== undefined) return known;
  if (session.hopeless.has('all') || session.unreachable.has(`aiworkspace ${region}`)) return null;
  try {
    return await listWorkspaces(session, region, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof PaiError)) throw error;
    return null;
  }
}

function scopesOf(session: Session): Scope[] {
  const all = session.settings.scopes.flatMap(({ region, workspaceId }) =>
    workspaceId === '*'
      ? (session.workspaces.get(region) ?? []).map((id) => ({ region, workspaceId: id }))
      : [{ region, workspaceId }],
  );
  return [...new Map(all.map((scope) => [scopeName(scope), scope])).values()];
}

/** Four calls of PAIFlow a scope: under a small budget only few scopes, so that nobody waits for minutes. */
const howMany = (flowQps: number): number =>
  flowQps === 0 ? MOST_SCOPES : Math.min(MOST_SCOPES, Math.max(1, Math.floor(flowQps * 2)));

async function permissions(session: Session, signal: AbortSignal): Promise<Judged[]> {
  const all = scopesOf(session);
  if (all.length === 0) return [skipped(null, 'not tried: no workspace is known')];
  const most = howMany(session.settings.flowQps);
  const judged: Judged[] = [];
  const began = performance.now();
  for (const scope of all.length > most ? await oddFirst(session, all, signal) : all) {
    if (session.tried.size >= most || performance.now() - began > ENOUGH_MS) break;
    session.tried.add(scopeName(scope));
    judged.push(...(await permissionsIn(session, scope, signal)));
  }
  const left = all.length - session.tried.size;
  if (left > 0) judged.push(skipped('more', `${left} more ${left === 1 ? 'scope was' : 'scopes were'} not tried`));
  return judged;
}

/** Where not all can be tried: those first that the account does not seem to have. A call a region tells. */
async function oddFirst(session: Session, all: readonly Scope[], signal: AbortSignal): Promise<Scope[]> {
  const odd: Scope[] = [];
  for (const scope of all) {
    const known = await knownWorkspaces(session, scope.region, signal);
    if (known !== null && !known.includes(scope.workspaceId)) odd.push(scope);
  }
  return [...odd, ...all.filter((scope) => !odd.includes(scope))];
}

/** PAI may answer an unknown workspace with an empty list, so an empty scope is looked up where that is allowed. */
async function scopes(session: Session, signal: AbortSignal): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (const { scope, runs } of session.seen.values()) {
    const name = scopeName(scope);
    judged.push(runs > 0 ? ok(name, 'shows runs') : await emptyScope(session, scope, signal));
  }
  return judged.length > 0 ? judged : [skipped(null, 'not known: its lists could not be read')];
}

async function emptyScope(session: Session, scope: Scope, signal: AbortSignal): Promise<Judged> {
  const name = scopeName(scope);
  const known = await knownWorkspaces(session, scope.region, signal);
  if (known === null) {
    const remedy = 'see whether the workspace of PAI_SCOPES exists';
    return warning(name, 'shows no run; whether it exists cannot be told', remedy);
  }
  if (known.includes(scope.workspaceId)) return ok(name, 'exists, and has no runs');
  const others = known.length === 0 ? 'none' : known.slice(0, 5).join(', ');
  const found = `shows no run, and is not among the workspaces that the account has in ${scope.region}: ${others}`;
  if (known.length < MOST_LISTED) return failed(name, found, 'correct PAI_SCOPES: the workspace id, or the region');
  return warning(name, found, 'see whether the workspace of PAI_SCOPES exists');
}

/** A key does not tell whose it is; a role's name does, and so do the runs that it shows. */
function account({ account: found, keys, environment }: Session): Judged {
  if (found !== null) return ok(null, `${found.id}, by the runs of ${found.scope}`);
  const byRole = keys?.provider.includes('oidc')
    ? /^acs:ram::(\d+):/.exec(environment.ALIBABA_CLOUD_ROLE_ARN ?? '')?.[1]
    : undefined;
  return ok(null, byRole === undefined ? 'not known: no answer names it' : `${byRole}, by ALIBABA_CLOUD_ROLE_ARN`);
}
