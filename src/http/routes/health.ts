import type { Readiness } from '../readiness.js';
import type { Routes } from '../server.js';

/**
 * Both without a token, so that probes need no secret: they say that a process lives, or one of a few fixed reasons.
 *
 * `/healthz`: the event loop turns, for a liveness probe. It never looks at the database: a restart would not bring that
 * back. `/readyz`: 200 while the service works, 503 with the reason while it starts, stops or is without its database.
 */
export const healthRoutes =
  (readiness: Readiness): Routes =>
  (app) => {
    app.get('/healthz', { config: { open: true } }, async (_request, reply) => reply.type('text/plain').send('ok\n'));
    app.get('/readyz', { config: { open: true } }, async (_request, reply) => {
      const reason = await readiness.reason();
      return reply.code(reason === null ? 200 : 503).send(reason === null ? { ready: true } : { ready: false, reason });
    });
  };
