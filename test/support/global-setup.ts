import type { TestProject } from 'vitest/node';
import { describeError } from '../../src/domain/errors.js';
import { migrate } from '../../src/store/migrate.js';
import { startTestServer, type TestServer } from './server.js';
import { copyDatabase, dropOldDatabases, type TestDatabase } from './test-databases.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connects to the test server as a role that may create databases. */
    adminUrl: string;
    /** The migrated database that tests clone. */
    templateDatabase: string;
    /** Whether the server is still there after the run. */
    serverOutlivesRun: boolean;
  }
}

/**
 * One server and one migrated template for the whole run. There is no way to run without a database: a test that was
 * skipped looks just like one that passed.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestServer({
    TEST_DATABASE_URL: process.env.TEST_DATABASE_URL,
    TEST_POSTGRES_IMAGE: process.env.TEST_POSTGRES_IMAGE,
    TEST_KEEP_SERVER: process.env.TEST_KEEP_SERVER,
  }).catch((error: unknown) => {
    throw new Error(`the tests need a PostgreSQL server, and there is none: ${describeError(error)}`, { cause: error });
  });
  try {
    await dropOldDatabases(server.adminUrl);
    const template = await migratedTemplate(server.adminUrl);
    project.provide('adminUrl', server.adminUrl);
    project.provide('templateDatabase', template.name);
    project.provide('serverOutlivesRun', server.outlivesRun);
    return () => tearDown(server, template);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function migratedTemplate(adminUrl: string): Promise<TestDatabase> {
  const template = await copyDatabase(adminUrl, 'template0');
  await migrate({ connectionString: template.url });
  return template;
}

async function tearDown(server: TestServer, template: TestDatabase): Promise<void> {
  await template.drop();
  await server.stop();
}
