import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { MOST_SCOPES } from '../../src/http/metrics/bounded.js';
import { factsOf, type MetricFacts, newMetrics, renderPage } from './metrics-page.js';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const FACTS = factsOf(newMetrics().registry);
const PAGE = resolve(import.meta.dirname, '../../docs/metrics.md');
const ALERTS = readFileSync(resolve(import.meta.dirname, '../../docs/alerts.yml'), 'utf8');
const rules = (parse(ALERTS) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);

/** The metric behind a name of an expression; a histogram has three. Undefined: there is none. */
function metricOf(name: string, facts: readonly MetricFacts[]): MetricFacts | undefined {
  const plain = name.replace(/_(bucket|count|sum)$/, '');
  return (
    facts.find((fact) => fact.name === name) ?? facts.find((fact) => fact.name === plain && fact.type === 'histogram')
  );
}

/** Names and labels of an expression that the registry does not have. */
function unknownIn(expr: string, facts: readonly MetricFacts[]): string[] {
  return [...expr.matchAll(/\b(pai_mirror_\w+)(?:\{([^}]*)\})?/g)].flatMap(([, name = '', matchers = '']) => {
    const metric = metricOf(name, facts);
    if (metric === undefined) return [name];
    const labels = [...matchers.matchAll(/(\w+)\s*[!=]~?\s*"/g)].map(([, label = '']) => label);
    return labels.filter((label) => !metric.labels.includes(label)).map((label) => `${name}{${label}}`);
  });
}

describe('the metrics', () => {
  /** `npm run docs` is this test with `--update`: then it writes what it would compare. */
  test('are described in docs/metrics.md as they are registered', async () => {
    await expect(renderPage(FACTS)).toMatchFileSnapshot(PAGE);
  });

  test('have names of their own with the prefix of the mirror, end as their type asks, and say what they mean', async () => {
    expect(FACTS.length).toBeGreaterThan(40);
    for (const { name, type, help } of FACTS.filter(({ name }) => !/_(process|nodejs)_/.test(name))) {
      expect(name).toMatch(/^pai_mirror_[a-z0-9_]+$/);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(help, name).toMatch(/^[A-Z].{20,}\.$/);
      expect(help, 'a | would end the cell').not.toContain('|');
    }
    expect(readFileSync(PAGE, 'utf8')).toContain(`The first ${MOST_SCOPES} scopes`);
  });

  test('of the page and of the alert rules exist, with the labels that are asked for', () => {
    const page = [...readFileSync(PAGE, 'utf8').matchAll(/: `(.+)`$/gm)].map(([, expr]) => expr as string);
    expect(page.length).toBeGreaterThan(3);
    expect(rules.length).toBeGreaterThan(10);
    for (const expr of [...page, ...rules.map((rule) => rule.expr)]) {
      expect(expr).toContain('pai_mirror_');
      expect(unknownIn(expr, FACTS), expr).toEqual([]);
    }
  });

  test.each([
    ['pai_mirror_nothing > 0', ['pai_mirror_nothing']],
    ['rate(pai_mirror_calls_total{outcom="ok"}[5m])', ['pai_mirror_calls_total{outcom}']],
    ['pai_mirror_active_runs_bucket', ['pai_mirror_active_runs_bucket']],
    ['pai_mirror_call_duration_seconds_bucket{operation=~"x"}', []],
  ])('the check of %s finds %j', (expr, found) => expect(unknownIn(expr, FACTS)).toEqual(found));
});

describe('the example alert rules', () => {
  test('have a name of their own, a time, a severity, a summary and what to do', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, for: lasts, labels, annotations } of rules) {
      expect(alert).toMatch(/^PaiMirror[A-Z]\w+$/);
      expect(lasts).toMatch(/^\d+[mh]$/);
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
      expect(annotations.summary.length, alert).toBeGreaterThan(15);
      expect(annotations.description.length, alert).toBeGreaterThan(40);
    }
  });

  test('name in their summary only labels that their expression leaves over', () => {
    for (const { alert, expr, annotations } of rules) {
      const [, kept = ''] = /\bby \(([^)]*)\)/.exec(expr) ?? [];
      for (const [, label = ''] of annotations.summary.matchAll(/\$labels\.(\w+)/g))
        expect(kept.split(/,\s*/), alert).toContain(label);
    }
  });

  test('close every bracket that they open', () => {
    for (const { alert, expr } of rules)
      for (const [open, close] of ['()', '{}', '[]'])
        expect(expr.split(open as string).length, alert).toBe(expr.split(close as string).length);
  });
});
