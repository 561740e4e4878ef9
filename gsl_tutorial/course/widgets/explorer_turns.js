// The plane with turns: points of several classes move, codewords are refitted, two methods side by side.
//
// `renderTurns({model, el})` is anywidget's entry. All numbers are computed in the page, by turnsMath.
const TURNS_NAMES = ["positives", "worlds", "world", "rival", "strength", "n_candidates", "n_codewords", "every", "n_steps", "rate", "unused_index"];
const TURNS_RIVALS = ["penalty", "straight-through", "rotation", "similarity"];

function turnsComplaint(state) {
  const words = WORDS.turns;
  const { something_else, move_slider, move_slider_or_set, set_again } = WORDS.page;
  const listed = (rows) => Array.isArray(rows) && rows.length > 0 && !rowsComplaint("", rows);
  const { worlds, world, n_codewords: K } = state;
  if (!listed(state.positives)) return complain(fill(words.positives, MOST_ROWS), something_else, words.pass_positives);
  if (!Array.isArray(worlds) || !worlds.length || !worlds.every(listed)) return complain(fill(words.worlds, MOST_ROWS), something_else, words.pass_worlds);
  const fault = outside(words.a_world, world, 1, worlds.length, move_slider) || notAmong(words.a_rival, state.rival, TURNS_RIVALS, `'${state.rival}'`);
  if (fault) return fault;
  const most = worlds[world - 1].length;
  if (!isWhole(K, 1, most)) return complain(fill(words.K, most), K, words.move_K);
  for (const name of ["n_candidates", "every", "n_steps"]) {
    if (!isWhole(state[name], 1)) return complain(fill(words.one_or_more, name), state[name], move_slider_or_set);
  }
  return outside("n_steps", state.n_steps, 1, MOST_STEPS, set_again) ||
    amountComplaint("strength", state.strength, move_slider_or_set) || amountComplaint("rate", state.rate, move_slider_or_set);
}

function turnsPanel(handlers) {
  const plane = planes.create({ label: "", keyboard: false, ...handlers });
  const cells = pathIn(plane.below, "gsl-mixed");
  const tails = pathIn(plane.below, "gsl-tails");
  const dots = [0, 1, 2, 3, 4, 5].map((k) => pathIn(plane.above, `gsl-dots gsl-class-${k}`));
  const words = pathIn(plane.above, "gsl-refitted");
  const title = make("b");
  const line = make("span");
  const node = make("figure", {}, make("figcaption", {}, title, line), plane.svg);
  return { plane, cells, tails, dots, words, title, line, node };
}

function renderTurns({ model, el }) {
  const { LIMIT, place, polygon } = planes;
  const words = WORDS.turns;
  const linked = TURNS_NAMES.filter((name) => name !== "worlds");
  const extra = { shown_step: { get: () => bar.at(), set: (t) => bar.at(t) } };
  const widget = mountWidget({ model, el, label: words.label, names: TURNS_NAMES, complaint: turnsComplaint, kind: "turns", linked, extra, still: () => bar.stop() });
  let initial;
  const onMove = (kind, index, at) => widget.put({ positives: model.get("positives").map((p, c) => (c === index ? at : p)) });
  const onHome = (kind, index) => onMove(kind, index, initial[index] ?? model.get("positives")[index]);
  const panels = [turnsPanel({ onMove, onHome, keyboard: true }), turnsPanel({ onMove, onHome })];
  const charts = Object.entries(words.curves).map(([name, title]) => ({ most: name === "purity" ? 1 : undefined, ...courseChart(name, title, panels.length) }));
  const menu = make("select", { onchange: () => widget.put({ rival: menu.value }) }, ...TURNS_RIVALS.map((name) => make("option", { value: name }, words.methods[name])));
  const sentence = make("p.gsl-sentence");
  const { node: spoken, say } = speaker();
  const grid = make("div.gsl-panels.gsl-two", {}, ...panels.map((panel) => panel.node));
  const bar = player({ end: () => model.get("n_steps"), show, alive: () => grid.isConnected });
  widget.bar.append(make("label", {}, words.compare, menu),
    make("button", { onclick: () => { bar.stop(); bar.seek(0); widget.put({ positives: initial }); } }, WORDS.page.reset));
  widget.stage.append(grid, bar.node, sentence, make("div.gsl-charts", {}, ...charts.map((chart) => chart.node)), spoken);
  let now; // what is being run

  widget.start((state) => {
    initial ??= state.positives;
    const key = JSON.stringify(linked.map((name) => name === "n_steps" || state[name]));
    menu.value = state.rival;
    if (now?.key !== key || now.worlds !== state.worlds) {
      const { positives, n_codewords: K, every, rate } = state;
      const rule = { n: Math.min(state.n_candidates, K), strength: state.strength, step: 1, form: "pull", length: "projected", fallback: "zero" };
      const world = { starts: state.worlds[state.world - 1], positives, K, every, rate, reseed: state.unused_index === 0 };
      const methods = [state.rival, "snap"];
      now = { key, worlds: state.worlds, positives, every, methods, courses: methods.map((method) => turnsMath.course(world, method, rule)), standings: [[], []] };
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
    const handles = now.positives.map((positive, c) => ({ kind: "positives", index: c, at: positive, look: `class-${c % 6}`, mark: cellMarks.mark(c, 15), name: fill(words.positive, c + 1) }));
    panel.plane.draw({ codewords, levels: null, handles });
    renew(panel.cells, { d: standing.mixed.map((k) => polygon(geometry.cell(codewords, k, LIMIT))).join(""), "data-mixed": standing.mixed.join(" ") });
    const paths = panel.dots.map(() => "");
    let tails = "";
    points.forEach((z, i) => {
      const here = vectors.along(z, part, vectors.minus(after[i], z));
      const c = turnsMath.classOf(i, now.positives);
      paths[c % 6] += cellMarks.mark(c, 6.5, place(here).split(" ").map(Number));
      tails += `M${place(here)}`;
      for (let t = whole; t >= Math.max(0, whole - 8); t--) tails += `L${place(at(t).points[i])}`;
    });
    panel.dots.forEach((path, c) => renew(path, { d: paths[c] }));
    renew(panel.tails, { d: tails });
    renew(panel.words, { d: codewords.map((c) => `M${place(c)}m-6 -6h12v12h-12z`).join("") });
    if (panel.method !== method) {
      panel.method = method;
      panel.title.replaceChildren(sample("line", method), words.methods[method]);
      panel.plane.svg.setAttribute("aria-label", fill(words.plane, words.methods[method]));
    }
    renew(panel.line, { text: fill(words.line, Math.round(100 * standing.purity), standing.loss.toFixed(2), standing.distortion.toFixed(3)) });
    for (const name of ["purity", "loss", "distortion"]) panel.line.dataset[name] = standing[name];
    panel.line.dataset.read = panel === panels[1] ? "snap" : "rival";
  }

  function tell(whole, end) {
    const said = now.methods.map((method, p) => fill(words.pure, words.methods[method], Math.round(100 * now.standings[p][whole].purity)));
    renew(sentence, { text: words.says });
    if (whole === end || whole === 0) say(fill(words.spoken, whole, said.join("; ")));
  }

  return () => {
    bar.stop();
    widget.end();
  };
}
