import { createRequire } from 'node:module';
import { pino } from 'pino';
import type PrettyModule from 'pino-pretty';
import type { Logger } from './util/logger.js';
import { hideSecrets } from './util/secrets.js';

const require = createRequire(import.meta.url);

/** Fields that hold a secret wherever they turn up, whether it is known (util/secrets.ts) or not. */
const SECRET_FIELDS = [
  'accessKeySecret',
  'accessKeyId',
  'securityToken',
  'password',
  'readerPassword',
  'httpToken',
  'authorization',
  'connectionString',
  'databaseUrl',
];

/** Characters of lines that wait for a log that cannot be written; later ones are dropped. */
const MOST_UNWRITTEN = 1_000_000;

/** `redact` wants every depth named; deeper objects are not logged. */
const REDACTED_PATHS = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/**
 * JSON lines for programs, short coloured lines on a terminal. Written to stderr at once, so that the last lines before
 * an exit are not lost and stdout holds nothing but what a command was asked for.
 */
export function createLogger(level: string): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: REDACTED_PATHS, censor: '[secret]' },
  };
  if (process.stderr.isTTY) {
    // Only a terminal needs it, and it takes as long to load as pino itself.
    const { PinoPretty } = require('pino-pretty') as typeof PrettyModule;
    const stream = PinoPretty({
      destination: 2,
      sync: true,
      ignore: 'pass',
      translateTime: 'SYS:HH:MM:ss',
      singleLine: true,
    });
    return pino(options, withoutSecrets(stream));
  }
  const destination = pino.destination({ fd: 2, sync: true, maxLength: MOST_UNWRITTEN });
  // A disk that is full of logs, or a reader that is gone, must not end the service: nobody can be told, so it goes on.
  destination.on('error', () => {});
  return pino(options, withoutSecrets(destination));
}

/** The one way out, for every line of every logger that comes from this one. */
const withoutSecrets = (stream: { write(line: string): unknown }): { write(line: string): void } => ({
  write: (line) => void stream.write(hideSecrets(line)),
});
