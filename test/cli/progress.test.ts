import { describe, expect, it, vi } from 'vitest';
import { progressDisplay } from '../../src/cli/progress.js';
import { progressLine, WorkProgress } from '../../src/cli/progress-text.js';
import { capturingLogger } from '../support/logger.js';

const event = (done: number, total: number | null = 40_000) => ({
  scope: { region: 'cn-test', workspaceId: '1' },
  stream: 'pipeline-runs',
  phase: 'first load',
  done,
  total,
});

describe('complaint 6: a first load says how far it is and when it will end', () => {
  it('in words and in numbers', () => {
    expect(progressLine(event(12_300), 180)).toEqual({
      message: 'first load: 12,300 of 40,000 (30 %), about 3 min left',
      done: 12_300,
      total: 40_000,
      percent: 30,
      etaSeconds: 180,
    });
    expect(progressLine(event(12_300), 40).message).toContain('about 40 s left');
    expect(progressLine(event(12_300), 7_800).message).toContain('about 2 h 10 min left');
    expect(progressLine(event(12_300), null).message).toBe('first load: 12,300 of 40,000 (30 %)');
    expect(progressLine(event(40_000), 0).message).toBe('first load: 40,000 of 40,000 (100 %)');
    expect(progressLine(event(300, null), null).message).toBe('first load: 300 so far');
  });

  it('within seconds, and then now and then', () => {
    const work = new WorkProgress(event(0), 0);
    const told = [0, 400, 900, 1200, 1500, 4000, 6300, 6400].map((ms) => work.line(event(ms), ms)?.done ?? null);
    expect(told).toEqual([null, null, null, 1200, null, null, 6300, null]);
  });

  it('a resumed load starts where it was, and what was done before says nothing about its pace', () => {
    const work = new WorkProgress(event(30_000), 0);
    expect(work.line(event(30_500), 1000)).toMatchObject({ done: 30_500, percent: 76, etaSeconds: 19 });
  });

  it('has no estimate while nothing has moved', () => {
    expect(new WorkProgress(event(30_000), 0).line(event(30_000), 2000)).toMatchObject({ etaSeconds: null });
  });
});

it('progress is a log line with its numbers where there is no terminal, and a second load is estimated by itself', () => {
  vi.useFakeTimers({ now: 0 });
  try {
    const logger = capturingLogger();
    const display = progressDisplay(false, logger);
    for (const [ms, done] of [
      [0, 0],
      [2000, 1000],
      [2100, 2000],
      [8000, 40_000],
      [9000, 100],
      [11_000, 200],
    ] as const) {
      vi.setSystemTime(ms);
      display.listener(event(done));
    }
    display.stop();
    expect(logger.messages('info')).toEqual([
      'first load: 1,000 of 40,000 (2 %), about 78 s left',
      'first load: 40,000 of 40,000 (100 %)',
      'first load: 200 of 40,000 (0 %), about 13 min left',
    ]);
  } finally {
    vi.useRealTimers();
  }
});
