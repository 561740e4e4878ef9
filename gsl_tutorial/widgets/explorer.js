// The explorer: one point with its arrows, a field of arrows, or a run of many points.
//
// `renderExplorer({model, el})` is anywidget's entry; `model` is the widget in a notebook, or a small
// stand-in on a page without a kernel. All numbers are computed here, in the page, by explorerMath.
const FORMS = ["replace, projected", "replace, full length", "pull", "look-ahead"];
const FALLBACKS = ["zero", "keep", "nearest"];
const MODES = ["point", "field", "run"];
const RIVALS = ["penalty", "straight-through", "rotation", "snap"];
const LINES = {
  similarity: "descent of the loss: −g",
  quantization: "pull to the nearest codeword",
  penalty: "their sum (penalty)",
  snap: "snapped step",
};
const NAMES = ["codewords", "similar", "dissimilar", "starts", "point", "strength", "step", "rate",
  "n_steps", "n_candidates", "n_codewords", "form_index", "fallback_index", "loss", "mode"];

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined) made.setAttribute(name, value);
  }
  // JupyterLab must not take arrow keys, or Enter on a button, for moving between cells.
  if (["button", "select", "input"].includes(tag)) made.dataset.lmSuppressShortcuts = "true";
  made.append(...children);
  return made;
}

// A short piece of line, or a mark, as in the picture.
function sample(kind, name) {
  const { element, MARKS } = explorerPlane;
  const svg = element("svg", { viewBox: kind === "line" ? "0 -6 32 12" : "-20 -14 40 28", "aria-hidden": "true" });
  if (kind === "line") element("path", { d: "M0 0H32", class: `gsl-shaft gsl-line-${name}`, "stroke-width": 3 }, svg);
  else if (name === "candidate") element("circle", { r: 10, class: "gsl-candidate" }, svg);
  else if (name === "chosen") element("path", { d: MARKS.chosen, class: "gsl-chosen", transform: "scale(.7)" }, svg);
  else if (name === "half") element("rect", { x: -14, y: -9, width: 28, height: 18, fill: "var(--level)", opacity: 0.45 }, svg);
  else element("path", { d: MARKS[name], class: "gsl-mark" }, element("g", { class: `gsl-${name}` }, svg));
  return svg;
}

const signed = (x) => (x < 0 ? "−" : "+") + Math.abs(x).toFixed(2);

