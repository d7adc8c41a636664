/** What each message of the emulator has in common with others of its cause, written by hand. */
const node = (name: string): string => name.replace(/-\d+$/, '-<n>');

const RULES: readonly (readonly [RegExp, (match: readonly string[]) => string])[] = [
  [
    /^ODPS-0130131: Table not found - table sales_\d+ of node (.*) does not exist$/,
    ([, name]) => `ODPS-0130131: Table not found - table sales_<n> of node ${node(name ?? '')} does not exist`,
  ],
  [
    /^node (.*) ran out of memory: the container was killed \(exit code 137\)$/,
    ([, name]) => `node ${node(name ?? '')} ran out of memory: the container was killed (exit code <n>)`,
  ],
  [/^quota exceeded: \d+ GPUs requested, \d+ free$/, () => 'quota exceeded: <n> GPUs requested, <n> free'],
  [/^node (.*) did not end within \d+ hours$/, ([, name]) => `node ${node(name ?? '')} did not end within <n> hours`],
  [
    /^dependency of node (.*) failed:\n {2}Traceback \(most recent call last\):\n {4}KeyError: 'label'$/,
    ([, name]) => `dependency of node ${node(name ?? '')} failed: Traceback (most recent call last): KeyError: 'label'`,
  ],
  [
    /^cannot pull image registry\/train:\d+: manifest unknown$/,
    () => 'cannot pull image registry/train:<n>: manifest unknown',
  ],
  [
    /^输入表为空 \(empty input table\), node=(.*)$/,
    ([, name]) => `输入表为空 (empty input table), node=${node(name ?? '')}`,
  ],
  [
    /^loss is NaN at step \d+; "learning_rate" may be too high$/,
    () => 'loss is NaN at step <n>; "learning_rate" may be too high',
  ],
  [
    /^worker \d of node (.*) lost its heartbeat$/,
    ([, name]) => `worker <n> of node ${node(name ?? '')} lost its heartbeat`,
  ],
  [/^No permission to read the input bucket$/, () => 'No permission to read the input bucket'],
  [/^step \d+ of \d+ failed$/, () => 'step <n> of <n> failed'],
  [/^$/, () => '(no message)'],
];

export function patternOf(message: string | null): string {
  const text = (message ?? '').trim();
  for (const [rule, pattern] of RULES) {
    const match = rule.exec(text);
    if (match) return pattern(match);
  }
  throw new Error(`a message that no pattern is written for: ${text}`);
}
