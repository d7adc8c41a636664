/**
 * Rows that share one sort key ("a tie group") may come in another order with every call, and then a group that lies
 * over a page boundary can show one row twice and hide another. What is fixed is how many *positions* the group has. So
 * the positions that were read with one key are counted, and the distinct ids among them: as many ids as positions, and
 * nothing is hidden; fewer, and the pages of the group are read again until the ids are as many as the positions of one
 * reading. Without ties over a boundary, or with a server whose order is stable, that costs no call at all.
 *
 * Why it holds while the source changes (walking so that the usual change only repeats rows, see plan-paging.ts): in one
 * reading every position of the group is read at least once, so ids that are all distinct are all of them. Ids of a
 * second reading may be added to the first because a row that left the group meanwhile was one of the first's
 * positions. One answer that shows a whole group between rows of other keys proves it alone: where a busy source moves
 * the list on between any two calls, that is what ends the doubt. A change that skips rows (TotalCount fell) throws the
 * count away: `forget`. Rejected: counting only against
 * TotalCount at the end, where a deletion hides a missing row, and incremental walks have nothing to count against.
 */

/** One readable row of a page. */
export interface KeyedRow {
  readonly id: string;
  /** Null is a key of its own. */
  readonly key: string | null;
}

/** A page in the order of the walk. */
export interface PageRows {
  readonly rows: readonly KeyedRow[];
  /** What tells the items apart that could not be decoded: their key is unknown, so they may belong to any group. */
  readonly unreadable: readonly string[];
}

/** A group of which everything up to the end of the page that was read last is known. */
export interface TieGroup {
  readonly key: string | null;
  readonly startPage: number;
  /** In the order of the walk, from 0. */
  readonly startIndex: number;
  /** How many rows of the group each page showed. */
  readonly pages: { readonly page: number; readonly rows: number }[];
  positions: number;
  readonly ids: Set<string>;
  /** The rows that were shown twice stood at the front of their page, as when the list has only moved on. */
  shifted: boolean;
  /** Items that cannot be read stood beside it: what is in doubt may be the group next to it. */
  isUnclear: boolean;
  /** Too large to be remembered. */
  lost: boolean;
}

/** Ids of one group that are held in memory at most: some megabytes. A larger group is left to counting. */
const MAX_GROUP_IDS = 50_000;

/** Pages in a row of which not a single item can be read. */
const MAX_LOOSE = 100;

/** Follows the groups through pages that are read one after the other. */
export class TieReading {
  open: TieGroup | null = null;
  /** The unreadable items just in front of what is read next: a group that begins there may hold them. */
  private loose: { readonly page: number; readonly unreadable: readonly string[] }[] = [];

  constructor(private readonly maxIds = MAX_GROUP_IDS) {}

  /** Returns the group that ended with this page, when it lies on several pages and a row of it may be hidden. */
  read(page: number, found: PageRows): TieGroup | null {
    const group = this.open;
    const ended = this.follow(page, found);
    if (found.rows.length > 0) this.loose = [];
    if (found.unreadable.length > 0 && this.loose.length < MAX_LOOSE) {
      this.loose.push({ page, unreadable: found.unreadable });
    }
    return ended && group !== null && isShort(group) ? group : null;
  }

  /** Returns whether the open group has ended. */
  private follow(page: number, { rows, unreadable }: PageRows): boolean {
    const group = this.open;
    let lead = 0;
    if (group !== null) {
      while (lead < rows.length && rows[lead]?.key === group.key) lead += 1;
      this.extend(group, page, rows.slice(0, lead), unreadable);
    }
    if (lead === rows.length) return false;
    this.open = this.begin(page, rows, unreadable);
    return true;
  }

  /** Nothing of what was read counts any more. */
  reset(): void {
    this.open = null;
    this.loose = [];
  }

  /** The list has ended, and with it the last group. */
  end(): TieGroup | null {
    const group = this.open;
    this.open = null;
    return group !== null && isShort(group) ? group : null;
  }

  /** A group that was open when an earlier process ended: what it had shown is not known any more. */
  resume(key: string | null, fromPage: number, toPage: number): void {
    const pages: TieGroup['pages'] = [{ page: fromPage, rows: 1 }];
    if (toPage !== fromPage) pages.push({ page: toPage, rows: 1 });
    this.open = { ...newGroup(key, fromPage, 0), pages, positions: 1 };
  }

