// The course of two methods side by side: one curve for each, up to the moment shown, and a line
// wherever the codewords took their turn.
function turnsChart(name, title, methods) {
  const [LEFT, RIGHT, TOP, BOTTOM] = [48, 302, 10, 108];
  const svg = element("svg", { viewBox: "0 0 310 130", role: "img", "aria-label": `${title}, one curve for each method` });
  const ticks = element("path", { class: "gsl-refits" }, svg);
  element("path", { d: `M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}`, class: "gsl-axis" }, svg);
  const text = (x, y, words) => (element("text", { x, y, "text-anchor": "end" }, svg).textContent = words);
  const high = element("text", { x: LEFT - 4, y: TOP + 6, "text-anchor": "end" }, svg);
  text(LEFT - 4, BOTTOM + 2, "0");
  text(RIGHT, BOTTOM + 17, "steps");
  const cursor = element("path", { class: "gsl-cursor" }, svg);
  const lines = methods.map(() => element("path", {}, svg));

  // rows: one list of standings for each method; `most` fixes the scale, null lets it fit.
  function update(rows, names, { end, every, most }) {
    const top = most ?? Math.max(1e-3, ...rows.flat().map((one) => one[name]));
    const x = (t) => (LEFT + ((RIGHT - LEFT) * t) / end).toFixed(1);
    const y = (value) => (BOTTOM - ((BOTTOM - TOP - 4) * value) / top).toFixed(1);
    high.textContent = most === undefined ? top.toPrecision(2) : String(most);
    const now = rows[0].length - 1;
    const turns = Array.from({ length: Math.floor(end / every) }, (_, i) => (i + 1) * every);
    ticks.setAttribute("d", turns.map((t) => `M${x(t)} ${BOTTOM}v5`).join(""));
    cursor.setAttribute("d", `M${x(now)} ${TOP}V${BOTTOM}`);
    lines.forEach((line, i) => {
      line.setAttribute("class", `gsl-curve gsl-line-${names[i]}`);
      line.setAttribute("d", `M${rows[i].map((one, t) => `${x(t)} ${y(one[name])}`).join("L")}`);
    });
  }

  return { node: make("figure", {}, make("figcaption", {}, title), svg), update };
}
