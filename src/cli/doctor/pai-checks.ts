/** Checks of the way to PAI: keys, endpoints, clocks, permissions, scopes. */
import { createSource, endpointsOf } from '../../app.js';
import { parseEndpoint } from '../../domain/endpoint.js';
import { PaiError } from '../../domain/errors.js';
import { type Scope, scopeName } from '../../domain/scope.js';
import { askDefaultChain, staticCredentials } from '../../pai/credentials.js';
import { type EndpointProbe, probeEndpoint } from '../../pai/probe.js';
import { systemClock } from '../../util/clock.js';
import { silentLogger } from '../../util/logger.js';
import { setUrgent } from '../../util/urgency.js';
import { type Check, failed, type Judged, ok, skipped, warning } from './check.js';
import { judgeCallFailure, judgeClock, judgeClocksAlone, judgeProbe } from './judge-pai.js';
import { permissionsIn } from './permissions.js';
import type { Session } from './session.js';

const PRODUCTS = ['paiflow', 'aiworkspace'] as const;

/** Of several scopes so many are tried: what a role may do hardly differs between the workspaces of one account. */
const MOST_SCOPES = 10;
const CALL_TIMEOUT_MS = 10_000;
/** One more try: whoever asks stands and waits. */
const RETRY = { attempts: 2, baseMs: 200, capMs: 1_000 };

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

/** A service that runs beside may have used up the budget for a while to come. */
function urgent(signal: AbortSignal): AbortSignal {
  setUrgent(signal, true);
  return signal;
}

const CREDENTIALS_REMEDY =
  'set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or one of the other ways above';

async function credentials(session: Session): Promise<Judged[]> {
  try {
    session.keys = await askDefaultChain();
  } catch (error) {
    return [failed(null, (error as Error).message, CREDENTIALS_REMEDY)];
  }
  const { keys, provider } = session.keys;
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
  const judged: Judged[] = [];
  for (const region of regions) {
    if (session.unreachable.has(`aiworkspace ${region}`)) {
      judged.push(skipped(`${region}:*`, 'not tried: its endpoint does not answer'));
      continue;
    }
    try {
      const listed = await listWorkspaces(session, region, signal);
      session.workspaces.set(region, listed);
      const remedy = 'make one there, or correct the region in PAI_SCOPES';
      judged.push(
        listed.length === 0
          ? failed(`${region}:*`, 'the account has no workspace there', remedy)
          : ok(`${region}:*`, `${listed.length} ${listed.length === 1 ? 'workspace' : 'workspaces'}`),
      );
    } catch (error) {
      signal.throwIfAborted();
      judged.push(judgeCallFailure(`${region}:*`, 'ListWorkspaces', null, error));
    }
  }
  return judged;
}

/** The first hundred: enough to try, and to see whether one is among them. */
async function listWorkspaces(session: Session, region: string, signal: AbortSignal): Promise<string[]> {
  const answer = await session.source?.listWorkspaces(region, { pageNumber: 1, pageSize: 100 }, signal);
  return (answer?.items ?? []).map(({ workspaceId }) => workspaceId);
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
  const tried = all.slice(0, howMany(session.settings.flowQps));
  const judged: Judged[] = [];
  for (const scope of tried) judged.push(...(await permissionsIn(session, scope, signal)));
  if (tried.length < all.length) judged.push(ok(null, `${all.length - tried.length} more scopes were not tried`));
  return judged;
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
  const { region, workspaceId } = scope;
  const name = scopeName(scope);
  try {
    const known = session.workspaces.get(region) ?? (await listWorkspaces(session, region, signal));
    session.workspaces.set(region, known);
    if (known.includes(workspaceId)) return ok(name, 'exists, and has no runs');
    const others = known.length === 0 ? 'none' : known.slice(0, 5).join(', ');
    const found = `shows no run, and is not among the workspaces that the account has in ${region}: ${others}`;
    if (known.length < 100) return failed(name, found, 'correct PAI_SCOPES: the workspace id, or the region');
    return warning(name, found, 'see whether the workspace of PAI_SCOPES exists');
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof PaiError)) throw error;
    return warning(
      name,
      'shows no run; whether it exists cannot be told',
      'see whether the workspace of PAI_SCOPES exists',
    );
  }
}

/** A key does not tell whose it is; a role's name does, and so do the runs that it shows. */
function account({ account: found, keys, roleArn }: Session): Judged {
  if (found !== null) return ok(null, `${found.id}, by the runs of ${found.scope}`);
  const byRole = keys?.provider.includes('oidc') ? /^acs:ram::(\d+):/.exec(roleArn ?? '')?.[1] : undefined;
  return ok(null, byRole === undefined ? 'not known: no answer names it' : `${byRole}, by ALIBABA_CLOUD_ROLE_ARN`);
}
