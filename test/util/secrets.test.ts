import { describe, expect, it } from 'vitest';
import { conceal, concealPassing, hideSecrets } from '../../src/util/secrets.js';

describe('secrets', () => {
  it('are hidden wherever they stand in a line, in every form that they have there', () => {
    conceal('p@ss"word/1');
    const forms = ['p@ss"word/1', encodeURIComponent('p@ss"word/1'), JSON.stringify('p@ss"word/1')];
    for (const form of forms) expect(hideSecrets(`a ${form} b ${form}`)).toMatch(/^a "?\[secret\]"? b "?\[secret\]"?$/);
  });

  it.each(['bytes: 15', 'bytes: 016', 'bytes: 0017'])(
    'are hidden in base64, padded or not, in both alphabets: %s',
    (bytes) => {
      const secret = `??>>~~${bytes}`;
      conceal(secret);
      const text = Buffer.from(secret);
      for (const form of [
        text.toString('base64'),
        text.toString('base64url'),
        Buffer.from(`${secret}\n`).toString('base64'),
      ])
        expect(hideSecrets(`token: ${form}`)).toMatch(/^token: \[secret\].{0,4}$/);
    },
  );

  it('that stand escaped in a URL are hidden where they are used unescaped', () => {
    conceal('sn%C3%B6w%20flake');
    expect(hideSecrets('no password "snöw flake"')).toBe('no password "[secret]"');
  });

  it.each([
    ['postgresql://me:hunter2@db:5432/pai', 'postgresql://me:[secret]@db:5432/pai'],
    ['two: http://a:b@c http://:d@e', 'two: http://a:[secret]@c http://:[secret]@e'],
    ['https://host:443/path@x and me@example.com', 'https://host:443/path@x and me@example.com'],
  ])('of a URL are hidden although nobody named them: %s', (line, hidden) => expect(hideSecrets(line)).toBe(hidden));

  it('of digits alone leave a line of JSON readable, and words that are too short to be secrets as they are', () => {
    conceal('987654321');
    conceal('info');
    conceal(null);
    expect(JSON.parse(hideSecrets('{"level":"info","rows":987654321}'))).toEqual({ level: 'info', rows: 0 });
  });

  it('that are a part of others leave nothing of those behind', () => {
    conceal('abcdef-1');
    conceal('abcdef-1-and-more');
    expect(hideSecrets('abcdef-1-and-more, abcdef-1')).toBe('[secret], [secret]');
  });

  it('that are a part of what stands for a secret change nothing about that', () => {
    conceal('ghijkl-2');
    conceal('secret');
    expect(hideSecrets(hideSecrets('ghijkl-2'))).toBe('[secret]');
  });

  it('that run out are remembered within a bound, the oldest is forgotten first; the others for good', () => {
    conceal('the-one-for-good');
    for (let index = 0; index < 600; index += 1) concealPassing(`session-token-${index}-`);
    expect(hideSecrets('session-token-599- session-token-101- session-token-99- the-one-for-good')).toBe(
      '[secret] [secret] session-token-99- [secret]',
    );
  });
});
