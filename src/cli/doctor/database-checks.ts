/** Checks of the database. They read; nothing is migrated, made or started. */
import { lookAtEmbedded } from '../../embedded/look.js';
import { BudgetTable } from '../../store/budgets.js';
import { readPooling } from '../../store/inspect/pooler.js';
import { readDrift, readInert, readMigrationState, readPartitions, readReader } from '../../store/inspect/schema.js';
import { readRights, readRoom, readServer } from '../../store/inspect/server.js';
import { openInspection } from '../../store/inspect/session.js';
import { transportOf } from '../../store/inspect/transport.js';
import { PARTITIONS_AHEAD } from '../start.js';
import { type Check, type Judged, ok, skipped } from './check.js';
import {
  judgeConnectFailure,
  judgeConnections,
  judgeDataDirectory,
  judgeDisk,
  judgeEmbedded,
  judgeMigrations,
  judgePartitions,
  judgePooling,
  judgeReader,
  judgeRights,
  judgeTransport,
  judgeVersion,
} from './judge-database.js';
import { judgeDrift } from './judge-schema.js';
import type { Session } from './session.js';

export const databaseChecks = (session: Session): readonly Check[] => [
  ...connectionChecks(session),
  ...schemaChecks(session),
];

const connectionChecks = (session: Session): readonly Check[] => [
  {
    name: 'data-directory',
    needs: ['configuration'],
    run: async () => {
      if (session.settings.databaseUrl !== null) return [ok(null, 'not used: DATABASE_URL names the database')];
      session.embedded = await lookAtEmbedded(session.settings.dataDir);
      return judgeDataDirectory(session.embedded);
    },
  },
  {
    name: 'database',
    needs: ['data-directory'],
    isUsable: () => session.inspection !== null,
    run: async () => {
      const found = await connect(session);
      return session.inspection === null ? [found] : [found, ...judgeTransport(transportOf(session.connectionString))];
    },
  },
  {
    name: 'database-version',
    needs: ['database'],
    run: async () => {
      const before = Date.now();
      session.server = await readServer(session.db);
      session.databaseAhead = session.server.now - (before + Date.now()) / 2;
      return [judgeVersion(session.server)];
    },
  },
  {
    name: 'database-rights',
    needs: ['database-version'],
    run: async () => (session.server === null ? [] : judgeRights(await readRights(session.db), session.server)),
  },
  {
    name: 'database-connections',
    needs: ['database'],
    run: async () => {
      session.room = await readRoom(session.db);
      return [judgeConnections(session.room), ...judgePooling(await readPooling(session.connectionString, session.db))];
    },
  },
  // Of the embedded server also while it is down: a full disk is a reason for that.
  {
    name: 'disk',
    needs: ['data-directory'],
    run: () => [judgeDisk(session.room?.databaseBytes ?? null, session.embedded)],
  },
];

async function connect(session: Session): Promise<Judged> {
  const { embedded, settings } = session;
  const down = embedded === null ? null : judgeEmbedded(embedded);
  if (down !== null) return down;
  try {
    session.inspection = await openInspection(session.connectionString);
    const where = settings.databaseUrl === null ? 'embedded' : new URL(settings.databaseUrl).host;
    return ok(null, `${where} lets the mirror in`);
  } catch (error) {
    return judgeConnectFailure(error);
  }
}

const schemaChecks = (session: Session): readonly Check[] => [
  {
    name: 'migrations',
    needs: ['database'],
    run: async () => {
      const state = await readMigrationState(session.db);
      session.isMigrated = state.state === 'current';
      // Calls of a service that runs beside share their budget with these. (A standby could not even count them.)
      if (session.isMigrated && session.server?.isStandby === false && !session.server.isReadOnly)
        session.budgets = new BudgetTable({ connectionString: session.connectionString });
      return [judgeMigrations(state)];
    },
  },
  whenMigrated(session, {
    name: 'schema',
    run: async () => judgeDrift(await readDrift(session.db), await readInert(session.db)),
  }),
  whenMigrated(session, { name: 'reader', run: async () => [judgeReader(await readReader(session.db))] }),
  whenMigrated(session, {
    name: 'partitions',
    run: async () => judgePartitions(await readPartitions(session.db, PARTITIONS_AHEAD)),
  }),
];

/** Where there is no mirror yet there is nothing to look at; that is no failure. */
export const whenMigrated = (session: Session, check: Check): Check => ({
  ...check,
  needs: ['migrations', ...(check.needs ?? [])],
  run: (signal) => (session.isMigrated ? check.run(signal) : [skipped(null, 'the database holds no mirror yet')]),
});
