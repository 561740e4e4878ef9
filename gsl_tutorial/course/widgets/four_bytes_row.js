// One byte of the code: its part of the embedding, its codewords from the nearest to the farthest, its number.
const SVG_WIDE = 256;

function byteRow(m, words, pick) {
  const { K, d } = bytesMath;
  const bars = element("svg", { viewBox: "0 0 80 40", class: "gsl-parts", "aria-hidden": "true" });
  element("path", { d: "M0 20H80", class: "gsl-axis" }, bars);
  const part = pathIn(bars, "gsl-part");
  const stands = pathIn(bars, "gsl-stands");
  const curve = element("svg", { viewBox: `0 0 ${SVG_WIDE} 30`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const area = pathIn(curve, "gsl-area");
  const cursor = pathIn(curve, "gsl-cursor");
  const byte = make("input", { type: "number", min: 0, max: K - 1, step: 1, inputmode: "numeric", "aria-label": fill(words.byte, m + 1), "data-byte": m, onchange: () => typed() });
  const range = make("input", { type: "range", min: 0, max: K - 1, step: 1, "aria-label": fill(words.walk, m + 1), "data-walk": m, oninput: () => pick(m, now.order[Number(range.value)]) });
  const value = make("output", { "data-entry": m });
  const node = make("div.gsl-byte", {}, bars, make("label", {}, `${fill(words.byte, m + 1)} `, byte), make("div.gsl-walk", {}, curve, range), value);
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
    renew(part, { d: Array.from(word, (_, j) => `M${10 * j + 5} 20V${y(vector[m * d + j])}`).join("") });
    renew(stands, { d: Array.from(word, (one, j) => `M${10 * j + 1} ${y(one)}h8`).join("") });
    const most = entries[order[K - 1]] || 1;
    renew(area, { d: `M0 30${order.map((one, x) => `L${x} ${(30 - (28 * entries[one]) / most).toFixed(1)}`).join("")}L${SVG_WIDE} 30Z` });
    renew(cursor, { d: `M${place} 0V30` });
    byte.value = k;
    range.value = place;
    renew(range, { "aria-valuetext": fill(words.walked, k, place + 1, entries[k].toFixed(3)) });
    renew(value, { text: entries[k].toFixed(3), "data-value": entries[k] });
  }
  return { node, update };
}
