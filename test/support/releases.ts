/** The schemas that were released, and the replicas that may be writing while one of them is brought to the newest. */
import { readMigrations } from '../../src/store/migrations.js';

/**
 * The recording (test/fixtures/released) of what a replica beside the migration from that schema says. Null: nobody
 * ever wrote to it.
 */
export const REPLICAS: Readonly<Record<string, string | null>> = {
  // 0000 to 0002 came out together, as the first: no replica was there when one of them was applied without the next.
  '0000_tables': null,
  '0001_history': null,
  '0002_comments': '0002_comments',
  '0003_budgets_quarantine': '0003_budgets_quarantine',
  // 0004 and 0005 came out together: a database at 0004 had a migration that was killed, beside replicas of 0003.
  '0004_rollups': '0003_budgets_quarantine',
  '0005_analytics': '0005_analytics',
  '0006_retention': '0006_retention',
};

/** Every schema but the newest, oldest first. */
export async function releasedTags(): Promise<string[]> {
  return (await readMigrations()).slice(0, -1).map(({ tag }) => tag);
}
