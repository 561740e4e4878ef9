// The feedback loop, round by round: what one user is shown, and how the catalogue shares what is shown.
//
// `renderLoop({model, el})` is anywidget's entry. Everything was simulated before; here it is looked at.
const LOOP_NAMES = ["arms", "users", "lists", "curves", "figures", "arm", "user", "round"];

function loopComplaint({ arms, users, lists, curves, figures, arm, user, round }) {
  const isList = (value) => Array.isArray(value) && value.length > 0;
  if (![arms, users, lists, curves, figures].every(isList)) return complain(WORDS.loop.records, WORDS.page.none, WORDS.page.run_again);
  const n = curves[0].length;
  const { choose } = WORDS.page;
  return outside("arm", arm, 0, arms.length - 1, choose) || outside("user", user, 0, users.length - 1, choose) || outside("round", round, 1, n, choose);
}

function renderLoop({ model, el }) {
  const words = WORDS.loop;
  const widget = mountWidget({ model, el, label: words.label, names: LOOP_NAMES, linked: ["arm", "user", "round"], complaint: loopComplaint, kind: "loop", still: () => stop() });
  const { put } = widget;
  const { node: spoken, tell } = speaker();
  const n = model.get("curves")?.[0]?.length ?? 1;
  let playing = 0;

  const menu = (name, label, options) => {
    const made = make("select", { "data-choose": name, onchange: () => put({ [name]: made.selectedIndex }) }, ...options.map((text) => make("option", {}, text)));
    return { node: make("label", {}, `${label} `, made), select: made };
  };
  const arms = menu("arm", words.negatives, (model.get("arms") ?? []).map(([name]) => name));
  const users = menu("user", words.user, model.get("users") ?? []);
  const scrub = make("input", { type: "range", min: 1, max: n, step: 1, oninput: () => { stop(); put({ round: Number(scrub.value) }); } });
  const clock = make("output", { "data-read": "round" });
  const play = make("button", { onclick: () => (playing ? stop() : start()) }, WORDS.page.play);
  widget.bar.append(arms.node, users.node, make("label.gsl-loop-scrub", {}, `${words.round} `, scrub), clock, play);

  const says = make("p.gsl-loop-says");
  const list = make("ol.gsl-loop-list");
  const listTitle = make("figcaption");
  const chart = loopChart();
  const sentence = make("p.gsl-sentence", { "data-read": "sentence" });
  widget.stage.append(says, make("div.gsl-loop", {}, make("figure", {}, listTitle, list), chart.node), sentence, spoken);

  function start() {
    const from = model.get("round") >= n ? 1 : model.get("round");
    put({ round: from });
    play.textContent = WORDS.page.stop;
    playing = setInterval(() => {
      if (model.get("round") >= n) stop();
      else put({ round: model.get("round") + 1 });
    }, 700);
  }
  function stop() {
    clearInterval(playing);
    playing = 0;
    play.textContent = WORDS.page.play;
  }

  widget.start((state) => {
    const { arm, user, round } = state;
    const [name, meaning] = state.arms[arm];
    arms.select.selectedIndex = arm;
    users.select.selectedIndex = user;
    scrub.value = round;
    clock.textContent = fill(words.of, round, n);
    says.textContent = fill(words.arm, name, meaning);
    const rows = state.lists[arm][user][round - 1];
    listTitle.textContent = fill(words.shown, state.users[user], round);
    list.replaceChildren(...rows.map(([title, cell, clicked]) => {
      const item = make("li", clicked ? { class: "gsl-loop-clicked" } : {}, make("span", { class: `gsl-loop-cell gsl-class-${cell % 10}` }, fill(words.cell, cell)), ` ${title}`);
      if (clicked) item.append(make("strong", {}, words.clicked));
      return item;
    }));
    chart.update(state.curves[arm], round, state.curves[0][round - 1], state.arms[0][0], arm !== 0);
    const [gini, recall, coverage] = state.figures[arm][round - 1];
    const cells = new Set(rows.map(([, cell]) => cell)).size;
    const said = fill(words.says, round, Math.round(100 * coverage), gini.toFixed(2), recall.toFixed(2), cells, words.cell_or_cells[Number(cells !== 1)]);
    tell(sentence, said, !playing);
  });
  return () => {
    stop();
    widget.end();
  };
}

// The share of all places that the most shown part of the catalogue takes.
function loopChart() {
  const words = WORDS.loop;
  const [LEFT, RIGHT, TOP, BOTTOM] = [52, 380, 14, 220];
  const svg = element("svg", { viewBox: "0 0 392 264", role: "img", "aria-label": words.chart });
  element("path", { d: `M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}`, class: "gsl-axis" }, svg);
  const text = (x, y, anchor, said) => {
    const made = element("text", { x, y, "text-anchor": anchor }, svg);
    made.textContent = said;
    return made;
  };
  text(LEFT - 6, TOP + 8, "end", "100%");
  text(LEFT - 6, BOTTOM, "end", "0");
  text(LEFT, BOTTOM + 18, "middle", "0");
  text((LEFT + RIGHT) / 2, BOTTOM + 18, "middle", "50%");
  text(RIGHT, BOTTOM + 18, "end", "100%");
  text((LEFT + RIGHT) / 2, BOTTOM + 38, "middle", words.across);
  const look = { first: "gsl-loop-first", oracle: "gsl-loop-oracle", now: "gsl-loop-now" };
  const paths = Object.fromEntries(["oracle", "first", "now"].map((kind) => [kind, pathIn(svg, look[kind])]));
  const keys = Object.fromEntries(["now", "first", "oracle"].map((kind, i) => {
    const y = BOTTOM - 58 + 20 * i;
    element("path", { d: `M${RIGHT - 176} ${y}h26`, class: `${look[kind]} gsl-loop-key-${kind}` }, svg);
    return [kind, text(RIGHT - 144, y + 5, "start", "")];
  }));

  function update(curves, round, reference, name, shown) {
    const way = (curve) => `M${curve.map((value, i) => `${(LEFT + ((RIGHT - LEFT) * i) / (curve.length - 1)).toFixed(1)} ${(BOTTOM - (BOTTOM - TOP) * value).toFixed(1)}`).join("L")}`;
    paths.now.setAttribute("d", way(curves[round - 1]));
    paths.first.setAttribute("d", way(curves[0]));
    paths.oracle.setAttribute("d", shown ? way(reference) : "");
    svg.querySelector(".gsl-loop-key-oracle").style.display = shown ? "" : "none";
    keys.now.textContent = words.this_round;
    keys.first.textContent = words.first_round;
    keys.oracle.textContent = shown ? fill(words.same_round, name) : "";
  }
  const node = make("figure", {}, make("figcaption", {}, words.share), svg);
  return { node, update };
}