  private begin(page: number, rows: readonly KeyedRow[], unreadable: readonly string[]): TieGroup {
    const key = rows.at(-1)?.key ?? null;
    let start = rows.length - 1;
    while (start > 0 && rows[start - 1]?.key === key) start -= 1;
    const front = start === 0 ? this.loose : [];
    // Where an unreadable item stood is not known, and so neither where the others did.
    const group = newGroup(key, front[0]?.page ?? page, front.length + unreadable.length > 0 ? 0 : start);
    for (const loose of front) this.extend(group, loose.page, [], loose.unreadable);
    this.extend(group, page, rows.slice(start), unreadable);
    return group;
  }

  private extend(group: TieGroup, page: number, rows: readonly KeyedRow[], unreadable: readonly string[]): void {
    const count = rows.length + unreadable.length;
    if (count === 0) return;
    group.pages.push({ page, rows: rows.length });
    group.positions += count;
    const known = group.ids.size;
    for (const { id } of rows) group.ids.add(id);
    const repeats = rows.length - (group.ids.size - known);
    if (repeats > 0) group.shifted = repeatsComeFirst(rows, repeats, known, group.ids);
    // Marked, so that no identity made up of an item's text can be taken for a run's id.
    if (unreadable.length > 0) group.isUnclear = true;
    for (const identity of unreadable) group.ids.add(`unreadable ${identity}`);
    if (group.ids.size > this.maxIds) group.lost = true;
    if (group.lost) group.ids.clear();
  }
}

const newGroup = (key: string | null, startPage: number, startIndex: number): TieGroup => ({
  key,
  startPage,
  startIndex,
  pages: [],
  positions: 0,
  ids: new Set(),
  shifted: false,
  isUnclear: false,
  lost: false,
});

const isShort = (group: TieGroup): boolean =>
  group.pages.length > 1 && (group.lost || group.ids.size < group.positions);

/** Ids keep the order in which they were added: the last ones are those that this page brought. */
function repeatsComeFirst(
  rows: readonly KeyedRow[],
  repeats: number,
  known: number,
  ids: ReadonlySet<string>,
): boolean {
  const added = [...ids].slice(known);
  return rows.slice(repeats).every(({ id }, index) => added[index] === id);
}

/** How many rows of the group the page begins with. */
function leadOf(rows: readonly KeyedRow[], key: string | null): number {
  const other = rows.findIndex((row) => row.key !== key);
  return other === -1 ? rows.length : other;
}

/** One answer is one snapshot: with other keys on both sides of it, it shows all that the group has. */
function showsWhole({ rows, unreadable }: PageRows, key: string | null): boolean {
  const isInside = rows.length > 0 && rows[0]?.key !== key && rows.at(-1)?.key !== key;
  return isInside && unreadable.length === 0 && rows.some((row) => row.key === key);
}

/** What to read after a page: another page of the group in doubt, everything from a page on once more, or go on. */
export type GuardStep =
  | { readonly kind: 'on' }
  | { readonly kind: 'look'; readonly page: number }
  | { readonly kind: 'restart'; readonly page: number };

const ON: GuardStep = { kind: 'on' };

/** Readings of one group from its beginning; between them its pages are looked at while that brings new ids. */
const MAX_READINGS = 4;

interface Doubt {
  readonly group: TieGroup;
  /** The pages of the group, those with most of its rows first: they show a hidden row soonest. */
  readonly pages: readonly number[];
  looks: number;
  fruitless: number;
  /** Of a list that has only moved on: how many rows of the group the page it ended on had in front. Null: not that. */
  lead: number | null;
  /** The group that had begun behind it. */
  readonly behind: TieGroup | null;
}

export interface GuardLimits {
  /** Pages that may be read again in all. */
  readonly budget: number;
  /** Groups with this key or a lesser one were settled otherwise and are not looked at. */
  readonly settledKey?: string | null;
  readonly maxIds?: number;
}

/** Leads a walk back over the groups in doubt. Knows neither direction nor page size: pages are only names to it. */
export class TieGuard {
  /** The keys of groups that were given up: whether all of their rows were seen is not known. */
  readonly givenUp: (string | null)[] = [];
  private readonly reading: TieReading;
  private doubt: Doubt | null = null;
  private contested: { readonly key: string | null; readings: number } | null = null;
  private budget: number;

