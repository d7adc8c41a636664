/**
 * The command table. One file a command; all of them end with 0 (well), 1 (something failed) or 2 (usage).
 *
 * A command's file, and with it the packages that it needs, is loaded when the command is run: all of them together took
 * 0.5 s and 40 MB, also for `--help`.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { describeError, UsageError } from '../domain/errors.js';
import { parseScopePattern, type ScopePattern } from '../domain/scope.js';
import { isStream, STREAMS, type Stream } from '../domain/streams.js';
import { hideSecrets } from '../util/secrets.js';
import type { ExitCode } from './context.js';
import type { DemoOptions } from './demo.js';
import { meaningsText } from './doctor/meanings.js';
import type { ExportCommandOptions } from './export.js';
import type { HealthOptions } from './health.js';
import type { Interrupt } from './interrupt.js';
import type { ListOptions } from './quarantine.js';
import type { ReaderOptions } from './reader.js';
import type { StartOptions } from './start.js';
import { version } from './version.js';

const EXIT_CODES = `
Exit codes: 0 all well; 1 something failed, and what did not fail is stored; 2 wrong usage or configuration.
The configuration comes from the environment and from .env in the working directory; README.md has the table.`;

/** Runs one command line and returns the exit code; never throws. */
export async function run(argv: readonly string[], interrupt: Interrupt): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = createProgram(interrupt, (result) => {
    code = result;
  });
  try {
    await program.parseAsync([...argv]);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`pai-mirror: ${hideSecrets(describeError(error))}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Not run: `done` is told the exit code of the command that `parseAsync` picks. */
export function createProgram(interrupt: Interrupt, done: (code: ExitCode) => void): Command {
  const program = new Command('pai-mirror')
    .description('Mirrors the pipeline runs and experiment runs of Alibaba Cloud PAI into PostgreSQL.')
    .version(version())
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride();
  const add = (name: string, description: string): Command =>
    program.command(name).description(description).exitOverride().allowExcessArguments(false);

  add('start', 'the service: every stream on its schedule, until SIGTERM or Ctrl-C')
    .option('--newer-schema', 'after a rollback: work with the schema of a newer version, which only has more', false)
    .action(async (options: StartOptions) => {
      const { startCommand } = await import('./start.js');
      done(await startCommand(interrupt, options));
    });
  add('sync', 'one complete round of every stream (or of some), everything due included, then exit')
    .option('--stream <name...>', `only these streams: ${STREAMS.join(', ')}`, collectStreams)
    .option('--dry-run', 'fetch and compare, write nothing', false)
    .action(async ({ stream, dryRun }: { stream?: Stream[]; dryRun: boolean }) => {
      const { syncCommand } = await import('./sync.js');
      done(await syncCommand(interrupt, { dryRun, ...(stream ? { streams: stream } : {}) }));
    });
  add('reconcile', 'walks everything once more, repairs what differs, marks what is gone, and reports it')
    .option('--dry-run', 'compare, write nothing', false)
    .action(async ({ dryRun }: { dryRun: boolean }) => {
      const { syncCommand } = await import('./sync.js');
      done(await syncCommand(interrupt, { dryRun, streams: ['reconcile'] }));
    });
  add('status', 'how fresh and how complete the mirror is: watermarks, last passes, what is due, rows')
    .option('--json', 'for programs', false)
    .action(async (options: { json: boolean }) =>
      done(await untilKilled(interrupt, async () => (await import('./status.js')).statusCommand(options))),
    );
  add('doctor', 'what is wrong with configuration, PAI, database and mirror, and what to do about it')
    .option('--json', 'for programs: an array of check, subject, verdict, found and remedy', false)
    .addHelpText(
      'after',
      `${meaningsText()}\n\nChanges nothing, and may run beside the service.\n` +
        'Exit codes: 0 nothing failed (there may be warnings); 1 something failed; 2 wrong usage or configuration.',
    )
    .action(async (options: { json: boolean }) =>
      done(await untilKilled(interrupt, async () => (await import('./doctor.js')).doctorCommand(options))),
    );
  add('health', 'whether the service beside it answers: for the health check of a container')
    .option('--container', 'well is also another command than start and demo, which answers no HTTP', false)
    .addHelpText('after', '\nExit codes: 0 it answers; 1 it does not; 2 wrong usage or configuration.')
    .action(async (options: HealthOptions) =>
      done(await untilKilled(interrupt, async () => (await import('./health.js')).healthCommand(options))),
    );
  add('migrate', 'brings the schema of the database up to date (start and sync do so, too)').action(async () =>
    done(await untilKilled(interrupt, async () => (await import('./migrate.js')).migrateCommand())),
  );
  add('reader', 'gives the role pai_reader a login: for Grafana and whoever else only reads')
    .option('--rotate', 'replace the password of a login that is there', false)
    .option('--password-stdin', 'take the password from stdin (or set READER_PASSWORD); default: make one', false)
    .option('--json', 'for programs', false)
    .action(async (options: ReaderOptions) =>
      done(await untilKilled(interrupt, async () => (await import('./reader.js')).readerCommand(options))),
    );
  add('retention', 'prunes what the RETENTION_* rules let go, or tells what they would; without rules nothing')
    .option('--dry-run', 'tell what would go, change nothing', false)
    .option('--json', 'for programs: with the id of every run', false)
    .action(async (options: { dryRun: boolean; json: boolean }) => {
      const { retentionCommand } = await import('./retention.js');
      done(await retentionCommand(options, interrupt));
    });
  add('export', 'a range of the mirror into files that outlive it; or reads such files back')
    .option('--out <dir>', 'an empty directory, or a new one')
    .option('--from <time>', 'runs created (and events observed) from then on, such as 2026-01-01 or 2026-01-01T08:00Z')
    .option('--to <time>', 'up to but without then')
    .option('--scope <scope>', 'only of region:workspaceId, or of region:*', anyScopePattern)
    .addOption(new Option('--format <format>', 'gzipped CSV, one file a table').choices(['csv']).default('csv'))
    .option('--verify <dir>', 'read an export back, without a database: checksums, columns and rows')
    .addHelpText(
      'after',
      '\nExit codes: 0 all well; 1 the export is not whole, or --verify found faults; 2 wrong usage.',
    )
    .action(async (options: ExportCommandOptions) => {
      const { exportCommand } = await import('./export.js');
      done(await exportCommand(options, interrupt));
    });
  addQuarantine(program, interrupt, done);
  add('demo', 'all of it on this machine: a database, a PAI, and the mirror between them')
    .option('--exit-after <seconds>', 'stop by itself', wholeSeconds)
    .option('--use-database-url', 'mirror into the database of DATABASE_URL, not into one of its own', false)
    .action(async (options: DemoOptions) => {
      const { demoCommand } = await import('./demo.js');
      done(await demoCommand(interrupt, options));
    });
  add('emulator', 'a PAI that runs on this machine, to try things against')
    .option('--port <port>', 'of 127.0.0.1', wholeNumber, 8091)
    .option('--seed <number>', 'equal seeds give equal worlds', wholeNumber, 1)
    .option('--workspaces <number>', 'how many', wholeNumber, 2)
    .option('--history <number>', 'pipeline runs that have ended already', wholeNumber, 1000)
    .option('--history-days <days>', 'over which they are spread', wholeNumber, 30)
    .option('--active <number>', 'pipeline runs under way', wholeNumber, 20)
    .option('--experiment-runs <number>', 'how many', wholeNumber, 200)
    .option('--arrivals <number>', 'new pipeline runs a minute', wholeNumber, 2)
    .option('--speed <factor>', 'world time for real time', wholeNumber, 1)
    .option('--quirks', 'answer as sloppily as PAI can', false)
    .option('--frozen', 'nothing moves, not even the clock', false)
    .option('--still', 'the clock runs, nothing happens by itself', false)
    .option('--prerender', 'make all answers of ListPipelineRuns beforehand (10 s and 650 MB a million)', false)
    .action(async (options) => {
      const { emulatorCommand } = await import('./emulator.js');
      done(await emulatorCommand(interrupt, options));
    });
  return program;
}

function addQuarantine(program: Command, interrupt: Interrupt, done: (code: ExitCode) => void): void {
  const quarantine = program
    .command('quarantine')
    .description('what could not be decoded or stored')
    .exitOverride()
    .allowExcessArguments(false);
  const add = (name: string, description: string): Command =>
    quarantine.command(name).description(description).exitOverride().allowExcessArguments(false);
  add('list', 'what could not be read or stored, and why')
    .option('--json', 'for programs: everything, with the raw text', false)
    .option('--all', 'also what is settled', false)
    .option('--scope <scope>', 'only of region:workspaceId, or of region:*', scopePattern)
    .option('--limit <number>', 'most entries to show (default: 100; with --json all)', wholeNumber)
    .action(async (options: ListOptions) =>
      done(await untilKilled(interrupt, async () => (await import('./quarantine.js')).quarantineListCommand(options))),
    );
  add('retry', 'reads it again with this version, without a call to PAI, and stores what is good now')
    .argument('[id...]', 'ids as `quarantine list` shows them; default: all that wait')
    .addHelpText(
      'after',
      '\nExit codes: 0 all of them are settled; 1 some are still bad; 2 wrong usage, such as an id that there is not.',
    )
    .action(async (ids: string[]) =>
      done(
        await untilKilled(interrupt, async () =>
          (await import('./quarantine.js')).quarantineRetryCommand(ids, interrupt),
        ),
      ),
    );
}

/** A short command that a signal ends at once, as if nobody listened. */
function untilKilled(interrupt: Interrupt, command: () => Promise<ExitCode>): Promise<ExitCode> {
  interrupt.dispose();
  return interrupt.signal.aborted ? Promise.resolve(1) : command();
}

function collectStreams(name: string, before: Stream[] | undefined): Stream[] {
  const names = name.split(',').map((text) => text.trim());
  for (const each of names) {
    if (!isStream(each)) throw new InvalidArgumentError(`found ${each}, expected one of ${STREAMS.join(', ')}`);
  }
  return [...(before ?? []), ...(names as Stream[])];
}

function scopePattern(text: string): ScopePattern {
  const pattern = parseScopePattern(text);
  if (pattern === null) throw new InvalidArgumentError(`found ${text}, expected region:workspaceId or region:*`);
  return pattern;
}

const anyScopePattern = (text: string): ScopePattern | '*' => (text === '*' ? '*' : scopePattern(text));

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`found ${text}, expected a whole number`);
  return Number(text);
}

const wholeSeconds = wholeNumber;
