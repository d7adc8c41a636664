/** The command line of the bench: what is measured, and how much of it. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';

export const SCENARIOS = [
  'first-load',
  'second-load',
  'memory',
  'latency',
  'budget',
  'idle',
  'poll',
  'nodes',
  'propagation',
  'panels',
] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

export interface Sizes {
  /** Pipeline runs of the large world: first and second load, memory, idle. */
  readonly runs: number;
  /** Of the small world that an idle round is compared with. */
  readonly smallRuns: number;
  /** How often a load and its floor take turns. */
  readonly repeat: number;
  readonly latencyRuns: number;
  readonly latencyMs: number;
  /** Seconds of work under each budget. */
  readonly budgetSeconds: number;
  /** Rounds of `idle` and `poll`. */
  readonly rounds: number;
  /** Runs under way in `poll`. */
  readonly active: number;
  /** Runs under way in `propagation`. */
  readonly watchedActive: number;
  /** Seconds of `propagation`. */
  readonly watchSeconds: number;
  /** Runs whose trees `nodes` fetches. */
  readonly changedRuns: number;
  /** Pipeline runs of `panels`, its nodes (a run's tenth, twentieth … of them), and its runs under way. */
  readonly panelRuns: number;
  readonly panelNodes: number;
  readonly panelActive: number;
  /** Times that `panels` asks each question, besides the first. */
  readonly panelRepeat: number;
}

export interface BenchOptions extends Sizes {
  readonly only: readonly ScenarioName[];
  readonly pageSize: number;
  readonly concurrency: number;
  readonly statusBatch: number;
  /** Where the JSON goes. */
  readonly json: string;
  /** Exit code 1 when a goal is missed. */
  readonly check: boolean;
  /** Where CPU profiles of the service go; null: none are made. */
  readonly profile: string | null;
}

const FULL: Sizes = {
  runs: 1_000_000,
  smallRuns: 10_000,
  repeat: 3,
  latencyRuns: 1_000_000,
  latencyMs: 50,
  budgetSeconds: 30,
  rounds: 15,
  active: 5_000,
  watchedActive: 2_000,
  watchSeconds: 90,
  changedRuns: 1_000,
  panelRuns: 1_000_000,
  panelNodes: 10_000_000,
  panelActive: 5_000,
  panelRepeat: 5,
};

/** Everything once, in about two minutes: that it works, not how fast it is. */
const SMOKE: Sizes = {
  runs: 20_000,
  smallRuns: 2_000,
  repeat: 1,
  latencyRuns: 10_000,
  latencyMs: 50,
  budgetSeconds: 4,
  rounds: 2,
  active: 500,
  watchedActive: 200,
  watchSeconds: 12,
  changedRuns: 100,
  panelRuns: 20_000,
  panelNodes: 200_000,
  panelActive: 100,
  panelRepeat: 1,
};

/** A command line that is not understood, or that asked for help: what to print was printed. */
export class OptionsEnd extends Error {
  constructor(readonly exitCode: number) {
    super(`options end with ${exitCode}`);
  }
}

function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= least)) throw new InvalidArgumentError(`found ${text}, expected a whole number, at least ${least}`);
    return number;
  };
}

function scenarioNames(text: string, before: readonly ScenarioName[] | undefined): ScenarioName[] {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!(SCENARIOS as readonly string[]).includes(name)) {
      throw new InvalidArgumentError(`found ${name}, expected some of ${SCENARIOS.join(',')}`);
    }
  }
  return [...(before ?? []), ...(names as ScenarioName[])];
}

const SIZE_OPTIONS: readonly { readonly key: keyof Sizes; readonly flag: string; readonly says: string }[] = [
  { key: 'runs', flag: '--runs', says: 'pipeline runs of the large world' },
  { key: 'smallRuns', flag: '--small-runs', says: 'of the small world that idle compares with' },
  { key: 'repeat', flag: '--repeat', says: 'times that a load and its floor take turns' },
  { key: 'latencyRuns', flag: '--latency-runs', says: 'pipeline runs of latency' },
  { key: 'latencyMs', flag: '--latency-ms', says: 'milliseconds that each page of latency takes' },
  { key: 'budgetSeconds', flag: '--budget-seconds', says: 'seconds of work under each budget' },
  { key: 'rounds', flag: '--rounds', says: 'rounds of idle and poll' },
  { key: 'active', flag: '--active', says: 'runs under way in poll' },
  { key: 'watchedActive', flag: '--watched-active', says: 'runs under way in propagation' },
  { key: 'watchSeconds', flag: '--watch-seconds', says: 'seconds of propagation' },
  { key: 'changedRuns', flag: '--changed-runs', says: 'runs whose trees nodes fetches' },
  { key: 'panelRuns', flag: '--panel-runs', says: 'pipeline runs of panels' },
  { key: 'panelNodes', flag: '--panel-nodes', says: 'their nodes' },
  { key: 'panelActive', flag: '--panel-active', says: 'of these runs under way' },
  { key: 'panelRepeat', flag: '--panel-repeat', says: 'times that panels asks each question' },
];

function createProgram(output: (text: string) => void): Command {
  const program = new Command('bench')
    .description(`Measures pai-mirror beside its floors. Scenarios: ${SCENARIOS.join(', ')}. See docs/benchmarks.md.`)
    .configureOutput({ writeOut: output, writeErr: output })
    .exitOverride()
    .allowExcessArguments(false)
    .option('--only <scenarios>', 'only these, comma-separated', scenarioNames)
    .option('--smoke', 'everything with little data, about two minutes', false);
  for (const { key, flag, says } of SIZE_OPTIONS) {
    program.option(`${flag} <number>`, `${says} (default ${FULL[key]}, smoke ${SMOKE[key]})`, wholeNumber(1));
  }
  return program
    .option('--page-size <rows>', 'PAI_PAGE_SIZE', wholeNumber(1), 100)
    .option('--concurrency <calls>', 'PAI_CONCURRENCY: pages in flight', wholeNumber(1), 4)
    .option('--status-batch <runs>', 'PAI_STATUS_BATCH', wholeNumber(1), 100)
    .option('--json <file>', 'where the result goes', 'build/bench.json')
    .option('--check', 'exit with 1 when a goal is missed', false)
    .option('--profile <directory>', 'write CPU profiles of the service there (slows it down by some percent)');
}

/** `argv` without the program's name. Throws OptionsEnd. */
export function parseOptions(argv: readonly string[], output: (text: string) => void): BenchOptions {
  const program = createProgram(output);
  try {
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw new OptionsEnd(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
  const given = program.opts<Partial<Sizes> & Omit<BenchOptions, keyof Sizes> & { smoke: boolean }>();
  const { smoke, ...rest } = given;
  return { ...(smoke ? SMOKE : FULL), ...rest, only: given.only ?? SCENARIOS, profile: given.profile ?? null };
}
