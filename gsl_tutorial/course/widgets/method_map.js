// The map of chapter 07: where does snapping matter? Cells as tiles, one cell's methods, and a bet.
//
// `renderMethodMap({model, el})` is anywidget's entry. Every text and number comes from Python; a cell keeps
// them to itself until the reader has bet, or has asked for the whole map.
const MAP_NAMES = ["found", "cell", "method", "rival", "bets", "whole"];

function mapComplaint({ found, cell, method, rival, bets }) {
  const isCell = (one) => one && typeof one.name === "string" && Array.isArray(one.rows) && Number.isInteger(one.M) && Number.isInteger(one.K);
  const isMap = found && Array.isArray(found.cells) && found.cells.length && found.cells.every(isCell) && Array.isArray(found.methods) && Array.isArray(found.rivals);
  if (!isMap) return "expected a map with one cell or more; got something else. What to do: pass read_map().";
  const names = found.cells.map((one) => one.name);
  if (!names.includes(cell)) return `expected a cell out of ${names.join(", ")}; got ${cell}. What to do: choose one of them.`;
  const keys = (list) => list.map((one) => one.key);
  if (!keys(found.methods).includes(method)) return `expected a method out of ${keys(found.methods).join(", ")}; got ${method}. What to do: choose one of them.`;
  if (!keys(found.rivals).includes(rival)) return `expected a rival out of ${keys(found.rivals).join(", ")}; got ${rival}. What to do: choose one of them.`;
  const isBet = ([where, guess]) => names.includes(where) && guess in MAP_GUESSES;
  const bad = typeof bets === "string" ? Object.entries(mapMarks.readBets(bets)).find((one) => !isBet(one)) : [bets];
  if (bad) return `expected bets like 2x4=wins, with ${Object.keys(MAP_GUESSES).join(", ")}; got ${bad.join("=")}. What to do: mend the bets.`;
  return "";
}

function renderMethodMap({ model, el }) {
  const widget = mountWidget({ model, el, label: "The map: when does snapping matter?", names: MAP_NAMES, linked: MAP_NAMES.slice(1), complaint: mapComplaint, kind: "map" });
  const { put } = widget;
  let drawn; // the map that the elements below were made for
  let grid;
  let panel;

  const menu = (name, label) => {
    const select = make("select", { onchange: () => put({ [name]: select.value }) });
    widget.bar.append(make("label", {}, `${label} `, select));
    return select;
  };
  const methods = menu("method", "tiles compare");
  const rivals = menu("rival", "with");
  const all = make("button", { type: "button", onclick: () => put({ whole: !model.get("whole") }) }, "Show the whole map");
  const reset = make("button", { type: "button", onclick: () => put({ bets: "", whole: false, method: "snap-pull", rival: "penalty" }) }, "Reset");
  const score = make("span", { class: "gsl-note", "data-read": "score" });
  widget.bar.append(all, reset, score);

  function build(found) {
    drawn = found;
    const options = (list) => list.map(({ key, name }) => make("option", { value: key }, name));
    methods.replaceChildren(...options(found.methods));
    rivals.replaceChildren(...options(found.rivals));
    grid = mapGrid({ cells: found.cells, onCell: (cell) => put({ cell }) });
    panel = mapPanel({
      found,
      onCell: (cell) => put({ cell }),
      onMethod: (method) => put({ method }),
      onBet: (guess) => {
        const bets = mapMarks.readBets(model.get("bets"));
        const cell = model.get("cell");
        bets[cell] ??= guess; // a bet is a bet
        put({ bets: mapMarks.writeBets(bets) });
      },
    });
    const legend = make("p", { class: "gsl-note" }, "▲ higher, ▼ lower, ≈ no clear difference, ? bet first. Dashed: not tested yet. Lines join cells of equal bits.");
    widget.stage.replaceChildren(make("div", { class: "gsl-map" }, make("div", { class: "gsl-map-left" }, grid.node, legend), panel.node));
  }

  widget.start((state) => {
    const { found, cell, method, rival, whole } = state;
    if (found !== drawn) build(found);
    const bets = mapMarks.readBets(state.bets);
    const isOpen = (one) => whole || one.name in bets || one.state === "not yet run";
    methods.value = method;
    rivals.value = rival;
    all.setAttribute("aria-pressed", whole);
    const nameOf = (list, key) => list.find((one) => one.key === key).name;
    const [one, other] = [nameOf(found.methods, method), nameOf(found.rivals, rival)];
    grid.update(found.cells.find((each) => each.name === cell), (each) => {
      if (each.state === "not yet run") return { look: "unrun", text: "not yet run", spoken: "not yet run" };
      if (!isOpen(each)) return { look: each.state === "tuned" ? "closed gsl-map-untested" : "closed", text: "?", spoken: "bet first" };
      const gain = each.rows.find((row) => row.method === method)?.against.find((row) => row.rival === rival);
      if (!gain) return { look: each.state === "tuned" ? "untested" : "closed", text: method === rival ? "itself" : "no interval", spoken: "no interval yet" };
      return { look: gain.verdict, text: `${mapMarks.SIGNS[gain.verdict]} ${gain.short}`, spoken: `${one} less ${other} ${gain.text}` };
    });
    const chosen = found.cells.find((each) => each.name === cell);
    panel.update(chosen, { method, rival, guess: bets[cell], open: isOpen(chosen) });
    const decided = found.cells.filter((each) => each.name in bets && each.verdict !== "open");
    const right = decided.filter((each) => bets[each.name] === each.verdict).length;
    score.textContent = decided.length ? `Bets: ${right} of ${decided.length} right.` : "";
  });
  return widget.end;
}
