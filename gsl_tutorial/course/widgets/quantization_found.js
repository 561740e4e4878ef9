// What a search finds, in three ways one under the other; and codebooks of 4 and 8 bits side by side.
function foundLists(words, onPick) {
  const lists = PQ_WAYS.map((how) => {
    const items = Array.from({ length: PQ_SHOWN }, () => {
      const picture = board();
      const node = make("button", { onclick: () => onPick(Number(node.dataset.item)) }, picture.node);
      return { node, picture };
    });
    return { how, items, node: make("div.gsl-found", { role: "group", "aria-label": fill(words.found_by, words.ways[how]), "data-found": how }, make("b", {}, words.ways[how]), ...items.map(({ node }) => node)) };
  });
  const node = make("div", { "data-control": "search" }, make("p.gsl-note", {}, words.found), ...lists.map((list) => list.node));

  function update({ distances, orders }, set, whole, ink, chosen) {
    const [nearest] = orders[PQ_WAYS.indexOf("exact")];
    const { x, dim } = set.database;
    lists.forEach(({ how, items }, i) =>
      items.forEach(({ node: tile, picture }, place) => {
        const item = orders[i][place];
        tile.hidden = item === undefined;
        if (item === undefined) return;
        picture.draw(whole, (_, j) => ink(x[item * dim + j]), `${set.key} ${item} ${whole.w}`);
        renew(tile, {
          "data-item": item, class: item === nearest ? "gsl-true" : "", "aria-pressed": item === chosen,
          "aria-label": fill(words.item, place + 1, item, distances[how][item].toFixed(2), item === nearest ? words.true_nearest : ""),
        });
      }));
  }
  return { node, update };
}

function rivalTable(words) {
  const body = make("tbody");
  const head = make("tr", {}, ...words.rival_columns.map((text) => make("th", { scope: "col" }, text)));
  const table = make("table.gsl-rivals", {}, make("caption", {}, words.rivals), make("thead", {}, head), body);
  const node = make("div.gsl-scroll", { tabindex: "0", role: "group", "aria-label": words.rivals, hidden: "" }, table);
  let lines = [];

  function update(rivals, set, query, whole, ink) {
    node.hidden = !rivals.length;
    if (lines.length !== rivals.length) {
      lines = rivals.map(() => ({ picture: board({ name: words.the_rebuilt }), cells: words.rival_columns.map(() => make("td")) }));
      body.replaceChildren(...lines.map(({ picture, cells }) => {
        cells[1].append(picture.node);
        return make("tr", {}, ...cells);
      }));
    }
    rivals.forEach(({ M, K, result }, i) => {
      const { picture, cells } = lines[i];
      cells[0].textContent = fill(words.rival, Math.log2(K), M, K);
      cells[5].textContent = M * K;
      if (!result.books) return;
      const d = set.queries.dim / M;
      const code = result.mine.map(({ codes }) => codes[query]);
      picture.draw(whole, (_, j) => ink(result.books[Math.floor(j / d)].c[code[Math.floor(j / d)] * d + (j % d)]));
      [result.distortion, result.query_distortion, result.recall?.ADC].forEach((value, j) => {
        cells[j + 2].textContent = value?.toFixed(2) ?? "…";
        cells[j + 2].dataset.value = value ?? "";
      });
    });
  }
  return { node, update };
}
