/** Progress of long work: bars on a terminal, otherwise one log line now and then. */
import { createRequire } from 'node:module';
import type ProgressModule from 'cli-progress';
import type { SingleBar } from 'cli-progress';
import { scopeName } from '../domain/scope.js';
import type { ProgressEvent, ProgressListener } from '../sync/pass.js';
import type { Logger } from '../util/logger.js';
import { isDone, WorkProgress } from './progress-text.js';

/** Only a terminal needs bars, and the package that draws them. */
const require = createRequire(import.meta.url);

export interface ProgressDisplay {
  readonly listener: ProgressListener;
  stop(): void;
}

/** Work that ends within this time shows no bar. */
const QUIET_MS = 1000;

export const progressDisplay = (isTerminal: boolean, logger: Logger): ProgressDisplay =>
  isTerminal ? bars() : lines(logger);

const keyOf = (event: ProgressEvent): string => `${scopeName(event.scope)} ${event.phase}`;

function bars(): ProgressDisplay {
  const { MultiBar, Presets } = require('cli-progress') as typeof ProgressModule;
  const multi = new MultiBar(
    {
      format: '{name} {bar} {value}/{total} {percentage}% ETA {eta_formatted}',
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stderr,
      etaBuffer: 50,
    },
    Presets.shades_grey,
  );
  const shown = new Map<string, SingleBar>();
  const began = new Map<string, number>();
  return {
    listener: (event) => {
      const key = keyOf(event);
      const since = began.get(key) ?? Date.now();
      began.set(key, since);
      const total = Math.max(event.total ?? event.done, event.done, 1);
      let bar = shown.get(key);
      if (bar === undefined) {
        if (Date.now() - since < QUIET_MS) return;
        bar = multi.create(total, event.done, { name: key }, event.total === null ? { format: '{name} {value}' } : {});
        shown.set(key, bar);
      }
      bar.setTotal(total);
      bar.update(event.done);
      if (event.total !== null && event.done >= event.total) {
        multi.remove(bar);
        shown.delete(key);
        began.delete(key);
      }
    },
    stop: () => multi.stop(),
  };
}

function lines(logger: Logger): ProgressDisplay {
  const works = new Map<string, WorkProgress>();
  return {
    listener: (event) => {
      const now = Date.now();
      const key = keyOf(event);
      const known = works.get(key);
      const work = known === undefined || known.isAnother(event) ? new WorkProgress(event, now) : known;
      if (isDone(event)) works.delete(key);
      else works.set(key, work);
      const line = work.line(event, now);
      if (line === null) return;
      const { message, ...fields } = line;
      logger.info({ scope: scopeName(event.scope), stream: event.stream, ...fields }, message);
    },
    stop: () => {},
  };
}
