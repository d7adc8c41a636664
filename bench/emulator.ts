/** The PAI that is read from: a process of its own, so that its work is not the service's. */

import type { Scope } from '../src/domain/scope.js';
import { PaiClient } from '../src/pai/client.js';
import { staticCredentials } from '../src/pai/credentials.js';
import { systemClock } from '../src/util/clock.js';
import { silentLogger } from '../src/util/logger.js';
import type { Cleanup } from './cleanup.js';
import { BenchError } from './failure.js';
import { startCommand } from './processes.js';

export const REGION = 'cn-emulator';

/** The emulator's own, they open nothing else. */
const KEY = { accessKeyId: 'emulator', accessKeySecret: 'emulator-secret', securityToken: null };

/** A million runs take 15 s alone; the machine may be busy. */
const START_PATIENCE_MS = 300_000;

export interface WorldSize {
  readonly history: number;
  readonly active: number;
  readonly experimentRuns: number;
  /** `frozen`: nothing moves, not even the clock. `still`: the clock runs. */
  readonly life: 'frozen' | 'still';
}

export interface CallStats {
  readonly calls: number;
  /** Most that were open at once. */
  readonly peak: number;
  readonly operations: Readonly<Record<string, { readonly calls: number; readonly refused: number }>>;
}

export interface BenchEmulator {
  readonly url: string;
  readonly pid: number;
  readonly scope: Scope;
  /** For the service. */
  readonly environment: Readonly<Record<string, string>>;
  /** Calls since the last `reset`. */
  stats(): Promise<CallStats>;
  /** When they arrived, milliseconds since 1970, ascending; of one operation or of all. At most the last 100,000. */
  arrivals(operation?: string): Promise<readonly number[]>;
  reset(): Promise<void>;
  /** Every call takes so much longer; 0 takes that back. */
  setLatency(millis: number): Promise<void>;
  mutate(method: string, ...parameters: readonly unknown[]): Promise<unknown>;
  /** The project's own client, without a limit and without a store. */
  client(): PaiClient;
  stop(): Promise<void>;
}

/**
 * As dense whatever the size, so that what lies within the overlap of an idle round is the same: a longer history, not a
 * busier source.
 */
const RUNS_PER_DAY = 333;

export async function startEmulator(cleanup: Cleanup, directory: string, size: WorldSize): Promise<BenchEmulator> {
  const { history, active, experimentRuns, life } = size;
  const options = {
    port: 0,
    workspaces: 1,
    arrivals: 0,
    history,
    active,
    'history-days': Math.max(1, Math.ceil(history / RUNS_PER_DAY)),
    'experiment-runs': experimentRuns,
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const command = startCommand(cleanup, ['emulator', ...flags, `--${life}`, '--prerender'], { directory });
  const url = (await command.says(/answers at (http:\S+)/, START_PATIENCE_MS))[1] as string;
  const control = controlOf(url);
  const world = (await control('GET', 'world')) as { workspaces: readonly { workspaceId: string }[] };
  const scope = { region: REGION, workspaceId: world.workspaces[0]?.workspaceId as string };
  const emulator: BenchEmulator = {
    url,
    pid: command.pid,
    scope,
    environment: environmentOf(url, scope),
    stats: async () => (await control('GET', 'stats')) as CallStats,
    arrivals: async (operation) => {
      const { arrivals } = (await control('GET', 'arrivals')) as { arrivals: { at: number; operation: string }[] };
      return arrivals.filter((call) => operation === undefined || call.operation === operation).map(({ at }) => at);
    },
    reset: async () => void (await control('DELETE', 'stats')),
    setLatency: async (millis) => {
      await control('DELETE', 'faults');
      if (millis > 0) await control('POST', 'faults', { operation: '*', kind: 'latency', millis });
    },
    mutate: (method, ...parameters) => control('POST', 'mutate', { method, args: parameters }),
    client: () => clientOf(url),
    stop: async () => void (await command.stop()),
  };
  await warmUp(emulator);
  return emulator;
}

function controlOf(url: string): (method: string, path: string, body?: unknown) => Promise<unknown> {
  return async (method, path, body) => {
    const request = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await fetch(`${url}/_emulator/${path}`, request);
    const text = await response.text();
    if (!response.ok) throw new BenchError(`emulator: ${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
}

const environmentOf = (url: string, { region, workspaceId }: Scope): Record<string, string> => ({
  PAI_SCOPES: `${region}:${workspaceId}`,
  PAI_FLOW_ENDPOINT: url,
  PAI_AIWORKSPACE_ENDPOINT: url,
  ALIBABA_CLOUD_ACCESS_KEY_ID: KEY.accessKeyId,
  ALIBABA_CLOUD_ACCESS_KEY_SECRET: KEY.accessKeySecret,
});

const clientOf = (url: string): PaiClient =>
  new PaiClient({
    credentials: staticCredentials(KEY),
    endpoints: () => url,
    clock: systemClock,
    logger: silentLogger,
    limits: { flow: 0, listRuns: 0, listWorkspaces: 0 },
  });

/** The types that the service asks for by name. */
const SOURCE_TYPES = ['SDK', 'DESIGNER', 'M6'];

/**
 * A list with a filter is made at its first call, which takes the emulator 4 s at a million runs (PAI has an index), and
 * then kept. That is not to be counted as the service's time.
 */
async function warmUp({ client, scope, reset }: BenchEmulator): Promise<void> {
  const page = { pageNumber: 1, pageSize: 100, sortBy: 'GmtModifiedTime', order: 'DESC' } as const;
  const calls = client();
  for (const sourceType of SOURCE_TYPES) await calls.listPipelineRuns(scope, { ...page, sourceType }, NEVER);
  await reset();
}

const NEVER = new AbortController().signal;
