// The map of chapter 07: where does snapping matter? Cells as tiles, one cell's methods, and a bet.
//
// `renderMethodMap({model, el})` is anywidget's entry. Every text and number comes from Python; a cell keeps
// them to itself until the reader has bet, or has asked for the whole map.
const MAP_NAMES = ["found", "cell", "method", "rival", "bets", "whole"];

function mapComplaint({ found, cell, method, rival, bets }) {
  const words = WORDS.map;
  const isCell = (one) => one && typeof one.name === "string" && Array.isArray(one.rows) && Number.isInteger(one.M) && Number.isInteger(one.K);
  const isMap = found && Array.isArray(found.cells) && found.cells.length && found.cells.every(isCell) && Array.isArray(found.methods) && Array.isArray(found.rivals);
  if (!isMap) return complain(words.a_map, WORDS.page.something_else, words.pass_map);
  const names = found.cells.map((one) => one.name);
  const keys = (list) => list.map((one) => one.key);
  const fault = notAmong(words.a_cell, cell, names) || notAmong(words.a_method, method, keys(found.methods)) || notAmong(words.a_rival, rival, keys(found.rivals));
  if (fault) return fault;
  const isBet = ([where, guess]) => names.includes(where) && guess in words.guesses;
  const bad = typeof bets === "string" ? Object.entries(mapMarks.readBets(bets)).find((one) => !isBet(one)) : [bets];
  return bad ? complain(fill(words.bets, Object.keys(words.guesses).join(", ")), bad.join("="), words.mend) : "";
}

function renderMethodMap({ model, el }) {
  const words = WORDS.map;
  const widget = mountWidget({ model, el, label: words.label, names: MAP_NAMES, linked: MAP_NAMES.slice(1), complaint: mapComplaint, kind: "map" });
  const { put } = widget;
  let drawn; // the map that the elements below were made for
  let grid;
  let panel;

  const menu = (name) => {
    const select = make("select", { onchange: () => put({ [name]: select.value }) });
    widget.bar.append(make("label", {}, `${words[name]} `, select));
    return select;
  };
  const methods = menu("method");
  const rivals = menu("rival");
  const all = make("button", { onclick: () => put({ whole: !model.get("whole") }) }, words.show_all);
  const reset = make("button", { onclick: () => put({ bets: "", whole: false, method: "snap-pull", rival: "penalty" }) }, WORDS.page.reset);
  const score = make("span.gsl-note", { "data-read": "score" });
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
    const legend = make("p.gsl-note", {}, words.legend);
    widget.stage.replaceChildren(make("div.gsl-map", {}, make("div.gsl-map-left", {}, grid.node, legend), panel.node));
  }

  widget.start((state) => {
    const { found, cell, method, rival, whole } = state;
    if (found !== drawn) build(found);
    const bets = mapMarks.readBets(state.bets);
    const isOpen = (one) => whole || one.name in bets || one.state === "not yet run";
    methods.value = method;
    rivals.value = rival;
    renew(all, { "aria-pressed": whole });
    const nameOf = (list, key) => list.find((one) => one.key === key).name;
    const [one, other] = [nameOf(found.methods, method), nameOf(found.rivals, rival)];
    grid.update(found.cells.find((each) => each.name === cell), (each) => {
      if (each.state === "not yet run") return { look: "unrun", text: words.not_run, spoken: words.not_run };
      if (!isOpen(each)) return { look: each.state === "tuned" ? "closed gsl-map-untested" : "closed", text: "?", spoken: words.bet_first };
      const gain = each.rows.find((row) => row.method === method)?.against.find((row) => row.rival === rival);
      if (!gain) return { look: each.state === "tuned" ? "untested" : "closed", text: method === rival ? words.itself : words.no_interval, spoken: words.no_interval_yet };
      return { look: gain.verdict, text: `${mapMarks.SIGNS[gain.verdict]} ${gain.short}`, spoken: fill(words.difference, one, other, gain.text) };
    });
    const chosen = found.cells.find((each) => each.name === cell);
    panel.update(chosen, { method, rival, guess: bets[cell], open: isOpen(chosen) });
    const decided = found.cells.filter((each) => each.name in bets && each.verdict !== "open");
    const right = decided.filter((each) => bets[each.name] === each.verdict).length;
    renew(score, { text: decided.length ? fill(words.score, right, decided.length) : "" });
  });
  return widget.end;
}
