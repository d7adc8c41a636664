import { describe, expect, it } from 'vitest';
import { faultsOfLife, type HistoryEvent, type HistoryRow } from './history.js';

const event = (eventId: number, kind: string, rest: Partial<HistoryEvent> = {}): HistoryEvent => ({
  eventId: String(eventId),
  kind,
  fromStatus: null,
  toStatus: null,
  changes: null,
  observedAt: `2026-01-01 00:00:${10 + eventId}.000000`,
  requestId: `request-${eventId}`,
  ...rest,
});

/** A run that was met, renamed, ended, missed, deleted and brought back. */
const LIFE: readonly HistoryEvent[] = [
  event(1, 'discovered', { toStatus: 'Running' }),
  event(2, 'changed', { fromStatus: 'Running', toStatus: 'Running', changes: { name: ['a', 'b'] } }),
  event(4, 'changed', {
    fromStatus: 'Running',
    toStatus: 'Failed',
    changes: { status: ['Running', 'Failed'], name: ['b', 'c'] },
  }),
  event(5, 'missing', { fromStatus: 'Failed', toStatus: 'Failed' }),
  event(6, 'deleted', { fromStatus: 'Failed', toStatus: 'Failed' }),
  event(9, 'restored', { fromStatus: 'Failed', toStatus: 'Failed', changes: { message: ['m', null] } }),
];

const ROW: HistoryRow = {
  entity: 'pipeline_run',
  status: 'Failed',
  isDeleted: false,
  isMissing: false,
  revision: 6,
  observedAt: '2026-01-01 00:00:19.000000',
  requestId: 'request-9',
  values: { name: 'c', message: null, status: 'Failed' },
};

const replaced = (index: number, change: Partial<HistoryEvent>): HistoryEvent[] =>
  LIFE.map((one, at) => (at === index ? { ...one, ...change } : one));

describe('the check of the history', () => {
  it('has nothing to say against a whole life', () => {
    expect(faultsOfLife(LIFE, ROW)).toEqual([]);
    expect(
      faultsOfLife([event(1, 'discovered'), event(2, 'deleted', { requestId: 'request-1', toStatus: 'Failed' })], {
        ...ROW,
        isDeleted: true,
        revision: 1,
        observedAt: '2026-01-01 00:00:12.000000',
        requestId: 'request-1',
      }),
      'deleted when it was met',
    ).toEqual([]);
  });

  it('lets a newer version come late, but not what moves without a version', () => {
    const late = { observedAt: '2026-01-01 00:00:11.500000' };
    const newer = {
      name: ['a', 'b'],
      gmt_modified_time: ['2026-01-01T00:00:00+00:00', '2026-01-01T00:00:01+00:00'],
    } as const;
    const first = [
      LIFE[0] as HistoryEvent,
      event(2, 'changed', { changes: { message: [1, 2] }, fromStatus: 'Running', toStatus: 'Running' }),
    ];
    const row = {
      ...ROW,
      status: 'Running',
      revision: 3,
      requestId: 'request-3',
      values: { name: 'b', message: 2, gmt_modified_time: newer.gmt_modified_time[1] },
    };
    const third = (rest: Partial<HistoryEvent>) =>
      event(3, 'changed', { ...late, fromStatus: 'Running', toStatus: 'Running', changes: newer, ...rest });
    expect(faultsOfLife([...first, third({})], row)).toEqual([]);
    const moves = third({ toStatus: 'Failed', changes: { ...newer, status: ['Running', 'Failed'] } });
    expect(
      faultsOfLife([...first, moves], { ...row, status: 'Failed', values: { ...row.values, status: 'Failed' } }),
    ).not.toEqual([]);
    const older = third({
      changes: { ...newer, gmt_modified_time: [newer.gmt_modified_time[1], newer.gmt_modified_time[0]] },
    });
    expect(
      faultsOfLife([...first, older], {
        ...row,
        values: { ...row.values, gmt_modified_time: newer.gmt_modified_time[0] },
      }),
    ).not.toEqual([]);
  });

  it.each(LIFE.map((_, index) => index))('sees a hole: event %i left out', (index) => {
    expect(faultsOfLife(LIFE.toSpliced(index, 1), ROW)).not.toEqual([]);
  });

  it.each(LIFE.map((_, index) => index))('sees a duplicate: event %i twice', (index) => {
    const again = { ...(LIFE[index] as HistoryEvent), eventId: '7', observedAt: null };
    const sorted = [...LIFE, { ...again, observedAt: '2026-01-01 00:00:17.000000' }].sort(
      (a, b) => Number(a.eventId) - Number(b.eventId),
    );
    expect(faultsOfLife(sorted, ROW)).not.toEqual([]);
  });

  it.each([
    ['two events have changed places', [LIFE[0], LIFE[2], LIFE[1], ...LIFE.slice(3)] as HistoryEvent[]],
    ['the chain of a field breaks', replaced(2, { changes: { status: ['Running', 'Failed'], name: ['x', 'c'] } })],
    ['the chain of the status breaks', replaced(3, { fromStatus: 'Running' })],
    ['a status moves unlisted', replaced(2, { changes: { name: ['b', 'c'] } })],
    ['the last value is not that of the row', replaced(5, { changes: { message: ['m', 'n'] } })],
    ['nothing proves an event', replaced(1, { requestId: null })],
    ['an event has no time', replaced(1, { observedAt: null })],
    ['an older observation came later', replaced(2, { observedAt: '2026-01-01 00:00:11.500000' })],
    ['a change changes nothing', replaced(1, { changes: null })],
  ])('sees that %s', (_, events) => {
    expect(faultsOfLife(events, ROW)).not.toEqual([]);
  });

  it.each<[string, Partial<HistoryRow>]>([
    ['has another status', { status: 'Running' }],
    ['has another value', { values: { ...ROW.values, name: 'd' } }],
    ['is deleted, and nobody told', { isDeleted: true }],
    ['is missing, and nobody told', { isMissing: true }],
    ['was updated once more than told', { revision: 7 }],
    ['was updated once less than told', { revision: 5 }],
    ['was written by another answer', { requestId: 'request-10' }],
    ['was last seen before its last event', { observedAt: '2026-01-01 00:00:18.000000' }],
  ])('sees that the row %s', (_, change) => {
    expect(faultsOfLife(LIFE, { ...ROW, ...change })).not.toEqual([]);
  });

  it('sees events without a row, and a row without events', () => {
    expect(faultsOfLife(LIFE, null)).not.toEqual([]);
    expect(faultsOfLife([], ROW)).not.toEqual([]);
  });
});
