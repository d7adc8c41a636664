/** What every command starts with: the configuration, a log, and a way to be interrupted. */
import { type Config, type Environment, parseConfig, readEnvironment, secretsOf } from '../config.js';
import { createLogger } from '../logging.js';
import type { Logger } from '../util/logger.js';
import { conceal } from '../util/secrets.js';
import { tellWarnings } from './last-words.js';
import { type Output, stdoutOutput } from './output.js';

export interface CommandContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly output: Output;
}

/** The code with which the process ends: 0 all well, 1 something failed, 2 usage or configuration. */
export type ExitCode = 0 | 1 | 2;

/** Throws UsageError naming every wrong variable. `scopes`: whether the command talks to PAI; `defaults`: its own. */
export function createContext(needs: { readonly scopes: boolean }, defaults: Environment = {}): CommandContext {
  const environment = { ...defaults, ...readEnvironment() };
  for (const secret of secretsOf(environment)) conceal(secret);
  const config = parseConfig(environment, needs);
  const logger = createLogger(config.logLevel);
  tellWarnings(logger);
  return { config, logger, output: stdoutOutput() };
}
