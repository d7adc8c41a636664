/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * What a reader with a keyboard, a screen reader or weak eyes would stumble over. Runs inside the page, so it holds all
 * that it needs. Not everything that such checkers know, but what this page can get wrong.
 */
export function findFaults(): string[] {
  const faults: string[] = [];
  const all = (selector: string): Element[] => [...document.querySelectorAll(selector)];
  const show = (element: Element): string => element.outerHTML.slice(0, 120);
  const nameOf = (element: Element): string => {
    const label = element.id === '' ? null : document.querySelector(`label[for="${CSS.escape(element.id)}"]`);
    return (
      element.getAttribute('aria-label') ??
      label?.textContent ??
      element.closest('label')?.textContent ??
      element.textContent ??
      ''
    ).trim();
  };
  if (document.documentElement.scrollWidth > window.innerWidth)
    faults.push(
      `${document.documentElement.scrollWidth} pixels wide on ${window.innerWidth}: ${all('main *')
        .filter((one) => one.closest('.scroll') === null && one.getBoundingClientRect().right > window.innerWidth)
        .slice(-1)
        .map(show)}`,
    );
  for (const [selector, expected] of [
    ['h1', 1],
    ['main', 1],
    ['header', 1],
    ['footer', 1],
    ['html[lang]', 1],
  ] as const)
    if (all(selector).length !== expected) faults.push(`${all(selector).length} ${selector}, expected ${expected}`);
  let level = 0;
  for (const heading of all('h1, h2, h3, h4')) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) faults.push(`heading skips a level: ${show(heading)}`);
    level = next;
    if (nameOf(heading) === '') faults.push(`empty heading: ${show(heading)}`);
  }
  for (const element of all('a, button, input:not([type=hidden]), select, summary, [role=region], [role=img], nav'))
    if (nameOf(element) === '') faults.push(`without a name: ${show(element)}`);
  for (const image of all('svg'))
    if (image.getAttribute('aria-hidden') !== 'true') faults.push(`image without a role: ${show(image)}`);
  for (const table of all('main table:not(.u-legend)')) {
    if (table.querySelector('caption') === null) faults.push(`table without a caption: ${show(table)}`);
    if (table.querySelectorAll('thead th[scope=col]').length === 0)
      faults.push(`table without headers: ${show(table)}`);
    for (const row of table.querySelectorAll('tbody tr'))
      if (row.querySelector('th[scope=row]') === null) faults.push(`row without a header: ${show(row)}`);
  }
  const ids = all('[id]').map(({ id }) => id);
  for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) faults.push(`id ${id} is there twice`);
  for (const element of all('[aria-labelledby]'))
    if (document.getElementById(element.getAttribute('aria-labelledby') ?? '') === null)
      faults.push(`label of nothing: ${show(element)}`);
  if (all('[style]').some((element) => element.closest('.uplot') === null)) faults.push('an inline style');

  /** Red, green, blue, 0 to 1, and opacity. */
  const parse = (color: string): number[] => {
    const numbers = (color.match(/[\d.]+/g) ?? []).map(Number);
    const scale = color.startsWith('color(') ? 1 : 255;
    return [...numbers.slice(0, 3).map((one) => one / scale), numbers[3] ?? 1];
  };
  const groundOf = (element: Element): number[] => {
    const layers: number[][] = [];
    for (let one: Element | null = element; one !== null; one = one.parentElement) {
      const layer = parse(getComputedStyle(one).backgroundColor);
      if ((layer[3] ?? 0) > 0) layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reduceRight(
      (below, layer) => below.map((value, i) => (layer[i] ?? 0) * (layer[3] ?? 1) + value * (1 - (layer[3] ?? 1))),
      [1, 1, 1],
    );
  };
  const brightness = (color: number[]): number => {
    const [red = 0, green = 0, blue = 0] = color.map((one) =>
      one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const tooPale = new Set<string>();
  for (const element of all('body *')) {
    const hasText = [...element.childNodes].some(
      (child) => child.nodeType === Node.TEXT_NODE && (child.textContent ?? '').trim() !== '',
    );
    if (!hasText || element.closest('svg, script, noscript, canvas') !== null || element.getClientRects().length === 0)
      continue;
    const style = getComputedStyle(element);
    const [text, ground] = [brightness(parse(style.color).slice(0, 3)), brightness(groundOf(element))];
    const contrast = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    if (contrast < 4.5) tooPale.add(`contrast ${contrast.toFixed(2)}: ${element.tagName}.${element.className}`);
  }
  return [...faults, ...tooPale];
}
