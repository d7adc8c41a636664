/** Puts panels into Grafana's grid of 24 columns, row by row, and numbers them. */
import { DATASOURCE, type Dashboard, type Panel, type PanelBody, type RowPanel, type Variable } from './dashboard.js';

export const COLUMNS = 24;

/** Panels beside each other, all of one height. */
export interface Band {
  /** A headline above, where a new part of the dashboard begins. */
  readonly title?: string;
  readonly height: number;
  /** Widths must come to 24 at most. */
  readonly panels: readonly (readonly [width: number, panel: PanelBody])[];
}

export interface DashboardSource {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly from: string;
  readonly refresh: string;
  readonly variables: readonly Variable[];
  readonly bands: readonly Band[];
}

export function makeDashboard(source: DashboardSource): Dashboard {
  const { uid, title, description, refresh } = source;
  return {
    uid,
    title,
    description,
    tags: ['pai-mirror'],
    schemaVersion: 39,
    version: 1,
    id: null,
    editable: true,
    graphTooltip: 1,
    timezone: 'browser',
    time: { from: source.from, to: 'now' },
    refresh,
    links: [
      {
        title: 'PAI',
        type: 'dashboards',
        tags: ['pai-mirror'],
        asDropdown: false,
        icon: 'external link',
        includeVars: true,
        keepTime: true,
        targetBlank: false,
        tooltip: '',
        url: '',
      },
    ],
    annotations: { list: [] },
    templating: { list: source.variables },
    panels: layOut(source.bands),
  };
}

/** Throws Error naming the panel that does not fit. */
export function layOut(bands: readonly Band[]): (Panel | RowPanel)[] {
  const panels: (Panel | RowPanel)[] = [];
  let y = 0;
  for (const { title, height, panels: bodies } of bands) {
    if (title !== undefined) {
      const gridPos = { x: 0, y, w: COLUMNS, h: 1 };
      panels.push({ id: panels.length + 1, type: 'row', title, collapsed: false, panels: [], gridPos });
      y += 1;
    }
    let x = 0;
    for (const [w, body] of bodies) {
      if (x + w > COLUMNS) throw new Error(`${body.title}: found column ${x + w}, expected ${COLUMNS} at most`);
      panels.push({ id: panels.length + 1, datasource: DATASOURCE, gridPos: { x, y, w, h: height }, ...body });
      x += w;
    }
    y += height;
  }
  return panels;
}
