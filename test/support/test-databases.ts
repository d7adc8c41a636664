import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** Every database of a test run is named `pai_test_<unix seconds>_<random>`, so that old ones can be told apart. */
const PREFIX = 'pai_test_';
const OLD_SECONDS = 24 * 3_600;
/** Any number of our own: a copy needs its template to itself, so copies take turns. */
const COPY_LOCK = 7_241_053;

export interface TestDatabase {
  readonly name: string;
  readonly url: string;
  /** Ends the sessions that are still open, too. */
  drop(): Promise<void>;
}

/** `template0` makes an empty one. */
export async function copyDatabase(adminUrl: string, template: string): Promise<TestDatabase> {
  const name = `${PREFIX}${Math.floor(Date.now() / 1_000)}_${randomBytes(5).toString('hex')}`;
  await withAdmin(adminUrl, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [COPY_LOCK]);
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const drop = (): Promise<void> =>
    withAdmin(adminUrl, async (client) => {
      await waitForSessions(client, name);
      await dropDatabase(client, name);
    });
  return { name, url: url.href, drop };
}

/** What earlier runs left on a shared server (the databases of failed tests) is kept for a day. Returns the names dropped. */
export async function dropOldDatabases(adminUrl: string, now: number = Date.now()): Promise<string[]> {
  return withAdmin(adminUrl, async (client) => {
    const found = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [PREFIX],
    );
    const old = found.rows.map((row) => row.datname).filter((name) => isOld(name, now));
    for (const name of old) await dropDatabase(client, name);
    return old;
  });
}

function isOld(name: string, now: number): boolean {
  const seconds = Number(name.slice(PREFIX.length).split('_')[0]);
  return Number.isInteger(seconds) && now / 1_000 - seconds > OLD_SECONDS;
}

/** A pool that was ended says so before its sessions are gone, and nobody hears any more what FORCE would tell them. */
async function waitForSessions(client: pg.Client, name: string): Promise<void> {
  for (let attempt = 1; attempt <= 20; attempt += 1) {
    const { rows } = await client.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`,
      [name],
    );
    if (rows[0]?.n === 0) return;
    await delay(25);
  }
}

/** FORCE ends our own connections, but an autovacuum worker is the superuser's: it goes by itself within moments. */
async function dropDatabase(client: pg.Client, name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`);
      return;
    } catch (error) {
      const isVacuumed = (error as { code?: string }).code === '42501';
      if (!isVacuumed || attempt === 20) throw error;
      await delay(250);
    }
  }
}

async function withAdmin<T>(adminUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
