/**
 * A walk over ListRuns, newest creation first, as decisions. TotalCount may be missing, so a deletion between two pages
 * (rows slide from an unread page to a read one) has to show in the pages themselves. Page tokens that count rows, as
 * PAI's do by their description ("starts from 0"), are written by the mirror: the next page begins one row *in front of*
 * the rows that share the last key. As long as its first row is newer than that key, nothing slid past, and rows of one
 * key stand together in one answer, whatever their order; otherwise the walk goes back until it is. That costs no call,
 * only some rows read twice. Other tokens are followed as they come, and back where TotalCount fell.
 */
import type { Int64 } from '../domain/entities.js';
import { pagesFor } from './plan-calls.js';
import { type PageRows, TieReading } from './plan-ties.js';

export interface RunsWalkAnswer extends PageRows {
  readonly received: number;
  readonly totalCount: number | null;
  readonly nextPageToken: Int64 | null;
}

/** Where a walk goes on after a break. */
export interface RunsPlace {
  /** Null: from the first page. */
  readonly pageToken: Int64 | null;
  /** The first row there has to be newer than this; null: that is not known. */
  readonly edgeKey: string | null;
  /** Tokens count rows. */
  readonly countsRows: boolean;
}

export const RUNS_BEGINNING: RunsPlace = { pageToken: null, edgeKey: null, countsRows: true };

/** Steps back in one walk, and one more every few pages; a source that always makes for one more is read on without. */
const STEPS_BACK = 50;

/** Tokens that are remembered to step back to; further back is the first page. */
const MAX_TOKENS = 256;

export class RunsWalk {
  /** What to ask for next; undefined at the end. */
  next: Int64 | null | undefined;
  /** Rows may have been passed over: the list is to be walked once more. */
  mayHaveMissed = false;
  private countsRows: boolean;
  private readonly begin: number;
  private edgeKey: string | null;
  private previousTotal: number | null = null;
  stepsBack = 0;
  private pages = 0;
  private backBy = 0;
  private plainToken: Int64 | null = null;
  /** Of pages that were read: their tokens, and how many rows lay in front of them. */
  private tokens: { readonly token: Int64 | null; readonly start: number }[] = [];
  private rowsRead = 0;
  /** Rows of the list, from the walk's beginning to the end of its furthest page; and of the largest page. */
  private covered = 0;
  private largest = 1;
  private ties = new TieReading();

  constructor(from: RunsPlace = RUNS_BEGINNING) {
    this.next = from.pageToken;
    this.begin = Number(from.pageToken ?? 0);
    this.countsRows = from.countsRows;
    this.edgeKey = from.edgeKey;
    if (from.pageToken !== null && (from.edgeKey === null || !from.countsRows)) this.mayHaveMissed = true;
  }

  /** The fewest pages that hold what the walk came to. */
  get pagesNeeded(): number {
    return pagesFor(this.covered, this.largest);
  }

  get place(): RunsPlace {
    return { pageToken: this.next ?? null, edgeKey: this.edgeKey, countsRows: this.countsRows };
  }

  /** The source refuses a token that it has not handed out: from now on they are taken as they come. */
  refuseOwnToken(): boolean {
    if (!this.countsRows || this.plainToken === null || this.next === this.plainToken) return false;
    this.countsRows = false;
    this.next = this.plainToken;
    this.mayHaveMissed = true;
    return true;
  }

  /** Takes the answer for `next` and sets the next one. `enough`: nothing behind this page is needed. */
  take(answer: RunsWalkAnswer, enough: boolean): void {
    this.pages += 1;
    const asked = this.next ?? null;
    const fell = this.countFall(answer.totalCount);
    this.plainToken = answer.nextPageToken;
    const end = Number(asked ?? 0) + answer.received;
    this.largest = Math.max(this.largest, answer.received);
    if (answer.nextPageToken !== null && answer.nextPageToken !== String(end)) this.countsRows = false;
    this.covered = Math.max(this.covered, this.countsRows ? end - this.begin : this.rowsRead + answer.received);
    if (this.countsRows) this.takeCounted(Number(asked ?? 0), answer, fell, enough);
    else this.takePlain(asked, answer, fell, enough);
  }

