import { inject, onTestFinished } from 'vitest';
import { copyDatabase, type TestDatabase } from './test-databases.js';

/** Those made in a hook: they live as long as the file's tests. */
const ofThisFile: TestDatabase[] = [];
let anyFailed = false;

/**
 * A database of its own: a copy of the migrated template, or an empty one. It goes away by itself, with the test when it
 * was made inside a test (or in `beforeEach`), else with the file. When a test has failed its database stays as long as
 * the server does, and the URL is printed.
 */
export async function createDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const template = options.empty === true ? 'template0' : inject('templateDatabase');
  const database = await copyDatabase(inject('adminUrl'), template);
  try {
    onTestFinished(({ task }) => dropUnless(task.result?.state === 'fail', database));
  } catch {
    // Not inside a test.
    ofThisFile.push(database);
  }
  return database;
}

async function dropUnless(failed: boolean, database: TestDatabase): Promise<void> {
  if (!failed) return database.drop();
  const hint = inject('serverOutlivesRun') ? '' : ' (TEST_KEEP_SERVER=1 keeps its server after the run)';
  process.stderr.write(`kept the database of a failed test: ${database.url}${hint}\n`);
}

/** For the setup file: takes down whether a test of the file has failed. */
export function noteOutcome(failed: boolean): void {
  anyFailed ||= failed;
}

/** For the setup file, when a file's tests have ended: the next file of this process begins with nothing. */
export async function dropDatabasesOfFile(): Promise<void> {
  const failed = anyFailed;
  anyFailed = false;
  for (const database of ofThisFile.splice(0)) await dropUnless(failed, database);
}
