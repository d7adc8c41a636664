/** How numbers, spans and times are told. */
import type { Instant } from '../../domain/entities.js';
import { type Html, html } from './html.js';

/** `1,234,567` */
export const count = (value: number): string => value.toLocaleString('en-US');

/** `1 run`, `2 runs`; for words whose plural is another, give it. */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

const UNITS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** Two units at most: `3 d 4 h`, `12 min 5 s`, `0.4 s`. */
export function span(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '–';
  if (seconds < 0) return `−${span(-seconds)}`;
  if (seconds < 9.95 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const first = UNITS.findIndex(([size]) => whole >= size);
  if (first === -1) return '0 s';
  const [size, unit] = UNITS[first] as readonly [number, string];
  const next = UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((whole % size) / next[0]);
  return `${Math.floor(whole / size)} ${unit}${rest > 0 && next !== undefined ? ` ${rest} ${next[1]}` : ''}`;
}

/** One unit: `3 d`, `12 min`. */
export function roughly(seconds: number): string {
  const [size, unit] = UNITS.find(([least]) => seconds >= least) ?? [1, 's'];
  return `${Math.max(0, Math.floor(seconds / size))} ${unit}`;
}

/** `2026-11-22 08:10:31` */
const utcText = (instant: Instant): string => `${instant.slice(0, 10)} ${instant.slice(11, 19)}`;

/** UTC as it is; a script of the page puts it into the zone of the browser. */
export const time = (instant: Instant | null): Html =>
  instant === null
    ? html`<span class="none">–</span>`
    : html`<time datetime="${instant.slice(0, 23)}Z">${utcText(instant)} UTC</time>`;

/** A number of any size, to read: `0.0123`, `1.23e-7`. */
export function number(value: number | null): string {
  if (value === null) return '–';
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return count(value);
  return Number.isFinite(value) ? String(Number(value.toPrecision(5))) : String(value);
}

export const percent = (part: number, whole: number): string =>
  whole === 0 ? '–' : `${((100 * part) / whole).toFixed(part === whole || part === 0 ? 0 : 1)} %`;

/** The first few and how many more. */
export const shorten = (text: string, most: number): string =>
  text.length <= most ? text : `${[...text.slice(0, most - 1)].join('')}…`;
