/**
 * Invariants 1, 2, 3 and 5 over random schedules: the source changes between any two calls, and the process crashes
 * before or after any commit or is told to stop in front of any call. `TEST_SEED` repeats one schedule, `TEST_WORLDS`
 * sets how many are tried (`npm run test:long`).
 */
import { expect, it } from 'vitest';
import type { Instant } from '../../src/domain/entities.js';
import { instantFromMillis } from '../../src/domain/instant.js';
import { isTerminal } from '../../src/domain/status.js';
import { STREAMS } from '../../src/domain/streams.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { Random } from '../../src/emulator/random.js';
import type { Emulator } from '../../src/emulator/server.js';
import type { PassDeps } from '../../src/sync/pass.js';
import type { Source, Store } from '../../src/sync/ports.js';
import { runRound } from '../../src/sync/round.js';
import { systemClock } from '../../src/util/clock.js';
import { differences } from '../support/compare.js';
import { rowVersions, startMirror, type TestMirror } from '../support/mirror.js';

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000_000);
const WORLDS = Number(process.env.TEST_WORLDS ?? 1);
const ROUNDS = 4;

const PAGE_SIZES = [3, 7, 20, 60] as const;
const STATUSES = ['Running', 'Suspended', 'Succeeded', 'Failed', 'Terminated', 'NobodyKnowsThis'] as const;

class Crash extends Error {
  constructor(where: string) {
    super(`crashed ${where}`);
  }
}

/** Every call to `target` first goes through `before`, and afterwards through `after`. */
function interposed<T extends object>(
  target: T,
  before: (method: string) => void,
  after: (method: string) => void = () => {},
): T {
  return new Proxy(target, {
    get(object, name) {
      const member = Reflect.get(object, name, object);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        before(String(name));
        const result = await member.apply(object, args);
        after(String(name));
        return result;
      };
    },
  });
}

/** Changes the world by hand in one of the ways in which PAI's users do. */
class Turmoil {
  private added = 0;
  private readonly nodes: { readonly id: string; readonly nodeId: string }[] = [];

  constructor(
    private readonly emulator: Emulator,
    private readonly clock: SimulatedClock,
    private readonly random: Random,
  ) {}

  change(): void {
    const { random } = this;
    random.pick(this.changes)();
    if (random.next() < 0.3) {
      this.clock.advance(random.between(1, 40_000));
      this.emulator.world.tick();
    }
  }

  private readonly changes: readonly (() => void)[] = [
    () => this.append(),
    () => this.append(),
    () => this.onRun((id) => this.mutate.updatePipelineRun(id, { name: this.word(), message: this.word() })),
    () => this.onRun((id, status) => !isTerminal(status) && this.moveSilently(id)),
    () => this.onRun((id) => this.mutate.updatePipelineRun(id, { status: this.random.pick(STATUSES) })),
    () => this.onRun((id, status) => isTerminal(status) && this.mutate.updatePipelineRun(id, { status: 'Running' })),
    () => this.onRun((id) => this.mutate.deletePipelineRun(id, { touch: this.random.next() < 0.5 })),
    () => this.restore(),
    () => this.onRun((id) => this.addNode(id)),
    () => this.onNode((id, nodeId) => this.mutate.updateNode(id, nodeId, { status: this.random.pick(STATUSES) })),
    () => this.onNode((id, nodeId) => this.mutate.deleteNode(id, nodeId)),
    () => this.mutate.addExperimentRun({ workspaceId: this.workspace(), name: this.word() }),
    () => this.onExperiment((id) => this.mutate.updateExperimentRun(id, { name: this.word() })),
    () => this.onExperiment((id) => this.logMetric(id)),
    () => this.onExperiment((id) => this.mutate.deleteExperimentRun(id)),
  ];

  private get mutate(): Emulator['mutate'] {
    return this.emulator.mutate;
  }

  private word(): string {
    this.added += 1;
    return `word${this.added}`;
  }

  private workspace(): string {
    return this.random.pick(this.emulator.world.workspaces()).workspaceId;
  }

  private now(): Instant {
    return instantFromMillis(this.clock.now());
  }

  private append(): void {
    this.mutate.addPipelineRun({ workspaceId: this.workspace(), status: this.random.pick(STATUSES) });
  }

  /** PAI may change the status of an active run without moving GmtModifiedTime. */
  private moveSilently(id: string): void {
    this.mutate.updatePipelineRun(id, { status: this.random.pick(STATUSES) }, { touch: false });
  }

  private addNode(id: string): void {
    const nodeId = `node-${this.word()}`;
    this.mutate.addNode(id, { nodeId, status: 'Running' });
    this.nodes.push({ id, nodeId });
  }

  private restore(): void {
    const deleted = this.emulator.world.deletedPipelineRuns();
    if (deleted.length > 0) this.mutate.restorePipelineRun(this.random.pick(deleted).pipelineRunId);
  }

  private logMetric(id: string): void {
    const metric = { key: 'loss', step: String(1_000 + this.added), timestamp: this.now(), value: '0.5' };
    this.added += 1;
    this.mutate.logMetric(id, metric, { touch: this.random.next() < 0.5 });
  }

