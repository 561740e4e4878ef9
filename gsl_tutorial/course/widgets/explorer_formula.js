// The formula under the plane, filled with the numbers of the picture. A term lights its arrow when it is
// pointed at or has the focus, and an arrow its term.
function formulaView(arrowNodes) {
  const words = WORDS.formula;
  const number = (x) => (x < 0 ? "−" : "") + Math.abs(x).toFixed(2);
  const pair = ([x, y]) => `(${number(x)}, ${number(y)})`;
  const terms = {};
  const lit = (name, on) => {
    arrowNodes[name].classList.toggle("gsl-lit-arrow", on);
    for (const node of terms[name]) node.classList.toggle("gsl-lit-term", on);
  };
  function term(name, key) {
    const node = make("span", { class: `gsl-term gsl-line-${name}`, tabindex: "0", "data-term": key });
    (terms[name] ??= []).push(node);
    for (const [event, on] of [["pointerenter", true], ["pointerleave", false], ["focus", true], ["blur", false]]) node.addEventListener(event, () => lit(name, on));
    return node;
  }
  const parts = { g: term("similarity", "g"), pull: term("quantization", "pull"), sum: term("penalty", "sum"), g2: term("similarity", "g2"), sum2: term("penalty", "sum2"), g3: term("similarity", "g3"), snap: term("snap", "snap") };
  const inner = make("output", { "data-read": "inner-penalty" });
  const snapInner = make("output", { "data-read": "inner-snap" });
  const snapLine = make("div", {}, "⟨", parts.g3, ", ", parts.snap, "⟩ = ", snapInner);
  const node = make("div.gsl-formula", { "data-control": "formula", "aria-label": words.label, role: "group" },
    make("div", {}, parts.g, " + ", parts.pull, " = ", parts.sum),
    make("div", {}, "⟨", parts.g2, ", ", parts.sum2, "⟩ = ", inner), snapLine);
  for (const [name, arrow] of Object.entries(arrowNodes)) {
    arrow.addEventListener("pointerenter", () => lit(name, true));
    arrow.addEventListener("pointerleave", () => lit(name, false));
  }

  const says = (a, b) => {
    const [x, y, all] = [a[0] * b[0], a[1] * b[1], vectors.dot(a, b)];
    return `${number(x)} ${y < 0 ? "−" : "+"} ${Math.abs(y).toFixed(2)} = ${number(all)} ${all < -1e-9 ? words.uphill : all > 1e-9 ? words.downhill : words.level}`;
  };
  function update({ similarity, quantization, penalty, snap }, snapped) {
    const named = { g: ["−g", similarity], pull: [words.pull, quantization], sum: [words.sum, penalty], g2: ["−g", similarity], sum2: [words.sum, penalty], g3: ["−g", similarity], snap: [words.snap, snap] };
    for (const [key, [name, vector]] of Object.entries(named)) parts[key].textContent = /\d/.test(key) ? name : `${name} ${pair(vector)}`;
    for (const [output, vector] of [[inner, penalty], [snapInner, snap]]) {
      output.textContent = says(similarity, vector);
      output.dataset.value = vectors.dot(similarity, vector);
    }
    snapLine.hidden = !snapped;
  }
  return { node, update };
}
