// A page without a kernel: the widget's state, and controls of the browser's own.

// `place`: the how manieth of its kind on the page; a model of ipywidgets has none.
function standIn(state, place = 1) {
  const listeners = {};
  return {
    place,
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
  return make("div.gsl-controls", {}, ...controls.map(({ name, label, options, min, max, step }) => {
    if (options) {
      const menu = make("select", { onchange: () => model.set(name, menu.selectedIndex) }, ...options.map((text) => make("option", {}, text)));
      menu.selectedIndex = model.get(name);
      model.on(`change:${name}`, () => (menu.selectedIndex = model.get(name)));
      return make("label", { "data-control": name }, label, menu);
    }
    const value = make("output", {}, String(model.get(name)));
    const slider = make("input", { type: "range", min, max, step, value: model.get(name), oninput: () => model.set(name, Number(slider.value)) });
    model.on(`change:${name}`, () => {
      slider.value = model.get(name);
      value.textContent = String(model.get(name));
    });
    return make("label", { "data-control": name }, label, slider, value);
  }));
}

// Brings every fragment of this kind on the page to life, each once.
function wake(kind, render) {
  for (const place of document.querySelectorAll(`.gsl-explorer-page[data-kind="${kind}"]:not([data-alive])`)) {
    const { state, controls } = JSON.parse(place.querySelector("script[type='application/json']").textContent);
    place.dataset.alive = "true";
    const el = make("div");
    const model = standIn(state, document.querySelectorAll(`.gsl-explorer-page[data-kind="${kind}"][data-alive]`).length);
    render({ model, el });
    if (controls.length) el.firstChild.append(nativeControls(model, controls));
    place.querySelector(".gsl-still").replaceWith(el);
  }
}
