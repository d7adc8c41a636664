/** What is asked of the big mirror: every query of every dashboard and alert rule, and the views by themselves. */
import { type Expansion, expandQuery, formatInterval, type VariableValue } from '../../grafana/expand.js';
import { type Ask, chooseValues, readAlerts } from '../../grafana/queries.js';
import type { Dashboard, Panel } from '../../grafana/source/dashboard.js';
import { DASHBOARDS } from '../../grafana/source/dashboards.js';
import { BenchError } from '../failure.js';
import { VIEW_QUESTIONS } from './view-questions.js';

export interface Question {
  /** A dashboard's uid, `alert`, or `view`. */
  readonly group: string;
  readonly name: string;
  readonly sql: string;
}

/** Points of a panel as wide as a screen: Grafana asks for no more, so this decides the width of a bucket. */
const POINTS = 1_000;

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `now-7d`, `15m`. Throws BenchError. */
export function spanMs(text: string): number {
  const [, count, unit = ''] = /^(?:now-)?(\d+)([mhd])$/.exec(text) ?? [];
  const ms = UNIT_MS[unit];
  if (count === undefined || ms === undefined)
    throw new BenchError(`found time span ${text}, expected one such as now-7d or 15m`);
  return Number(count) * ms;
}

/** Round steps, as Grafana has them: the smallest one that is not below the range's share. */
const STEPS = ['1m', '2m', '5m', '10m', '15m', '30m', '1h', '2h', '3h', '6h', '12h', '1d'].map(spanMs);

export function intervalOf(rangeMs: number, least: string | undefined): number {
  const wanted = Math.max(rangeMs / POINTS, least === undefined ? 0 : spanMs(least));
  return STEPS.find((step) => step >= wanted) ?? (STEPS.at(-1) as number);
}

/** With the range that each dashboard opens with, and all that it offers chosen. `runs`: what the run's own dashboard is to show. */
export async function panelQuestions(ask: Ask, run: string, now: Date): Promise<Question[]> {
  const questions: Question[] = [];
  for (const dashboard of Object.values(DASHBOARDS)) {
    const rangeMs = spanMs(dashboard.time.from);
    const range = { from: new Date(now.getTime() - rangeMs), to: now, timezone: 'Asia/Shanghai' };
    const chosen = dashboard.uid === 'pai-run' ? { run, run_id: run } : {};
    const variables = await chooseValues(
      dashboard.uid,
      ask,
      { ...range, intervalMs: intervalOf(rangeMs, undefined) },
      { chosen },
    );
    questions.push(...ofVariables(dashboard, variables, range), ...ofPanels(dashboard, variables, range, rangeMs));
  }
  const alerts = readAlerts().map(({ title, rawSql }) => ({ group: 'alert', name: title, sql: rawSql }));
  return [...questions, ...alerts];
}

type Variables = Readonly<Record<string, VariableValue>>;
type Range = Omit<Expansion, 'variables' | 'intervalMs'>;

/** A dashboard is not there before its choices are. */
function ofVariables(dashboard: Dashboard, variables: Variables, range: Range): Question[] {
  return dashboard.templating.list.flatMap((variable) =>
    variable.type !== 'query'
      ? []
      : [
          {
            group: dashboard.uid,
            name: `variable ${variable.name}`,
            sql: expandQuery(variable.query, { ...range, intervalMs: 60_000, variables }),
          },
        ],
  );
}

function ofPanels(dashboard: Dashboard, variables: Variables, range: Range, rangeMs: number): Question[] {
  const panels = dashboard.panels.filter((panel): panel is Panel => panel.type !== 'row');
  return panels.flatMap(({ title, targets, interval }) => {
    const intervalMs = intervalOf(rangeMs, interval);
    return targets.map(({ refId, rawSql }) => ({
      group: dashboard.uid,
      name: `${title}${targets.length > 1 ? ` (${refId})` : ''}${rawSql.includes('$__interval') ? ` by ${formatInterval(intervalMs)}` : ''}`,
      sql: expandQuery(rawSql, { ...range, intervalMs, variables }),
    }));
  });
}

export const viewQuestions = (run: string): Question[] =>
  VIEW_QUESTIONS.map(([name, sql]) => ({ group: 'view', name, sql: sql.replaceAll('$run', run) }));
