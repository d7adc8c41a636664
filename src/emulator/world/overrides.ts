import type { NodeOutput } from '../../domain/entities.js';
import type { WorldDetails } from './details.js';
import type { WorldNode } from './nodes.js';

/** Things derived from a run, changed by hand: some patched, some added, some taken away. */
class Overlay<T> {
  private readonly patched = new Map<string, Partial<T>>();
  private readonly added: T[] = [];
  private readonly removed = new Set<string>();
  private readonly keyOf: (item: T) => string;

  constructor(keyOf: (item: T) => string) {
    this.keyOf = keyOf;
  }

  add(item: T): void {
    this.removed.delete(this.keyOf(item));
    this.added.push(item);
  }

  patch(key: string, patch: Partial<T>): void {
    this.patched.set(key, { ...this.patched.get(key), ...patch });
  }

  remove(key: string): void {
    this.removed.add(key);
  }

  applyTo(derived: readonly T[]): T[] {
    return [...derived, ...this.added]
      .filter((item) => !this.removed.has(this.keyOf(item)))
      .map((item) => ({ ...item, ...this.patched.get(this.keyOf(item)) }));
  }
}

export const nodeKey = (node: { readonly nodeType: string; readonly nodeId: string }): string =>
  `${node.nodeType} ${node.nodeId}`;

/** What a test changed below one run. */
export class RunOverrides {
  readonly nodes = new Overlay<WorldNode>(nodeKey);
  readonly outputs = new Overlay<NodeOutput>((output) => output.id);
  details: Partial<WorldDetails> = {};
}
