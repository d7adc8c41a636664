/** Records what this version says to its database, when it is asked to: test/fixtures/released/README.md says when. */
import { expect, test } from 'vitest';
import { startMirror } from '../support/mirror.js';
import { recordedWorld } from '../support/recorded-world.js';
import { Recorder } from '../support/recorder.js';
import { databaseClock, writeRecording } from '../support/recording.js';

const REVISION = process.env.TEST_RECORD ?? '';

test.skipIf(REVISION === '')('what this version says to its database is recorded, writes to every table', async () => {
  const world = recordedWorld();
  const mirror = await startMirror({ emulator: world.options, settings: { concurrency: 1 } });
  const { pool, store, emulator } = mirror;
  const clock = await databaseClock(pool);
  const recorder = new Recorder(clock);
  const from = clock();
  try {
    for (const step of world.steps) {
      step(emulator);
      await recorder.during(() => mirror.sync());
    }
    await recorder.during(async () => {
      const lease = await store.acquireLease(mirror.scopes[0] as never, 'nodes');
      if (lease === null) throw new Error('the lease is taken');
      await store.renewLease(lease);
      await store.releaseLease(lease);
      await (store as { refreshRollups?: (o: object) => Promise<unknown> }).refreshRollups?.({});
    });
  } finally {
    recorder.stop();
  }
  const { rows } = await pool.query('select max(tag) as tag from pai.schema_migrations');
  const scope = `${mirror.scopes[0]?.region}:${mirror.scopes[0]?.workspaceId}`;
  const recording = recorder.recording({ tag: rows[0].tag, revision: REVISION, scope, from });
  for (const table of TABLES) {
    const writes = new RegExp(`(insert into|update|copy|delete from)\\s+"?pai"?\\."?${table}"?`);
    expect(
      recording.statements.some((text) => writes.test(text)),
      table,
    ).toBe(true);
  }
  expect(recording.calls.some(({ copy }) => copy?.includes('\t')) || rows[0].tag < '0003').toBe(true);
  await writeRecording(recording);
});

const TABLES =
  `pipeline_runs pipeline_run_details pipeline_run_nodes node_outputs runs run_params run_labels run_metrics
  change_events quarantine sync_cursors sync_leases sync_passes sync_retries`.split(/\s+/);
