import type { Metrics } from '../metrics/metrics.js';
import type { Routes } from '../server.js';

/** For Prometheus and what reads its text format. Needs the token where there is one: it names workspaces. */
export const metricsRoutes =
  (metrics: Metrics): Routes =>
  (app) => {
    app.get('/metrics', async (_request, reply) => {
      const text = await metrics.scrape();
      return reply.type(metrics.contentType).send(text);
    });
  };
