/** The findings as text: for people a table with the remedy below each problem, for programs one JSON array. Pure. */
import type { Finding, Verdict } from './check.js';

const SIGNS: Readonly<Record<Verdict, string>> = { ok: '✓', warning: '!', failed: '✗', skipped: '-' };
/** Red, yellow, green, grey. */
const COLOURS: Readonly<Record<Verdict, number>> = { ok: 32, warning: 33, failed: 31, skipped: 90 };

/** Wider than this a column of subjects would push what was found off the screen. */
const WIDEST_SUBJECT = 48;

type Paint = (verdict: Verdict, text: string) => string;

/** One line a thing, below a problem its remedy. What was not looked at for one and the same reason is one line. */
export function reportText(findings: readonly Finding[], options: { readonly colours: boolean }): string {
  const paint: Paint = (verdict, text) => (options.colours ? `\u001b[${COLOURS[verdict]}m${text}\u001b[0m` : text);
  const names = Math.max(0, ...findings.map(({ check }) => check.length));
  const lines = findings
    .filter((finding) => !isWholeSkip(finding))
    .flatMap((finding) => linesOf(finding, { names, subjects: subjectsOf(finding.check, findings), paint }));
  return [...lines, ...skippedLines(findings, paint), '', summary(findings)].join('\n');
}

/** The checks of one name are a table of their own: the subjects of others do not make it wider. */
const subjectsOf = (check: string, findings: readonly Finding[]): number =>
  Math.min(
    WIDEST_SUBJECT,
    Math.max(0, ...findings.filter((one) => one.check === check).map(({ subject }) => (subject ?? '').length)),
  );

function linesOf(
  { check, subject, verdict, found, remedy }: Finding,
  { names, subjects, paint }: { readonly names: number; readonly subjects: number; readonly paint: Paint },
): string[] {
  const thing = subjects > 0 ? `${(subject ?? '').padEnd(subjects)}  ` : '';
  const [first = '', ...rest] = found.split('\n');
  const below = [
    ...rest,
    ...(remedy === null ? [] : remedy.split('\n').map((line, index) => `${index === 0 ? '→' : ' '} ${line}`)),
  ];
  const indent = ' '.repeat(2 + names + 2);
  return [
    `${paint(verdict, SIGNS[verdict])} ${check.padEnd(names)}  ${thing}${first}`.trimEnd(),
    ...below.map((line) => `${indent}${line}`),
  ];
}

const isWholeSkip = ({ verdict, subject }: Finding): boolean => verdict === 'skipped' && subject === null;

function skippedLines(findings: readonly Finding[], paint: Paint): string[] {
  const skips = findings.filter(isWholeSkip);
  return [...new Set(skips.map(({ found }) => found))].map((reason) => {
    const checks = skips.filter(({ found }) => found === reason).map(({ check }) => check);
    return `${paint('skipped', SIGNS.skipped)} not looked at (${reason}): ${checks.join(', ')}`;
  });
}

function summary(findings: readonly Finding[]): string {
  const count = (verdict: Verdict): number => findings.filter((finding) => finding.verdict === verdict).length;
  const [bad, odd, left] = [count('failed'), count('warning'), count('skipped')];
  const skippedText = left === 0 ? '' : `, ${left} not looked at`;
  if (bad === 0 && odd === 0) return `All well: ${count('ok')} things looked at${skippedText}.`;
  const warnings = odd === 0 ? '' : `${odd} ${odd === 1 ? 'warning' : 'warnings'}`;
  if (bad === 0) return `Nothing failed; ${warnings}${skippedText}.`;
  return `${bad} failed${warnings === '' ? '' : `, ${warnings}`}${skippedText}.`;
}

/** The keys and their order are stable, and so are the words of `check` and `verdict`. */
export const reportJson = (findings: readonly Finding[]): string =>
  JSON.stringify(
    findings.map(({ check, subject, verdict, found, remedy }) => ({ check, subject, verdict, found, remedy })),
    null,
    2,
  );
