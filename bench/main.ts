/** `npm run bench`: configuration, scenarios one after the other, one table, one JSON file. See docs/benchmarks.md. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { describeError } from '../src/domain/errors.js';
import { createCleanup } from './cleanup.js';
import { type Configuration, readConfiguration } from './configuration.js';
import { FIGURE_HEADINGS, figureCells, isMissed, ratioOf, verdictOf } from './figures.js';
import { createLab, type Outcome, type Scenario } from './lab.js';
import { type BenchOptions, OptionsEnd, parseOptions, SCENARIOS, type ScenarioName } from './options.js';
import { budgetScenario } from './scenarios/budget.js';
import { firstLoadScenario } from './scenarios/first-load.js';
import { idleScenario } from './scenarios/idle.js';
import { latencyScenario } from './scenarios/latency.js';
import { memoryScenario } from './scenarios/memory.js';
import { nodesScenario } from './scenarios/nodes.js';
import { panelsScenario } from './scenarios/panels.js';
import { pollScenario } from './scenarios/poll.js';
import { propagationScenario } from './scenarios/propagation.js';
import { secondLoadScenario } from './scenarios/second-load.js';
import { openServer } from './server.js';
import { formatTable } from './table.js';

const RUN: Readonly<Record<ScenarioName, Scenario>> = {
  'first-load': firstLoadScenario,
  'second-load': secondLoadScenario,
  memory: memoryScenario,
  latency: latencyScenario,
  budget: budgetScenario,
  idle: idleScenario,
  poll: pollScenario,
  nodes: nodesScenario,
  propagation: propagationScenario,
  panels: panelsScenario,
};

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

/** Returns the exit code, once everything that was made is gone again. */
async function runScenarios(options: BenchOptions, cleanup = createCleanup()): Promise<number> {
  const interrupted = new Promise<never>((_, reject) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.once(name, () => reject(new Interrupted(name === 'SIGINT' ? 130 : 143)));
    }
  });
  try {
    return await Promise.race([interrupted, measureAll(options, cleanup)]);
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    tell(`bench: ${describeError(error)}`);
    return 1;
  } finally {
    tell('cleaning up');
    await cleanup.run(tell);
  }
}

class Interrupted extends Error {
  constructor(readonly exitCode: number) {
    super('interrupted');
  }
}

async function measureAll(options: BenchOptions, cleanup: ReturnType<typeof createCleanup>): Promise<number> {
  const server = await openServer(cleanup, process.env.DATABASE_URL);
  const configuration = await readConfiguration(options, server);
  for (const [name, value] of Object.entries(configuration)) print(`${name}: ${value}`);
  print('');
  const lab = createLab({ options, server, cleanup, tell });
  const outcomes: [ScenarioName, Outcome][] = [];
  // Not in the order they were asked for: some use what others have loaded.
  for (const name of SCENARIOS) {
    if (options.only.includes(name)) outcomes.push([name, await RUN[name](lab)]);
  }
  report(outcomes);
  await writeJson(options.json, configuration, outcomes);
  const isBad = outcomes.some(([, { figures }]) => figures.some(isMissed));
  return isBad && options.check ? 1 : 0;
}

function report(outcomes: readonly [ScenarioName, Outcome][]): void {
  const figures = outcomes.flatMap(([, outcome]) => outcome.figures);
  for (const line of formatTable(FIGURE_HEADINGS, figures.map(figureCells))) print(line);
  print('');
  for (const { title, headings, rows } of outcomes.flatMap(([, { tables }]) => tables ?? [])) {
    print(title);
    print('');
    for (const line of formatTable(headings, rows)) print(line);
    print('');
  }
  for (const [, { notes }] of outcomes) for (const note of notes) print(`- ${note}`);
}

async function writeJson(
  file: string,
  configuration: Configuration,
  outcomes: readonly [ScenarioName, Outcome][],
): Promise<void> {
  const path = resolve(file);
  const figures = outcomes.flatMap(([, outcome]) => outcome.figures);
  const result = {
    configuration,
    figures: figures.map((figure) => ({ ...figure, ratio: ratioOf(figure), verdict: verdictOf(figure) })),
    notes: outcomes.flatMap(([, { notes }]) => notes),
    raw: Object.fromEntries(outcomes.map(([name, { raw }]) => [name, raw])),
  };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(result, null, 2)}\n`);
  tell(`written: ${path}`);
}

/** Not left to the event loop: after Ctrl-C a measurement may still wait for something that does not come any more. */
try {
  const options = parseOptions(process.argv.slice(2), (text) => void process.stdout.write(text));
  process.exit(await runScenarios(options));
} catch (error) {
  if (!(error instanceof OptionsEnd)) throw error;
  process.exitCode = error.exitCode;
}
