/** What the bench found: a figure beside its floor, and what it should be. */

/** `of`: whether the goal is about the ratio of measured and floor, or about the measured figure alone. */
export type Goal =
  | { readonly of: 'ratio' | 'measured'; readonly atLeast: number }
  | { readonly of: 'ratio' | 'measured'; readonly atMost: number };

export interface Figure {
  readonly scenario: string;
  /** With its unit: `first load of 1,000,000 runs, runs/s`. */
  readonly name: string;
  readonly measured: number;
  /** Of the same unit, from the same run; null for a figure that has none. */
  readonly floor: number | null;
  /** What the floor is. */
  readonly floorName: string;
  /** Default: measured / floor. Given where it is the median of pairs. */
  readonly ratio?: number;
  /** Null: for information only. */
  readonly goal: Goal | null;
}

export type Verdict = 'ok' | 'missed' | '';

export function ratioOf({ ratio, measured, floor }: Figure): number | null {
  if (ratio !== undefined) return ratio;
  return floor === null || floor === 0 ? null : measured / floor;
}

/** Empty without a goal. A goal about a ratio that there is not counts as missed. */
export function verdictOf(figure: Figure): Verdict {
  const { goal } = figure;
  if (goal === null) return '';
  const found = goal.of === 'ratio' ? ratioOf(figure) : figure.measured;
  if (found === null || Number.isNaN(found)) return 'missed';
  const met = 'atLeast' in goal ? found >= goal.atLeast : found <= goal.atMost;
  return met ? 'ok' : 'missed';
}

export const isMissed = (figure: Figure): boolean => verdictOf(figure) === 'missed';

/** Three significant digits, thousands apart; whole numbers are whole. */
export function shortNumber(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

export function goalText(goal: Goal | null): string {
  if (goal === null) return '';
  const bound = 'atLeast' in goal ? `≥ ${shortNumber(goal.atLeast)}` : `≤ ${shortNumber(goal.atMost)}`;
  return goal.of === 'ratio' ? `ratio ${bound}` : bound;
}

export const FIGURE_HEADINGS = ['figure', 'measured', 'floor', 'ratio', 'goal', ''] as const;

/** Cells of the table's line; the floor is told together with what it is. */
export function figureCells(figure: Figure): string[] {
  const ratio = ratioOf(figure);
  const floor = figure.floor === null ? '' : `${shortNumber(figure.floor)} (${figure.floorName})`;
  return [
    figure.name,
    shortNumber(figure.measured),
    floor,
    ratio === null ? '' : ratio.toFixed(ratio < 0.1 ? 3 : 2),
    goalText(figure.goal),
    verdictOf(figure),
  ];
}
