/**
 * How the text of a variable is read: one kind a function. A kind knows what it expects in words, for its messages and for
 * README.md; which variables there are is said in variables.ts.
 */
import { validate as isCronExpression } from 'node-cron';
import { z } from 'zod';
import { parseEndpoint } from '../domain/endpoint.js';
import { AGE_EXPECTED, type Age, parseAge, parseRules, type RetentionRule } from '../domain/retention.js';
import { parseScopePattern, type ScopePattern } from '../domain/scope.js';

export interface Kind<T> {
  /** What a person has to write, in words that continue "expected …". */
  readonly expected: string;
  /** Messages never repeat its values: they are secrets, or may carry one. */
  readonly isHidden: boolean;
  /** `text` is trimmed and not empty. Tells `context` every mistake; then what it returns is not looked at. */
  readonly read: (text: string, context: z.RefinementCtx) => T;
}

/** How a value is shown in a message: whole, but short and on one line. */
export const shown = (value: string): string => JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);

function refuse(context: z.RefinementCtx, found: string, expected: string): never {
  context.addIssue({ code: 'custom', message: `found ${found}, expected ${expected}` });
  return z.NEVER;
}

/** A kind of which one look at the text says whether it is right: `parse` gives undefined when it is not. */
function kind<T>(expected: string, parse: (text: string) => T | undefined, options = { isHidden: false }): Kind<T> {
  const { isHidden } = options;
  const read = (text: string, context: z.RefinementCtx): T => {
    const value = parse(text);
    return value === undefined ? refuse(context, isHidden ? 'something else' : shown(text), expected) : value;
  };
  return { expected, isHidden, read };
}

const hiddenKind = <T>(expected: string, parse: (text: string) => T | undefined): Kind<T> =>
  kind(expected, parse, { isHidden: true });

/** The parts of a comma-separated list, each once. */
const listOf = (text: string): string[] => [
  ...new Set(
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  ),
];

export const anyText = (expected: string): Kind<string> => kind(expected, (text) => text);

export const wholeNumber = (min: number, max: number): Kind<number> =>
  kind(`a whole number from ${min} to ${max}`, (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return number >= min && number <= max ? number : undefined;
  });

export const rate: Kind<number> = kind('calls per second, 0 or more (0 = no limit), such as 5 or 0.5', (text) =>
  /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : undefined,
);

export const cron = (example: string): Kind<string> =>
  kind(`a cron expression such as "${example}" (a seconds field is allowed)`, (text) =>
    isCronExpression(text) ? text : undefined,
  );

export const flag: Kind<boolean> = kind('true or false', (text) => {
  if (/^(true|1|yes)$/i.test(text)) return true;
  return /^(false|0|no)$/i.test(text) ? false : undefined;
});

export const oneOf = (values: readonly string[]): Kind<string> =>
  kind(`one of ${values.join(', ')}`, (text) => (values.includes(text) ? text : undefined));

export const someOf = (values: readonly string[]): Kind<readonly string[]> =>
  kind(`one or more of ${values.join(', ')}, comma-separated`, (text) => {
    const parts = listOf(text);
    return parts.length > 0 && parts.every((part) => values.includes(part)) ? parts : undefined;
  });

/** A URL may carry a password, so none is repeated. Whether plain http is allowed depends on another variable. */
export const endpoint: Kind<string> = hiddenKind(
  'a host, host:port, or http(s) URL without path, user or password',
  (text) => {
    try {
      parseEndpoint(text, { allowHttp: true });
      return text;
    } catch {
      return undefined;
    }
  },
);

/** Each once, however often it is written. Tells the wrong ones only. */
export const scopes: Kind<readonly ScopePattern[]> = {
  expected: 'region:workspaceId or region:*, comma-separated',
  isHidden: false,
  read(text, context) {
    const parsed = listOf(text).map((part) => ({ part, scope: parseScopePattern(part) }));
    const wrong = parsed.filter(({ scope }) => scope === null);
    if (wrong.length > 0) return refuse(context, shown(wrong.map(({ part }) => part).join(',')), scopes.expected);
    const known = parsed.flatMap(({ scope }) => (scope === null ? [] : [scope]));
    return [...new Map(known.map((scope) => [`${scope.region}:${scope.workspaceId}`, scope])).values()];
  },
};

export const databaseUrl: Kind<string> = hiddenKind('postgresql://user:password@host:port/database', (text) =>
  /^postgres(ql)?:\/\//.test(text) && URL.canParse(text) ? text : undefined,
);

/** Beyond ASCII clients disagree about what is hashed, and some then could not log in. */
export const isReaderPassword = (text: string): boolean => /^[ -~]{8,256}$/.test(text);
export const READER_PASSWORD_EXPECTED = '8 to 256 printable ASCII characters';

export const readerPassword: Kind<string> = hiddenKind(READER_PASSWORD_EXPECTED, (text) =>
  isReaderPassword(text) ? text : undefined,
);

/** Null: `off`. */
export const port: Kind<number | null> = kind(
  'a whole number from 0 (any free port) to 65535, or off for no HTTP',
  (text) => {
    if (text === 'off') return null;
    const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    return number <= 65_535 ? number : undefined;
  },
);

/** Without brackets. */
export const host: Kind<string> = kind(
  'an address or name of this machine without a port, such as 127.0.0.1, 0.0.0.0 or ::',
  (text) => (/^(\[[0-9a-f:.]+\]|[0-9a-z:._-]+)$/i.test(text) ? text.replace(/^\[|\]$/g, '').toLowerCase() : undefined),
);

/** What fits into a header as it is: letters, digits and the signs that base64 and its relatives use. */
export const token: Kind<string> = hiddenKind(
  '16 to 256 letters, digits or any of . _ ~ + / = -, such as `openssl rand -hex 32` makes',
  (text) => (/^[A-Za-z0-9._~+/=-]{16,256}$/.test(text) ? text : undefined),
);

export const sourceTypes: Kind<readonly string[]> = kind(
  'values of SourceType, comma-separated, such as SDK,DESIGNER,M6 (or - for none)',
  (text) => {
    const types = text === '-' ? [] : text.split(',').map((part) => part.trim());
    return types.every((type) => /^[A-Za-z0-9_]+$/.test(type)) ? [...new Set(types)] : undefined;
  },
);

export const retentionRules = (options: { readonly hasOutcome: boolean }): Kind<readonly RetentionRule[]> => ({
  expected: `${options.hasOutcome ? 'SCOPE/OUTCOME=AGE' : 'SCOPE=AGE'}, comma-separated; AGE is keep or such as 180d, 26w, 6m, 2y`,
  isHidden: false,
  read(text, context) {
    const parsed = parseRules(text, options);
    if ('value' in parsed) return parsed.value;
    for (const message of parsed.mistakes) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  },
});

/** Null: kept for ever. */
export const age: Kind<Age | null> = kind(`keep, or ${AGE_EXPECTED}`, (text) =>
  text === 'keep' ? null : (parseAge(text) ?? undefined),
);
