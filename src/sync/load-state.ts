/** Where a first load stands: what its cursor holds, so that an interrupted one goes on from its last committed page. */
import type { Cursor, CursorState } from '../domain/batch.js';
import type { Instant } from '../domain/entities.js';
import { type Anchor, pageCount } from './plan-paging.js';
import type { TieGroup } from './plan-ties.js';

export interface LoadState {
  readonly phase: 'first-load';
  readonly pageSize: number;
  /** The next page to read; 0 when all are read. */
  readonly nextPage: number;
  /** Pages above `nextPage` and up to this one are stored, but were not checked since. */
  readonly uncheckedFrom: number;
  /** What the load counts on; only for showing how far it is. */
  readonly total: number;
  readonly anchorId: string | null;
  readonly anchorIndex: number;
  /** The key of the row that was read last, and the page on which the rows of that key begin; 0: none. */
  readonly edgeKey: string | null;
  readonly edgeFrom: number;
  /** Pages of stored tie groups that have to be read again; 0: none. */
  readonly suspectFrom: number;
  readonly suspectTo: number;
  /** The oldest key among them. */
  readonly suspectKey: string | null;
  /** Items that could not be decoded: they count as seen. */
  readonly unreadable: number;
  /** A tie group was too large to be proved: the count has to do it. */
  readonly inDoubt: boolean;
  /** Rows were deleted while the load ran, or nobody can tell: then the count alone proves nothing. */
  readonly mayHaveShifted: boolean;
  /** How often the page size was found to be another one. */
  readonly resizes: number;
}

const BEGINNING = {
  uncheckedFrom: 0,
  anchorId: null,
  anchorIndex: 0,
  edgeKey: null,
  edgeFrom: 0,
  suspectFrom: 0,
  suspectTo: 0,
  suspectKey: null,
} as const;

export const beginningOf = (total: number, pageSize: number): LoadState => ({
  phase: 'first-load',
  pageSize,
  nextPage: pageCount(total, pageSize),
  total,
  ...BEGINNING,
  unreadable: 0,
  inDoubt: false,
  mayHaveShifted: false,
  resizes: 0,
});

/** The load starts over with another page size; what is stored stays stored. */
export const resized = (state: LoadState, total: number, pageSize: number): LoadState => ({
  ...state,
  ...BEGINNING,
  pageSize,
  nextPage: pageCount(total, pageSize),
  total,
  unreadable: 0,
  resizes: state.resizes + 1,
});

export const isFirstLoad = (cursor: Cursor): boolean => cursor.state.phase === 'first-load';

/**
 * A cursor of an older version lacks what did not exist yet. Nobody looked for ties in the pages that it has read, nor
 * noted whether rows were deleted meanwhile, so only counting what the list shows can tell whether one is missing.
 */
export const readState = (cursor: Cursor): LoadState => ({
  ...beginningOf(0, 1),
  inDoubt: true,
  mayHaveShifted: true,
  ...(cursor.state as unknown as Partial<LoadState>),
});

export const toCursor = (watermark: Instant | null, state: LoadState): Cursor => ({
  watermark,
  state: state as unknown as CursorState,
});

export const anchorOf = (state: LoadState): Anchor | null =>
  state.anchorId === null ? null : { id: state.anchorId, index: state.anchorIndex };

export const anchored = (anchor: Anchor | null): Pick<LoadState, 'anchorId' | 'anchorIndex'> => ({
  anchorId: anchor?.id ?? null,
  anchorIndex: anchor?.index ?? 0,
});

export const edgeOf = (open: TieGroup | null): Pick<LoadState, 'edgeKey' | 'edgeFrom'> => ({
  edgeKey: open?.key ?? null,
  edgeFrom: open?.startPage ?? 0,
});

/** Pages are read downwards: a range goes from its highest page to its lowest. */
export const withSuspect = (
  state: LoadState,
  { key, from, to }: { readonly key: string | null; readonly from: number; readonly to: number },
): LoadState => ({
  ...state,
  suspectFrom: Math.max(state.suspectFrom, from),
  suspectTo: state.suspectTo === 0 ? to : Math.min(state.suspectTo, to),
  // Keys are met from the newest to the oldest.
  suspectKey: key,
});
