// What invites to play: presets, each the link of a picture, and a tour whose steps are done by doing.
//
// `around` comes from Python: {presets: {name: link}, tour: [step], hide: [control]}. A step is
// {say, at, trait} or {say, at, read, is}: at the element `at`, until the trait has changed, or until what
// is read there says so.
function presetBar(presets, open) {
  const buttons = Object.entries(presets).map(([name, link]) => make("button", { onclick: () => open(link) }, name));
  return make("div.gsl-presets", { role: "group", "aria-label": WORDS.around.presets, "data-control": "presets" }, make("span", {}, WORDS.around.presets), ...buttons);
}

function tourOf(steps, root, model) {
  const words = WORDS.around;
  const text = make("span");
  const skip = make("button", { onclick: () => stop() }, words.skip);
  const panel = make("div.gsl-tour", { role: "status", hidden: "" }, text, skip);
  const button = make("button", { "data-control": "tour", "aria-expanded": "false", onclick: () => (at < 0 ? go(0) : stop()) }, words.tour);
  let at = -1;
  let before;
  let lit;

  const shown = () => { // what the step waits for, as a text
    const { trait, read } = steps[at];
    return trait ? JSON.stringify(model.get(trait)) : (root.querySelector(`[data-read="${read}"]`)?.textContent ?? "");
  };
  const done = () => (steps[at].trait ? shown() !== before : shown().includes(steps[at].is) && (steps[at].even_if_so || before !== shown()));

  function light(element) {
    lit?.classList.remove("gsl-lit");
    lit = element;
    lit?.classList.add("gsl-lit");
  }

  function go(step) {
    at = step;
    const over = at >= steps.length;
    light(over ? null : (root.querySelector(steps[at].at) ?? root.closest(".gsl-explorer-panel")?.querySelector(steps[at].at)));
    text.textContent = over ? words.done : `${fill(words.step, at + 1, steps.length)} ${steps[at].say}`;
    panel.hidden = false;
    button.setAttribute("aria-expanded", "true");
    if (over) at = -1;
    else before = shown();
    skip.hidden = over;
  }

  function stop() {
    at = -1;
    light(null);
    panel.hidden = true;
    button.setAttribute("aria-expanded", "false");
  }

  root.addEventListener("keydown", (event) => event.key === "Escape" && at >= 0 && (stop(), button.focus(), event.stopPropagation()));
  return { button, panel, stop, look: () => at >= 0 && done() && go(at + 1) };
}
