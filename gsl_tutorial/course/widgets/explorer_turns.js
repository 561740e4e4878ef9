// The plane with turns: points of several classes move, codewords are refitted, two methods side by side.
//
// `renderTurns({model, el})` is anywidget's entry. All numbers are computed in the page, by turnsMath.
const TURNS_NAMES = ["positives", "worlds", "world", "rival", "strength", "n_candidates", "n_codewords", "every", "n_steps", "rate", "unused_index"];
const TURNS_RIVALS = ["penalty", "straight-through", "rotation", "similarity"];
const TURNS_SAID = { similarity: "similarity loss alone", snap: "snap (pull)" };
const TURNS_CURVES = [["purity", "cell purity", 1], ["loss", "similarity loss"], ["distortion", "distortion"]];

function turnsComplaint(state) {
  const listed = (rows) => Array.isArray(rows) && rows.length > 0 && !rowsComplaint("", rows);
  const { worlds, world, n_codewords: K } = state;
  if (!listed(state.positives)) return `expected positives as at most ${MOST_ROWS} rows of two finite numbers; got something else. What to do: pass one pair for each class.`;
  if (!Array.isArray(worlds) || !worlds.length || !worlds.every(listed)) return `expected worlds as lists of at most ${MOST_ROWS} points, rows of two finite numbers; got something else. What to do: pass an array (S, N, 2).`;
  if (!(Number.isInteger(world) && world >= 1 && world <= worlds.length)) return `expected a world from 1 to ${worlds.length}; got ${world}. What to do: move its slider.`;
  if (!TURNS_RIVALS.includes(state.rival)) return `expected a rival out of ${TURNS_RIVALS.join(", ")}; got '${state.rival}'. What to do: choose one of them.`;
  const most = worlds[world - 1].length;
  if (!(Number.isInteger(K) && K >= 1 && K <= most)) return `expected K from 1 to ${most}, the points there are; got ${K}. What to do: move the slider of K.`;
  for (const name of ["n_candidates", "every", "n_steps"]) {
    if (!(Number.isInteger(state[name]) && state[name] >= 1)) return `expected ${name} 1 or more; got ${state[name]}. What to do: move its slider, or set it again.`;
  }
  if (state.n_steps > MOST_STEPS) return `expected n_steps from 1 to ${MOST_STEPS}; got ${state.n_steps}. What to do: set it again.`;
  for (const name of ["strength", "rate"]) {
    if (!isAmount(state[name])) return `expected ${name} 0 or more, finite, and at most ${LARGEST}; got ${state[name]}. What to do: move its slider, or set it again.`;
  }
  return "";
}

function turnsPanel(handlers) {
  const plane = planes.create({ label: "", keyboard: false, ...handlers });
  const cells = element("path", { class: "gsl-mixed" }, plane.below);
  const tails = element("path", { class: "gsl-tails" }, plane.below);
  const dots = [0, 1, 2, 3, 4, 5].map((k) => element("path", { class: `gsl-dots gsl-class-${k}` }, plane.above));
  const words = element("path", { class: "gsl-refitted" }, plane.above);
  const title = make("b");
  const line = make("span");
  const node = make("figure", {}, make("figcaption", {}, title, line), plane.svg);
  return { plane, cells, tails, dots, words, title, line, node };
}