  constructor(private readonly limits: GuardLimits) {
    this.budget = limits.budget;
    this.reading = new TieReading(limits.maxIds);
  }

  /** The next answer is only looked at; the walk itself stands where it stood. */
  get isLooking(): boolean {
    return this.doubt !== null;
  }

  /** The first group that is not proved: what lies in front of it is. */
  get unproved(): TieGroup | null {
    return this.doubt?.group ?? this.reading.open;
  }

  /** Where the reading stands, for a walk that goes on without the guard. */
  takeReading(): TieReading {
    return this.reading;
  }

  /** Rows may have been skipped: nothing that was counted is good any more. */
  forget(): void {
    this.doubt = null;
    this.reading.reset();
  }

  read(page: number, found: PageRows): GuardStep {
    if (this.doubt !== null) return this.look(this.doubt, found);
    const short = this.reading.read(page, found);
    return short === null ? ON : this.judge(short);
  }

  end(): GuardStep {
    const short = this.reading.end();
    return short === null ? ON : this.judge(short);
  }

  private judge(group: TieGroup): GuardStep {
    const { settledKey = null } = this.limits;
    if (settledKey !== null && group.key !== null && group.key <= settledKey) return ON;
    if (this.contested === null || this.contested.key !== group.key) this.contested = { key: group.key, readings: 0 };
    this.contested.readings += 1;
    this.budget -= 1;
    if (group.lost || this.budget <= 0 || this.contested.readings > MAX_READINGS) return this.giveUp(group);
    // Rows that have only moved on show all the same: one clean reading is cheaper than looking for what is not hidden.
    // Before it comes one look, for a list that moves on between any two calls, where no reading would ever be clean.
    const hasMovedOn = group.shifted && this.contested.readings === 1;
    const pages = hasMovedOn
      ? [group.pages.at(-1)?.page as number]
      : [...group.pages].sort((a, b) => b.rows - a.rows).map(({ page }) => page);
    const lead = hasMovedOn ? (group.pages.at(-1)?.rows ?? 0) : null;
    this.doubt = { group, pages, looks: 0, fruitless: 0, lead, behind: this.reading.open };
    return { kind: 'look', page: pages[0] as number };
  }

  private look(doubt: Doubt, found: PageRows): GuardStep {
    const { group, pages } = doubt;
    const known = group.ids.size;
    const { rows } = found;
    for (const { id, key } of rows) if (key === group.key) group.ids.add(id);
    const isProved = group.ids.size >= group.positions || (!group.isUnclear && showsWhole(found, group.key));
    if (isProved) return this.goOn(doubt);
    if (doubt.lead !== null) return this.lookOn(doubt, leadOf(rows, group.key));
    doubt.fruitless = group.ids.size > known ? 0 : doubt.fruitless + 1;
    doubt.looks += 1;
    this.budget -= 1;
    if (this.budget <= 0) return this.giveUp(group);
    if (doubt.fruitless > 2 * pages.length + 3) return this.restart(group);
    return { kind: 'look', page: pages[doubt.looks % pages.length] as number };
  }

  /** A list that still moves on brings the whole group to the page where it ended; one that stands is read again. */
  private lookOn(doubt: Doubt, lead: number): GuardStep {
    this.budget -= 1;
    if (this.budget <= 0) return this.giveUp(doubt.group);
    if (lead <= (doubt.lead as number)) return this.restart(doubt.group);
    doubt.lead = lead;
    return { kind: 'look', page: doubt.pages[0] as number };
  }

  private restart(group: TieGroup): GuardStep {
    if ((this.contested?.readings ?? 0) >= MAX_READINGS) return this.giveUp(group);
    this.budget -= group.pages.length;
    this.forget();
    return { kind: 'restart', page: group.startPage };
  }

  private giveUp(group: TieGroup): GuardStep {
    this.givenUp.push(group.key);
    return this.doubt === null ? ON : this.goOn(this.doubt);
  }

  private goOn(doubt: Doubt): GuardStep {
    this.reading.open = doubt.behind;
    this.doubt = null;
    return ON;
  }
}
