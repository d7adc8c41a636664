/** Rules that must also keep quiet. */
import { Pool } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { ALERT_RULES } from '../../grafana/source/alerts.js';
import { createDatabase } from '../support/database.js';

const THROTTLED = ALERT_RULES.find(({ uid }) => uid === 'pai-mirror-throttled')?.sql ?? '';

test('a budget is throttled while it is paused or slowed down, and not for as long as its pace takes to come back', async () => {
  const { url } = await createDatabase();
  const pool = new Pool({ connectionString: url, max: 1 });
  onTestFinished(() => pool.end());
  await pool.query(
    `insert into pai.call_budgets (region, name, due_at, pace, paused_until, slowed_at) values
       ('r', 'never', now(), 1, null, null),
       ('r', 'slowed', now(), 0.5, null, now() - interval '1 minute'),
       ('r', 'coming-back', now(), 0.84, null, now() - interval '40 minutes'),
       ('r', 'whole-again', now(), 1, null, now() - interval '1 minute'),
       ('r', 'paused', now(), 1, now() + interval '20 seconds', null),
       ('r', 'was-paused', now(), 1, now() - interval '20 seconds', null)`,
  );
  const { rows } = await pool.query<{ name: string; throttled: number }>(THROTTLED);
  expect(rows.filter(({ throttled }) => throttled > 0).map(({ name }) => name)).toEqual(['slowed', 'paused']);
  expect(rows).toHaveLength(6);
});
