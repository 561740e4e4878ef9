// What the explorer's pictures are made of: marks, lines, arrows, and what in a world can be moved.
const LINES = WORDS.marks.lines;
const LONGEST = 0.9; // arrows are cut here, so that their heads stay in the picture, and marked as cut
const CUT = "M-6 9L1 -9M2 9L9 -9"; // two strokes across the shaft

const MARKS = {
  point: "M0 -9A9 9 0 1 1 -.01 -9Z",
  codeword: "M-6 -6H6V6H-6Z",
  partner: "M0 -14L3.5 -4.6L13.3 -4.3L5.6 1.8L8.2 11.3L0 5.9L-8.2 11.3L-5.6 1.8L-13.3 -4.3L-3.5 -4.6Z",
  stranger: "M-10 -7L-7 -10L0 -3L7 -10L10 -7L3 0L10 7L7 10L0 3L-7 10L-10 7L-3 0Z",
  similar: "M0 -8L7.5 6H-7.5Z",
  dissimilar: "M-7 -4.5L-4.5 -7L0 -2.5L4.5 -7L7 -4.5L2.5 0L7 4.5L4.5 7L0 2.5L-4.5 7L-7 4.5L-2.5 0Z",
  chosen: "M0 -17L17 0L0 17L-17 0Z",
};

// What stands in a world and can be moved: the data that the loss looks at, the codewords, the point.
function handlesOf(world, point) {
  const words = WORDS.marks;
  const all = world.loss === "two-class";
  const data = (kind, special) =>
    world[kind].slice(0, all ? undefined : 1).map((at, index) => ({
      kind, index, at,
      look: all ? kind : special,
      mark: MARKS[all ? kind : special],
      name: all ? fill(words[kind], index + 1) : { partner: words.positive, stranger: words.negative }[special],
    }));
  return [
    ...(point ? [{ kind: "point", index: 0, at: point, look: "point", mark: MARKS.point, name: words.point }] : []),
    ...world.codewords.map((at, index) => ({ kind: "codewords", index, at, look: "codeword", mark: MARKS.codeword, name: fill(words.codeword, index + 1) })),
    ...data("similar", "partner"),
    ...data("dissimilar", "stranger"),
  ];
}

// A world as a plane draws it; the level lines are those of its similarity loss.
function sceneOf(world, point) {
  const { codewords, similar, dissimilar, loss } = world;
  const levels = { key: JSON.stringify([loss, similar, dissimilar]), f: (z) => explorerMath.loss(world, z) };
  return { codewords, levels, handles: handlesOf(world, point) };
}

// An arrow that can be set again and again; hidden where it has no length.
function arrow(parent, name) {
  const group = element("g", { class: `gsl-arrow gsl-line-${name}`, "data-arrow": name }, parent);
  const shaft = pathIn(group, "gsl-shaft");
  const head = pathIn(group, "gsl-head");
  const cut = element("path", { d: CUT, class: "gsl-cut" }, group);
  const thick = name === "snap" ? 1.5 : 1;
  return (start, vector) => {
    const size = vectors.length(vector);
    group.toggleAttribute("hidden", size < 1e-9);
    group.style.display = size < 1e-9 ? "none" : "";
    group.dataset.x = vector[0];
    group.dataset.y = vector[1];
    group.toggleAttribute("data-cut", size > LONGEST);
    if (size < 1e-9) return;
    const shown = vectors.along([0, 0], Math.min(1, LONGEST / size), vector);
    const tip = planes.place(vectors.along(start, 1, shown));
    const angle = (Math.atan2(-shown[1], shown[0]) * 180) / Math.PI;
    const long = 200 * vectors.length(shown);
    const headSize = Math.min(13 * thick, long);
    shaft.setAttribute("d", `M${-long} 0H${-headSize * 0.8}`);
    head.setAttribute("d", `M0 0L${-headSize} ${-headSize * 0.42}V${headSize * 0.42}Z`);
    cut.style.display = size > LONGEST ? "" : "none";
    cut.setAttribute("transform", `translate(${-long / 2} 0)`);
    group.setAttribute("transform", `translate(${tip}) rotate(${angle.toFixed(2)})`);
  };
}

// A short piece of line, or a mark, as in the picture.
function sample(kind, name) {
  const svg = element("svg", { viewBox: kind === "line" ? "0 -6 32 12" : "-20 -14 40 28", "aria-hidden": "true" });
  if (name === "cut") element("path", { d: "M0 0H32", class: "gsl-shaft gsl-line-ink" }, svg).after(element("path", { d: CUT, class: "gsl-cut gsl-line-ink", transform: "translate(15 0) scale(.6)" }, svg));
  else if (kind === "line") element("path", { d: "M0 0H32", class: `gsl-shaft gsl-line-${name}`, "stroke-width": 3 }, svg);
  else if (name === "candidate") element("circle", { r: 10, class: "gsl-candidate" }, svg);
  else if (name === "chosen") element("path", { d: MARKS.chosen, class: "gsl-chosen", transform: "scale(.7)" }, svg);
  else if (name === "half") {
    for (const x of [-9, 0, 9]) for (const y of [-9, 0, 9]) element("circle", { cx: x, cy: y, r: 1.6, class: "gsl-dot" }, svg);
  }
  else element("path", { d: MARKS[name], class: "gsl-mark" }, element("g", { class: `gsl-${name}` }, svg));
  return svg;
}
