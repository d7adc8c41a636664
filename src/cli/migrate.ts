/** `migrate`: brings the schema of the database up to date. */
import { openDatabase } from '../app.js';
import { migrate } from '../store/migrate.js';
import { createContext, type ExitCode } from './context.js';

export async function migrateCommand(): Promise<ExitCode> {
  const { config, logger, output } = createContext({ scopes: false });
  const database = await openDatabase(config, logger);
  try {
    const { applied } = await migrate({ connectionString: database.connectionString, logger });
    output.print(applied.length === 0 ? 'the schema is up to date' : `applied ${applied.join(', ')}`);
    return 0;
  } finally {
    await database.close();
  }
}
