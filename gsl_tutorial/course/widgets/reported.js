// One search, reported in many ways: `renderReported({model, el})` is anywidget's entry.
//
// `questions` is [[name, answers]], `figures` holds one number for each way to answer, the last question
// changing fastest, and `chosen` the place of each answer.
const REPORTED_NAMES = ["questions", "figures", "chosen"];

function reportedPlace(questions, chosen) {
  return questions.reduce((place, [, answers], i) => place * answers.length + chosen[i], 0);
}

function reportedComplaint({ questions, figures, chosen }) {
  const words = WORDS.reported;
  if (!Array.isArray(questions) || !questions.length || !Array.isArray(figures)) return complain(words.questions, WORDS.page.none, WORDS.page.run_again);
  if (!Array.isArray(chosen) || chosen.length !== questions.length) return complain(fill(words.answers, questions.length), JSON.stringify(chosen), words.one_each);
  const wrong = questions.find(([, answers], i) => !isWhole(chosen[i], 0, answers.length - 1));
  return wrong ? complain(fill(WORDS.page.from_to, wrong[0], 0, wrong[1].length - 1), words.another_place, words.another_answer) : "";
}

function renderReported({ model, el }) {
  const words = WORDS.reported;
  const widget = mountWidget({ model, el, label: words.label, names: REPORTED_NAMES, linked: ["chosen"], complaint: reportedComplaint, kind: "reported" });
  const { put } = widget;
  const { node: spoken, tell } = speaker();
  const questions = model.get("questions") ?? [];
  const choose = (i, answer) => put({ chosen: model.get("chosen").map((old, j) => (j === i ? answer : old)) });
  const menus = questions.map(([name, answers], i) => {
    const select = make("select", { "data-choose": i, onchange: () => choose(i, select.selectedIndex) }, ...answers.map((text) => make("option", {}, text)));
    return { select, node: make("label", {}, make("span", {}, name), select) };
  });
  const again = make("button", { onclick: () => put({ chosen: questions.map(() => 0) }) }, WORDS.page.start_again);
  widget.bar.append(again);
  const picture = reportedPicture();
  const sentence = make("p.gsl-sentence", { "data-read": "sentence" });
  widget.stage.append(make("div.gsl-reported-menus", {}, ...menus.map(({ node }) => node)), picture.node, sentence, spoken);
  let best = 0; // what the reader has reached so far

  widget.start(({ figures, chosen }) => {
    menus.forEach(({ select }, i) => (select.selectedIndex = chosen[i]));
    const now = figures[reportedPlace(questions, chosen)];
    best = Math.max(best, now, figures[0]);
    picture.update(figures, now);
    const points = 100 * (now - figures[0]);
    const than = Math.abs(points) < 0.05 ? words.the_same : fill(points > 0 ? words.more : words.less, Math.abs(points).toFixed(1));
    tell(sentence, fill(words.says, now.toFixed(3), than, best.toFixed(3)));
  });
  return () => widget.end();
}

// A line of numbers: a small mark where each way to report lands, a large one where the reader is.
function reportedPicture() {
  const [LEFT, RIGHT, LINE] = [30, 690, 74];
  const svg = element("svg", { viewBox: "0 0 720 128", role: "img", "aria-label": WORDS.reported.chart });
  const axis = element("g", {}, svg);
  const ways = pathIn(svg, "gsl-reported-ways");
  const from = pathIn(svg, "gsl-reported-from");
  const first = pathIn(svg, "gsl-reported-first");
  const now = element("circle", { r: 10, cy: LINE, class: "gsl-reported-now" }, svg);
  const value = element("text", { y: 34, "text-anchor": "middle", class: "gsl-reported-value" }, svg);
  const begin = element("text", { y: LINE + 50, "text-anchor": "middle" }, svg);
  begin.textContent = WORDS.reported.began;
  let scale;

  // Tenths as far as the figures reach.
  function lay(figures) {
    const low = Math.floor(10 * Math.min(...figures)) / 10;
    const high = Math.ceil(10 * Math.max(...figures)) / 10;
    scale = (figure) => LEFT + ((RIGHT - LEFT) * (figure - low)) / (high - low || 1);
    axis.replaceChildren();
    element("path", { d: `M${LEFT} ${LINE}H${RIGHT}`, class: "gsl-axis" }, axis);
    for (let tenth = Math.round(10 * low); tenth <= Math.round(10 * high); tenth++) {
      const x = scale(tenth / 10);
      element("path", { d: `M${x} ${LINE}v7`, class: "gsl-axis" }, axis);
      element("text", { x, y: LINE + 26, "text-anchor": "middle" }, axis).textContent = (tenth / 10).toFixed(1);
    }
  }

  function update(figures, figure) {
    lay(figures);
    ways.setAttribute("d", figures.map((one) => `M${scale(one).toFixed(1)} ${LINE - 9}v18`).join(""));
    const [a, b] = [scale(figures[0]), scale(figure)];
    first.setAttribute("d", `M${a} ${LINE - 13}l10 13l-10 13l-10 -13z`);
    from.setAttribute("d", `M${a} ${LINE}H${b}`);
    now.setAttribute("cx", b);
    value.setAttribute("x", Math.min(RIGHT - 20, Math.max(LEFT + 20, b)));
    value.textContent = figure.toFixed(3);
    begin.setAttribute("x", Math.min(RIGHT - 50, Math.max(LEFT + 50, a)));
  }
  return { node: make("figure.gsl-reported", {}, svg), update };
}
