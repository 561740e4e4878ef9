// Chapter 09: one photograph from its pixels through embedding, code and table to what is found; its code can
// be changed by hand. `renderFourBytes({model, el})` is anywidget's entry.
//
// `data` comes from Python and stays: {signs, sheet, columns, labels, queries, spaces: {before, after}}. With a
// `code` by hand, the search starts from the vector that these bytes stand for; without, from the photograph's own.
const BYTES_NAMES = ["data", "query", "after", "code"];
const BYTES_LINKED = BYTES_NAMES.slice(1);
const BYTES_FOUND = 10;

function bytesComplaint({ data, query, after, code }) {
  const words = WORDS.bytes;
  const { M, K } = bytesMath;
  const whole = (value, most) => Number.isInteger(value) && value >= 0 && value <= most;
  if (!data?.queries?.length) return complain(words.some_data, words.none, words.run_again);
  if (!whole(query, data.queries.length - 1)) return complain(fill(words.a_query, data.queries.length - 1), query, words.choose);
  if (typeof after !== "boolean") return complain(words.a_space, after, words.choose);
  if (code !== null && !(Array.isArray(code) && code.length === M && code.every((k) => whole(k, K - 1)))) return complain(fill(words.a_code, M, K - 1), String(code), words.choose);
  return "";
}

function renderFourBytes({ model, el }) {
  const words = WORDS.bytes;
  const { M } = bytesMath;
  const widget = mountWidget({ model, el, label: words.label, names: BYTES_NAMES, linked: BYTES_LINKED, complaint: bytesComplaint, kind: "bytes" });
  const { put } = widget;
  let initial;
  let spaces;
  let code;

  const when = [false, true].map((after) => ({ after, node: make("button", { type: "button", onclick: () => put({ after, code: null }) }, after ? words.after : words.before) }));
  widget.bar.append(make("div", { class: "gsl-modes", role: "group", "aria-label": words.when, "data-control": "after" }, ...when.map(({ node }) => node)),
    make("button", { type: "button", "data-control": "reset", onclick: () => put(initial) }, words.reset));

  const choice = photoChoice(words.query, (query) => put({ query, code: null }));
  const photograph = make("span", { class: "gsl-photograph" });
  const rows = Array.from({ length: M }, (_, m) => byteRow(m, words, (at, k) => put({ code: code.map((one, i) => (i === at ? k : one)) })));
  const sum = make("output", { class: "gsl-large", "data-read": "sum" });
  const parts = make("span");
  const own = make("button", { type: "button", "data-control": "code", onclick: () => put({ code: null }) }, words.own);
  const sentence = make("p", { class: "gsl-sentence", "data-read": "found" });
  const results = make("ol", { class: "gsl-photos gsl-results" });
  const { node: spoken, say } = speaker();
  const step = (text, ...what) => make("li", {}, make("p", { class: "gsl-note" }, text), ...what);
  const tableStep = step("", ...rows.map(({ node }) => node));
  widget.stage.append(choice.node, make("ol", { class: "gsl-chain", "data-control": "chain" },
    step(words.pixels, photograph), tableStep, step(words.sum, parts, sum, " ", own), step(words.found, sentence, results)), spoken);

  const tile = (state, { item, distance }, before, asked) => {
    const { data } = state;
    const name = data.names[data.labels[item]];
    const right = data.labels[item] === data.queries[state.query].label;
    const [x, y] = [item % data.columns, Math.floor(item / data.columns)];
    const picture = data.sheet ? [make("span", { class: "gsl-sheet", style: `background-position: ${-64 * x}px ${-64 * y}px; background-size: ${64 * data.columns}px` }), make("span", {}, name)] : photoTile({ name }, data.signs);
    const isNew = !before.has(item);
    return make("li", { class: `${right ? "gsl-right" : "gsl-wrong"}${isNew ? " gsl-new" : ""}`, "data-item": item, "data-distance": distance },
      ...picture, make("span", {}, `${right ? "✓" : "✗"} ${distance.toFixed(3)}${isNew ? ` ${words.is_new}` : ""}`), photoBytes(bytesMath.codeOf(spaces.at, item), asked));
  };

  widget.start((state) => {
    const { data, query, after } = state;
    initial ??= Object.fromEntries(BYTES_LINKED.map((name) => [name, state[name]]));
    if (!spaces) {
      spaces = { before: bytesMath.unpack(data.spaces.before), after: bytesMath.unpack(data.spaces.after) };
      if (data.sheet) widget.stage.style.setProperty("--sheet", `url(${data.sheet})`);
    }
    spaces.at = spaces[after ? "after" : "before"];
    const asked = data.queries[query];
    const vector = spaces.at.z[query];
    const table = bytesMath.tableOf(spaces.at, vector);
    const best = table.map((entries) => bytesMath.inOrder(entries)[0]);
    code = state.code ?? best;

    for (const one of when) one.node.setAttribute("aria-pressed", one.after === after);
    choice.update(data.queries, query, data.signs);
    if (photograph.dataset.value !== String(query)) {
      photograph.dataset.value = query;
      photograph.replaceChildren(...photoTile(asked, data.signs));
    }
    tableStep.firstChild.textContent = words.rows;
    rows.forEach((row, m) => row.update(spaces.at, vector, table[m], code[m]));
    const total = bytesMath.sumOf(table, code);
    parts.textContent = `${code.map((k, m) => table[m][k].toFixed(3)).join(" + ")} = `;
    sum.textContent = total.toFixed(3);
    sum.dataset.value = total;
    own.disabled = state.code === null;

    const first = bytesMath.nearest(spaces.at, table, BYTES_FOUND);
    const found = state.code === null ? first : bytesMath.nearest(spaces.at, bytesMath.tableOf(spaces.at, bytesMath.vectorOf(spaces.at, code)), BYTES_FOUND);
    const before = new Set(first.map(({ item }) => item));
    results.replaceChildren(...found.map((one) => tile(state, one, before, code)));
    const right = found.filter(({ item }) => data.labels[item] === asked.label).length;
    const fresh = found.filter(({ item }) => !before.has(item)).length;
    const text = fill(state.code === null ? words.says_own : words.says_hand, right, found.length, asked.name, code.join(" "), fresh);
    if (sentence.textContent === text) return;
    if (sentence.textContent) say(text);
    sentence.textContent = text;
  });
  return widget.end;
}