function renderTurns({ model, el }) {
  const { LIMIT, place, polygon } = planes;
  const linked = TURNS_NAMES.filter((name) => name !== "worlds");
  const extra = { shown_step: { get: () => bar.at(), set: (t) => bar.at(t) } };
  const widget = mountWidget({ model, el, label: "Plane with turns", names: TURNS_NAMES, complaint: turnsComplaint, kind: "turns", linked, extra, still: () => bar.stop() });
  let initial;
  const onMove = (kind, index, at) => widget.put({ positives: model.get("positives").map((p, c) => (c === index ? at : p)) });
  const onHome = (kind, index) => onMove(kind, index, initial[index] ?? model.get("positives")[index]);
  const panels = [turnsPanel({ onMove, onHome, keyboard: true }), turnsPanel({ onMove, onHome })];
  const charts = TURNS_CURVES.map(([name, title, most]) => ({ most, ...courseChart(name, title, panels.length) }));
  const menu = make("select", { onchange: () => widget.put({ rival: menu.value }) }, ...TURNS_RIVALS.map((name) => make("option", { value: name }, TURNS_SAID[name] ?? name)));
  const sentence = make("p", { class: "gsl-sentence" });
  const { node: spoken, say } = speaker();
  const grid = make("div", { class: "gsl-panels gsl-two" }, ...panels.map((panel) => panel.node));
  const bar = player({ end: () => model.get("n_steps"), show, alive: () => grid.isConnected });
  widget.bar.append(make("label", {}, "Compare the snap with ", menu),
    make("button", { type: "button", onclick: () => { bar.stop(); bar.seek(0); widget.put({ positives: initial }); } }, "Reset"));
  widget.stage.append(grid, bar.node, sentence, make("div", { class: "gsl-charts" }, ...charts.map((chart) => chart.node)), spoken);
  let now; // what is being run

  widget.start((state) => {
    initial ??= state.positives;
    const key = JSON.stringify(TURNS_NAMES.filter((name) => name !== "n_steps").map((name) => state[name]));
    menu.value = state.rival;
    if (now?.key !== key) {
      const { positives, n_codewords: K, every, rate } = state;
      const rule = { n: Math.min(state.n_candidates, K), strength: state.strength, step: 1, form: "pull", length: "projected", fallback: "zero" };
      const world = { starts: state.worlds[state.world - 1], positives, K, every, rate, reseed: state.unused_index === 0 };
      const methods = [state.rival, "snap"];
      now = { key, positives, every, methods, courses: methods.map((method) => turnsMath.course(world, method, rule)), standings: [[], []] };
    }
    bar.again();
  });

  function show(time) {
    const whole = Math.floor(time);
    const end = model.get("n_steps");
    now.methods.forEach((method, p) => {
      const at = now.courses[p];
      const known = now.standings[p];
      while (known.length <= whole) known.push(turnsMath.standing(at(known.length), now.positives));
      drawPanel(panels[p], method, at, time, known[whole]);
    });
    const shown = now.standings.map((known) => known.slice(0, whole + 1));
    for (const chart of charts) chart.update(shown, now.methods, { now: shown[0].length - 1, end, every: now.every, most: chart.most });
    tell(whole, end);
  }

  function drawPanel(panel, method, at, time, standing) {
    const whole = Math.floor(time);
    const { points, codewords } = at(whole);
    const part = time - whole;
    const after = part ? at(whole + 1).points : points;
    const handles = now.positives.map((positive, c) => ({ kind: "positives", index: c, at: positive, look: `class-${c % 6}`, mark: cellMarks.mark(c, 15), name: `positive of class ${c + 1}` }));
    panel.plane.draw({ codewords, levels: null, handles });
    panel.cells.setAttribute("d", standing.mixed.map((k) => polygon(geometry.cell(codewords, k, LIMIT))).join(""));
    panel.cells.dataset.mixed = standing.mixed.join(" ");
    const paths = panel.dots.map(() => "");
    let tails = "";
    points.forEach((z, i) => {
      const here = vectors.along(z, part, vectors.minus(after[i], z));
      const c = turnsMath.classOf(i, now.positives);
      paths[c % 6] += cellMarks.mark(c, 6.5, place(here).split(" ").map(Number));
      tails += `M${place(here)}`;
      for (let t = whole; t >= Math.max(0, whole - 8); t--) tails += `L${place(at(t).points[i])}`;
    });
    panel.dots.forEach((path, c) => path.setAttribute("d", paths[c]));
    panel.tails.setAttribute("d", tails);
    panel.words.setAttribute("d", codewords.map((c) => `M${place(c)}m-6 -6h12v12h-12z`).join(""));
    if (panel.method !== method) {
      panel.method = method;
      panel.title.replaceChildren(sample("line", method), TURNS_SAID[method] ?? method);
      panel.plane.svg.setAttribute("aria-label", `Points and codewords under ${TURNS_SAID[method] ?? method}`);
    }
    panel.line.textContent = `cell purity ${Math.round(100 * standing.purity)}%, loss ${standing.loss.toFixed(2)}, distortion ${standing.distortion.toFixed(3)}`;
    for (const name of ["purity", "loss", "distortion"]) panel.line.dataset[name] = standing[name];
    panel.line.dataset.read = panel === panels[1] ? "snap" : "rival";
  }

  function tell(whole, end) {
    const said = now.methods.map((method, p) => `${TURNS_SAID[method] ?? method}: ${Math.round(100 * now.standings[p][whole].purity)}% of the points are in a cell where their own class is the most frequent one`);
    sentence.textContent = "A shaded cell with a dashed border holds more than one class: its points share a code, so no search can tell them apart. Squares are codewords; the large pale marks are the positives, which you can drag.";
    if (whole === end || whole === 0) say(`Step ${whole}. ${said.join("; ")}.`);
  }

  return () => {
    bar.stop();
    widget.end();
  };
}
