/** Every query of the dashboards and alert rules, as data: for tests and benchmarks. */
import { ALL, type Expansion, expandQuery, type VariableValue } from './expand.js';
import { ALERT_RULES } from './source/alerts.js';
import type { Dashboard, Format, PanelType, QueryVariable } from './source/dashboard.js';
import { DASHBOARDS } from './source/dashboards.js';

/** One query of one panel (or of an alert rule, whose dashboard is `alert`). */
export interface PanelQuery {
  /** The dashboard's uid. */
  readonly dashboard: string;
  readonly title: string;
  readonly type: PanelType | 'alert';
  readonly refId: string;
  /** With Grafana's macros and variables: `expandQuery`. */
  readonly rawSql: string;
  readonly format: Format;
}

export function readPanels(dashboards: readonly Dashboard[] = Object.values(DASHBOARDS)): PanelQuery[] {
  return dashboards.flatMap(({ uid, panels }) =>
    panels.flatMap((panel) =>
      panel.type === 'row'
        ? []
        : panel.targets.map(({ refId, rawSql, format }) => ({
            dashboard: uid,
            title: panel.title,
            type: panel.type,
            refId,
            rawSql,
            format,
          })),
    ),
  );
}

export const readAlerts = (): PanelQuery[] =>
  ALERT_RULES.map(({ title, sql }) => ({
    dashboard: 'alert',
    title,
    type: 'alert',
    refId: 'A',
    rawSql: sql,
    format: 'table',
  }));

/** The query variables of a dashboard, in the order in which they depend on each other. */
export const readVariables = (uid: string): QueryVariable[] =>
  Object.values(DASHBOARDS)
    .filter((dashboard) => dashboard.uid === uid)
    .flatMap(({ templating }) => templating.list.filter((variable) => variable.type === 'query'));

/** The rows of a statement, as objects by column. */
export type Ask = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

export interface Choice {
  /** What is chosen already, by variable: another value than the first, or ALL. */
  readonly chosen?: Readonly<Record<string, VariableValue>>;
  /** Where a variable has "All": whether it is chosen (default), or the first value of its query. */
  readonly all?: boolean;
}

/**
 * Values for all variables of a dashboard, out of the variables' own queries, as Grafana chooses them when a dashboard is
 * opened: All, or the first value. A variable without any value is the empty text.
 */
export async function chooseValues(
  uid: string,
  ask: Ask,
  range: Omit<Expansion, 'variables'>,
  { chosen = {}, all = true }: Choice = {},
): Promise<Record<string, VariableValue>> {
  const variables: Record<string, VariableValue> = { run: '', ...chosen };
  for (const { name, query, includeAll } of readVariables(uid)) {
    if (chosen[name] !== undefined) continue;
    if (includeAll && all) {
      variables[name] = ALL;
      continue;
    }
    const [first = {}] = await ask(expandQuery(query, { ...range, variables }));
    const value = '__value' in first ? first.__value : Object.values(first)[0];
    variables[name] = value === undefined || value === null ? '' : String(value);
  }
  return variables;
}
