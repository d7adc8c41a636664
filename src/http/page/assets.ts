/** Style, scripts and the icon: files of this folder and of uPlot, served by names that change with their content. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import type { PageAssets } from './layout.js';

export interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly body: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const OWN = ['page.css', 'page.js', 'live.js', 'charts.js', 'icon.svg'];
const OF_UPLOT = ['uPlot.iife.min.js', 'uPlot.min.css'];

export interface Assets extends PageAssets {
  /** By the last part of the address. */
  find(name: string): Asset | null;
}

/** Reads about 70 kB, once. Throws when a file is not there: the package is broken then. */
export function loadAssets(): Assets {
  // Wherever the package manager has put it; its main file lies beside the others.
  const uplot = dirname(createRequire(import.meta.url).resolve('uplot'));
  const paths = [
    ...OWN.map((file) => join(import.meta.dirname, 'assets', file)),
    ...OF_UPLOT.map((file) => join(uplot, file)),
  ];
  const byName = new Map<string, Asset>();
  const names = new Map<string, string>();
  for (const path of paths) {
    const body = readFileSync(path);
    const hash = createHash('sha256').update(body).digest('hex').slice(0, 12);
    const file = path.slice(dirname(path).length + 1);
    const extension = extname(file);
    const name = `${file.slice(0, -extension.length)}.${hash}${extension}`;
    names.set(file, name);
    byName.set(name, { type: TYPES[extension] as string, etag: `"${hash}"`, body });
  }
  return {
    find: (name) => byName.get(name) ?? null,
    addressOf: (file) => {
      const name = names.get(file);
      if (name === undefined) throw new RangeError(`there is no asset ${file}`);
      return `/assets/${name}`;
    },
  };
}
