import { expect, expectTypeOf, test } from 'vitest';
import type { PgStore } from '../../src/store/store.js';
import type { Store } from '../../src/sync/ports.js';
import { useMirror } from './fixtures.js';

const mirror = useMirror();

test("the store is what the engine's port asks for, and its clock is the database's", async () => {
  expectTypeOf<PgStore>().toExtend<Store>();
  const store: Store = mirror().store;
  const { before } = await mirror().row('select clock_timestamp() as before');
  const now = await store.now();
  expect(now).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  expect(Date.parse(now)).toBeGreaterThanOrEqual((before as Date).getTime());
});
