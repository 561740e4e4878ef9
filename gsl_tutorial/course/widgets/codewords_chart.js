// The distortion of every half-step, on a scale that only grows, so that it does not jump in a drag.
function distortionChart() {
  const words = WORDS.codewords;
  const [LEFT, RIGHT, TOP, BOTTOM] = [48, 380, 12, 170];
  const svg = element("svg", { viewBox: "0 0 390 205", role: "img", "aria-label": words.chart });
  element("path", { d: `M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}`, class: "gsl-axis" }, svg);
  const text = (x, y, anchor, said = "") => {
    const made = element("text", { x, y, "text-anchor": anchor }, svg);
    made.textContent = said;
    return made;
  };
  const high = text(LEFT - 4, TOP + 8, "end");
  text(LEFT - 4, BOTTOM + 4, "end", "0");
  text(RIGHT, BOTTOM + 16, "end", words.half_steps);
  const bestLine = pathIn(svg, "gsl-best");
  const bestText = text(RIGHT, 0, "end");
  const curve = pathIn(svg, "gsl-course");
  const marks = { assign: pathIn(svg, "gsl-after-assign"), move: pathIn(svg, "gsl-after-move") };
  const ring = element("circle", { r: 10, class: "gsl-candidate" }, svg);
  // What the marks mean, in the corner that the falling curve leaves free.
  ["assign", "move"].forEach((kind, i) => {
    const y = TOP + 4 + 18 * i;
    element("path", { d: cellMarks.mark(i, 5, [RIGHT - 92, y]), class: `gsl-after-${kind}` }, svg);
    text(RIGHT - 80, y + 5, "start", words.after[kind]);
  });
  let top = 0;

  function update({ steps }, shown, best, n) {
    top = Math.max(top, 1.3 * Math.max(...steps.map((step) => step.distortion), best ?? 0), 1e-9);
    const x = (i) => LEFT + 12 + ((RIGHT - LEFT - 24) * i) / Math.max(1, n);
    const y = (value) => BOTTOM - ((BOTTOM - TOP) * value) / top;
    const past = steps.slice(0, shown + 1);
    curve.setAttribute("d", `M${past.map((step, i) => `${x(i).toFixed(1)} ${y(step.distortion).toFixed(1)}`).join("L")}`);
    for (const [kind, path] of Object.entries(marks)) {
      path.setAttribute("d", past.map((step, i) => (step.kind === kind ? cellMarks.mark(kind === "move" ? 1 : 0, 4.5, [x(i), y(step.distortion)]) : "")).join(""));
    }
    ring.setAttribute("cx", x(shown));
    ring.setAttribute("cy", y(steps[shown].distortion));
    high.textContent = top.toPrecision(2);
    bestLine.setAttribute("d", best === null ? "" : `M${LEFT} ${y(best)}H${RIGHT}`);
    bestText.textContent = best === null ? "" : fill(words.best_known, best.toFixed(4));
    bestText.setAttribute("y", best === null ? 0 : y(best) - 5);
  }

  const node = make("figure", {}, make("figcaption", {}, words.distortion), svg);
  return { node, update, forget: () => (top = 0) };
}
