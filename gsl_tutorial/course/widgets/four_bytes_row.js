// One byte of the code: its part of the embedding, its codewords from the nearest to the farthest, its number.
const SVG_WIDE = 256;

function byteRow(m, words, pick) {
  const { K, d } = bytesMath;
  const bars = element("svg", { viewBox: "0 0 80 40", class: "gsl-parts", "aria-hidden": "true" });
  element("path", { d: "M0 20H80", class: "gsl-axis" }, bars);
  const part = element("path", { class: "gsl-part" }, bars);
  const stands = element("path", { class: "gsl-stands" }, bars);
  const curve = element("svg", { viewBox: `0 0 ${SVG_WIDE} 30`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const area = element("path", { class: "gsl-area" }, curve);
  const cursor = element("path", { class: "gsl-cursor" }, curve);
  const byte = make("input", { type: "number", min: 0, max: K - 1, step: 1, inputmode: "numeric", "aria-label": fill(words.byte, m + 1), "data-byte": m, onchange: () => typed() });
  const range = make("input", { type: "range", min: 0, max: K - 1, step: 1, "aria-label": fill(words.walk, m + 1), "data-walk": m, oninput: () => pick(m, now.order[Number(range.value)]) });
  const value = make("output", { "data-entry": m });
  const node = make("div", { class: "gsl-byte" }, bars, make("label", {}, `${fill(words.byte, m + 1)} `, byte), make("div", { class: "gsl-walk" }, curve, range), value);
  let now; // {order, k}

  function typed() {
    const k = Number(byte.value);
    if (byte.value !== "" && Number.isInteger(k) && k >= 0 && k < K) pick(m, k);
    else byte.value = now.k; // what is no byte is not taken
  }

  function update(space, vector, entries, order, k) {
    const place = order.indexOf(k);
    now = { order, k };
    const y = (one) => (20 - 26 * one).toFixed(1);
    const word = bytesMath.codeword(space, m, k);
    part.setAttribute("d", Array.from(word, (_, j) => `M${10 * j + 5} 20V${y(vector[m * d + j])}`).join(""));
    stands.setAttribute("d", Array.from(word, (one, j) => `M${10 * j + 1} ${y(one)}h8`).join(""));
    const most = entries[order[K - 1]] || 1;
    area.setAttribute("d", `M0 30${order.map((one, x) => `L${x} ${(30 - (28 * entries[one]) / most).toFixed(1)}`).join("")}L${SVG_WIDE} 30Z`);
    cursor.setAttribute("d", `M${place} 0V30`);
    byte.value = k;
    range.value = place;
    range.setAttribute("aria-valuetext", fill(words.walked, k, place + 1, entries[k].toFixed(3)));
    value.textContent = entries[k].toFixed(3);
    value.dataset.value = entries[k];
  }
  return { node, update };
}
