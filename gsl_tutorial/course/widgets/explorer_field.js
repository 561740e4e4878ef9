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
  return { made, node: make("div.gsl-panels", {}, ...made.map((panel) => panel.node)) };
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
    panel.layers = ["down", "up", "cross"].map((name) => pathIn(panel.plane.above, `gsl-field-${name}`));
  }
  const line = Array.from({ length: 12 }, (_, i) => -1.1 + 0.2 * i);
  const places = line.flatMap((y) => line.map((x) => [x, y]));
  const legend = make("span");
  const node = make("div", {}, grid, make("p.gsl-note", {}, WORDS.field.says, legend));

  let drawn; // what the rivals' panels show, and their arrows: while the reader's own come, they stay
  let arrows;
  let slopes;

  function update(world, rule, state) {
    const methods = methodsOf(state);
    const key = JSON.stringify([world, rule, methods]);
    if (key !== drawn) {
      nameSnap(made, state);
      legend.textContent = methods.includes("own") ? fill(WORDS.own.legend, state.own_name, FORMS[state.form_index]) : "";
      slopes = places.map((z) => explorerMath.gradient(world, z));
      arrows = Object.fromEntries(methods.filter((method) => method !== "own").map((method) => [method, places.map((z) => explorerMath.methodGradient(world, z, method, rule))]));
      const scene = sceneOf(world, null);
      for (const panel of made) {
        if (!methods.includes(panel.method)) continue;
        panel.plane.draw(scene);
        if (panel.own) continue;
        const share = drawArrows(panel, arrows[panel.method]) / places.length;
        panel.line.textContent = fill(WORDS.field.uphill, Math.round(100 * share));
        panel.line.dataset.value = share;
      }
      drawn = key;
    }
    if (methods.includes("own")) drawOwn(made[made.length - 1], state);
  }

  // Draws a field; how many of its arrows point uphill.
  function drawArrows({ layers }, field) {
    const parts = ["", "", ""];
    let count = 0;
    places.forEach((z, i) => {
      const uphill = vectors.dot(field[i], slopes[i]) < -1e-12;
      count += uphill;
      parts[uphill ? 1 : 0] += glyph(z, field[i]);
      if (uphill) parts[2] += `M${place(z)}m-5 -5l10 10m0 -10l-10 10`;
    });
    layers.forEach((layer, i) => layer.setAttribute("d", parts[i]));
    return count;
  }

  function drawOwn(panel, state) {
    const { layers, own: marks } = panel;
    const answer = own.ask(state);
    if (!marks.begin(state, answer)) {
      if (answer.fault) layers.forEach((layer) => layer.setAttribute("d", ""));
      return;
    }
    const field = answer.field ?? arrows.snap;
    drawArrows(panel, field);
    const wrong = [...places.keys()].filter((i) => differs(field[i], arrows.snap[i]));
    const rings = wrong.map((i) => `M${place(places[i])}m-17 0a17 17 0 1 1 34 0a17 17 0 1 1 -34 0`).join("");
    const right = wrong.map((i) => glyph(places[i], arrows.snap[i])).join("");
    marks.show(fill(WORDS.own.field, wrong.length, places.length), rings, right, wrong.length);
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
