// One cell: the bet, then its methods side by side, and all numbers of the chosen one.
function mapPanel({ found, onBet, onMethod, onCell }) {
  const words = WORDS.map;
  const title = make("p", { class: "gsl-map-title" });
  const hint = make("p", { class: "gsl-map-hint" });
  const question = make("p", {}, make("b", {}, words.bet), words.question);
  const guesses = Object.entries(words.guesses).map(([guess, text]) =>
    make("button", { type: "button", "data-bet": guess, onclick: () => onBet(guess) }, text));
  const bet = make("div", { class: "gsl-map-bet", role: "group", "aria-label": words.your_bet }, question, make("div", { class: "gsl-map-guesses" }, ...guesses));
  const answer = make("p", { class: "gsl-map-answer", role: "status", "data-read": "answer" });

  const head = make("div", { class: "gsl-map-row gsl-map-heads", "aria-hidden": "true" },
    make("span"), ...words.columns.map((text) => make("span", {}, text)), make("span"));
  const against = head.lastChild;
  const rows = found.methods.map(({ key, name, colour, mark }) => {
    const svg = element("svg", { viewBox: "-9 -9 18 18", class: "gsl-map-key" });
    svg.append(mapMarks.mark(mark));
    const strip = element("svg", { viewBox: "0 0 200 20", class: "gsl-map-strip", preserveAspectRatio: "xMidYMid meet" });
    const line = element("path", { class: "gsl-map-base", d: "M6 10H194" }, strip);
    const dots = element("path", { class: "gsl-map-seeds" }, strip);
    const middle = element("g", {}, strip);
    middle.append(mapMarks.mark(mark));
    const [mean, gain] = [make("span", { class: "gsl-map-number" }), make("span", { class: "gsl-map-number" })];
    const node = make("button", { type: "button", role: "radio", class: "gsl-map-row", "data-method": key, onclick: () => onMethod(key), style: `--line: ${colour}` },
      svg, make("span", {}, name), strip, mean, gain);
    node.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && onMethod(key));
    return { key, name, node, dots, middle, mean, gain, line };
  });
  const group = make("div", { role: "radiogroup", "aria-label": words.methods }, head, ...rows.map((row) => row.node));
  const scale = make("div", { class: "gsl-map-scale", "aria-hidden": "true" });
  const shown = () => rows.filter((row) => !row.node.hidden);
  const upAndDown = (key, i, n) => {
    const [on, back] = [Math.min(n - 1, i + 1), Math.max(0, i - 1)];
    return { ArrowDown: on, ArrowRight: on, ArrowUp: back, ArrowLeft: back, Home: 0, End: n - 1 }[key];
  };
  arrowKeys(group, () => shown().map((row) => row.node), upAndDown, (i) => onMethod(shown()[i].key));

  const sentence = make("p", { class: "gsl-map-sentence", "data-read": "sentence" });
  const intervals = make("ul", { class: "gsl-map-intervals" });
  const beside = make("p", { class: "gsl-map-beside" });
  const results = make("div", {}, group, scale, sentence, intervals, beside, make("p", { class: "gsl-note" }, found.note));
  const { node: spoken, say } = speaker();
  const node = make("div", { class: "gsl-map-panel" }, title, hint, bet, answer, results, spoken);

  function update(cell, { method, rival, guess, open }) {
    title.textContent = fill(words.title, cell.label, cell.M, words.subspace_or_subspaces[Number(cell.M > 1)], cell.K, cell.bits);
    hint.textContent = cell.hint;
    bet.hidden = cell.state === "not yet run";
    for (const button of guesses) button.setAttribute("aria-pressed", button.dataset.bet === guess);
    const verdicts = { open: words.stays_open, [guess]: words.right };
    const before = guess ? verdicts[cell.verdict] ?? words.wrong : "";
    const said = open ? before + cell.answer : "";
    if (answer.textContent !== said) answer.textContent = said;
    answer.hidden = !said;
    results.hidden = !open || !cell.rows.length;
    if (!results.hidden) compare(cell, method, rival);
  }

  function compare(cell, method, rival) {
    const values = cell.rows.flatMap((row) => [row.value, ...row.seeds]).filter(Number.isFinite);
    const low = Math.floor(20 * Math.min(...values)) / 20;
    const high = Math.max(low + 0.05, Math.ceil(20 * Math.max(...values)) / 20);
    const x = (value) => (6 + (188 * (value - low)) / (high - low)).toFixed(1);
    scale.replaceChildren(make("span", {}, low.toFixed(2)), make("span", {}, high.toFixed(2)));
    const other = found.rivals.find((one) => one.key === rival);
    against.textContent = fill(words.less, other.name);
    let chosen = cell.rows.find((row) => row.method === method) ?? cell.rows[0];
    for (const row of rows) {
      const told = cell.rows.find((one) => one.method === row.key);
      row.node.hidden = !told;
      if (!told) continue;
      const gain = told.against.find((one) => one.rival === rival);
      row.dots.setAttribute("d", told.seeds.map((value) => `M${x(value)} 10h.01`).join(""));
      row.middle.setAttribute("visibility", told.value === null ? "hidden" : "visible");
      if (told.value !== null) row.middle.setAttribute("transform", `translate(${x(told.value)} 10)`);
      row.mean.textContent = told.mean;
      row.gain.textContent = gain ? `${gain.short} ${mapMarks.SIGNS[gain.verdict]}` : "";
      row.node.setAttribute("aria-checked", told === chosen);
      row.node.tabIndex = told === chosen ? 0 : -1;
      const spelled = fill(words.row, row.name, told.mean);
      row.node.setAttribute("aria-label", gain ? fill(words.row_less, spelled, other.name, gain.text) : spelled);
    }
    if (sentence.textContent !== chosen.sentence) {
      sentence.textContent = chosen.sentence;
      say([chosen.sentence, ...chosen.against.map((one) => fill(words.spoken, nameOf(one.rival), one.text))].join(" "));
    }
    drawIntervals(chosen);
    beside.replaceChildren();
    if (cell.beside.length) beside.append(words.equal_bits);
    cell.beside.forEach((one, i) => beside.append(i ? "; " : "", make("button", { type: "button", class: "gsl-map-go", onclick: () => onCell(one.name) }, one.label), ` ${one.text}`));
  }

  const nameOf = (rival) => found.rivals.find((one) => one.key === rival).name;
  function drawIntervals(row) {
    const reach = Math.max(0.01, ...row.against.flatMap((one) => [Math.abs(one.low), Math.abs(one.high)]));
    const x = (value) => (100 + (92 * value) / reach).toFixed(1);
    intervals.replaceChildren(...row.against.map((one) => {
      const svg = element("svg", { viewBox: "0 0 200 16", class: "gsl-map-interval", "aria-hidden": "true" });
      element("path", { class: "gsl-map-zero", d: "M100 0V16" }, svg);
      element("path", { class: `gsl-map-bar gsl-map-bar-${one.verdict}`, d: `M${x(one.low)} 8H${x(one.high)}M${x(one.low)} 4V12M${x(one.high)} 4V12` }, svg);
      element("circle", { class: `gsl-map-bar-${one.verdict} gsl-map-dot`, cx: x(one.difference), cy: 8, r: 4 }, svg);
      const text = make("span", { "data-against": one.rival }, one.text);
      return make("li", {}, make("span", {}, fill(words.less, nameOf(one.rival))), svg, text);
    }));
  }
  return { node, update };
}
