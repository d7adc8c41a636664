/** What lies in `grafana/`, made from this source: path below `grafana/` to text. */
import { ALERTING } from './alerts.js';
import { DASHBOARDS } from './dashboards.js';
import { DATASOURCES, PROVIDERS } from './provisioning.js';
import { type Plain, toYaml } from './yaml.js';

const MADE = '# Made from grafana/source: `npm run grafana` writes it anew.\n';

const HEADS = {
  datasources: `${MADE}# The database of the mirror. Set in Grafana's environment: PAI_MIRROR_DB_HOST (host:port), PAI_MIRROR_DB_NAME,
# PAI_MIRROR_DB_USER (pai_reader), PAI_MIRROR_DB_PASSWORD, PAI_MIRROR_DB_SSLMODE (empty: require; disable without TLS).
`,
  dashboards: `${MADE}# The dashboards. Set in Grafana's environment: PAI_MIRROR_DASHBOARDS, the folder with the JSON files.
`,
  alerting: `${MADE}# Alert rules; who is told is up to the notification policies of Grafana.
`,
};

export const FILES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(DASHBOARDS).map(([file, dashboard]) => [
      `dashboards/${file}`,
      `${JSON.stringify(dashboard, null, 2)}\n`,
    ]),
  ),
  'provisioning/datasources/pai-mirror.yaml': HEADS.datasources + toYaml(DATASOURCES),
  'provisioning/dashboards/pai-mirror.yaml': HEADS.dashboards + toYaml(PROVIDERS),
  'provisioning/alerting/pai-mirror.yaml': HEADS.alerting + toYaml(ALERTING as unknown as Plain),
};
