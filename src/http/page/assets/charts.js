/** Draws what the page has put beside each chart as JSON. Colours come from page.css, so that light and dark are decided there. */
(() => {
  /** @typedef {{ name: string, values: number[] }} CountSeries */
  /** @typedef {{ step: 'hour' | 'day', times: number[], series: CountSeries[] }} Counts */
  /** @typedef {{ series: { name: string, steps: number[], values: (number | null)[] }[] }} Curves */

  // @ts-expect-error uPlot is a script of its own, loaded before this one.
  const Plot = window.uPlot;

  /** @param {string} name */
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const axis = () => ({
    stroke: color('--muted'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { stroke: color('--line'), width: 1, size: 4 },
    font: '12px system-ui, sans-serif',
  });

  /** Labels of time by the space between them: above, and below where the day or the year changes. */
  const DATES = [
    [31_536_000, '{YYYY}', null, null, null, null, null, null, 1],
    [86_400, '{MM}-{DD}', '\n{YYYY}', null, null, null, null, null, 1],
    [60, '{HH}:{mm}', '\n{YYYY}-{MM}-{DD}', null, '\n{MM}-{DD}', null, null, null, 1],
  ];

  /** Bars on top of each other: each series is drawn from the ground up to its sum, the highest first. @param {Counts} data */
  const outcomes = (data) => {
    const { times, series, step } = data;
    const sums = series.map(() => times.map(() => 0));
    for (let x = 0; x < times.length; x += 1) {
      let sum = 0;
      for (let s = 0; s < series.length; s += 1) {
        sum += series[s]?.values[x] ?? 0;
        /** @type {number[]} */ (sums[s])[x] = sum;
      }
    }
    const order = series.map((_, index) => series.length - 1 - index);
    const bars = Plot.paths.bars({ size: [0.82, 60], align: 1 });
    // A day is one of UTC, also where the browser is elsewhere.
    const zone =
      step === 'day' ? { tzDate: (/** @type {number} */ t) => Plot.tzDate(new Date(t * 1000), 'Etc/UTC') } : {};
    const width = (times[1] ?? 0) - (times[0] ?? 0);
    return {
      data: [times, ...order.map((index) => sums[index])],
      options: {
        ...zone,
        height: 240,
        cursor: { points: { show: false }, drag: { x: false, y: false } },
        scales: {
          x: { range: () => [times[0], (times.at(-1) ?? 0) + width] },
          y: {
            range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ most) => [
              0,
              Math.max(1, most * 1.05),
            ],
          },
        },
        axes: [
          { ...axis(), values: DATES },
          { ...axis(), size: 48, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6] },
        ],
        series: [
          {
            label: step === 'day' ? 'Day (UTC)' : 'Hour',
            value: step === 'day' ? '{YYYY}-{MM}-{DD}' : '{YYYY}-{MM}-{DD} {HH}:{mm}',
          },
          ...order.map((index) => ({
            label: series[index]?.name,
            fill: color(`--o-${series[index]?.name}`),
            stroke: color(`--o-${series[index]?.name}`),
            width: 0,
            paths: bars,
            points: { show: false },
            value: (
              /** @type {any} */ _,
              /** @type {any} */ __,
              /** @type {any} */ ___,
              /** @type {number | null} */ at,
            ) => (at === null ? '–' : (series[index]?.values[at] ?? 0).toLocaleString('en-US')),
          })),
        ],
      },
    };
  };

  /** @param {Curves} data */
  const curves = (data) => {
    const tables = data.series.map(({ steps, values }) => [steps, values]);
    return {
      data: Plot.join(
        tables,
        tables.map(() => [2]),
      ),
      options: {
        height: 220,
        scales: { x: { time: false } },
        cursor: { drag: { x: true, y: false } },
        axes: [axis(), { ...axis(), size: 64 }],
        series: [
          {
            label: 'Step',
            value: (/** @type {any} */ _, /** @type {number | null} */ value) =>
              value === null ? '–' : value.toLocaleString('en-US'),
          },
          ...data.series.map(({ name, steps }, index) => ({
            label: name,
            stroke: color(`--c-${index % 8}`),
            width: 2,
            spanGaps: true,
            points: { show: steps.length < 3 },
            value: (/** @type {any} */ _, /** @type {number | null} */ value) =>
              value === null ? '–' : Number(value.toPrecision(5)).toString(),
          })),
        ],
      },
    };
  };

  /** How to remove what is drawn in a place. @type {Map<HTMLElement, () => void>} */
  const drawn = new Map();

  /** @param {HTMLElement} place */
  const draw = (place) => {
    const source = document.getElementById(place.dataset.source ?? '');
    if (source === null) return;
    const { data, options } = (place.dataset.chart === 'outcomes' ? outcomes : curves)(
      JSON.parse(source.textContent ?? ''),
    );
    const plot = new Plot({ width: place.clientWidth, ...options }, data, place);
    const watch = new ResizeObserver(() => {
      if (place.clientWidth !== plot.width && place.clientWidth > 0)
        plot.setSize({ width: place.clientWidth, height: options.height });
    });
    watch.observe(place);
    drawn.set(place, () => {
      watch.disconnect();
      plot.destroy();
      drawn.delete(place);
    });
  };

  /** Those that are not drawn yet; what was drawn in a part of the page that is gone goes too. */
  const drawMissing = () => {
    for (const [place, remove] of drawn) if (!place.isConnected) remove();
    for (const place of document.querySelectorAll('[data-chart]'))
      if (place instanceof HTMLElement && !drawn.has(place)) draw(place);
  };
  drawMissing();
  document.addEventListener('parts-exchanged', drawMissing);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const remove of drawn.values()) remove();
    drawMissing();
  });
})();
