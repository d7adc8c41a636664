import { mix, pickBy } from '../random.js';

type Template = (node: string, n: number) => string;

/** Why runs fail, in the manner of the engines behind PAI: code first, a table or node named, at times over several lines. */
const TEMPLATES: readonly Template[] = [
  (node, n) => `ODPS-0130131: Table not found - table sales_${n % 97} of node ${node} does not exist`,
  (node) => `node ${node} ran out of memory: the container was killed (exit code 137)`,
  (_, n) => `quota exceeded: ${1 + (n % 16)} GPUs requested, ${n % 3} free`,
  (node, n) => `node ${node} did not end within ${1 + (n % 12)} hours`,
  (node) => `dependency of node ${node} failed:\n  Traceback (most recent call last):\n    KeyError: 'label'`,
  (_, n) => `cannot pull image registry/train:${n % 50}: manifest unknown`,
  (node) => `输入表为空 (empty input table), node=${node}`,
  (_, n) => `loss is NaN at step ${n % 5_000}; "learning_rate" may be too high`,
  (node, n) => `worker ${n % 8} of node ${node} lost its heartbeat`,
  () => 'No permission to read the input bucket',
];

export function failureMessage(seed: number, slot: number, attempt: number, nodeName: string): string {
  const bits = mix(seed ^ 0x3e55, slot, attempt);
  return pickBy(TEMPLATES, bits)(nodeName, bits >>> 8);
}
