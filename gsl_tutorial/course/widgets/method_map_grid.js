// The cells as tiles: K to the right, M downwards, lines between cells of equal bits.
//
// A group of radio buttons: one tile is in the order of Tab, arrow keys go to the nearest tile that way.
function mapGrid({ cells, onCell }) {
  const words = WORDS.map;
  const Ms = [...new Set(cells.map((cell) => cell.M))].sort((a, b) => a - b);
  const Ks = [...new Set(cells.map((cell) => cell.K))].sort((a, b) => a - b);
  const at = (cell) => [Ks.indexOf(cell.K), Ms.indexOf(cell.M)];
  const node = make("div.gsl-map-grid", { style: `--columns: ${Ks.length}` });
  const place = (what, column, row) => {
    what.style.gridColumn = column;
    what.style.gridRow = row;
    node.append(what);
  };
  place(make("span.gsl-map-corner", {}, "M \\ K"), 1, 1);
  Ks.forEach((K, i) => place(make("span.gsl-map-head", {}, String(K)), i + 2, 1));
  Ms.forEach((M, j) => place(make("span.gsl-map-head", {}, String(M)), 1, j + 2));

  const links = element("svg", { viewBox: `0 0 ${Ks.length} ${Ms.length}`, preserveAspectRatio: "none", class: "gsl-map-links", "aria-hidden": "true" });
  place(links, `2 / ${Ks.length + 2}`, `2 / ${Ms.length + 2}`);
  const lines = new Map();
  for (const cell of cells) {
    const same = cells.filter((other) => other.bits === cell.bits).sort((a, b) => a.K - b.K);
    if (same.length < 2 || lines.has(cell.bits)) continue;
    const points = same.map((one) => at(one).map((x) => x + 0.5).join(" "));
    lines.set(cell.bits, element("path", { d: `M${points.join("L")}`, class: "gsl-map-link", "vector-effect": "non-scaling-stroke" }, links));
  }

  const group = make("div.gsl-map-tiles", { role: "radiogroup", "aria-label": words.cells });
  node.append(group); // takes part in the grid by display: contents
  const tiles = cells.map((cell) => {
    const parts = { size: make("b"), bits: make("span"), found: make("span.gsl-map-found") };
    parts.size.textContent = cell.label;
    parts.bits.textContent = fill(words.bits, cell.bits);
    const tile = make("button", { role: "radio", "data-cell": cell.name, onclick: () => onCell(cell.name) }, parts.size, parts.bits, parts.found);
    const [column, row] = at(cell);
    tile.style.gridColumn = column + 2;
    tile.style.gridRow = row + 2;
    group.append(tile);
    return { tile, found: parts.found };
  });

  function next(key, from) {
    const inOrder = cells.map((cell, i) => ({ i, x: at(cell)[0], y: at(cell)[1] })).sort((a, b) => a.y - b.y || a.x - b.x);
    if (key === "Home") return inOrder[0].i;
    if (key === "End") return inOrder[inOrder.length - 1].i;
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
    if (!way) return undefined;
    const [x, y] = at(cells[from]);
    const far = (one) => [(one.x - x) * way[0] + (one.y - y) * way[1], Math.abs((one.x - x) * way[1]) + Math.abs((one.y - y) * way[0])];
    const there = inOrder.filter((one) => far(one)[0] > 0).sort((a, b) => far(a)[1] * 10 + far(a)[0] - far(b)[1] * 10 - far(b)[0]);
    return there[0]?.i;
  }
  arrowKeys(group, () => tiles.map(({ tile }) => tile), next, (i) => onCell(cells[i].name));

  // `say(cell)` gives {look, text, spoken} of a tile.
  function update(chosen, say) {
    cells.forEach((cell, i) => {
      const { look, text, spoken } = say(cell);
      const { tile, found } = tiles[i];
      const here = cell.name === chosen.name;
      renew(tile, {
        class: `gsl-map-tile gsl-map-${look}${cell.bits === chosen.bits && !here ? " gsl-map-equal" : ""}`,
        "aria-checked": here, tabindex: here ? 0 : -1, "aria-label": fill(words.tile, cell.label, cell.bits, spoken),
      });
      renew(found, { text });
    });
    for (const [bits, line] of lines) line.classList.toggle("gsl-map-linked", bits === chosen.bits);
  }
  return { node, update };
}
