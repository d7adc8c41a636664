/** Works without this script too: then times are in UTC. */
(() => {
  const part = new Intl.DateTimeFormat('en-CA', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });

  /** @param {Date} date */
  const local = (date) => {
    const parts = Object.fromEntries(part.formatToParts(date).map(({ type, value }) => [type, value]));
    return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second}`;
  };

  /** Once each: the title keeps the time in UTC. */
  const localize = () => {
    for (const element of document.querySelectorAll('time[datetime]:not([title])')) {
      const date = new Date(element.getAttribute('datetime') ?? '');
      if (Number.isNaN(date.getTime())) continue;
      element.setAttribute('title', element.textContent ?? '');
      element.textContent = local(date);
    }
  };
  localize();
  document.addEventListener('parts-exchanged', localize);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const element of document.querySelectorAll('[data-zone]'))
    element.textContent = `the zone of this browser, ${zone}`;

  // Empty fields of a search would fill its address.
  for (const form of document.querySelectorAll('form.search')) {
    form.addEventListener('submit', () => {
      for (const field of form.querySelectorAll('input, select')) {
        if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement)
          field.disabled = field.value === '';
      }
    });
  }
  // Back from the next page: a browser may show this one as it was left.
  addEventListener('pageshow', () => {
    for (const field of document.querySelectorAll('form.search [disabled]')) field.removeAttribute('disabled');
  });
})();
