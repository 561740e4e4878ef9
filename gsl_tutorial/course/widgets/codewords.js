// Place codewords by hand, watch the distortion, and let k-means go on from there: chapter 02.
//
// `renderCodewords({model, el})` is anywidget's entry. Whoever grabs a codeword after some rounds of
// k-means takes over from where they stand: the places shown become the new start.
const CODEWORD_NAMES = ["points", "codewords", "rounds", "n_rounds", "best"];

function codewordComplaint(state) {
  const words = WORDS.codewords;
  const { none, something_else, whole_number, move_the_slider } = WORDS.page;
  for (const name of ["points", "codewords"]) {
    const fault = rowsComplaint(name, state[name]);
    if (fault) return fault;
    if (!state[name].length) return complain(fill(words.a_row, name), none, words.pass_rows);
  }
  const { rounds, n_rounds: n, best } = state;
  const fault = outside("n_rounds", n, 0, MOST_STEPS, whole_number) || outside("rounds", rounds, 0, n, move_the_slider);
  if (fault) return fault;
  if (best !== null && !(Number.isFinite(best) && best >= 0)) return complain(words.best, something_else, words.pass_best);
  return "";
}

function renderCodewords({ model, el }) {
  const words = WORDS.codewords;
  const widget = mountWidget({ model, el, label: words.label, names: CODEWORD_NAMES, complaint: codewordComplaint, kind: "codewords" });
  const { put } = widget;
  const { place } = planes;
  let initial;
  let now = []; // the codewords as shown

  const onMove = (kind, index, at) => put({ codewords: now.map((c, k) => (k === index ? at : c)), rounds: 0 });
  const onHome = (kind, index) => onMove(kind, index, initial[index] ?? now[index]);
  const plane = planes.create({ label: words.plane, keyboard: true, reach: 1.17, onMove, onHome });
  const dots = Array.from({ length: cellMarks.N }, (_, k) => pathIn(plane.below, `gsl-dots gsl-class-${k}`));
  const ways = pathIn(plane.below, "gsl-ways");
  const starts = pathIn(plane.below, "gsl-starts");
  const names = element("g", { class: "gsl-names" }, plane.above);

  const sentence = make("p.gsl-sentence");
  const { node: spoken, tell: saying } = speaker();
  const value = make("output.gsl-large", { "data-read": "distortion" });
  const chart = distortionChart();
  const scrub = make("input", { type: "range", min: 0, step: 1, oninput: () => put({ rounds: Number(scrub.value) }) });
  const clock = make("output", { "data-read": "rounds" });
  const next = make("button", { onclick: () => put({ rounds: Math.min(model.get("n_rounds"), model.get("rounds") + 1) }) }, words.one_round);
  const transport = make("div.gsl-transport", {}, make("label", {}, words.rounds, scrub), clock, next);
  widget.bar.append(make("span", {}, `${words.distortion} `, value), make("button", { onclick: reset }, WORDS.page.reset));
  widget.stage.append(make("div.gsl-point-mode", {}, plane.svg,
    make("div.gsl-beside", {}, sentence, make("div.gsl-charts.gsl-one", {}, chart.node), transport, spoken)));

  function reset() {
    chart.forget();
    put({ codewords: initial, rounds: 0 });
  }

  widget.start((state) => {
    const { points, codewords: start, rounds, n_rounds: n, best } = state;
    initial ??= start;
    const course = kmeansMath.halfSteps(points, start, n);
    const shown = Math.min(2 * rounds, course.steps.length - 1);
    const { codewords, assignment, distortion } = course.steps[shown];
    now = codewords;
    const counts = codewords.map((_, k) => assignment.filter((one) => one === k).length);
    plane.draw({
      codewords, levels: null,
      handles: codewords.map((at, k) => ({ kind: "codewords", index: k, at, look: counts[k] ? `class-${k % cellMarks.N}` : "dead", mark: cellMarks.mark(k, 13), name: fill(words.codeword, k) })),
    });
    const paths = dots.map(() => "");
    points.forEach((z, i) => (paths[assignment[i] % cellMarks.N] += cellMarks.mark(assignment[i], 4.5, place(z).split(" ").map(Number))));
    dots.forEach((path, k) => path.setAttribute("d", paths[k]));
    const trail = course.steps.slice(0, shown + 1).filter((step, i) => i === 0 || step.kind === "move");
    const moved = trail.length > 1;
    ways.setAttribute("d", moved ? codewords.map((_, k) => `M${trail.map((step) => place(step.codewords[k])).join("L")}`).join("") : "");
    starts.setAttribute("d", moved ? start.map((c, k) => cellMarks.mark(k, 7, place(c).split(" ").map(Number))).join("") : "");
    label(codewords, counts);
    chart.update(course, shown, best, 2 * n);
    scrub.max = n;
    scrub.value = rounds;
    clock.textContent = fill(words.of, rounds, n);
    next.disabled = rounds >= n;
    value.textContent = distortion.toFixed(4);
    value.dataset.value = distortion;
    tell(distortion, best, counts, course.still && shown === course.steps.length - 1);
  });

  function label(codewords, counts) {
    while (names.childElementCount < codewords.length) element("text", {}, names);
    while (names.childElementCount > codewords.length) names.lastChild.remove();
    codewords.forEach(([x, y], k) => {
      const [across, up] = place([x, y]).split(" ").map(Number);
      const text = names.children[k];
      text.textContent = counts[k] ? k : fill(words.no_points, k);
      // A long name stays inside the frame.
      text.setAttribute("text-anchor", counts[k] || x <= 0.6 ? "start" : "end");
      text.setAttribute("x", across + (counts[k] || x <= 0.6 ? 14 : -14));
      text.setAttribute("y", Math.max(18, up - 12));
    });
  }

  function tell(distortion, best, counts, still) {
    const parts = [fill(words.says, distortion.toFixed(4))];
    if (best) parts[0] = fill(words.times, parts[0], (distortion / best).toFixed(2));
    const dead = counts.flatMap((count, k) => (count ? [] : [k]));
    if (dead.length) parts.push(fill(words.without, dead.join(", ")));
    if (still) parts.push(words.still);
    saying(sentence, `${parts.join(". ")}.`);
  }

  return widget.end;
}
