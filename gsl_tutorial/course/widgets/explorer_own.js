// The reader's own rule as a panel beside the rivals. Its numbers come from Python (`own_rule.py`): the page
// asks with a text that stands for the picture, and Python answers with the numbers for that text, or with a
// sentence about what is wrong with the rule. Without Python the package's snap stands in, and says so.
const OWN_WANTED = ["codewords", "similar", "dissimilar", "loss", "strength", "n_candidates", "n_codewords", "mode"];
const OWN_RUN = ["starts", "rate", "n_steps"];

function ownRule({ model, put, listening }) {
  let told; // the question that Python has heard, or will
  const keyOf = (value) => JSON.stringify([...OWN_WANTED, ...(value("mode") === "run" ? OWN_RUN : [])].map(value));
  function ask(state) {
    if (!listening()) return { absent: true };
    const key = keyOf((name) => state[name]);
    if (state.own.for === key) return state.own;
    if (told !== key) put({ own_asked: (told = key) });
    return { waiting: true };
  }
  // A change asks at once: then the question travels with it, and not a message and a frame later.
  const early = () => model.get("own_name") && model.get("mode") !== "point" && model.set("own_asked", keyOf((name) => model.get(name)));
  for (const name of [...OWN_WANTED, ...OWN_RUN]) model.on(`change:${name}`, early);
  const end = () => [...OWN_WANTED, ...OWN_RUN].forEach((name) => model.off(`change:${name}`, early));
  return { ask, end };
}

// What a panel needs to show it: rings where it differs, the snap's own arrow in them, a sentence.
function ownMarks({ plane, title, line, node }) {
  const words = WORDS.own;
  const ring = pathIn(plane.above, "gsl-differs");
  const right = pathIn(plane.above, "gsl-right");
  const fault = make("p.gsl-fault", { role: "status", "data-read": "own-fault", hidden: "" });
  node.append(fault);

  // True where there are numbers to draw.
  function begin(state, answer) {
    renew(title.lastChild, { text: answer.absent ? words.reference : words.yours });
    const said = answer.absent ? fill(words.no_python, state.own_name) : (answer.fault ?? "");
    renew(fault, { text: said });
    fault.hidden = !said;
    fault.classList.toggle("gsl-note", Boolean(answer.absent));
    node.classList.toggle("gsl-waiting", Boolean(answer.waiting));
    if (answer.waiting) renew(line, { text: words.computing });
    if (answer.fault) show("", "", "", 0);
    return !answer.waiting && !answer.fault;
  }
  function show(text, rings, arrows, count) {
    renew(line, { text, "data-differ": count });
    renew(ring, { d: rings });
    renew(right, { d: arrows });
  }
  return { begin, show };
}

const differs = (a, b) => vectors.length(vectors.minus(a, b)) > 1e-6 * Math.max(1, vectors.length(b));
