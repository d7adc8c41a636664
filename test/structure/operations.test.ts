/** docs/operations.md has a section for whatever an operator may be told, and what is said there of the code is true. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ALERTING } from '../../grafana/source/alerts.js';
import { MEANINGS, meaningsText } from '../../src/cli/doctor/meanings.js';
import { Session } from '../../src/cli/doctor/session.js';
import { checksOf } from '../../src/cli/doctor.js';
import { anchorsOf, headingsOf, sectionOf, slugOf } from './markdown.js';
import { withPart } from './readme-tables.js';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = resolve(ROOT, 'docs/operations.md');
const text = readFileSync(PAGE, 'utf8');

interface Alert {
  readonly name: string;
  readonly runbook: string | undefined;
}

interface PrometheusRule {
  readonly alert: string;
  readonly annotations: { readonly runbook?: string };
}

const { groups } = parse(readFileSync(resolve(ROOT, 'docs/alerts.yml'), 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly PrometheusRule[] }[];
};

const PROMETHEUS: readonly Alert[] = groups
  .flatMap(({ rules }) => rules)
  .map(({ alert, annotations }) => ({ name: alert, runbook: annotations.runbook }));
const GRAFANA: readonly Alert[] = ALERTING.groups
  .flatMap(({ rules }) => rules)
  .map(({ title, annotations }) => ({ name: title, runbook: annotations.runbook }));

/** Each section of an alert answers these, in this order. */
const QUESTIONS = ['Means', 'See it', 'Causes', 'Do', 'Ignore it'];

describe('every alert', () => {
  const alerts = [...PROMETHEUS, ...GRAFANA];

  test('is known to this test', () => {
    expect(PROMETHEUS.length).toBeGreaterThan(15);
    expect(GRAFANA.length).toBeGreaterThan(4);
  });

  test.each(alerts)('$name leads to its section of docs/operations.md', ({ name, runbook }) => {
    expect(headingsOf(text)).toContain(name);
    expect(runbook).toBe(`docs/operations.md#${slugOf(name)}`);
    expect([...anchorsOf(text)]).toContain(slugOf(name));
  });

  test.each(alerts)(
    '$name has a section that says what it means, how to see it, why, what to do, and when to wait',
    ({ name }) => {
      const section = sectionOf(text, name);
      expect([...section.matchAll(/^\*\*(.+?)\.\*\*/gm)].map(([, word]) => word)).toEqual(QUESTIONS);
    },
  );

  test('of a section exists', () => {
    const inAlerts = headingsOf(sectionOf(text, 'Alerts'));
    expect(inAlerts.filter((heading) => !alerts.some(({ name }) => name === heading))).toEqual([]);
  });
});

const cell = (value: string): string => value.replaceAll('|', '\\|');

function table(): string {
  const rows = checksOf(new Session()).map(({ name, needs = [] }) => {
    const meaning = MEANINGS[name];
    return `| \`${name}\` | ${cell(meaning?.looksAt ?? '')} | ${cell(meaning?.ifWrong ?? '')} | ${needs.join(', ')} |`;
  });
  return ['| Check | Looks at | When it is not ✓ | Needs |', '|---|---|---|---|', ...rows].join('\n');
}

describe('every check of doctor', () => {
  test('has a meaning, in the order of the report', () => {
    expect(Object.keys(MEANINGS)).toEqual(checksOf(new Session()).map(({ name }) => name));
    for (const name of Object.keys(MEANINGS)) expect(meaningsText()).toContain(`  ${name} `);
  });

  /** `npm run docs` is this test with `--update`: then it writes what it would compare. */
  test('stands in the table of docs/operations.md', async () => {
    await expect(withPart(text, 'doctor', table())).toMatchFileSnapshot(PAGE);
  });
});
