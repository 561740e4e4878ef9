// A run: the same points released under each rival, with curves; played, stepped, scrubbed.
const CURVES = { loss: "similarity loss", code_loss: "loss of the codeword", distortion: "squared distance to the codeword" };
const STEPS_PER_SECOND = 20;
const TAIL = 12;

function runView(handlers, own) {
  const { place } = planes;
  const { made, node: grid } = panels(handlers, "Run");
  for (const panel of made) {
    panel.tails = element("path", { class: "gsl-tails" }, panel.plane.above);
    panel.runners = element("path", { class: "gsl-runners" }, panel.plane.above);
  }
  const methods = [...RIVALS, "own"];
  const charts = Object.entries(CURVES).map(([name, title]) => courseChart(name, title, methods.length));
  const play = make("button", { type: "button", onclick: () => (playing ? stop() : start()) }, "▶ Play");
  const stepButton = make("button", { type: "button", onclick: () => { stop(); seek(Math.floor(time) + 1); } }, "Step");
  const scrub = make("input", { type: "range", min: 0, step: 1, value: 0, "aria-label": "step shown", oninput: () => { stop(); seek(Number(scrub.value)); } });
  const clock = make("output", { "data-read": "step" });
  const elsewhere = make("p", { class: "gsl-note", "data-read": "own-run" });
  made[made.length - 1].node.append(elsewhere);
  const winner = make("p", { class: "gsl-note", "data-read": "winner", "aria-live": "off" });
  const node = make("div", {}, grid,
    make("div", { class: "gsl-transport" }, play, stepButton, make("label", {}, "Scrub", scrub), clock),
    winner,
    make("div", { class: "gsl-charts" }, ...charts.map((one) => one.node)));
  let now; // what is being run: {world, rule, state}
  let history; // method -> {points: [], curves: []}
  let time = 0;
  let playing = 0;
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
    scrub.max = state.n_steps;
    seek(time);
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

  function seek(t) {
    time = Math.min(now.state.n_steps, Math.max(0, t));
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
      panel.line.textContent = `loss ${loss.toFixed(2)}, distortion ${distortion.toFixed(3)}`;
      panel.line.dataset.loss = loss;
      panel.line.dataset.distortion = distortion;
    }
    if (charted !== whole) {
      charted = whole;
      const rows = methods.map((method) => history[method]?.curves ?? []);
      for (const one of charts) one.update(rows, methods, { now: whole, end: now.state.n_steps });
      clock.textContent = `step ${whole} of ${now.state.n_steps}`;
      scrub.value = whole;
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

  function start() {
    const end = now.state.n_steps;
    if (time >= end) seek(0);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return seek(end);
    const from = time;
    let began;
    play.textContent = "❚❚ Pause";
    const frame = (clockTime) => {
      began ??= clockTime;
      seek(from + ((clockTime - began) / 1000) * STEPS_PER_SECOND);
      if (time >= end || !node.isConnected || node.hidden) stop();
      else playing = requestAnimationFrame(frame);
    };
    playing = requestAnimationFrame(frame);
    return undefined;
  }

  function stop() {
    cancelAnimationFrame(playing);
    playing = 0;
    play.textContent = "▶ Play";
  }

  // The step shown, as a link holds it; with a number, the one to show next.
  const at = (t) => (t === undefined ? Math.floor(time) : (time = Math.max(0, Math.floor(t))));
  return { node, update, stop, at };
}
