// What the playground shows: sliders, the pictures, a row for each subspace, the sum, and what is found.
const PQ_SHOWN = 8;
const PQ_WAYS = ["ADC", "SDC", "exact"];

function quantizationPanel({ words, put, anew }) {
  let now; // {state, set, code, best, K, cols}
  const slider = (name, list, label, change) => {
    const value = make("output");
    const input = make("input", { type: "range", min: 0, max: list.length - 1, step: 1, "aria-label": label, oninput: () => change(list[Number(input.value)]) });
    const node = make("label", { "data-control": name }, label, input, value);
    return { node, show: (one, text = one) => { input.value = list.indexOf(one); renew(value, { text }); renew(input, { "aria-valuetext": text }); }, most: (max) => renew(input, { max }) };
  };
  const upTo = (n) => Array.from({ length: n }, (_, i) => i);
  const sliders = {
    n_subspaces: slider("n_subspaces", PQ_SUBSPACES, words.M, (M) => anew({ n_subspaces: M })),
    n_codewords: slider("n_codewords", PQ_CODEWORDS, words.K, (K) => anew({ n_codewords: K })),
    rounds: slider("rounds", upTo(PQ_ROUNDS + 1), words.rounds, (rounds) => anew({ rounds })),
    query: slider("query", upTo(1000), words.query, (query) => anew({ query })),
  };
  const button = (name, text, onclick) => make("button", { "data-control": name, onclick }, text);
  const one = button("rounds", words.one_round, () => anew({ rounds: Math.min(PQ_ROUNDS, now.state.rounds + 1) }));
  const redo = button("seed", words.other_seed, () => anew({ seed: (now.state.seed + 1) % 2 ** 32 }));
  const nearest = button("code", words.nearest_code, () => put({ code: null, item: null }));
  const both = make("input", { type: "checkbox", "aria-label": words.compare, onchange: () => put({ compare: both.checked }) });
  const controls = make("div.gsl-controls", {}, ...Object.values(sliders).map(({ node }) => node));
  const buttons = make("div.gsl-bar", {}, one, redo, nearest, make("label", { "data-control": "compare" }, both, ` ${words.compare}`));

  const pictures = { query: board({ name: words.the_query }), rebuilt: board({ name: words.the_rebuilt }), item: board({ name: words.the_item }) };
  const titles = { query: words.the_query, rebuilt: words.the_rebuilt, item: words.the_item };
  const figures = Object.fromEntries(Object.entries(pictures).map(([name, { node }]) => [name, make("figure", {}, make("figcaption", {}, titles[name]), node)]));
  const [summed, whatSum] = [make("span"), make("output.gsl-large", { "data-read": "sum" })];
  const sum = make("p.gsl-sum", {}, summed, whatSum);
  const sentence = make("p.gsl-sentence");
  const { node: spoken, tell: saying } = speaker();
  const cells = Object.fromEntries(Object.keys(words.facts).map((name) => [name, make("td", { "data-read": name })]));
  const facts = make("table", {}, make("tbody", {}, ...Object.entries(words.facts).map(([name, text]) => make("tr", {}, make("th", { scope: "row" }, text), cells[name]))));
  const rowsNode = make("div.gsl-subspaces");
  const found = foundLists(words, (item) => put({ item, code: null }));
  const why = make("p", { "data-read": "why" });
  const rivals = rivalTable(words);
  const node = make("div.gsl-pq", {}, controls, buttons,
    make("div.gsl-point-mode", {},
      make("div.gsl-beside", {}, make("div.gsl-pictures", {}, ...Object.values(figures)), sum, sentence, facts, spoken),
      make("div.gsl-beside.gsl-wide", {}, make("p.gsl-note", {}, words.rows), rowsNode)),
    found.node, why, rivals.node);

  let rows = [];
  function pick(m, k) {
    const code = now.code.slice();
    code[m] = Math.min(now.K - 1, Math.max(0, k));
    put({ code, item: null });
  }
  function onKey(event, m) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -now.cols, ArrowDown: now.cols };
    if (event.key === "Home") pick(m, now.best[m]);
    else if (event.key in steps) pick(m, now.code[m] + steps[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  function subspaceRow(m) {
    const codebook = board({ onPick: (k) => pick(m, k) });
    const table = board({ heat: true, onPick: (k) => pick(m, k) });
    const value = make("span");
    const row = make("div.gsl-subspace", { role: "slider", tabindex: "0", "aria-label": fill(words.subspace, m + 1), "data-subspace": m, "data-lm-suppress-shortcuts": "true", onkeydown: (event) => onKey(event, m) }, value, codebook.node, table.node);
    return { row, value, codebook, table };
  }

  // A query's lookup tables and what is found with them; they stay while a code is changed by hand.
  let asked = {};
  function search(set, result, query, work) {
    const distances = { ADC: work.adc(set, result, query), SDC: work.sdc(set, result, query), exact: pqMath.exactFrom(set.queries, query, set.database) };
    const orders = PQ_WAYS.map((how) => pqMath.ranked(distances[how]).slice(0, PQ_SHOWN));
    return { result, query, distances, orders, tables: pqMath.tableOf(set.queries, query, result.books) };
  }

  function update(state, set, result, others, work) {
    sliders.n_subspaces.show(state.n_subspaces);
    sliders.n_codewords.show(state.n_codewords);
    sliders.rounds.show(state.rounds, fill(words.of, state.rounds, PQ_ROUNDS));
    sliders.query.most(set.queries.n - 1);
    sliders.query.show(state.query);
    both.checked = state.compare;
    one.disabled = state.rounds >= PQ_ROUNDS;
    if (!result.books) return;
    const { books, assigned, mine } = result;
    const { dim, x } = set.queries;
    const [M, K, d] = [books.length, books[0].K, books[0].d];
    const best = mine.map(({ codes }) => codes[state.query]);
    const code = state.code ?? (state.item === null ? best : assigned.map(({ codes }) => codes[state.item]));
    if (asked.result !== result || asked.query !== state.query) asked = search(set, result, state.query, work);
    const [low, high] = (set.range ??= [Math.min(...set.database.x), Math.max(...set.database.x)]);
    const ink = (value) => (value - low) / (high - low || 1);
    const shape = shapeOf(dim, d);
    const from = state.query * dim;
    const whole = { n: 1, cols: 1, w: shape.width, h: shape.height };
    pictures.query.draw(whole, (_, j) => ink(x[from + j]), asked);
    pictures.rebuilt.draw(whole, (_, j) => ink(books[Math.floor(j / d)].c[code[Math.floor(j / d)] * d + (j % d)]));
    if (state.item !== null) pictures.item.draw(whole, (_, j) => ink(set.database.x[state.item * dim + j]));
    figures.item.hidden = state.item === null;
    for (const picture of Object.values(pictures)) if (picture !== pictures.item || state.item !== null) picture.cuts(d);

    if (rows.length !== M) rowsNode.replaceChildren(...(rows = upTo(M).map(subspaceRow)).map(({ row }) => row));
    const { tables } = asked;
    const parts = tables.map((table, m) => table[code[m]]);
    const grid = { n: K, cols: columnsFor(K, M, shape), w: shape.w, h: shape.h };
    now = { state, set, code, best, K, cols: grid.cols };
    rows.forEach(({ row, value, codebook, table }, m) => {
      const most = Math.max(...tables[m]) || 1;
      codebook.draw(grid, (k, j) => ink(books[m].c[k * d + j]), books[m]);
      table.draw({ ...grid, w: 1, h: 1, gap: 0 }, (k) => 1 - tables[m][k] / most, tables[m]);
      for (const one of [codebook, table]) {
        one.outline("own", code[m]);
        one.outline("best", best[m]);
      }
      renew(value, { text: `${code[m]} → ${parts[m].toFixed(2)}` });
      renew(row, { "aria-valuemin": 0, "aria-valuemax": K - 1, "aria-valuenow": code[m], "aria-valuetext": fill(words.chosen, code[m], K, parts[m].toFixed(2), code[m] === best[m] ? words.is_nearest : "") });
    });

    const total = parts.reduce((all, part) => all + part, 0);
    renew(summed, { text: `${parts.map((part) => part.toFixed(2)).join(" + ")} = ` });
    renew(whatSum, { text: total.toFixed(2), "data-value": total });
    tell(state, set, code, best, total, tables);
    const bits = M * Math.log2(K);
    const exact = { bits, squared_error: total, distortion: result.distortion, query_distortion: result.query_distortion, contrast: result.contrast };
    for (const how of PQ_WAYS) exact[how] = result.recall?.[how];
    const text = { bits: fill(words.bits, bits, Math.ceil(bits / 8), dim), stored: fill(words.stored, M * K, bits) };
    for (const [name, cell] of Object.entries(cells)) renew(cell, { text: text[name] ?? exact[name]?.toFixed(2) ?? "…", "data-value": exact[name] ?? "" });
    renew(why, { text: result.contrast > 0.4 ? fill(words.flat, result.contrast.toFixed(2)) : "" });
    found.update(asked, set, { ...whole, gap: 0 }, ink, state.item);
    rivals.update(others, set, state.query, whole, ink);
  }

  function tell(state, set, code, best, total, tables) {
    const least = best.reduce((all, k, m) => all + tables[m][k], 0).toFixed(2);
    const same = code.every((k, m) => k === best[m]);
    const text = state.item !== null ? fill(words.says_item, state.item, code.join(" "), total.toFixed(2))
      : same ? fill(words.says_nearest, state.query, code.join(" "), total.toFixed(2)) : fill(words.says_own, code.join(" "), total.toFixed(2), least);
    saying(sentence, text);
  }

  return { node, update };
}
