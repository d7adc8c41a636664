import { UsageError } from '../domain/errors.js';
import { canAdvance } from './clock.js';
import type { Fault, Faults } from './faults.js';
import type { Stats } from './stats.js';
import { Mutators } from './world/mutators.js';
import type { World } from './world/world.js';

export const CONTROL_PREFIX = '/_emulator/';

export interface Controlled {
  readonly world: World;
  readonly faults: Faults;
  readonly stats: Stats;
}

const MUTATORS: readonly string[] = Object.getOwnPropertyNames(Mutators.prototype).filter((name) =>
  /^(add|update|delete|restore|set|log)[A-Z]/.test(name),
);
/** Private helpers of Mutators that look like the public ones. */
const PRIVATE = ['setDeleted', 'setStatus'];

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new UsageError(`request body: found ${JSON.stringify(body.slice(0, 60))}, expected JSON (${String(cause)})`);
  }
}

function advance({ world }: Controlled, body: string): unknown {
  const { ms } = parse(body) as { ms?: unknown };
  if (typeof ms !== 'number' || !(ms >= 0)) throw new UsageError(`ms: found ${JSON.stringify(ms)}, expected 0 or more`);
  if (!canAdvance(world.clock))
    throw new UsageError('advance: found a clock that runs by itself, expected a simulated one');
  world.clock.advance(ms);
  world.tick();
  return { now: new Date(world.asOf).toISOString() };
}

/** `{"method": "updatePipelineRun", "args": ["flow-…", {"status": "Failed"}]}`: any public method of Mutators. */
function mutate({ world }: Controlled, body: string): unknown {
  const { method, args = [] } = parse(body) as { method?: unknown; args?: unknown };
  const allowed = MUTATORS.filter((name) => !PRIVATE.includes(name));
  if (typeof method !== 'string' || !allowed.includes(method)) {
    throw new UsageError(`method: found ${JSON.stringify(method)}, expected one of ${allowed.join(', ')}`);
  }
  if (!Array.isArray(args)) throw new UsageError(`args: found ${JSON.stringify(args)}, expected an array`);
  const mutators = new Mutators(world) as unknown as { [name: string]: (...args: unknown[]) => unknown };
  return mutators[method]?.(...args) ?? {};
}

function addFaults({ faults }: Controlled, body: string): unknown {
  const given = parse(body) as Fault | Fault[];
  faults.add(...(Array.isArray(given) ? given : [given]));
  return { faults: faults.list() };
}

function summary({ world }: Controlled): unknown {
  return {
    now: new Date(world.asOf).toISOString(),
    seed: world.settings.seed,
    workspaces: world.workspaces(),
    pipelineRuns: world.store.indexes(null).created.size,
    quirks: world.quirks,
  };
}

/** Answers a control request; throws UsageError (HTTP 400) for one that is not understood. */
export function control(parts: Controlled, method: string, path: string, body: string): unknown {
  switch (`${method} ${path.slice(CONTROL_PREFIX.length)}`) {
    case 'GET world':
      return summary(parts);
    case 'GET stats':
      return parts.stats.summary();
    case 'GET arrivals':
      return { arrivals: parts.stats.arrivals() };
    case 'DELETE stats':
      parts.stats.reset();
      return {};
    case 'GET faults':
      return { faults: parts.faults.list() };
    case 'POST faults':
      return addFaults(parts, body);
    case 'DELETE faults':
      parts.faults.clear();
      return {};
    case 'POST advance':
      return advance(parts, body);
    case 'POST mutate':
      return mutate(parts, body);
    default:
      throw new UsageError(`found ${method} ${path}, expected one of the control paths below ${CONTROL_PREFIX}`);
  }
}
