/**
 * Keeps a page as it is now: asks for it again every so often and exchanges the parts that have changed. Where the reader
 * is (focus, scrolling, what is open or selected) stays. Loaded before page.js, which puts times into the reader's zone:
 * parts are compared as the server sent them.
 */
(() => {
  const bar = document.querySelector('[data-live]');
  const main = document.getElementById('main');
  const status = document.querySelector('[data-live-status]');
  if (!(bar instanceof HTMLElement) || main === null || status === null) return;
  const every = Number(bar.dataset.live) * 1000;
  /** A page that says why there is none: it goes as soon as there is one. */
  const isFailure = bar.dataset.liveFailure !== undefined;
  const PATIENCE_MS = 15_000;
  const NEWS_MS = 10_000;

  /** @param {Document | HTMLElement} place @param {string} selector */
  const elements = (place, selector) =>
    /** @type {HTMLElement[]} */ ([...place.querySelectorAll(selector)]).filter((one) => one instanceof HTMLElement);

  /** @param {Element} one */
  const keyOf = (one) => `${one.tagName} ${one.id || one.getAttribute('aria-labelledby') || one.className}`;
  /** @param {Element} place */
  const sourcesOf = (place) => [...place.children].map((one) => one.outerHTML);
  let sources = sourcesOf(main);

  /** What it is to the reader, also after it was exchanged. @param {Element} one */
  const identityOf = (one) => {
    const name =
      one.getAttribute('href') ??
      one.getAttribute('aria-label') ??
      one.getAttribute('value') ??
      one.textContent?.trim();
    return `${one.tagName} ${one.id} ${name}`;
  };
  /** @param {string} selector @param {string} identity */
  const findAll = (selector, identity) => elements(main, selector).filter((one) => identityOf(one) === identity);

  const FOCUSABLE = 'a, button, input, select, summary, [tabindex]';

  const focusNow = () => {
    const active = document.activeElement;
    if (active === null || !main.contains(active) || active === main) return () => {};
    const identity = identityOf(active);
    const place = findAll(FOCUSABLE, identity).indexOf(/** @type {HTMLElement} */ (active));
    const region = active.closest('[role=region]');
    const around = region === null ? '' : identityOf(region);
    return () => {
      if (main.contains(active)) return;
      const same = findAll(FOCUSABLE, identity);
      // A row that is gone: its table, so that the next Tab goes on near by.
      const next = same[place] ?? same[0] ?? findAll('[role=region]', around)[0] ?? main;
      next.focus({ preventScroll: true });
    };
  };

  const openNow = () => {
    const open = elements(main, 'details[open] > summary').map(identityOf);
    return () => {
      for (const summary of elements(main, 'summary'))
        if (open.includes(identityOf(summary))) summary.parentElement?.setAttribute('open', '');
    };
  };

  const scrolledNow = () => {
    const scrolled = elements(main, '[role=region]')
      .filter((one) => one.scrollLeft !== 0 || one.scrollTop !== 0)
      .map((one) => ({ identity: identityOf(one), left: one.scrollLeft, top: one.scrollTop }));
    const first = [...main.children].findIndex((one) => one.getBoundingClientRect().bottom > 80);
    const before = main.children[first]?.getBoundingClientRect().top ?? 0;
    return () => {
      for (const { identity, left, top } of scrolled)
        for (const one of findAll('[role=region]', identity).slice(0, 1)) one.scrollTo({ left, top });
      const after = main.children[first]?.getBoundingClientRect().top ?? before;
      if (scrollY > 0 && after !== before) scrollBy({ top: after - before, behavior: 'instant' });
    };
  };

  /** Somebody is copying from it. @param {Node} part */
  const isSelected = (part) => {
    const selection = getSelection();
    return selection !== null && !selection.isCollapsed && selection.containsNode(part, true);
  };

  /** @param {Element} next */
  const exchange = (next) => {
    const restore = [openNow(), focusNow(), scrolledNow()];
    const [before, after] = [[...main.children], [...next.children]];
    const coming = sourcesOf(next);
    const isSame = before.map(keyOf).join() === after.map(keyOf).join();
    if (!isSame) {
      main.replaceChildren(...after);
      sources = coming;
    } else
      for (const [index, part] of before.entries()) {
        if (sources[index] === coming[index] || isSelected(part)) continue;
        part.replaceWith(/** @type {Element} */ (after[index]));
        sources[index] = /** @type {string} */ (coming[index]);
      }
    document.dispatchEvent(new Event('parts-exchanged'));
    for (const back of restore) back();
  };

  /** Another version of the service: its page needs its own style and scripts. @param {Document} next */
  const isOther = (next) => {
    /** @param {Document} one */
    const files = (one) =>
      [...one.querySelectorAll('link[href], script[src]')]
        .map((file) => file.getAttribute('href') ?? file.getAttribute('src'))
        .join();
    return files(document) !== files(next);
  };

  /** @param {ParentNode} place */
  const headlineOf = (place) => place.querySelector('#verdict')?.textContent ?? '';

  /** @type {number | undefined} */
  let silence;
  /** @param {string} text @param {boolean} isNews */
  const say = (text, isNews) => {
    clearTimeout(silence);
    if (status.textContent !== text) status.textContent = text;
    status.classList.toggle('news', isNews);
    if (isNews) silence = setTimeout(() => say('', false), NEWS_MS);
  };

  /** @param {Document} next */
  const show = (next) => {
    const nextMain = next.getElementById('main');
    const nextTime = next.querySelector('[data-live] time');
    if (isFailure || nextMain === null || nextTime === null || isOther(next)) return location.reload();
    const before = headlineOf(document);
    exchange(nextMain);
    bar.querySelector('time')?.replaceWith(nextTime);
    document.title = next.title;
    document.dispatchEvent(new Event('parts-exchanged'));
    const now = headlineOf(document);
    say(now === before ? '' : `Changed: ${now}`, now !== before);
  };

  /** @type {number | undefined} */
  let timer;
  let isPaused = false;
  let asked = Date.now();

  /** @param {string} why @param {boolean} again */
  const tellTrouble = (why, again) => {
    const time = bar.querySelector('time')?.textContent ?? '';
    const then = again ? `it is tried again every ${every / 1000} seconds` : 'load it anew';
    if (!isFailure) say(`${why}. This page is as of ${time}; ${then}.`, false);
  };

  /** Whether to ask again later. */
  const ask = async () => {
    const reply = await fetch(location.pathname + location.search, {
      headers: { accept: 'text/html' },
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const next = new DOMParser().parseFromString(await reply.text(), 'text/html');
    if (reply.ok) {
      show(next);
      return true;
    }
    const again = reply.status >= 500 || reply.status === 429;
    tellTrouble(next.querySelector('h1')?.textContent ?? `The mirror answers with ${reply.status}`, again);
    return again;
  };

  const refresh = async () => {
    clearTimeout(timer);
    asked = Date.now();
    const again = await ask().catch(() => {
      tellTrouble('The mirror does not answer', true);
      return true;
    });
    if (again) plan();
  };

  /** Nobody looks at a hidden page, and nobody waits for it. */
  const plan = () => {
    clearTimeout(timer);
    if (isPaused || document.hidden) return;
    timer = setTimeout(() => void refresh(), Math.max(0, asked + every - Date.now()));
  };
  document.addEventListener('visibilitychange', plan);

  const button = bar.querySelector('button');
  button?.removeAttribute('hidden');
  button?.addEventListener('click', () => {
    isPaused = !isPaused;
    button.textContent = isPaused ? 'Resume' : 'Pause';
    bar.classList.toggle('paused', isPaused);
    if (isPaused) clearTimeout(timer);
    else void refresh();
  });
  plan();
})();
