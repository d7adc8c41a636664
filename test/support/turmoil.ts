/** Changes a world by hand in the ways in which PAI's users do. */
import type { Instant } from '../../src/domain/entities.js';
import { instantFromMillis } from '../../src/domain/instant.js';
import { isTerminal } from '../../src/domain/status.js';
import type { SimulatedClock } from '../../src/emulator/clock.js';
import type { Random } from '../../src/emulator/random.js';
import type { Emulator } from '../../src/emulator/server.js';

const STATUSES = ['Running', 'Suspended', 'Succeeded', 'Failed', 'Terminated', 'NobodyKnowsThis'] as const;

export class Turmoil {
  /** Changes made so far. */
  made = 0;
  private added = 0;
  private readonly nodes: { readonly id: string; readonly nodeId: string }[] = [];

  constructor(
    private readonly emulator: Emulator,
    private readonly clock: SimulatedClock,
    private readonly random: Random,
  ) {}

  /** One change, drawn at random; at times the world's clock jumps on, too. */
  change(): void {
    const { random } = this;
    this.made += 1;
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
    () => this.onExperiment((id) => this.relabel(id)),
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

  /** Labels and params come, change and go: few keys, so that they often meet one that was there before. */
  private relabel(id: string): void {
    const { random } = this;
    const now = this.now();
    const keys = ['team', 'stage', 'owner'].filter(() => random.next() < 0.6);
    const labels = keys.map((key) => ({
      key,
      value: random.pick(['a', 'b', 'c']),
      gmtCreateTime: now,
      gmtModifiedTime: now,
    }));
    const params = keys.map((key) => ({ key, value: random.pick(['1', '2', '3']) }));
    this.mutate.updateExperimentRun(id, random.next() < 0.5 ? { labels } : { params });
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
