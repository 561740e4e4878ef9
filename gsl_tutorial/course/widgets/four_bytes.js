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
  const { none, run_again, reset_or_choose } = WORDS.page;
  if (!data?.queries?.length) return complain(words.some_data, none, run_again);
  if (!isWhole(query, 0, data.queries.length - 1)) return complain(fill(words.a_query, data.queries.length - 1), query, reset_or_choose);
  if (typeof after !== "boolean") return complain(words.a_space, after, reset_or_choose);
  return codeComplaint(code, M, K);
}

function renderFourBytes({ model, el }) {
  const words = WORDS.bytes;
  const { M } = bytesMath;
  const widget = mountWidget({ model, el, label: words.label, names: BYTES_NAMES, linked: BYTES_LINKED, complaint: bytesComplaint, kind: "bytes" });
  const { put } = widget;
  let initial;
  let spaces;
  let code;
  let now = {}; // what the photograph was compared with: its space, number, lookup table and neighbours

  const when = [false, true].map((after) => ({ after, node: make("button", { onclick: () => put({ after, code: null }) }, after ? words.after : words.before) }));
  widget.bar.append(make("div.gsl-modes", { role: "group", "aria-label": words.when, "data-control": "after" }, ...when.map(({ node }) => node)),
    make("button", { "data-control": "reset", onclick: () => put(initial) }, WORDS.page.reset));

  const choice = photoChoice(words.query, (query) => put({ query, code: null }));
  const photographs = []; // each decoded once
  const photograph = make("span.gsl-photograph");
  const rows = Array.from({ length: M }, (_, m) => byteRow(m, words, (at, k) => put({ code: code.map((one, i) => (i === at ? k : one)) })));
  const sum = make("output.gsl-large", { "data-read": "sum" });
  const parts = make("span");
  const own = make("button", { "data-control": "code", onclick: () => put({ code: null }) }, words.own);
  const sentence = make("p.gsl-sentence", { "data-read": "found" });
  const results = make("ol.gsl-photos.gsl-results");
  const { node: spoken, say } = speaker();
  const step = (text, ...what) => make("li", {}, make("p.gsl-note", {}, text), ...what);
  const tableStep = step(words.rows, ...rows.map(({ node }) => node));
  widget.stage.append(choice.node, make("ol.gsl-chain", { "data-control": "chain" },
    step(words.pixels, photograph), tableStep, step(words.sum, parts, sum, " ", own), step(words.found, sentence, results)), spoken);

  const id = Math.random().toString(36).slice(2); // two of them may share one page
  widget.stage.dataset.sheet = id;
  const sheet = make("style");
  el.append(sheet);
  const tiles = Array.from({ length: BYTES_FOUND }, foundTile);
  const fillTile = (one, { data, query }, { item, distance }, before, asked) => one.update({
    name: data.names[data.labels[item]], right: data.labels[item] === data.queries[query].label, isNew: !before.has(item),
    item, distance, data, code: bytesMath.codeOf(spaces.at, item), asked,
  });

  widget.start((state) => {
    const { data, query, after } = state;
    initial ??= Object.fromEntries(BYTES_LINKED.map((name) => [name, state[name]]));
    if (!spaces) {
      spaces = { before: bytesMath.unpack(data.spaces.before), after: bytesMath.unpack(data.spaces.after) };
      // A rule, and no style of each tile: the address is as long as the picture, and would be read for each.
      if (data.sheet) sheet.textContent = `[data-sheet="${id}"] .gsl-sheet { background-image: url(${JSON.stringify(data.sheet)}); }`;
    }
    spaces.at = spaces[after ? "after" : "before"];
    const asked = data.queries[query];
    const vector = spaces.at.z[query];
    if (now.space !== spaces.at || now.query !== query) {
      const table = bytesMath.tableOf(spaces.at, vector);
      now = { space: spaces.at, query, table, orders: table.map((row) => bytesMath.inOrder(row)), first: bytesMath.nearest(spaces.at, table, BYTES_FOUND) };
    }
    const { table, orders, first } = now;
    code = state.code ?? orders.map(([best]) => best);

    for (const one of when) one.node.setAttribute("aria-pressed", one.after === after);
    choice.update(data.queries, query, data.signs);
    if (photograph.dataset.value !== String(query)) {
      photograph.dataset.value = query;
      photograph.replaceChildren(...(photographs[query] ??= photoTile(asked, data.signs)));
    }
    rows.forEach((row, m) => row.update(spaces.at, vector, table[m], orders[m], code[m]));
    const total = bytesMath.sumOf(table, code);
    renew(parts, { text: `${code.map((k, m) => table[m][k].toFixed(3)).join(" + ")} = ` });
    renew(sum, { text: total.toFixed(3), "data-value": total });
    own.disabled = state.code === null;

    const found = state.code === null ? first : bytesMath.nearest(spaces.at, bytesMath.tableOf(spaces.at, bytesMath.vectorOf(spaces.at, code)), BYTES_FOUND);
    const before = new Set(first.map(({ item }) => item));
    found.forEach((one, i) => fillTile(tiles[i], state, one, before, code));
    if (results.childElementCount !== found.length) results.replaceChildren(...tiles.slice(0, found.length).map(({ node }) => node));
    const right = found.filter(({ item }) => data.labels[item] === asked.label).length;
    const fresh = found.filter(({ item }) => !before.has(item)).length;
    const text = fill(state.code === null ? words.says_own : words.says_hand, right, found.length, asked.name, code.join(" "), fresh);
    if (sentence.textContent === text) return;
    if (sentence.textContent) say(text);
    sentence.textContent = text;
  });
  return widget.end;
}

// A photograph that was found: cut out of the sheet, or a square in the colour of its class.
function foundTile() {
  const words = WORDS.bytes;
  const [picture, title, told] = [make("span"), make("span"), make("span")];
  const bytes = Array.from({ length: bytesMath.M }, () => make("span"));
  const node = make("li", {}, picture, title, told, make("span.gsl-bytes", {}, ...bytes));
  function update({ name, right, isNew, item, distance, data: { sheet, columns, signs }, code, asked }) {
    renew(node, { class: `${right ? "gsl-right" : "gsl-wrong"}${isNew ? " gsl-new" : ""}`, "data-item": item, "data-distance": distance });
    renew(picture, sheet
      ? { class: "gsl-sheet", style: `background-position: ${-64 * (item % columns)}px ${-64 * Math.floor(item / columns)}px; background-size: ${64 * columns}px` }
      : { class: "gsl-sign", style: `background: ${signs[name]}` });
    renew(title, { text: name });
    renew(told, { text: `${right ? "✓" : "✗"} ${distance.toFixed(3)}${isNew ? ` ${words.is_new}` : ""}` });
    bytes.forEach((byte, m) => renew(byte, { text: code[m], class: code[m] === asked[m] ? "gsl-same" : "" }));
  }
  return { node, update };
}
