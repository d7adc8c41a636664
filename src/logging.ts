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
  return pino(options, withoutSecrets(pino.destination({ fd: 2, sync: true })));
}

/** The one way out, for every line of every logger that comes from this one. */
const withoutSecrets = (stream: { write(line: string): unknown }): { write(line: string): void } => ({
  write: (line) => void stream.write(hideSecrets(line)),
});
