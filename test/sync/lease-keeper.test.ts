import { expect, it, onTestFinished } from 'vitest';
import { LeaseLostError, StoreError } from '../../src/domain/errors.js';
import { LeaseKeeper } from '../../src/sync/lease-keeper.js';
import type { Store } from '../../src/sync/ports.js';
import { throwIfOver } from '../../src/util/signal-guard.js';
import { SCOPE } from '../store/fixtures.js';

const TTL_MS = 30_000;
const lost = new LeaseLostError('cn-shanghai:15945', 'status');

/** A keeper on clocks that the test sets; `onRenew` is what the database does. */
function keep(onRenew: () => void | Promise<void> = () => {}) {
  const time = { monotonic: 1_000, wall: 1_000_000 };
  const pass = (millis: number): void => {
    time.monotonic += millis;
    time.wall += millis;
  };
  const stop = new AbortController();
  let renewals = 0;
  const store = {
    renewLease: async () => {
      renewals += 1;
      await onRenew();
    },
  } as Partial<Store> as Store;
  const lease = { scope: SCOPE, stream: 'status', fence: '1', ttlMs: TTL_MS } as const;
  const readTime = () => ({ ...time });
  const keeper = new LeaseKeeper(store, lease, {
    signal: stop.signal,
    heartbeatMs: 3_600_000,
    askedAt: readTime(),
    readTime,
  });
  onTestFinished(() => keeper.stop());
  return { keeper, time, pass, stop, renewals: () => renewals };
}

it('asks nobody while the lease certainly holds, and renews it once its time may be over', async () => {
  const { keeper, pass, renewals } = keep();
  pass(TTL_MS * 0.8);
  await keeper.hold();
  expect(renewals()).toBe(0);
  pass(TTL_MS * 0.2);
  await keeper.hold();
  await keeper.hold();
  expect(renewals()).toBe(1);
});

it('invariant 7: lets nothing through once another replica has the lease', async () => {
  const { keeper, pass, renewals } = keep(() => {
    throw lost;
  });
  pass(TTL_MS);
  await expect(throwIfOver(keeper.signal)).rejects.toThrow(LeaseLostError);
  await expect(throwIfOver(keeper.signal)).rejects.toThrow(LeaseLostError);
  expect(keeper.signal.reason).toBe(lost);
  expect(keeper.isLost).toBe(true);
  expect(renewals()).toBe(1);
});

it('notices a machine that slept, and a clock that was set back does not make the lease longer', async () => {
  const slept = keep();
  slept.time.wall += TTL_MS;
  await slept.keeper.hold();
  expect(slept.renewals()).toBe(1);
  const setBack = keep();
  setBack.time.wall -= 3_600_000;
  setBack.time.monotonic += TTL_MS;
  await setBack.keeper.hold();
  expect(setBack.renewals()).toBe(1);
});

it('counts the time of a lease from before it was asked for: whoever stood still meanwhile asks again', async () => {
  let stops = 2;
  const { keeper, pass, renewals } = keep(() => {
    stops -= 1;
    if (stops > 0) pass(TTL_MS);
  });
  pass(TTL_MS);
  await keeper.hold();
  expect(renewals()).toBe(2);
});

it('invariant 9: gives up after a few renewals that all came too late', async () => {
  const { keeper, pass, renewals } = keep(() => pass(TTL_MS));
  pass(TTL_MS);
  await expect(keeper.hold()).rejects.toThrow(LeaseLostError);
  expect(renewals()).toBe(3);
});

it('renews once for all calls that ask at the same time', async () => {
  const { keeper, pass, renewals } = keep(() => new Promise((resolve) => setTimeout(resolve, 5)));
  pass(TTL_MS);
  await Promise.all(Array.from({ length: 8 }, () => throwIfOver(keeper.signal)));
  expect(renewals()).toBe(1);
});

it('lets nothing through while nobody can tell whose the lease is, and does not call it lost', async () => {
  let isDown = true;
  const { keeper, pass } = keep(() => {
    if (isDown) throw new StoreError('down', { code: 'STORE_UNAVAILABLE', retryable: true, blast: 'global' });
  });
  pass(TTL_MS);
  await expect(keeper.hold()).rejects.toThrow('down');
  expect(keeper.isLost).toBe(false);
  isDown = false;
  await keeper.hold();
});

it('ends with the service, whose signal it leaves when the pass is over', async () => {
  const { keeper, stop } = keep();
  const reason = new Error('the service stops');
  stop.abort(reason);
  await expect(keeper.hold()).rejects.toBe(reason);
  expect(keeper.isLost).toBe(false);
  const other = keep();
  other.keeper.stop();
  other.stop.abort(reason);
  expect(other.keeper.signal.reason).not.toBe(reason);
});

it('what a pass has left behind when it ends goes no further', async () => {
  const { keeper } = keep();
  keeper.stop();
  await expect(throwIfOver(keeper.signal)).rejects.toThrow('the pass is over');
});
