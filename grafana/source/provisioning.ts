/** The two files that tell Grafana of the database and of the folder with the dashboards. */
import { DATASOURCE } from './dashboard.js';

/** Grafana puts the environment variables in when it starts; it knows no defaults for them. */
export const DATASOURCES = {
  apiVersion: 1,
  datasources: [
    {
      name: 'pai-mirror',
      uid: DATASOURCE.uid,
      type: DATASOURCE.type,
      access: 'proxy',
      orgId: 1,
      url: '${PAI_MIRROR_DB_HOST}',
      user: '${PAI_MIRROR_DB_USER}',
      editable: false,
      isDefault: false,
      jsonData: {
        database: '${PAI_MIRROR_DB_NAME}',
        sslmode: '${PAI_MIRROR_DB_SSLMODE}',
        // A dashboard asks with some twenty queries at once; those that get no connection wait for one.
        maxOpenConns: 8,
        maxIdleConns: 4,
        maxIdleConnsAuto: false,
        connMaxLifetime: 1800,
        // The oldest one that the mirror supports; the query editor offers what that can do.
        postgresVersion: 1400,
        timescaledb: false,
        timeInterval: '1m',
      },
      secureJsonData: { password: '${PAI_MIRROR_DB_PASSWORD}' },
    },
  ],
};

export const PROVIDERS = {
  apiVersion: 1,
  providers: [
    {
      name: 'pai-mirror',
      orgId: 1,
      folder: 'PAI',
      type: 'file',
      disableDeletion: false,
      allowUiUpdates: false,
      updateIntervalSeconds: 30,
      options: { path: '${PAI_MIRROR_DASHBOARDS}', foldersFromFilesStructure: false },
    },
  ],
};
