// The playground of product quantization: cut a vector, choose a codeword for each subvector, watch the
// reconstruction, the sum over the lookup table, and the search with the codes alone: chapter 03.
//
// `renderQuantization({model, el})` is anywidget's entry. All numbers are computed in the page.
const PQ_NAMES = ["vectors", "n_queries", "data", "n_subspaces", "n_codewords", "rounds", "seed", "query", "code", "item", "compare"];
const PQ_LINKED = PQ_NAMES.slice(2);
const PQ_DATA = ["given", "clusters", "random", "own"];
const PQ_SUBSPACES = [1, 2, 4, 8, 16];
const PQ_CODEWORDS = [2, 4, 8, 16, 32, 64, 128, 256];
const PQ_ROUNDS = 12;
const PQ_MS = 9; // of each frame for the work; the rest is for drawing

function renderQuantization({ model, el }) {
  const words = WORDS.quantization;
  const work = pqWork();
  let own = null; // the reader's own set
  let given;
  let madeSets = {};
  let fileWrong = "";

  function setOf({ data, vectors, n_queries: nQueries, seed }) {
    if (data === "own") return own;
    if (data === "given") {
      if (given?.vectors !== vectors) given = { vectors, set: pqData.halves(`given-${vectors.n}`, pqData.unpack(vectors), nQueries) };
      return given.set;
    }
    const key = `${data} ${seed}`;
    madeSets = { [key]: madeSets[key] ?? pqData.made(data, seed) };
    return madeSets[key];
  }

  const complaint = (state) => quantizationComplaint(state, setOf);
  const notes = (state) => [fileWrong, state.data === "own" && own ? fill(words.used, own.name, own.used, own.total.toLocaleString("en")) : ""].filter(Boolean);
  const widget = mountWidget({ model, el, label: words.label, names: PQ_NAMES, linked: PQ_LINKED, complaint, notes, kind: "quantization" });
  const anew = (changes) => widget.put({ code: null, item: null, ...changes });
  let initial;
  let asked; // the result that the frame before was for

  const file = make("input", { type: "file", accept: ".csv,.npy,.txt", "aria-label": words.file, "data-control": "file", onchange: () => take(file.files[0]) });
  const menu = make("select", { "aria-label": words.vectors, onchange: () => anew({ data: menu.value, query: 0 }) }, ...PQ_DATA.map((name) => make("option", { value: name }, words.data[name])));
  widget.bar.append(make("label", { "data-control": "data" }, `${words.vectors} `, menu), make("label", { "data-control": "file" }, `${words.file} `, file),
    make("button", { "data-control": "reset", onclick: () => widget.put(initial) }, WORDS.page.reset));
  const panel = quantizationPanel({ words, put: widget.put, anew });
  widget.stage.append(panel.node);

  async function take(taken) {
    if (!taken) return;
    try {
      const set = await pqData.read(taken);
      const most = PQ_SUBSPACES.filter((M) => set.database.dim % M === 0 && M <= model.get("n_subspaces")).pop();
      const K = PQ_CODEWORDS.filter((one) => one <= set.database.n && one <= model.get("n_codewords")).pop();
      own = set;
      fileWrong = "";
      anew({ data: "own", query: 0, n_subspaces: most, n_codewords: K });
    } catch (error) {
      fileWrong = `${taken.name}: ${error.message}`;
    }
    file.value = ""; // the same file may be taken again
    widget.redraw();
  }
  el.addEventListener("dragover", (event) => event.preventDefault());
  el.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });

  widget.start((state) => {
    initial ??= Object.fromEntries(PQ_LINKED.map((name) => [name, state[name]]));
    menu.value = state.data;
    menu.querySelector("[value='own']").disabled = !own;
    const set = setOf(state);
    const wish = { set, M: state.n_subspaces, K: state.n_codewords, rounds: state.rounds, seed: state.seed };
    const result = work.ask(wish);
    const rivals = state.compare ? rivalsOf(wish).map((one) => ({ ...one, result: work.ask({ ...wish, ...one }) })) : [];
    work.want([result, ...rivals.map((one) => one.result)]);
    const begins = result !== asked && !result.ready; // its first frame shows what was asked; the work follows
    asked = result;
    const done = !begins && work.step(PQ_MS);
    panel.update(state, set, result, rivals, work);
    widget.stage.dataset.busy = String(!done);
    if (!done) widget.redraw();
  });

  return widget.end;
}

// Codebooks of 4 and of 8 bits for codes of the same length, as near to that of the wish as they come.
function rivalsOf({ set, M, K }) {
  const { dim, n } = set.database;
  const bytes = [1, 2, 4, 8].filter((B) => dim % (2 * B) === 0 && B <= Math.max(1, Math.round((M * Math.log2(K)) / 8))).pop() ?? 1;
  return [{ M: 2 * bytes, K: 16 }, { M: bytes, K: 256 }].filter((one) => dim % one.M === 0 && n >= one.K);
}

function quantizationComplaint(state, setOf) {
  const words = WORDS.quantization;
  const { move_slider, reset_or_choose } = WORDS.page;
  const { data, n_subspaces: M, n_codewords: K, rounds, seed, query, code, item } = state;
  if (!PQ_DATA.includes(data)) return complain(fill(words.a_choice, PQ_DATA.join(", ")), `'${data}'`, reset_or_choose);
  if (!isWhole(seed, 0, 2 ** 32 - 1)) return complain(fill(words.from_to, "seed", 0, 2 ** 32 - 1), seed, reset_or_choose);
  const set = setOf(state);
  if (!set) return complain(words.your_file, words.stays, words.drop_again);
  const { n, dim } = set.database;
  if (!PQ_SUBSPACES.includes(M) || dim % M) return complain(fill(words.divides, PQ_SUBSPACES.filter((one) => dim % one === 0).join(", "), dim), M, move_slider);
  if (!PQ_CODEWORDS.includes(K) || K > n) return complain(fill(words.enough, PQ_CODEWORDS.filter((one) => one <= n).join(", "), n), K, move_slider);
  if (!isWhole(rounds, 0, PQ_ROUNDS)) return complain(fill(words.from_to, "rounds", 0, PQ_ROUNDS), rounds, move_slider);
  if (!isWhole(query, 0, set.queries.n - 1)) return complain(fill(words.from_to, "query", 0, set.queries.n - 1), query, move_slider);
  if (item !== null && !isWhole(item, 0, n - 1)) return complain(fill(words.from_to, "item", 0, n - 1), item, reset_or_choose);
  return codeComplaint(code, M, K);
}