  private onRun(change: (id: string, status: string | null) => unknown): void {
    const runs = this.emulator.world.pipelineRuns();
    if (runs.length === 0) return;
    const { pipelineRunId, status } = this.random.pick(runs);
    change(pipelineRunId, status);
  }

  /** Nodes that were added by hand: those of the script change with it, and have children and outputs. */
  private onNode(change: (id: string, nodeId: string) => void): void {
    if (this.nodes.length === 0) return;
    const { id, nodeId } = this.random.pick(this.nodes);
    if (this.emulator.world.nodesOf(id).some((node) => node.nodeId === nodeId)) change(id, nodeId);
  }

  private onExperiment(change: (id: string) => void): void {
    const runs = this.emulator.world.experimentRuns();
    if (runs.length > 0) change(this.random.pick(runs).runId);
  }
}

/** One round over a source that changes, in a process that may end anywhere. Returns how often it crashed. */
async function stormyRound(mirror: TestMirror, turmoil: Turmoil, random: Random): Promise<number> {
  const stop = new AbortController();
  let crashes = 0;
  const crash = (where: string): void => {
    crashes += 1;
    // A process that ends takes all its passes with it; one that lost a transaction goes on.
    if (random.next() < 0.5) stop.abort(new Crash(where));
    throw new Crash(where);
  };
  const source = interposed<Source>(mirror.deps.source, () => {
    if (random.next() < 0.25) turmoil.change();
    if (random.next() < 0.001) stop.abort(new Crash('in front of a call'));
  });
  const store = interposed<Store>(
    mirror.deps.store,
    (method) => method === 'commit' && random.next() < 0.01 && crash('before a commit'),
    (method) => method === 'commit' && random.next() < 0.01 && crash('after a commit'),
  );
  const deps: PassDeps = { ...mirror.deps, source, store };
  await runRound(deps, mirror.scopes, {
    streams: STREAMS,
    signal: stop.signal,
    ignoreBackoff: true,
    heartbeatMs: 5_000,
    busyWaitMs: 0,
    clock: systemClock,
  });
  return crashes;
}

/** What is wrong with the history: an entity discovered twice, or a status that none of its events led to. */
async function historyFaults(mirror: TestMirror): Promise<string[]> {
  const { rows } = await mirror.pool.query<{ fault: string }>(
    `with events as (
       select *, concat_ws(' ', entity, entity_id, node_id, node_type) as subject from pai.change_events),
     steps as (
       select *, lag(to_status) over w as led_to, lag(kind) over w as kind_before from events
       window w as (partition by subject order by event_id))
     select subject || ' discovered ' || count(*) || ' times' as fault
     from events where kind = 'discovered' group by subject having count(*) > 1
     union all
     select subject || ' begins with ' || kind from steps where kind_before is null and kind <> 'discovered'
     union all
     select subject || ': ' || kind || ' from ' || from_status || ' after ' || led_to from steps
     where kind_before is not null and led_to is distinct from from_status and led_to is not null and from_status is not null
       and not (kind = 'deleted' and kind_before = 'discovered')
     union all
     select 'pipeline run ' || pipeline_run_id || ' is ' || r.status || ', its history says ' || last.to_status
     from pai.pipeline_runs r cross join lateral (
       select to_status from pai.change_events e where e.entity = 'pipeline_run' and e.entity_id = r.pipeline_run_id
       order by event_id desc limit 1) last
     where last.to_status is distinct from r.status`,
  );
  return rows.map(({ fault }) => fault);
}

const seeds = Array.from({ length: WORLDS }, (_, index) => SEED + index);

it.each(seeds)(
  'invariants 1, 2, 3 and 5: whatever crashes while the source changes, quiet rounds make the mirror equal (TEST_SEED=%i)',
  async (seed) => {
    process.stdout.write(`crash-and-change: TEST_SEED=${seed}\n`);
    const random = new Random(seed);
    const clock = new SimulatedClock({ speed: 0, startAt: Date.UTC(2026, 9, 1) });
    const pageSize = random.pick(PAGE_SIZES);
    const mirror = await startMirror({
      emulator: {
        workspaces: 2,
        history: 60,
        active: 10,
        experimentRuns: 30,
        nodesPerRun: [2, 5],
        arrivalsPerMinute: 1,
        quirks: 'all',
        clock,
        seed,
      },
      settings: { pageSize, statusBatch: random.between(2, 9), concurrency: random.between(1, 4) },
    });
    const turmoil = new Turmoil(mirror.emulator, clock, random);
    let crashes = 0;
    for (let round = 0; round < ROUNDS; round += 1) crashes += await stormyRound(mirror, turmoil, random);
    expect(crashes, 'the schedule holds a crash').toBeGreaterThan(0);

    const quiet = await mirror.sync();
    expect(quiet.filter(({ outcome }) => outcome !== 'succeeded')).toEqual([]);
    expect(await differences(mirror.emulator.world, mirror.pool)).toEqual([]);
    expect(await historyFaults(mirror)).toEqual([]);
    await mirror.sync();
    const before = await rowVersions(mirror.pool);
    await mirror.sync();
    expect(await rowVersions(mirror.pool), 'a quiet round writes nothing').toEqual(before);
  },
  240_000,
);
