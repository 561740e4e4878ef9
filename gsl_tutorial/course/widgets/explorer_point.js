// One point: its arrows, its candidates, the read-out and the legend.
const signed = (x) => (x < 0 ? "−" : "+") + Math.abs(x).toFixed(2);

function pointView(handlers) {
  const { LIMIT, place, polygon } = planes;
  const words = WORDS.point;
  const plane = planes.create({ label: words.label, keyboard: true, ...handlers });
  const rings = pathIn(plane.below, "gsl-candidate");
  const chosenMark = element("path", { d: MARKS.chosen, class: "gsl-chosen" }, plane.below);
  const arrows = {};
  for (const name of ["snap", "penalty", "quantization", "similarity"]) arrows[name] = arrow(plane.above, name);
  const hold = element("circle", { r: 17, class: "gsl-hold" }, plane.above);
  const disc = element("g", { class: "gsl-point" }, plane.above);
  element("path", { d: MARKS.point, class: "gsl-mark" }, disc);
  const says = element("text", { x: 12, y: 26, class: "gsl-says" }, plane.above);

  const sentence = make("p.gsl-sentence");
  const { node: spoken, tell: saying } = speaker();
  const cells = {};
  const rowsOf = {};
  const row = (key, text, ...names) => rowsOf[key] = make("tr", {}, make("th", { scope: "row" }, text), ...names.map((name) => (cells[`${key}-${name}`] = make("td", { "data-read": `${key}-${name}` }))));
  const table = make("table", {},
    make("thead", {}, make("tr", {}, ...words.table.map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, row("penalty", words.sum, "cosine", "verdict"), row("snapped", words.snapped, "cosine", "verdict")));
  const distances = make("table", {}, make("tbody", {},
    row("loss", words.loss, "value"),
    row("nearest", words.nearest, "distance", "name"),
    row("chosen", words.chosen, "distance", "name")));
  const marksShown = make("ul.gsl-legend");
  const scale = make("p.gsl-note", {}, words.scale);
  const beside = make("div.gsl-beside", {}, sentence, table, distances, marksShown, scale, spoken);
  const formula = formulaView(Object.fromEntries(Object.keys(LINES).map((name) => [name, plane.above.querySelector(`[data-arrow="${name}"]`)])));
  const node = make("div.gsl-point-mode", {}, plane.svg, beside, formula.node);
  let legendFor = "";

  function legend({ loss, dissimilar }, snap) {
    const key = `${loss} ${dissimilar.length > 0} ${snap}`;
    if (legendFor === key) return;
    legendFor = key;
    const item = (svg, text) => make("li", {}, svg, text);
    const data = loss === "two-class"
      ? [["similar", words.same_class], ["dissimilar", words.other_class]]
      : [["partner", words.a_positive], ["stranger", words.a_negative]].slice(0, dissimilar.length ? 2 : 1);
    marksShown.replaceChildren(
      ...Object.entries(LINES).filter(([name]) => snap || name !== "snap").map(([name, text]) => item(sample("line", name), text)),
      item(sample("line", "cut"), words.cut),
      ...[["point", words.z], ["codeword", words.codeword], ...(snap ? [["candidate", words.candidate], ["chosen", words.chosen_codeword]] : []), ...data, ["half", words.falls]]
        .map(([name, text]) => item(sample("mark", name), text)));
  }

  function update(world, rule, state) {
    const z = state.point;
    plane.draw(sceneOf(world, z));
    legend(world, state.snap);
    for (const key of ["snapped", "chosen"]) rowsOf[key].hidden = !state.snap;
    const g = explorerMath.gradient(world, z);
    const snapped = explorerMath.snapAt(world, z, rule);
    const out = explorerMath.readOut(world, z, rule);
    const sum = explorerMath.methodGradient(world, z, "penalty", rule);
    const opposite = (v) => [-v[0], -v[1]];
    const pull = vectors.minus(world.codewords[out.nearest], z).map((x) => 2 * rule.strength * x);
    const shown = { similarity: opposite(g), quantization: pull, penalty: opposite(sum), snap: state.snap ? opposite(snapped.gradient) : [0, 0] };
    for (const [name, vector] of Object.entries(shown)) arrows[name](z, vector);
    formula.update(shown, state.snap);

    const square = [[-LIMIT, -LIMIT], [LIMIT, -LIMIT], [LIMIT, LIMIT], [-LIMIT, LIMIT]];
    const falls = vectors.length(g) > 1e-9 ? geometry.clip(square, g, vectors.dot(g, z)) : [];
    plane.half.setAttribute("d", polygon(falls));
    rings.style.display = state.snap ? "" : "none";
    rings.setAttribute("d", snapped.candidates.map((i) => `M${place(world.codewords[i])}m-13 0a13 13 0 1 1 26 0a13 13 0 1 1 -26 0`).join(""));
    rings.dataset.candidates = snapped.candidates.join(" ");
    const picked = snapped.chosen;
    chosenMark.style.display = picked === null || !state.snap ? "none" : "";
    if (picked !== null) chosenMark.setAttribute("transform", `translate(${place(world.codewords[picked])})`);
    disc.setAttribute("transform", `translate(${place(z)})`);
    hold.setAttribute("transform", `translate(${place(z)})`);
    hold.style.display = state.snap && out.snapped_verdict === "stays" ? "" : "none";
    says.textContent = picked === null && state.snap ? fill(words.fallback, WORDS.explorer.fallbacks[rule.fallback]) : "";
    tell(out, rule, state.snap);
  }

  function tell(out, rule, snap) {
    const text = {
      // The table speaks of steps, and steps go against gradients: cosine(−a, −g) = cosine(a, g).
      "penalty-cosine": signed(out.penalty_cosine), "penalty-verdict": words.verdicts[out.penalty_verdict],
      "snapped-cosine": signed(out.snapped_cosine), "snapped-verdict": words.verdicts[out.snapped_verdict],
      "loss-value": out.loss.toFixed(3),
      "nearest-distance": out.distance.toFixed(3), "nearest-name": fill(words.number, out.nearest + 1),
      "chosen-distance": out.chosen === null ? "–" : out.chosen_distance.toFixed(3),
      "chosen-name": out.chosen === null ? words.none_descends : fill(words.number, out.chosen + 1),
    };
    const exact = { "penalty-cosine": out.penalty_cosine, "snapped-cosine": out.snapped_cosine, "loss-value": out.loss,
      "nearest-distance": out.distance, "chosen-distance": out.chosen_distance };
    for (const [name, cell] of Object.entries(cells)) {
      renew(cell, { text: text[name], ...(name in exact && { "data-value": exact[name] }) });
      if (name.endsWith("verdict")) cell.classList.toggle("gsl-uphill", text[name] === words.verdicts.UPHILL);
    }
    saying(sentence, describe(out, rule, snap));
  }

  return { node, update };
}

function describe(out, rule, snap) {
  const words = WORDS.point;
  const penalty = fill(words.says_penalty, words.goes[out.penalty_verdict]);
  if (!snap) return penalty;
  if (out.chosen !== null) {
    return fill(words.says_snap, penalty, words.goes[out.snapped_verdict], out.chosen + 1, out.chosen === out.nearest ? words.says_nearest : "");
  }
  const left = {
    zero: rule.form === "replace" ? words.waits : words.descent,
    keep: words.descent,
    nearest: words.descent_and_pull,
  };
  return fill(words.says_fallback, penalty, left[rule.fallback]);
}