  private get mayStepBack(): boolean {
    return this.stepsBack < STEPS_BACK + this.pages / 4;
  }

  private countFall(total: number | null): number {
    const fell = total === null || this.previousTotal === null ? 0 : Math.max(0, this.previousTotal - total);
    this.previousTotal = total;
    return fell;
  }

  private takeCounted(start: number, answer: RunsWalkAnswer, fell: number, enough: boolean): void {
    const key = answer.rows[0]?.key ?? null;
    const isBehind = this.edgeKey !== null && (key === null || key <= this.edgeKey);
    // Among rows of one key only the count tells of a deletion, and not where their first one is now.
    if (this.edgeKey === null && fell > 0) this.mayHaveMissed = true;
    if (start > 0 && isBehind && this.mayStepBack) {
      // Twice as far each time: at the front of the list at last.
      this.backBy = Math.max(answer.received, fell, 2 * this.backBy, 1);
      this.stepsBack += 1;
      this.next = asToken(start - this.backBy);
      return;
    }
    if (start > 0 && isBehind) this.mayHaveMissed = true;
    this.backBy = 0;
    this.next = enough || answer.nextPageToken === null ? undefined : this.overlapping(start, answer);
    this.followTies(answer);
  }

  /** The page that begins in front of the last key's rows, if that is a step forward at all. */
  private overlapping(start: number, { rows, unreadable, received }: RunsWalkAnswer): Int64 {
    this.edgeKey = rows.at(-1)?.key ?? null;
    let shared = 0;
    while (shared < rows.length && rows[rows.length - 1 - shared]?.key === this.edgeKey) shared += 1;
    // Items that cannot be read may stand anywhere, also among the last key's.
    const next = start + received - shared - unreadable.length - 1;
    if (this.edgeKey !== null && next > start) return String(next);
    // Page upon page of one key: read on behind the last row.
    this.edgeKey = null;
    return String(start + Math.max(1, received));
  }

  /** Where pages do not overlap, what they show twice tells of a hidden row, and only the count of a deletion. */
  private followTies(answer: RunsWalkAnswer): void {
    const isPlain = this.next !== undefined && this.edgeKey === null;
    if (isPlain && answer.totalCount === null) this.mayHaveMissed = true;
    if (!isPlain && this.ties.open === null) return;
    if (this.ties.read(this.pages, answer) !== null) this.mayHaveMissed = true;
    if (!isPlain) this.ties = new TieReading();
  }

  private takePlain(token: Int64 | null, answer: RunsWalkAnswer, fell: number, enough: boolean): void {
    this.edgeKey = null;
    const isDenied = fell > 0 && !this.mayStepBack;
    if (isDenied) this.mayHaveMissed = true;
    if (fell > 0 && !isDenied) this.goBack(fell);
    else this.goOn(token, answer, enough);
  }

  private goOn(token: Int64 | null, answer: RunsWalkAnswer, enough: boolean): void {
    this.tokens.push({ token, start: this.rowsRead });
    if (this.tokens.length > MAX_TOKENS) this.tokens.shift();
    this.rowsRead += answer.received;
    if (this.ties.read(this.pages, answer) !== null) this.mayHaveMissed = true;
    this.next = enough || answer.nextPageToken === null ? undefined : answer.nextPageToken;
  }

  /** To the remembered page that begins so many rows in front of the last one that was read, and of its last key. */
  private goBack(fell: number): void {
    this.stepsBack += 1;
    const open = this.ties.open?.positions ?? 0;
    const target = this.rowsRead - open - fell;
    while (this.tokens.length > 0 && (this.tokens.at(-1)?.start ?? 0) > target) this.tokens.pop();
    const place = this.tokens.pop() ?? { token: null, start: 0 };
    this.rowsRead = place.start;
    this.ties = new TieReading();
    this.next = place.token;
  }
}

const asToken = (position: number): Int64 | null => (position <= 0 ? null : String(position));