function renderExplorer({ model, el }) {
  const initial = {};
  const root = make("div", { class: "gsl-explorer", role: "region", "aria-label": "Gradient explorer" });
  el.append(root);

  const read = () => Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  const worldOf = (state) => ({
    codewords: state.codewords.slice(0, state.n_codewords),
    similar: state.similar, dissimilar: state.dissimilar, loss: state.loss,
  });
  const ruleOf = (state) => ({
    n: Math.min(state.n_candidates, state.n_codewords),
    strength: state.strength,
    step: state.step,
    form: ["replace", "replace", "pull", "look-ahead"][state.form_index],
    length: state.form_index === 1 ? "full" : "projected",
    fallback: FALLBACKS[state.fallback_index],
  });

  const put = (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    if (connected()) model.save_changes();
  };
  const moveTo = (kind, index, at) => {
    if (kind === "point") return put({ point: at });
    const rows = model.get(kind).slice();
    rows[index] = at;
    return put({ [kind]: rows });
  };
  const home = (kind, index) => moveTo(kind, index, kind === "point" ? initial.point : (initial[kind][index] ?? model.get(kind)[index]));

  // ---- the bar ----
  const modeButtons = MODES.map((mode) => make("button", { type: "button", onclick: () => put({ mode }) }, { point: "One point", field: "Field", run: "Run" }[mode]));
  const lossMenu = make("select", { onchange: (event) => put({ loss: event.target.value }) }, ...explorerMath.LOSSES.map((name) => make("option", { value: name }, name)));
  const bar = make("div", { class: "gsl-bar" },
    make("div", { class: "gsl-modes", role: "group", "aria-label": "What to show" }, ...modeButtons),
    make("label", {}, "Similarity loss ", lossMenu),
    make("button", { type: "button", onclick: () => put(initial) }, "Reset"));
  const message = make("div", { class: "gsl-message", role: "alert", hidden: "" });
  const note = make("div", { class: "gsl-note", role: "status", hidden: "" });
  const stage = make("div");
  root.append(bar, message, note, stage);

  const handlers = { onMove: moveTo, onHome: home };
  const views = { point: pointView(handlers), field: fieldView(handlers), run: runView(handlers) };
  for (const view of Object.values(views)) stage.append(view.node);

  // ---- drawing, at most once a frame ----
  let waiting = 0;
  let mounted = true;
  const schedule = () => {
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      if (mounted) draw();
    });
  };

  function draw() {
    const state = read();
    let wrong = explorerMath.complaint(state);
    if (!wrong) {
      try {
        for (const mode of MODES) views[mode].node.hidden = mode !== state.mode;
        views[state.mode].update(worldOf(state), ruleOf(state), state);
        if (!initial.point) for (const name of ["point", "codewords", "similar", "dissimilar"]) initial[name] = state[name];
      } catch (error) {
        wrong = `The picture could not be drawn: ${error.message}. What to do: press Reset, or run the cell again.`;
      }
    }
    message.hidden = !wrong;
    if (message.textContent !== wrong) message.textContent = wrong;
    stage.classList.toggle("gsl-stale", Boolean(wrong));
    modeButtons.forEach((button, i) => button.setAttribute("aria-pressed", MODES[i] === state.mode));
    lossMenu.value = state.loss;
    const notes = [];
    if (!wrong && state.n_candidates > state.n_codewords) notes.push(`n = ${state.n_candidates}, but there are ${state.n_codewords} codewords: all of them are candidates.`);
    if (!connected()) notes.push("Python no longer listens: the kernel has gone. The picture works on; run the cell again to connect it.");
    note.textContent = notes.join(" ");
    note.hidden = !notes.length;
  }

  // ---- the kernel: JupyterLab marks the elements of widgets that have lost it, a moment after it tells ----
  const connected = () => !el.closest(".jupyter-widgets-disconnected");
  const lookAgain = () => setTimeout(schedule, 200);
  model.on("comm_live_update", lookAgain);
  lookAgain();

  // Shift+Enter runs the cell also while a handle has the focus: hand it on to the notebook.
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.shiftKey || event.ctrlKey || event.metaKey)) return;
    const { key, code, keyCode, shiftKey, ctrlKey, metaKey } = event;
    el.closest(".jp-Notebook")?.dispatchEvent(new KeyboardEvent("keydown", { key, code, keyCode, shiftKey, ctrlKey, metaKey, bubbles: true }));
    event.preventDefault();
  });

  for (const name of NAMES) model.on(`change:${name}`, schedule);
  draw();
  return () => {
    mounted = false;
    model.off("comm_live_update", lookAgain);
    views.run.stop();
    for (const name of NAMES) model.off(`change:${name}`, schedule);
  };
}

// ---- one point: arrows, candidates, read-out ----

