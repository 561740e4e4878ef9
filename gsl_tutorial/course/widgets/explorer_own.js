// The reader's own rule as a panel beside the rivals. Its numbers come from Python (`own_rule.py`): the page
// asks with a text that stands for the picture, and Python answers with the numbers for that text, or with a
// sentence about what is wrong with the rule. Without Python the package's snap stands in, and says so.
function ownRule({ model, put, listening }) {
  function ask(state) {
    if (!listening()) return { absent: true };
    const wanted = ["codewords", "similar", "dissimilar", "loss", "strength", "n_candidates", "n_codewords", "mode"];
    if (state.mode === "run") wanted.push("starts", "rate", "n_steps");
    const key = JSON.stringify(wanted.map((name) => state[name]));
    if (state.own.for === key) return state.own;
    if (model.get("own_asked") !== key) put({ own_asked: key });
    return { waiting: true };
  }
  return { ask };
}

// What a panel needs to show it: rings where it differs, the snap's own arrow in them, a sentence.
function ownMarks({ plane, title, line, node }) {
  const words = WORDS.own;
  const ring = element("path", { class: "gsl-differs" }, plane.above);
  const right = element("path", { class: "gsl-right" }, plane.above);
  const fault = make("p", { class: "gsl-fault", role: "status", "data-read": "own-fault", hidden: "" });
  node.append(fault);

  const set = (item, name, value) => item[name] === value || (item[name] = value);

  // True where there are numbers to draw.
  function begin(state, answer) {
    set(title.lastChild, "textContent", answer.absent ? words.reference : words.yours);
    const said = answer.absent ? fill(words.no_python, state.own_name) : (answer.fault ?? "");
    set(fault, "textContent", said);
    fault.hidden = !said;
    fault.classList.toggle("gsl-note", Boolean(answer.absent));
    node.classList.toggle("gsl-waiting", Boolean(answer.waiting));
    if (answer.waiting) set(line, "textContent", words.computing);
    if (answer.fault) show("", "", "", 0);
    return !answer.waiting && !answer.fault;
  }
  function show(text, rings, arrows, count) {
    set(line, "textContent", text);
    ring.setAttribute("d", rings);
    right.setAttribute("d", arrows);
    line.dataset.differ = count;
  }
  return { begin, show };
}

const differs = (a, b) => vectors.length(vectors.minus(a, b)) > 1e-6 * Math.max(1, vectors.length(b));
