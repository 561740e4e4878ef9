// The explorer: one point with its arrows, a field of arrows, or a run of many points.
//
// `renderExplorer({model, el})` is anywidget's entry. All numbers are computed in the page, by
// explorerMath.
const FORMS = WORDS.explorer.forms;
const FALLBACKS = ["zero", "keep", "nearest"];
const MODES = ["point", "field", "run"];
const NAMES = ["codewords", "similar", "dissimilar", "starts", "point", "strength", "step", "rate",
  "n_steps", "n_candidates", "n_codewords", "form_index", "fallback_index", "loss", "mode", "snap"];
const OWN_NAMES = ["own_name", "own_asked", "own"]; // what no link holds

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

function explorerNotes({ n_candidates: n, n_codewords: K, snap }) {
  return snap && n > K ? [fill(WORDS.explorer.all_candidates, n, K)] : [];
}

function renderExplorer({ model, el }) {
  const words = WORDS.explorer;
  const extra = { shown_step: { get: () => views.run.at(), set: (t) => views.run.at(t) } };
  const widget = mountWidget({ model, el, label: words.label, names: [...NAMES, ...OWN_NAMES], linked: NAMES, complaint: explorerComplaint, notes: explorerNotes, kind: "gradient", extra, still: () => views.run.stop() });
  const { put } = widget;
  const initial = {}; // what Reset brings back: where everything stood in the first good picture

  const onMove = (kind, index, at) => {
    if (kind === "point") return put({ point: at });
    const rows = model.get(kind).slice();
    rows[index] = at;
    return put({ [kind]: rows });
  };
  const onHome = (kind, index) => onMove(kind, index, kind === "point" ? initial.point : (initial[kind][index] ?? model.get(kind)[index]));

  const modeButtons = MODES.map((mode) => make("button", { onclick: () => put({ mode }) }, words.modes[mode]));
  const lossMenu = make("select", { onchange: (event) => put({ loss: event.target.value }) }, ...explorerMath.LOSSES.map((name) => make("option", { value: name }, words.losses[name])));
  const modes = make("div.gsl-modes", { "data-control": "mode", role: "group", "aria-label": words.what }, ...modeButtons);
  const lossLabel = make("label", { "data-control": "loss" }, words.loss, lossMenu);
  widget.bar.append(
    modes,
    lossLabel,
    make("button", { "data-control": "reset", onclick: () => put(initial) }, WORDS.page.reset));

  const handlers = { onMove, onHome };
  const own = ownRule({ model, put, listening: widget.listening });
  const views = { point: pointView(handlers), field: fieldView(handlers, own), run: runView(handlers, own) };
  for (const view of Object.values(views)) widget.stage.append(view.node);

  const showBar = () => {
    modeButtons.forEach((button, i) => button.setAttribute("aria-pressed", MODES[i] === model.get("mode")));
    lossMenu.value = model.get("loss");
  };
  model.on("change:mode", showBar);
  model.on("change:loss", showBar);
  showBar();

  widget.start((state) => {
    modes.hidden = !state.snap; // fields and runs show the snap, too
    lossLabel.hidden = !state.dissimilar.length; // the other losses need a stranger
    for (const mode of MODES) views[mode].node.hidden = mode !== state.mode;
    views[state.mode].update(worldOf(state), ruleOf(state), state);
    if (!initial.point) for (const name of ["point", "codewords", "similar", "dissimilar"]) initial[name] = state[name];
  });
  return () => {
    widget.end();
    own.end();
    views.run.stop();
    model.off("change:mode", showBar);
    model.off("change:loss", showBar);
  };
}