function pointView(handlers) {
  const { arrow, element, MARKS, LIMIT, place, polygon } = explorerPlane;
  const plane = explorerPlane.create({ label: "The plane: Tab walks the point, the codewords and the data; arrow keys move them, Home puts them back", keyboard: true, ...handlers });
  const rings = element("path", { class: "gsl-candidate" }, plane.below);
  const chosenMark = element("path", { d: MARKS.chosen, class: "gsl-chosen" }, plane.below);
  const arrows = {};
  for (const name of ["snap", "penalty", "quantization", "similarity"]) arrows[name] = arrow(plane.above, name);
  const hold = element("circle", { r: 17, class: "gsl-hold" }, plane.above);
  const disc = element("g", { class: "gsl-point" }, plane.above);
  element("path", { d: MARKS.point, class: "gsl-mark" }, disc);
  const says = element("text", { x: 12, y: 26, class: "gsl-says" }, plane.above);

  const sentence = make("p", { class: "gsl-sentence" });
  const spoken = make("div", { "aria-live": "polite", style: "position:absolute;left:-9999px" });
  const cells = {};
  const row = (key, text, ...names) => make("tr", {}, make("th", { scope: "row" }, text), ...names.map((name) => (cells[`${key}-${name}`] = make("td", { "data-read": `${key}-${name}` }))));
  const table = make("table", {},
    make("thead", {}, make("tr", {}, ...["a step along", "cosine with −g", "the loss goes"].map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, row("penalty", "their sum", "cosine", "verdict"), row("snapped", "the snapped step", "cosine", "verdict")));
  const distances = make("table", {}, make("tbody", {},
    row("loss", "similarity loss", "value"),
    row("nearest", "to the nearest codeword", "distance", "name"),
    row("chosen", "to the chosen codeword", "distance", "name")));
  const marksShown = make("ul", { class: "gsl-legend" });
  const beside = make("div", { class: "gsl-beside" }, sentence, table, distances, marksShown, spoken);
  const node = make("div", { class: "gsl-point-mode" }, plane.svg, beside);
  let legendFor = "";
  let speaking = 0;

  function legend({ loss, dissimilar }) {
    const key = `${loss} ${dissimilar.length > 0}`;
    if (legendFor === key) return;
    legendFor = key;
    const item = (svg, text) => make("li", {}, svg, text);
    const data = loss === "two-class"
      ? [["similar", "same class as z"], ["dissimilar", "other class"]]
      : [["partner", "partner of z"], ["stranger", "stranger"]].slice(0, dissimilar.length ? 2 : 1);
    marksShown.replaceChildren(
      ...Object.entries(LINES).map(([name, text]) => item(sample("line", name), text)),
      ...[["point", "z, the point"], ["codeword", "codeword"], ["candidate", "candidate"], ["chosen", "chosen codeword"], ...data, ["half", "here the loss falls"]]
        .map(([name, text]) => item(sample("mark", name), text)));
  }

  function update(world, rule, state) {
    const z = state.point;
    plane.drawWorld(world, z);
    legend(world);
    const g = explorerMath.gradient(world, z);
    const snapped = explorerMath.snapAt(world, z, rule);
    const out = explorerMath.readOut(world, z, rule);
    const sum = explorerMath.methodGradient(world, z, "penalty", rule);
    const opposite = (v) => [-v[0], -v[1]];
    const pull = explorerMath.minus(world.codewords[out.nearest], z).map((x) => 2 * rule.strength * x);
    const vectors = { similarity: opposite(g), quantization: pull, penalty: opposite(sum), snap: opposite(snapped.gradient) };
    for (const [name, vector] of Object.entries(vectors)) arrows[name](z, vector);

    const square = [[-LIMIT, -LIMIT], [LIMIT, -LIMIT], [LIMIT, LIMIT], [-LIMIT, LIMIT]];
    const falls = explorerMath.length(g) > 1e-9 ? explorerMath.clip(square, g, explorerMath.dot(g, z)) : [];
    plane.half.setAttribute("d", polygon(falls));
    rings.setAttribute("d", snapped.candidates.map((i) => `M${place(world.codewords[i])}m-13 0a13 13 0 1 1 26 0a13 13 0 1 1 -26 0`).join(""));
    rings.dataset.candidates = snapped.candidates.join(" ");
    const picked = snapped.chosen;
    chosenMark.style.display = picked === null ? "none" : "";
    if (picked !== null) chosenMark.setAttribute("transform", `translate(${place(world.codewords[picked])})`);
    disc.setAttribute("transform", `translate(${place(z)})`);
    hold.setAttribute("transform", `translate(${place(z)})`);
    hold.style.display = out.snapped_verdict === "stays" ? "" : "none";
    says.textContent = picked === null ? `no candidate descends → fallback: ${rule.fallback}` : "";
    tell(out, rule);
  }

  function tell(out, rule) {
    const text = {
      // The table speaks of steps, and steps go against gradients: cosine(−a, −g) = cosine(a, g).
      "penalty-cosine": signed(out.penalty_cosine), "penalty-verdict": out.penalty_verdict,
      "snapped-cosine": signed(out.snapped_cosine), "snapped-verdict": out.snapped_verdict,
      "loss-value": out.loss.toFixed(3),
      "nearest-distance": out.distance.toFixed(3), "nearest-name": `codeword ${out.nearest + 1}`,
      "chosen-distance": out.chosen === null ? "–" : out.chosen_distance.toFixed(3),
      "chosen-name": out.chosen === null ? "none descends" : `codeword ${out.chosen + 1}`,
    };
    const exact = { "penalty-cosine": out.penalty_cosine, "snapped-cosine": out.snapped_cosine, "loss-value": out.loss,
      "nearest-distance": out.distance, "chosen-distance": out.chosen_distance };
    for (const [name, cell] of Object.entries(cells)) {
      if (cell.textContent !== text[name]) cell.textContent = text[name];
      if (name in exact) cell.dataset.value = exact[name];
      if (name.endsWith("verdict")) cell.classList.toggle("gsl-uphill", text[name] === "UPHILL");
    }
    const said = describe(out, rule);
    if (sentence.textContent === said) return;
    sentence.textContent = said;
    clearTimeout(speaking); // a screen reader hears where the point came to rest, not the way
    speaking = setTimeout(() => (spoken.textContent = said), 600);
  }

  return { node, update };
}

function describe(out, rule) {
  const goes = { downhill: "goes downhill", UPHILL: "goes UPHILL", level: "leaves the loss level", stays: "stays" };
  const penalty = `Loss plus penalty ${goes[out.penalty_verdict]}.`;
  if (out.chosen !== null) {
    return `${penalty} The snapped step ${goes[out.snapped_verdict]}, with codeword ${out.chosen + 1}${out.chosen === out.nearest ? ", the nearest one" : ""}.`;
  }
  const left = {
    zero: rule.form === "replace" ? "the step is zero, the point waits" : "only the descent −g remains",
    keep: "only the descent −g remains",
    nearest: "the descent −g and a pull to the nearest codeword remain, the pull shortened where it would turn the sum uphill",
  };
  return `${penalty} No candidate descends, so the fallback decides: ${left[rule.fallback]}.`;
}

// ---- rivals side by side: panels shared by field and run ----

function panels(handlers, kind) {
  const made = RIVALS.map((method) => {
    const plane = explorerPlane.create({ label: `${kind} under ${method}`, keyboard: false, ...handlers });
    const title = make("b", {}, sample("line", method), method);
    const line = make("span", { "data-read": method });
    return { method, plane, title, line, node: make("figure", {}, make("figcaption", {}, title, line), plane.svg) };
  });
  return { made, node: make("div", { class: "gsl-panels" }, ...made.map((panel) => panel.node)) };
}

function nameSnap(made, state) {
  const { title } = made[made.length - 1];
  title.lastChild.textContent = `snap: ${FORMS[state.form_index]}`;
}

function fieldView(handlers) {
  const { element, place } = explorerPlane;
  const { made, node: grid } = panels(handlers, "Field");
  for (const panel of made) {
    panel.layers = ["down", "up", "cross"].map((name) => element("path", { class: `gsl-field-${name}` }, panel.plane.above));
  }
  const line = Array.from({ length: 12 }, (_, i) => -1.1 + 0.2 * i);
  const places = line.flatMap((y) => line.map((x) => [x, y]));
  const node = make("div", {}, grid, make("p", { class: "gsl-note" }, "Each arrow shows where a point at its tail would go. Bold arrows with a cross go uphill. Codewords and data can be dragged here, too."));

  function update(world, rule, state) {
    nameSnap(made, state);
    const slopes = places.map((z) => explorerMath.gradient(world, z));
    for (const { method, plane, line: caption, layers } of made) {
      plane.drawWorld(world, null);
      const parts = ["", "", ""];
      let count = 0;
      places.forEach((z, i) => {
        const a = explorerMath.methodGradient(world, z, method, rule);
        const uphill = explorerMath.dot(a, slopes[i]) < -1e-12;
        count += uphill;
        parts[uphill ? 1 : 0] += glyph(z, a);
        if (uphill) parts[2] += `M${place(z)}m-5 -5l10 10m0 -10l-10 10`;
      });
      layers.forEach((layer, i) => layer.setAttribute("d", parts[i]));
      caption.textContent = `${Math.round((100 * count) / places.length)}% of the places uphill`;
      caption.dataset.value = count / places.length;
    }
  }

  // Weak ones short, all others alike, as in plots.plane.draw_fields.
  function glyph(z, gradient) {
    const size = explorerMath.length(gradient);
    if (size < 1e-9) return `M${place(z)}m-2 0h4`;
    const shown = explorerMath.along([0, 0], (-0.17 * 200) / Math.max(size, 0.5), gradient);
    const [x, y] = [shown[0], -shown[1]];
    const barb = (c, s) => `${(-0.38 * (c * x - s * y)).toFixed(1)} ${(-0.38 * (s * x + c * y)).toFixed(1)}`;
    return `M${place(z)}l${x.toFixed(1)} ${y.toFixed(1)}l${barb(0.82, 0.57)}M${place(explorerMath.along(z, 1 / 200, shown))}l${barb(0.82, -0.57)}`;
  }

  return { node, update };
}

// ---- a run: the same points released under each rival ----

const CURVES = { loss: "similarity loss", code_loss: "loss of the codeword", distortion: "squared distance to the codeword" };
const STEPS_PER_SECOND = 20;
const TAIL = 12;

function runView(handlers) {
  const { element, place } = explorerPlane;
  const { made, node: grid } = panels(handlers, "Run");
  for (const panel of made) {
    panel.tails = element("path", { class: "gsl-tails" }, panel.plane.above);
    panel.runners = element("path", { class: "gsl-runners" }, panel.plane.above);
  }
  const charts = Object.entries(CURVES).map(([name, title]) => chart(name, title));
  const play = make("button", { type: "button", onclick: () => (playing ? stop() : start()) }, "▶ Play");
  const stepButton = make("button", { type: "button", onclick: () => { stop(); seek(Math.floor(time) + 1); } }, "Step");
  const scrub = make("input", { type: "range", min: 0, step: 1, value: 0, "aria-label": "step shown", oninput: () => { stop(); seek(Number(scrub.value)); } });
  const clock = make("output", { "data-read": "step" });
  const node = make("div", {}, grid,
    make("div", { class: "gsl-transport" }, play, stepButton, make("label", {}, "Scrub", scrub), clock),
    make("div", { class: "gsl-charts" }, ...charts.map((one) => one.node)));
  let now; // what is being run: {world, rule, state}
  let history; // method -> {points: [], curves: []}
  let time = 0;
  let playing = 0;
  let charted = -1;

  function update(world, rule, state) {
    const key = JSON.stringify([world, rule, state.starts, state.rate]);
    if (now?.key !== key) {
      now = { key, world, rule, state };
      charted = -1;
      history = Object.fromEntries(RIVALS.map((method) => [method, { points: [state.starts], curves: [explorerMath.means(world, state.starts)] }]));
      for (const { plane } of made) plane.drawWorld(world, null);
    }
    now.state = state;
    nameSnap(made, state);
    scrub.max = state.n_steps;
    seek(time);
  }

  function reach(t) {
    for (const method of RIVALS) {
      const { points, curves } = history[method];
      while (points.length <= t) {
        const next = explorerMath.stepAll(now.world, points[points.length - 1], method, now.rule, now.state.rate);
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
    for (const panel of made) {
      const { points, curves } = history[panel.method];
      const after = points[whole + 1];
      let dots = "";
      let tails = "";
      for (let i = 0; i < points[0].length; i++) {
        const at = part ? explorerMath.along(points[whole][i], part, explorerMath.minus(after[i], points[whole][i])) : points[whole][i];
        const here = place(at);
        dots += `M${here}h.01`;
        tails += `M${here}`;
        for (let t = whole; t >= Math.max(0, whole - TAIL); t--) tails += `L${place(points[t][i])}`;
      }
      panel.runners.setAttribute("d", dots);
      panel.tails.setAttribute("d", tails);
      const { loss, distortion } = curves[whole];
      panel.line.textContent = `loss ${loss.toFixed(2)}, distortion ${distortion.toFixed(3)}`;
      panel.line.dataset.loss = loss;
      panel.line.dataset.distortion = distortion;
    }
    if (charted !== whole) {
      charted = whole;
      for (const one of charts) one.update(history, whole, now.state.n_steps);
      clock.textContent = `step ${whole} of ${now.state.n_steps}`;
      scrub.value = whole;
    }
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

  return { node, update, stop };
}

// One curve for each rival, drawn up to the step shown; the scale keeps what has been seen so far.
function chart(name, title) {
  const { element } = explorerPlane;
  const svg = element("svg", { viewBox: "0 0 310 130", role: "img", "aria-label": `${title}, one curve for each rival` });
  element("path", { d: "M48 8V108H302", class: "gsl-axis" }, svg);
  const top = element("text", { x: 44, y: 16, "text-anchor": "end" }, svg);
  element("text", { x: 44, y: 110, "text-anchor": "end" }, svg).textContent = "0";
  element("text", { x: 302, y: 125, "text-anchor": "end" }, svg).textContent = "steps";
  const cursor = element("path", { class: "gsl-cursor" }, svg);
  const lines = RIVALS.map((method) => element("path", { class: `gsl-curve gsl-line-${method}` }, svg));

  function update(history, whole, end) {
    const all = RIVALS.map((method) => history[method].curves.map((one) => one[name]));
    const high = Math.max(1e-3, ...all.flat());
    const x = (t) => (48 + (254 * t) / end).toFixed(1);
    const y = (value) => (108 - (96 * value) / high).toFixed(1);
    top.textContent = high.toPrecision(2);
    cursor.setAttribute("d", `M${x(whole)} 8V108`);
    lines.forEach((line, i) => line.setAttribute("d", `M${all[i].slice(0, whole + 1).map((value, t) => `${x(t)} ${y(value)}`).join("L")}`));
  }

  return { node: make("figure", {}, make("figcaption", {}, title), svg), update };
}

// ---- a page without a kernel: the widget's state, and controls of the browser's own ----

function standIn(state) {
  const listeners = {};
  return {
    get: (name) => state[name],
    set(name, value) {
      if (state[name] === value) return;
      state[name] = value;
      for (const listener of listeners[`change:${name}`] ?? []) listener();
    },
    save_changes() {},
    on: (name, listener) => (listeners[name] ??= []).push(listener),
    off: (name, listener) => (listeners[name] = (listeners[name] ?? []).filter((other) => other !== listener)),
  };
}

function nativeControls(model, controls) {
  return make("div", { class: "gsl-controls" }, ...controls.map(({ name, label, options, min, max, step }) => {
    if (options) {
      const menu = make("select", { onchange: () => model.set(name, menu.selectedIndex) }, ...options.map((text) => make("option", {}, text)));
      menu.selectedIndex = model.get(name);
      return make("label", {}, label, menu);
    }
    const value = make("output", {}, String(model.get(name)));
    const slider = make("input", { type: "range", min, max, step, value: model.get(name), oninput: () => model.set(name, Number(slider.value)) });
    model.on(`change:${name}`, () => {
      slider.value = model.get(name);
      value.textContent = String(model.get(name));
    });
    return make("label", {}, label, slider, value);
  }));
}

// Brings every fragment of `GradientExplorer.to_html` on this page to life, each once.
function wakeExplorers() {
  for (const place of document.querySelectorAll(".gsl-explorer-page:not([data-alive])")) {
    const { state, controls } = JSON.parse(place.querySelector("script[type='application/json']").textContent);
    place.dataset.alive = "true";
    const el = make("div");
    const model = standIn(state);
    renderExplorer({ model, el });
    el.firstChild.append(nativeControls(model, controls));
    place.querySelector(".gsl-still").replaceWith(el);
  }
}
