// The rivals side by side, one panel for each, and the field of arrows that each of them makes.
const RIVALS = ["penalty", "straight-through", "rotation", "snap"];
// Without the snap there is nothing to compare with yet: the penalty alone.
const rivalsOf = (state) => (state.snap ? RIVALS : ["penalty"]);

function panels(handlers, kind) {
  const made = RIVALS.map((method) => {
    const plane = planes.create({ label: `${kind} under ${method}`, keyboard: false, ...handlers });
    const title = make("b", {}, sample("line", method), method);
    const line = make("span", { "data-read": method });
    return { method, plane, title, line, node: make("figure", {}, make("figcaption", {}, title, line), plane.svg) };
  });
  return { made, node: make("div", { class: "gsl-panels" }, ...made.map((panel) => panel.node)) };
}

function nameSnap(made, state) {
  for (const { method, node } of made) node.hidden = !rivalsOf(state).includes(method);
  const { title } = made[made.length - 1];
  title.lastChild.textContent = `snap: ${FORMS[state.form_index]}`;
}

function fieldView(handlers) {
  const { place } = planes;
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
      if (!rivalsOf(state).includes(method)) continue;
      plane.draw(sceneOf(world, null));
      const parts = ["", "", ""];
      let count = 0;
      places.forEach((z, i) => {
        const a = explorerMath.methodGradient(world, z, method, rule);
        const uphill = vectors.dot(a, slopes[i]) < -1e-12;
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
    const size = vectors.length(gradient);
    if (size < 1e-9) return `M${place(z)}m-2 0h4`;
    const shown = vectors.along([0, 0], (-0.17 * 200) / Math.max(size, 0.5), gradient);
    const [x, y] = [shown[0], -shown[1]];
    const barb = (c, s) => `${(-0.38 * (c * x - s * y)).toFixed(1)} ${(-0.38 * (s * x + c * y)).toFixed(1)}`;
    return `M${place(z)}l${x.toFixed(1)} ${y.toFixed(1)}l${barb(0.82, 0.57)}M${place(vectors.along(z, 1 / 200, shown))}l${barb(0.82, -0.57)}`;
  }

  return { node, update };
}
