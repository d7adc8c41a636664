/** The part of Grafana's dashboard JSON that is used here (schemaVersion 39, Grafana 11 and newer). */

export const DATASOURCE = { type: 'grafana-postgresql-datasource', uid: 'pai-mirror' } as const;

export type Format = 'time_series' | 'table';

/** Grafana calls a panel's query a target. */
export interface Target {
  readonly refId: string;
  readonly datasource: typeof DATASOURCE;
  readonly editorMode: 'code';
  readonly rawQuery: true;
  readonly rawSql: string;
  readonly format: Format;
}

export interface DataLink {
  readonly title: string;
  readonly url: string;
  readonly targetBlank?: boolean;
}

export interface Property {
  readonly id: string;
  readonly value: unknown;
}

export interface Override {
  readonly matcher: { readonly id: 'byName' | 'byRegexp'; readonly options: string };
  readonly properties: readonly Property[];
}

export interface Step {
  readonly color: string;
  /** Null: from the lowest value on. */
  readonly value: number | null;
}

export interface FieldDefaults {
  readonly unit?: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly noValue?: string;
  readonly displayName?: string;
  readonly color?: { readonly mode: string; readonly fixedColor?: string };
  readonly thresholds?: { readonly mode: 'absolute'; readonly steps: readonly Step[] };
  readonly mappings?: readonly unknown[];
  readonly links?: readonly DataLink[];
  readonly custom?: Readonly<Record<string, unknown>>;
}

export interface Transformation {
  readonly id: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export type PanelType = 'stat' | 'timeseries' | 'table' | 'state-timeline' | 'trend' | 'bargauge' | 'text';

/** A panel without its place. */
export interface PanelBody {
  readonly type: PanelType;
  readonly title: string;
  readonly description: string;
  readonly targets: readonly Target[];
  readonly fieldConfig: { readonly defaults: FieldDefaults; readonly overrides: readonly Override[] };
  readonly options: Readonly<Record<string, unknown>>;
  readonly transformations?: readonly Transformation[];
  /** The smallest `$__interval`. */
  readonly interval?: string;
}

export interface GridPos {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Panel extends PanelBody {
  readonly id: number;
  readonly gridPos: GridPos;
  readonly datasource: typeof DATASOURCE;
}

export interface RowPanel {
  readonly id: number;
  readonly type: 'row';
  readonly title: string;
  readonly collapsed: false;
  readonly panels: readonly never[];
  readonly gridPos: GridPos;
}

export interface QueryVariable {
  readonly type: 'query';
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly datasource: typeof DATASOURCE;
  readonly definition: string;
  readonly query: string;
  /** 1: when the dashboard is opened, 2: whenever the time range changes. */
  readonly refresh: 1 | 2;
  readonly sort: 0;
  readonly regex: '';
  readonly multi: boolean;
  readonly includeAll: boolean;
  readonly allValue?: string;
  readonly current: Readonly<Record<string, unknown>>;
  readonly options: readonly never[];
  /** 0: shown, 2: not. */
  readonly hide: 0 | 2;
  readonly skipUrlSync: boolean;
}

export interface TextVariable {
  readonly type: 'textbox';
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly query: string;
  readonly current: { readonly selected: false; readonly text: string; readonly value: string };
  readonly options: readonly unknown[];
  readonly hide: 0;
  readonly skipUrlSync: false;
}

export type Variable = QueryVariable | TextVariable;

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly schemaVersion: 39;
  readonly version: 1;
  readonly id: null;
  readonly editable: true;
  readonly graphTooltip: 1;
  readonly timezone: 'browser';
  readonly time: { readonly from: string; readonly to: string };
  readonly refresh: string;
  readonly links: readonly unknown[];
  readonly annotations: { readonly list: readonly never[] };
  readonly templating: { readonly list: readonly Variable[] };
  readonly panels: readonly (Panel | RowPanel)[];
}
