// A run: the same points released under each rival, with curves; played, stepped, scrubbed.
const TAIL = 12;

function runView(handlers, own) {
  const { place } = planes;
  const { made, node: grid } = panels(handlers, WORDS.run.panel);
  for (const panel of made) {
    panel.tails = pathIn(panel.plane.above, "gsl-tails");
    panel.runners = pathIn(panel.plane.above, "gsl-runners");
  }
  const methods = [...RIVALS, "own"];
  const charts = Object.entries(WORDS.run.curves).map(([name, title]) => courseChart(name, title, methods.length));
  const elsewhere = make("p.gsl-note", { "data-read": "own-run" });
  made[made.length - 1].node.append(elsewhere);
  const winner = make("p.gsl-note", { "data-read": "winner", "aria-live": "off" });
  const bar = player({ end: () => now.state.n_steps, show, alive: () => node.isConnected && !node.hidden });
  const node = make("div", {}, grid,
    bar.node, winner,
    make("div.gsl-charts", {}, ...charts.map((one) => one.node)));
  let now; // what is being run: {world, rule, state}
  let history; // method -> {points: [], curves: []}
  let charted = -1;
  const mine = made[made.length - 1].own;

  function update(world, rule, state) {
    const key = JSON.stringify([world, rule, state.starts, state.rate, state.snap]);
    if (now?.key !== key) {
      now = { key, world, rule, state };
      charted = -1;
      history = Object.fromEntries(methodsOf(state).filter((method) => method !== "own").map((method) => [method, { points: [state.starts], curves: [explorerMath.means(world, state.starts)] }]));
      for (const { plane } of made) plane.draw(sceneOf(world, null));
    }
    now.state = state;
    if (methodsOf(state).includes("own")) ownHistory(state);
    nameSnap(made, state);
    bar.again();
  }

  // The reader's own run comes from Python as a whole; while it is on its way, there is none.
  function ownHistory(state) {
    const answer = own.ask(state);
    const source = mine.begin(state, answer) ? (answer.path ?? "snap") : undefined;
    if (source !== undefined && history.own?.source === source) return;
    charted = -1;
    delete history.own;
    if (source !== undefined) {
      history.own = { source, points: [state.starts], curves: [explorerMath.means(now.world, state.starts)] };
      return;
    }
    const { runners, tails } = made[made.length - 1];
    for (const path of [runners, tails]) path.setAttribute("d", "");
    elsewhere.textContent = "";
  }

  function reach(t) {
    for (const [method, { points, curves, source }] of Object.entries(history)) {
      while (points.length <= t) {
        const next = source && source !== "snap" ? source[points.length] : explorerMath.stepAll(now.world, points[points.length - 1], source ?? method, now.rule, now.state.rate);
        points.push(next);
        curves.push(explorerMath.means(now.world, next));
      }
    }
  }

  function show(time) {
    reach(Math.ceil(time));
    const whole = Math.floor(time);
    const part = time - whole;
    for (const panel of made.filter(({ method }) => method in history)) {
      const { points, curves } = history[panel.method];
      const after = points[whole + 1];
      let dots = "";
      let tails = "";
      for (let i = 0; i < points[0].length; i++) {
        const at = part ? vectors.along(points[whole][i], part, vectors.minus(after[i], points[whole][i])) : points[whole][i];
        const here = place(at);
        dots += `M${here}h.01`;
        tails += `M${here}`;
        for (let t = whole; t >= Math.max(0, whole - TAIL); t--) tails += `L${place(points[t][i])}`;
      }
      panel.runners.setAttribute("d", dots);
      panel.tails.setAttribute("d", tails);
      if (panel.own) showOwn(points, whole);
      const { loss, distortion } = curves[whole];
      panel.line.textContent = fill(WORDS.run.line, loss.toFixed(2), distortion.toFixed(3));
      panel.line.dataset.loss = loss;
      panel.line.dataset.distortion = distortion;
    }
    if (charted !== whole) {
      charted = whole;
      const rows = methods.map((method) => history[method]?.curves ?? []);
      for (const one of charts) one.update(rows, methods, { now: whole, end: now.state.n_steps });
      const [a, b] = ["penalty", "snap"].map((method) => history[method].curves[whole].code_loss);
      winner.textContent = fill(WORDS.run.winner, whole, a.toFixed(3), b.toFixed(3), WORDS.run[a.toFixed(3) === b.toFixed(3) ? "tie" : a < b ? "penalty" : "snap"]);
    }
  }

  function showOwn(points, whole) {
    const snap = history.snap.points[whole];
    const wrong = points[whole].filter((at, i) => differs(at, snap[i]));
    const rings = wrong.map((at) => `M${place(at)}m-11 0a11 11 0 1 1 22 0a11 11 0 1 1 -22 0`).join("");
    mine.show("", rings, "", wrong.length);
    elsewhere.textContent = fill(WORDS.own.run, wrong.length, points[whole].length);
  }

  return { node, update, stop: bar.stop, at: bar.at };
}
