/**
 * HTML by a tagged template: what is put in is escaped, unless it is HTML by this very template. Names, messages and
 * documents come from PAI and may hold anything. Values stand in text or in quoted attributes only, never in a tag's name,
 * a script or a style; a test reads the sources for that.
 */
export class Html {
  constructor(readonly text: string) {}
}

export type Piece = Html | string | number | null | undefined | false | readonly Piece[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that HTML has no place for become the one that stands for them. */
export const escapeHtml = (text: string): string =>
  text
    .replace(/[&<>"']/g, (character) => ENTITIES[character] as string)
    .replace(/(?![\t\n\r])\p{Cc}|\p{Cs}/gu, '\ufffd');

function render(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return '';
  if (piece instanceof Html) return piece.text;
  if (typeof piece === 'string') return escapeHtml(piece);
  if (typeof piece === 'number') return String(piece);
  return piece.map(render).join('');
}

export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  let text = strings[0] as string;
  for (const [index, piece] of pieces.entries()) text += render(piece) + (strings[index + 1] as string);
  return new Html(text);
}

export const NOTHING = html``;

/** Words between backticks are commands. */
export const inCode = (text: string): Piece =>
  text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));

/** For a script of the page to read. A `<` could end the element, so none is left. */
export const jsonBlock = (id: string, value: unknown): Html =>
  html`<script type="application/json" id="${id}">${new Html(JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029'))}</script>`;

/** An address of the web, or null: `javascript:` and the like lead nowhere. */
export function webAddress(text: string | null): string | null {
  if (text === null || !URL.canParse(text)) return null;
  const { protocol, href } = new URL(text);
  return protocol === 'https:' || protocol === 'http:' ? href : null;
}
