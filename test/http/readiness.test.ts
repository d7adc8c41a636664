import { describe, expect, it } from 'vitest';
import { type Phase, Readiness, type Reason } from '../../src/http/readiness.js';
import { systemClock } from '../../src/util/clock.js';

const LOST = 'the database cannot be reached';

function setUp(check: () => Promise<Reason | null>, phase: Phase = 'running') {
  const state = { now: 1_000_000, phase, checks: 0 };
  const readiness = new Readiness({
    phase: () => state.phase,
    checkDatabase: () => {
      state.checks += 1;
      return check();
    },
    clock: { now: () => state.now, sleep: systemClock.sleep },
  });
  return { state, readiness };
}

describe('readiness', () => {
  it('does not ask the database before the service runs, nor when it stops', async () => {
    const { state, readiness } = setUp(async () => null, 'starting');
    expect(await readiness.reason()).toMatch(/^starting/);
    state.phase = 'stopping';
    expect(await readiness.reason()).toBe('stopping');
    expect(state.checks).toBe(0);
    state.phase = 'running';
    expect(await readiness.reason()).toBeNull();
  });

  it('asks once for many askers and for a while, then anew; also when the clock was set back', async () => {
    const { state, readiness } = setUp(async () => null);
    await Promise.all([readiness.reason(), readiness.reason(), readiness.reason()]);
    state.now += 1_900;
    await readiness.reason();
    expect(state.checks).toBe(1);
    state.now += 200;
    await readiness.reason();
    expect(state.checks).toBe(2);
    state.now -= 3_600_000;
    await readiness.reason();
    expect(state.checks).toBe(3);
  });

  it('tells a lost database in fixed words, and passes on what is wrong with one that answers', async () => {
    const lost = setUp(() => Promise.reject(new Error('password authentication failed for user "x"')));
    expect(await lost.readiness.reason()).toBe(LOST);
    const older = setUp(async () => 'the schema of the database is older than this version');
    expect(await older.readiness.reason()).toMatch(/older/);
  });

  it('waits only for a moment for a database that does not answer', async () => {
    const { readiness } = setUp(() => new Promise(() => {}));
    expect(await readiness.reason()).toBe(LOST);
  });
});
