/**
 * What nobody else deals with: errors that nobody caught, output that cannot be written, warnings of Node.js. By itself
 * Node.js prints all of these over several lines, with a stack trace and with whatever secret is in the text. Loaded
 * before everything else, so it imports next to nothing.
 */
import type { Logger } from '../util/logger.js';
import { hideSecrets } from '../util/secrets.js';

/** To be called once, first of all. */
export function listenForTheWorst(): void {
  // Who reads along may stop reading (`| head -1`): that is no reason to stop working, nor is a log that cannot be written.
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lostOutput(error);
  });
  process.on('uncaughtException', (error: unknown) => {
    sayLast(error);
    process.exit(1);
  });
}

/** What was asked for is not where it was to be: then nothing went well, whatever the command says. */
function lostOutput(error: Error): void {
  process.stderr.write(`pai-mirror: stdout cannot be written: ${error.message}\n`);
  process.once('exit', (code) => {
    if (code === 0) process.exitCode = 1;
  });
}

/** One line, as every other of the log; only a program's own mistakes come here, so the stack is what matters. */
function sayLast(error: unknown): void {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const msg = `an error that nobody caught, so this process ends: ${message}`;
  const line = { level: 'fatal', time: new Date().toISOString(), stack, msg };
  const text = process.stderr.isTTY ? `pai-mirror: ${msg}\n${stack}` : JSON.stringify(line);
  process.stderr.write(`${hideSecrets(text)}\n`);
}

/** From now on warnings of Node.js and of packages are lines of the log. */
export function tellWarnings(logger: Logger): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => logger.warn({ warning: name }, message));
}
