/** Several processes of the built command on one database, of which a test kills one after the other. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../src/emulator/random.js';
import { type CliProcess, startCli } from './cli.js';

interface Replica {
  readonly cli: CliProcess;
  readonly command: 'start' | 'sync';
  readonly spawnedAt: number;
  killed: boolean;
}

export interface ReplicaOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly random: Random;
  /** Processes at once. */
  readonly count: number;
  /** Called with the means to end a process, for whatever happens to the test. */
  readonly onDone: (cleanup: () => void) => void;
}

const STARTED = 'pai-mirror started';

/** What a command says that could not even begin. */
const LAST_WORDS = 'pai-mirror: ';

/** Of the line that tells of an error that nobody caught. */
const UNCAUGHT = '"level":"fatal"';

/** Of what was said. */
const LINES_SHOWN = 30;

/** One process in so many is a single `sync` instead of the service. */
const SYNC_EVERY = 6;

/** A kill that waits for a service to be up waits at most so long, milliseconds. */
const PATIENCE_MS = 30_000;

/**
 * Keeps so many processes up: whoever ends, killed or not, is replaced at once. What none of them may do is collected
 * as `faults`: a service that was up and ended by itself, one that ended without a reason, an error that nobody caught.
 */
export class Replicas {
  readonly faults: string[] = [];
  kills = 0;
  /** Kills of processes that had not said that they are up. */
  early = 0;
  spawned = 0;
  private running: Replica[] = [];
  private stopping = false;

  constructor(private readonly options: ReplicaOptions) {}

  start(): void {
    while (this.running.length < this.options.count) this.spawn();
  }

  /** Waits for a random moment in the life of one of them, and kills it there. */
  async killOne(): Promise<void> {
    const { random } = this.options;
    // The first ones meet the migration of an empty database.
    const early = this.kills < 2 || random.next() < 0.2;
    while (this.running.length === 0) await delay(20);
    const victim = early ? this.youngest() : random.pick(this.running);
    if (early || victim.command === 'sync') await delay(random.between(0, early ? 1_500 : 3_000));
    else await this.intoItsWork(victim);
    this.kill(victim);
    await victim.cli.exited;
  }

  /** Kills all of them, and starts no more. */
  async end(): Promise<void> {
    this.stopping = true;
    const last = [...this.running];
    for (const replica of last) this.kill(replica);
    await Promise.all(last.map(({ cli }) => cli.exited));
  }

  /** Some time up to 2.5 seconds after it was up; one that is up for longer is not spared much longer. */
  private async intoItsWork(victim: Replica): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!victim.cli.stderr().includes(STARTED) && this.running.includes(victim) && Date.now() < deadline)
      await delay(20);
    // Squared: more of the moments are early ones, when the passes have just begun.
    await delay(2_500 * this.options.random.next() ** 2);
  }

  private youngest(): Replica {
    return this.running.reduce((one, other) => (other.spawnedAt > one.spawnedAt ? other : one));
  }

  private kill(replica: Replica): void {
    if (!this.running.includes(replica)) return;
    replica.killed = true;
    this.kills += 1;
    if (!replica.cli.stderr().includes(STARTED)) this.early += 1;
    replica.cli.child.kill('SIGKILL');
  }

  private spawn(): void {
    const { env, cwd, random, onDone } = this.options;
    const command = random.between(1, SYNC_EVERY) === 1 ? 'sync' : 'start';
    const replica: Replica = {
      cli: startCli([command], { env, cwd, onDone }),
      command,
      spawnedAt: Date.now(),
      killed: false,
    };
    this.spawned += 1;
    this.running.push(replica);
    void this.replaceWhenGone(replica);
  }

  private async replaceWhenGone(replica: Replica): Promise<void> {
    const code = await replica.cli.exited;
    this.running = this.running.filter((one) => one !== replica);
    this.faults.push(...faultsOf(replica, code));
    // A process that could not reach the database would come back and go at once, as fast as the machine can.
    if (!replica.killed) await delay(200);
    if (!this.stopping) this.spawn();
  }
}

function faultsOf({ cli, command, killed }: Replica, code: number | null): string[] {
  const faults: string[] = [];
  // kill -9 may cut the last line.
  const lines = cli.stderr().split('\n').slice(0, -1);
  const spoken = lines.filter((line) => !isJson(line) && !line.startsWith(LAST_WORDS));
  if (spoken.length > 0) faults.push(`${command} said what is no log line: ${spoken.slice(0, LINES_SHOWN).join('\n')}`);
  faults.push(
    ...lines.filter((line) => line.includes(UNCAUGHT)).map((line) => `${command} ended by accident: ${line}`),
  );
  if (killed) return faults;
  if (command === 'start' && lines.some((line) => line.includes(STARTED)))
    faults.push(`a service ended by itself with ${code}: ${lines.at(-1)}`);
  if (code !== 0 && code !== 1) faults.push(`${command} ended with ${code}: ${lines.at(-1)}`);
  if (code === 1 && !lines.some((line) => line.startsWith(LAST_WORDS) || line.includes('"level":"error"')))
    faults.push(`${command} failed without a reason`);
  return faults;
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
