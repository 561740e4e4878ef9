// One cell: the bet, then its methods side by side, and all numbers of the chosen one.
function mapPanel({ found, onBet, onMethod, onCell }) {
  const words = WORDS.map;
  const title = make("p.gsl-map-title");
  const hint = make("p.gsl-map-hint");
  const question = make("p", {}, make("b", {}, words.bet), words.question);
  const guesses = Object.entries(words.guesses).map(([guess, text]) =>
    make("button", { "data-bet": guess, onclick: () => onBet(guess) }, text));
  const bet = make("div.gsl-map-bet", { role: "group", "aria-label": words.your_bet }, question, make("div.gsl-map-guesses", {}, ...guesses));
  const answer = make("p.gsl-map-answer", { role: "status", "data-read": "answer" });

  const head = make("div.gsl-map-row.gsl-map-heads", { "aria-hidden": "true" },
    make("span"), ...words.columns.map((text) => make("span", {}, text)), make("span"));
  const against = head.lastChild;
  const rows = found.methods.map(({ key, name, colour, mark }) => {
    const svg = element("svg", { viewBox: "-9 -9 18 18", class: "gsl-map-key" });
    svg.append(mapMarks.mark(mark));
    const strip = element("svg", { viewBox: "0 0 200 20", class: "gsl-map-strip", preserveAspectRatio: "xMidYMid meet" });
    const line = element("path", { class: "gsl-map-base", d: "M6 10H194" }, strip);
    const dots = pathIn(strip, "gsl-map-seeds");
    const middle = element("g", {}, strip);
    middle.append(mapMarks.mark(mark));
    const [mean, gain] = [make("span.gsl-map-number"), make("span.gsl-map-number")];
    const node = make("button", { role: "radio", class: "gsl-map-row", "data-method": key, onclick: () => onMethod(key), style: `--line: ${colour}` },
      svg, make("span", {}, name), strip, mean, gain);
    node.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && onMethod(key));
    return { key, name, node, dots, middle, mean, gain, line };
  });
  const group = make("div", { role: "radiogroup", "aria-label": words.methods }, head, ...rows.map((row) => row.node));
  const ends = [make("span"), make("span")];
  const scale = make("div.gsl-map-scale", { "aria-hidden": "true" }, ...ends);
  const shown = () => rows.filter((row) => !row.node.hidden);
  const upAndDown = (key, i, n) => {
    const [on, back] = [Math.min(n - 1, i + 1), Math.max(0, i - 1)];
    return { ArrowDown: on, ArrowRight: on, ArrowUp: back, ArrowLeft: back, Home: 0, End: n - 1 }[key];
  };
  arrowKeys(group, () => shown().map((row) => row.node), upAndDown, (i) => onMethod(shown()[i].key));

  const sentence = make("p.gsl-map-sentence", { "data-read": "sentence" });
  const intervals = make("ul.gsl-map-intervals");
  const beside = make("p.gsl-map-beside");
  const results = make("div", {}, group, scale, sentence, intervals, beside, make("p.gsl-note", {}, found.note));
  const { node: spoken, say } = speaker();
  const node = make("div.gsl-map-panel", {}, title, hint, bet, answer, results, spoken);

  function update(cell, { method, rival, guess, open }) {
    renew(title, { text: fill(words.title, cell.label, cell.M, words.subspace_or_subspaces[Number(cell.M > 1)], cell.K, cell.bits) });
    renew(hint, { text: cell.hint });
    bet.hidden = cell.state === "not yet run";
    for (const button of guesses) renew(button, { "aria-pressed": button.dataset.bet === guess });
    const verdicts = { open: words.stays_open, [guess]: words.right };
    const before = guess ? verdicts[cell.verdict] ?? words.wrong : "";
    const said = open ? before + cell.answer : "";
    renew(answer, { text: said });
    answer.hidden = !said;
    results.hidden = !open || !cell.rows.length;
    if (!results.hidden) compare(cell, method, rival);
  }

  function compare(cell, method, rival) {
    const values = cell.rows.flatMap((row) => [row.value, ...row.seeds]).filter(Number.isFinite);
    const low = Math.floor(20 * Math.min(...values)) / 20;
    const high = Math.max(low + 0.05, Math.ceil(20 * Math.max(...values)) / 20);
    const x = (value) => (6 + (188 * (value - low)) / (high - low)).toFixed(1);
    [low, high].forEach((end, i) => renew(ends[i], { text: end.toFixed(2) }));
    const other = nameOf(rival);
    renew(against, { text: fill(words.less, other) });
    let chosen = cell.rows.find((row) => row.method === method) ?? cell.rows[0];
    for (const row of rows) {
      const told = cell.rows.find((one) => one.method === row.key);
      row.node.hidden = !told;
      if (!told) continue;
      const gain = told.against.find((one) => one.rival === rival);
      renew(row.dots, { d: told.seeds.map((value) => `M${x(value)} 10h.01`).join("") });
      renew(row.middle, told.value === null ? { visibility: "hidden" } : { visibility: "visible", transform: `translate(${x(told.value)} 10)` });
      renew(row.mean, { text: told.mean });
      renew(row.gain, { text: gain ? `${gain.short} ${mapMarks.SIGNS[gain.verdict]}` : "" });
      const spelled = fill(words.row, row.name, told.mean);
      const label = gain ? fill(words.row_less, spelled, other, gain.text) : spelled;
      renew(row.node, { "aria-checked": told === chosen, tabindex: told === chosen ? 0 : -1, "aria-label": label });
    }
    if (sentence.textContent !== chosen.sentence) {
      sentence.textContent = chosen.sentence;
      say([chosen.sentence, ...chosen.against.map((one) => fill(words.spoken, nameOf(one.rival), one.text))].join(" "));
    }
    drawIntervals(chosen);
    if (shownBeside === cell) return;
    shownBeside = cell;
    beside.replaceChildren(cell.beside.length ? words.equal_bits : "");
    cell.beside.forEach((one, i) => beside.append(i ? "; " : "", make("button.gsl-map-go", { onclick: () => onCell(one.name) }, one.label), ` ${one.text}`));
  }

  let shownBeside; // the cell whose neighbours of equal bits are listed
  const nameOf = (rival) => found.rivals.find((one) => one.key === rival).name;
  const lines = found.rivals.map(({ key, name }) => { // one for each rival, changed and not made anew
    const svg = element("svg", { viewBox: "0 0 200 16", class: "gsl-map-interval", "aria-hidden": "true" });
    element("path", { class: "gsl-map-zero", d: "M100 0V16" }, svg);
    const bar = element("path", {}, svg);
    const dot = element("circle", { cy: 8, r: 4 }, svg);
    const text = make("span");
    return { key, bar, dot, text, node: make("li", {}, make("span", {}, fill(words.less, name)), svg, text) };
  });
  intervals.append(...lines.map((line) => line.node));
  function drawIntervals(row) {
    const reach = Math.max(0.01, ...row.against.flatMap((one) => [Math.abs(one.low), Math.abs(one.high)]));
    const x = (value) => (100 + (92 * value) / reach).toFixed(1);
    for (const { key, bar, dot, text, node: line } of lines) {
      const one = row.against.find(({ rival }) => rival === key);
      line.hidden = !one;
      if (!one) {
        text.removeAttribute("data-against");
        continue;
      }
      renew(bar, { class: `gsl-map-bar gsl-map-bar-${one.verdict}`, d: `M${x(one.low)} 8H${x(one.high)}M${x(one.low)} 4V12M${x(one.high)} 4V12` });
      renew(dot, { class: `gsl-map-bar-${one.verdict} gsl-map-dot`, cx: x(one.difference) });
      renew(text, { "data-against": key, text: one.text });
    }
  }
  return { node, update };
}
