/**
 * A walk over descending pages from the first one, as decisions: the answer of one call in, the next page out. See
 * "Paging" in docs/pai-quirks.md.
 */
import { effectivePageSize, pageCount, walkBound } from './plan-paging.js';
import { type GuardStep, type PageRows, TieGuard } from './plan-ties.js';

export interface WalkAnswer extends PageRows {
  /** Items in the answer, unreadable ones included. */
  readonly received: number;
  readonly totalCount: number | null;
}

export interface WalkOptions {
  /** Rows asked for. */
  readonly pageSize: number;
  /** False: the rows' keys are not known, and whether ties hid a row stays open. */
  readonly keyed: boolean;
  /** Of the walk before: ties of this key or a lesser one were settled by counting. */
  readonly settledKey?: string | null;
}

export class ForwardWalk {
  /** The page to read next; null at the end. */
  page: number | null = 1;
  pageSize: number;
  firstTotal: number | null = null;
  lastTotal: number | null = null;
  /** The least TotalCount of all answers: at most so many rows were there throughout. */
  leastTotal: number | null = null;
  /** Rows that TotalCount fell by, all falls together. */
  fallen = 0;
  private isBroken = false;
  private guard: TieGuard;
  private reads = 0;
  private bound = Number.POSITIVE_INFINITY;
  /** Read in order up to this page. */
  private frontier = 0;
  /** The furthest page that had to be read, and with it all in front of it. */
  furthest = 0;

  constructor(private readonly options: WalkOptions) {
    this.pageSize = options.pageSize;
    this.guard = new TieGuard({ budget: 0 });
  }

  /** Every row that was there throughout has been shown, as far as deletions and ties go. */
  get isProved(): boolean {
    return this.options.keyed && !this.isBroken && this.guard.givenUp.length === 0;
  }

  /** The source shows the same page under every number: there is no more to be had. */
  breakOff(): void {
    this.isBroken = true;
    this.page = null;
  }

  get givenUp(): readonly (string | null)[] {
    return this.guard.givenUp;
  }

  /** True when the walk has read more than any honest list can take. */
  get isEndless(): boolean {
    return this.reads > this.bound;
  }

  /**
   * Takes the answer for `page` and sets the next one. `enough`: the caller needs nothing behind this page; the walk
   * still goes back where rows in front of it may be missing.
   */
  take(answer: WalkAnswer, enough: boolean): void {
    if (this.reads === 0) this.begin(answer);
    this.reads += 1;
    const fell = this.countFall(answer.totalCount);
    if (fell > 0) this.stepBack(fell, answer.totalCount as number);
    else this.goOn(answer, enough);
  }

  private goOn(answer: WalkAnswer, enough: boolean): void {
    const page = this.page as number;
    const wasLook = this.guard.isLooking;
    if (!wasLook) this.frontier = page;
    this.furthest = Math.max(this.furthest, this.frontier);
    this.follow(this.options.keyed ? this.guard.read(page, answer) : { kind: 'on' }, answer, enough && !wasLook);
  }

  private begin(answer: WalkAnswer): void {
    const { totalCount } = answer;
    this.pageSize = effectivePageSize(this.pageSize, answer);
    this.firstTotal = totalCount;
    // What the guard may read again comes on top: it counts by itself, and gives up.
    const budget = 200 + (totalCount === null ? 2000 : 4 * pageCount(totalCount, this.pageSize));
    this.bound = walkBound(totalCount, this.pageSize) + budget;
    this.guard = new TieGuard({ budget, settledKey: this.options.settledKey ?? null });
  }

  private countFall(total: number | null): number {
    if (total === null) return 0;
    const fell = this.lastTotal === null ? 0 : Math.max(0, this.lastTotal - total);
    this.fallen += fell;
    this.lastTotal = total;
    this.leastTotal = Math.min(total, this.leastTotal ?? total);
    return fell;
  }

  /**
   * Up to `fell` rows slid from behind the place up to which everything is known to in front of it. That place is where
   * the group in doubt begins: its rows may have changed places among themselves at the same time.
   */
  private stepBack(fell: number, total: number): void {
    const known = Math.max(0, this.knownUpTo() - fell);
    this.guard.forget();
    this.frontier = Math.floor(known / this.pageSize);
    this.page = known >= total ? null : this.frontier + 1;
  }

  private knownUpTo(): number {
    const group = this.guard.unproved;
    const read = this.frontier * this.pageSize;
    return group === null ? read : Math.min(read, (group.startPage - 1) * this.pageSize + group.startIndex);
  }

  private follow(step: GuardStep, answer: WalkAnswer, enough: boolean): void {
    if (step.kind === 'look') this.page = step.page;
    else if (step.kind === 'restart') {
      this.page = step.page;
      this.frontier = step.page - 1;
    } else if (enough) this.page = null;
    else if (this.isAtEnd(answer)) this.finish(answer);
    // The count goes on and the list does not: whoever is right, there is nothing behind an empty page.
    else if (answer.received === 0) this.breakOff();
    else this.page = this.frontier + 1;
  }

  private isAtEnd({ received, totalCount }: WalkAnswer): boolean {
    return totalCount === null ? received === 0 : this.frontier * this.pageSize >= totalCount;
  }

  /** The end of the list closes the last group, which may lead back once more. */
  private finish(answer: WalkAnswer): void {
    const step: GuardStep = this.options.keyed ? this.guard.end() : { kind: 'on' };
    if (step.kind === 'on') this.page = null;
    else this.follow(step, answer, false);
  }
}
