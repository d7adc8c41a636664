/**
 * JSON of any depth. The usual parser and printer call themselves once a level and end at the stack's limit, some
 * thousand levels down; these keep their own stack. They are many times slower and serve where the others gave up: one
 * item of nonsense must neither cost its page nor lose its text.
 */
import { isLosslessNumber, LosslessNumber } from 'lossless-json';

/** A string, a number, or one other character; white space before it is skipped. */
const TOKEN =
  /[ \t\n\r]*(?:("[^"\\]*(?:\\.[^"\\]*)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([[\]{},:]))/y;
const BLANK_TO_END = /[ \t\n\r]*$/y;

interface Open {
  readonly value: unknown[] | { [key: string]: unknown };
  /** The key that waits for its value. */
  key: string | null;
  expects: 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end';
}

/** Parses JSON exactly: every number is a LosslessNumber. Throws SyntaxError. */
export function parseDeep(text: string): unknown {
  const stack: Open[] = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new SyntaxError(`no JSON at position ${at}`);
    const done = step(stack, match);
    if (done === undefined) continue;
    BLANK_TO_END.lastIndex = TOKEN.lastIndex;
    if (!BLANK_TO_END.test(text)) throw new SyntaxError(`text behind the JSON at position ${TOKEN.lastIndex}`);
    return done.value;
  }
}

/** Takes one token in; returns the whole value when it is complete. */
function step(stack: Open[], match: RegExpExecArray): { value: unknown } | undefined {
  const [, string, number, word, sign] = match;
  const top = stack.at(-1);
  if (string !== undefined && top !== undefined && /^key/.test(top.expects)) {
    top.key = JSON.parse(string) as string;
    top.expects = 'colon';
    return undefined;
  }
  if (string !== undefined) return place(stack, JSON.parse(string));
  if (number !== undefined) return place(stack, new LosslessNumber(number));
  if (word !== undefined) return place(stack, JSON.parse(word));
  if (sign === '[' || sign === '{') return open(stack, sign);
  return punctuation(stack, sign as string);
}

function open(stack: Open[], sign: '[' | '{'): undefined {
  expectValue(stack);
  stack.push(
    sign === '[' ? { value: [], key: null, expects: 'value or end' } : { value: {}, key: null, expects: 'key or end' },
  );
}

function punctuation(stack: Open[], sign: string): { value: unknown } | undefined {
  const top = stack.at(-1);
  const isList = Array.isArray(top?.value);
  if (top?.expects === 'colon' && sign === ':') top.expects = 'value';
  else if (top?.expects === 'comma or end' && sign === ',') top.expects = isList ? 'value' : 'key';
  else if (top !== undefined && /end$/.test(top.expects) && sign === (isList ? ']' : '}')) {
    stack.pop();
    return place(stack, top.value);
  } else throw new SyntaxError(`${sign} is out of place`);
  return undefined;
}

function expectValue(stack: readonly Open[]): void {
  const top = stack.at(-1);
  if (top !== undefined && !/^value/.test(top.expects)) throw new SyntaxError(`found a value, expected ${top.expects}`);
}

function place(stack: readonly Open[], value: unknown): { value: unknown } | undefined {
  expectValue(stack);
  const top = stack.at(-1);
  if (top === undefined) return { value };
  if (Array.isArray(top.value)) top.value.push(value);
  // Defined and not assigned: the key may be __proto__. The last of two equal keys stays, as with JSON.parse.
  else
    Object.defineProperty(top.value, top.key as string, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  top.expects = 'comma or end';
  return undefined;
}

/** One value as JSON text with exact numbers. */
export function printDeep(value: unknown): string {
  const parts: string[] = [];
  const todo: (string | { readonly value: unknown })[] = [{ value }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (typeof next === 'string') parts.push(next);
    else printOne(next.value, parts, todo);
  }
  return parts.join('');
}

/** Prints a scalar, or puts what an array or object consists of on the stack, last part first. */
function printOne(value: unknown, parts: string[], todo: (string | { readonly value: unknown })[]): void {
  if (isLosslessNumber(value)) parts.push(value.value);
  else if (typeof value !== 'object' || value === null) parts.push(JSON.stringify(value) ?? 'null');
  else if (Array.isArray(value)) {
    todo.push(']');
    for (let index = value.length - 1; index >= 0; index -= 1) todo.push({ value: value[index] }, index > 0 ? ',' : '');
    todo.push('[');
  } else {
    todo.push('}');
    const entries = Object.entries(value);
    for (let index = entries.length - 1; index >= 0; index -= 1) {
      const [key, member] = entries[index] as [string, unknown];
      todo.push({ value: member }, `${index > 0 ? ',' : ''}${JSON.stringify(key)}:`);
    }
    todo.push('{');
  }
}
