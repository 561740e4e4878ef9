// The course of a number under several methods: a curve for each, up to the moment shown, and a tick wherever
// the codewords took their turn. The scale keeps what has been seen so far.
function courseChart(name, title, n) {
  const [LEFT, RIGHT, TOP, BOTTOM] = [48, 302, 10, 108];
  const svg = element("svg", { viewBox: "0 0 310 130", role: "img", "aria-label": fill(WORDS.chart.label, title) });
  const ticks = pathIn(svg, "gsl-refits");
  element("path", { d: `M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}`, class: "gsl-axis" }, svg);
  const text = (x, y) => element("text", { x, y, "text-anchor": "end" }, svg);
  const high = text(LEFT - 4, TOP + 6);
  text(LEFT - 4, BOTTOM + 2).textContent = "0";
  text(RIGHT, BOTTOM + 17).textContent = WORDS.chart.steps;
  const cursor = pathIn(svg, "gsl-cursor");
  const lines = Array.from({ length: n }, () => element("path", {}, svg));

  // rows: a list of standings for each method, empty where there is none; `most` fixes the scale.
  function update(rows, methods, { now, end, every = Infinity, most }) {
    const top = most ?? Math.max(1e-3, ...rows.flat().map((one) => one[name]).filter(Number.isFinite));
    const x = (t) => (LEFT + ((RIGHT - LEFT) * t) / end).toFixed(1);
    const y = (value) => (Number.isFinite(value) ? BOTTOM - ((BOTTOM - TOP - 4) * value) / top : TOP).toFixed(1);
    renew(high, { text: most === undefined ? top.toPrecision(2) : most });
    const turns = Array.from({ length: Math.floor(end / every) }, (_, i) => (i + 1) * every);
    renew(ticks, { d: turns.map((t) => `M${x(t)} ${BOTTOM}v5`).join("") });
    renew(cursor, { d: `M${x(now)} ${TOP}V${BOTTOM}` });
    lines.forEach((line, i) => renew(line, {
      class: `gsl-curve gsl-line-${methods[i]}`,
      d: rows[i].length ? `M${rows[i].slice(0, now + 1).map((one, t) => `${x(t)} ${y(one[name])}`).join("L")}` : "",
    }));
  }

  return { node: make("figure", {}, make("figcaption", {}, title), svg), update };
}
