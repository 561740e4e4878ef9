// The rivals side by side, one panel for each, and the field of arrows that each of them makes.
const RIVALS = ["penalty", "straight-through", "rotation", "snap"];
// Without the snap there is nothing to compare with yet: the penalty alone.
const methodsOf = (state) => (state.snap ? [...RIVALS, ...(state.own_name ? ["own"] : [])] : ["penalty"]);

function panels(handlers, label) {
  const made = [...RIVALS, "own"].map((method) => {
    const plane = planes.create({ label: fill(label, WORDS.explorer.methods[method]), keyboard: false, ...handlers });
    const title = make("b", {}, sample("line", method), WORDS.explorer.methods[method]);
    const line = make("span", { "data-read": method });
    return { method, plane, title, line, node: make("figure", { "data-panel": method }, make("figcaption", {}, title, line), plane.svg) };
  });
  const last = made[made.length - 1];
  last.own = ownMarks(last);
  return { made, node: make("div", { class: "gsl-panels" }, ...made.map((panel) => panel.node)) };
}

function nameSnap(made, state) {
  for (const { method, node } of made) node.hidden = !methodsOf(state).includes(method);
  made[0].node.parentNode.classList.toggle("gsl-five", methodsOf(state).length === 5);
  const { title } = made[RIVALS.indexOf("snap")];
  title.lastChild.textContent = fill(WORDS.field.snap, FORMS[state.form_index]);
}

function fieldView(handlers, own) {
  const { place } = planes;
  const { made, node: grid } = panels(handlers, WORDS.field.panel);
  for (const panel of made) {
    panel.layers = ["down", "up", "cross"].map((name) => element("path", { class: `gsl-field-${name}` }, panel.plane.above));
  }
  const line = Array.from({ length: 12 }, (_, i) => -1.1 + 0.2 * i);
  const places = line.flatMap((y) => line.map((x) => [x, y]));
  const legend = make("span");
  const node = make("div", {}, grid, make("p", { class: "gsl-note" }, WORDS.field.says, legend));

  function update(world, rule, state) {
    nameSnap(made, state);
    legend.textContent = methodsOf(state).includes("own") ? fill(WORDS.own.legend, state.own_name, FORMS[state.form_index]) : "";
    const slopes = places.map((z) => explorerMath.gradient(world, z));
    for (const { method, plane, line: caption, layers, own: marks } of made) {
      if (!methodsOf(state).includes(method)) continue;
      plane.draw(sceneOf(world, null));
      const answer = method === "own" ? own.ask(state) : undefined;
      if (answer && !marks.begin(state, answer)) {
        if (answer.fault) layers.forEach((layer) => layer.setAttribute("d", ""));
        continue;
      }
      const arrowAt = answer?.field ? (z, i) => answer.field[i] : (z) => explorerMath.methodGradient(world, z, answer ? "snap" : method, rule);
      const parts = ["", "", ""];
      let count = 0;
      const wrong = [];
      places.forEach((z, i) => {
        const a = arrowAt(z, i);
        if (answer && differs(a, explorerMath.methodGradient(world, z, "snap", rule))) wrong.push(z);
        const uphill = vectors.dot(a, slopes[i]) < -1e-12;
        count += uphill;
        parts[uphill ? 1 : 0] += glyph(z, a);
        if (uphill) parts[2] += `M${place(z)}m-5 -5l10 10m0 -10l-10 10`;
      });
      layers.forEach((layer, i) => layer.setAttribute("d", parts[i]));
      if (answer) {
        const rings = wrong.map((z) => `M${place(z)}m-17 0a17 17 0 1 1 34 0a17 17 0 1 1 -34 0`).join("");
        const right = wrong.map((z) => glyph(z, explorerMath.methodGradient(world, z, "snap", rule))).join("");
        marks.show(fill(WORDS.own.field, wrong.length, places.length), rings, right, wrong.length);
        continue;
      }
      caption.textContent = fill(WORDS.field.uphill, Math.round((100 * count) / places.length));
      caption.dataset.value = count / places.length;
    }
  }

  // Weak ones short, all others alike, as in plots.plane.draw_fields.
  function glyph(z, gradient) {
    const size = vectors.length(gradient);
    if (size < 1e-9) return `M${place(z)}m-2 0h4`;
    const shown = vectors.along([0, 0], (-0.17 * 200) / Math.max(size, 0.5), gradient);
    const [x, y] = [shown[0], -shown[1]];
    const barb = (c, s) => `${(-0.38 * (c * x - s * y)).toFixed(1)} ${(-0.38 * (s * x + c * y)).toFixed(1)}`;
    return `M${place(z)}l${x.toFixed(1)} ${y.toFixed(1)}l${barb(0.82, 0.57)}M${place(vectors.along(z, 1 / 200, shown))}l${barb(0.82, -0.57)}`;
  }

  return { node, update };
}
