/** `migrate`: brings the schema of the database up to date. */
import { openDatabase } from '../app.js';
import { migrate } from '../store/migrate.js';
import { createContext, type ExitCode } from './context.js';
import { DATABASE_WAIT_MS } from './start.js';

export async function migrateCommand(): Promise<ExitCode> {
  const { config, logger, output } = createContext({ scopes: false });
  // Also the first container of a pod, which may be quicker than the database. A signal ends the command at once.
  const database = await openDatabase(config, logger, {
    limitMs: DATABASE_WAIT_MS,
    signal: new AbortController().signal,
  });
  try {
    const { applied } = await migrate({ connectionString: database.connectionString, logger });
    output.print(applied.length === 0 ? 'the schema is up to date' : `applied ${applied.join(', ')}`);
    return 0;
  } finally {
    await database.close();
  }
}
