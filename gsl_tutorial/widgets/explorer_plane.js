// One plane as SVG: cells, level lines, data, codewords that can be moved, and layers for what a mode adds.
//
// Marks differ in shape as well as in colour. A handle is moved with mouse, pen or finger (pointer
// events) and, where `keyboard` is set, with the arrow keys. Coordinates of the plane are -1.25 to 1.25.
const explorerPlane = (() => {
  const LIMIT = 1.25;
  const REACH = 1.2; // handles stay inside the frame
  const LONGEST = 0.9; // arrows are cut here, so that their heads stay in the picture
  const SVG = "http://www.w3.org/2000/svg";
  const across = (x) => 250 + 200 * x;
  const up = (y) => 250 - 200 * y;
  const place = ([x, y]) => `${across(x).toFixed(2)} ${up(y).toFixed(2)}`;
  const polygon = (points) => (points.length ? `M${points.map(place).join("L")}Z` : "");

  const MARKS = {
    point: "M0 -9A9 9 0 1 1 -.01 -9Z",
    codeword: "M-6 -6H6V6H-6Z",
    partner: "M0 -14L3.5 -4.6L13.3 -4.3L5.6 1.8L8.2 11.3L0 5.9L-8.2 11.3L-5.6 1.8L-13.3 -4.3L-3.5 -4.6Z",
    stranger: "M-10 -7L-7 -10L0 -3L7 -10L10 -7L3 0L10 7L7 10L0 3L-7 10L-10 7L-3 0Z",
    similar: "M0 -8L7.5 6H-7.5Z",
    dissimilar: "M-7 -4.5L-4.5 -7L0 -2.5L4.5 -7L7 -4.5L2.5 0L7 4.5L4.5 7L0 2.5L-4.5 7L-7 4.5L-2.5 0Z",
    chosen: "M0 -17L17 0L0 17L-17 0Z",
  };

  function element(tag, attributes, parent) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    parent?.append(made);
    return made;
  }

  // What stands in a world and can be moved: the data that the loss looks at, the codewords, the point.
  function handlesOf(world, point) {
    const all = world.loss === "two-class";
    const data = (kind, special) =>
      world[kind].slice(0, all ? undefined : 1).map((at, index) => ({
        kind, index, at,
        mark: all ? kind : special,
        name: all ? `${kind} point ${index + 1}` : special,
      }));
    return [
      ...(point ? [{ kind: "point", index: 0, at: point, mark: "point", name: "point z" }] : []),
      ...world.codewords.map((at, index) => ({ kind: "codewords", index, at, mark: "codeword", name: `codeword ${index + 1}` })),
      ...data("similar", "partner"),
      ...data("dissimilar", "stranger"),
    ];
  }

  // onMove(kind, index, [x, y]) and onHome(kind, index) tell where a handle is wanted.
  function create({ label, keyboard, onMove, onHome }) {
    const svg = element("svg", { viewBox: "0 0 500 500", class: "gsl-plane", role: keyboard ? "group" : "img", "aria-label": label });
    const id = `gsl-dots-${Math.random().toString(36).slice(2)}`; // two explorers share one page
    const pattern = element("pattern", { id, width: 9, height: 9, patternUnits: "userSpaceOnUse" }, element("defs", {}, svg));
    element("circle", { cx: 4.5, cy: 4.5, r: 1.2, class: "gsl-dot" }, pattern);
    element("rect", { width: 500, height: 500, class: "gsl-paper" }, svg);
    const path = (name) => element("path", { class: name }, svg);
    const half = path("gsl-half-plane");
    half.setAttribute("fill", `url(#${id})`);
    const cells = path("gsl-cells");
    const levels = path("gsl-levels");
    const layer = (name) => element("g", { class: name }, svg);
    const below = layer("gsl-below");
    const marks = layer("gsl-handles");
    const above = layer("gsl-above");
    svg.addEventListener("pointerdown", onGrip);
    let shown = []; // handles with their elements
    let drawn = "";

    function drawWorld(world, point) {
      const scene = JSON.stringify(world);
      if (scene !== drawn) {
        drawn = scene;
        const K = world.codewords.length;
        cells.setAttribute("d", world.codewords.map((_, i) => (K > 1 ? polygon(explorerMath.cell(world.codewords, i, LIMIT)) : "")).join(""));
        const f = (z) => explorerMath.loss(world, z);
        const heights = [0.02, 0.1, 0.25, 0.45, 0.7, 1, 1.4, 1.9, 2.5, 3.2];
        const segments = explorerMath.contours(f, heights, LIMIT, 60);
        levels.setAttribute("d", segments.map(([a, b]) => `M${place(a)}L${place(b)}`).join(""));
      }
      const wanted = handlesOf(world, point);
      const same = wanted.length === shown.length && wanted.every((h, i) => h.kind === shown[i].kind && h.mark === shown[i].mark && h.index === shown[i].index);
      if (!same) rebuild(wanted);
      wanted.forEach((handle, i) => {
        Object.assign(shown[i], handle);
        const { group } = shown[i];
        group.setAttribute("transform", `translate(${place(handle.at)})`);
        if (keyboard) group.setAttribute("aria-label", `${handle.name}, at ${handle.at[0].toFixed(2)} across, ${handle.at[1].toFixed(2)} up`);
      });
    }

    function rebuild(wanted) {
      marks.replaceChildren();
      shown = wanted.map((handle) => {
        const group = element("g", { class: `gsl-handle gsl-${handle.mark}`, "data-handle": `${handle.kind}-${handle.index}` }, marks);
        element("circle", { r: 17, class: "gsl-grip" }, group); // large enough for a finger
        element("path", { d: MARKS[handle.mark], class: "gsl-mark" }, group);
        const made = { ...handle, group };
        if (keyboard) {
          group.setAttribute("tabindex", 0);
          group.dataset.lmSuppressShortcuts = "true"; // or JupyterLab moves between cells
          group.setAttribute("role", "application");
          group.setAttribute("aria-roledescription", "movable point");
          group.setAttribute("aria-keyshortcuts", "ArrowLeft ArrowRight ArrowUp ArrowDown Home");
          group.addEventListener("keydown", (event) => onKey(event, made));
        }
        return made;
      });
    }

    function onKey(event, handle) {
      const step = event.shiftKey ? 0.01 : 0.05;
      const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
      if (event.key === "Home") onHome(handle.kind, handle.index);
      else if (ways[event.key]) move(handle, explorerMath.along(handle.at, 1, ways[event.key]));
      else return;
      event.preventDefault();
      event.stopPropagation();
    }

    // The handle under the pointer; where several lie on one another, the point and then the closest.
    function gripped(event) {
      const at = toPlane(event);
      const away = (handle) => explorerMath.length(explorerMath.minus(handle.at, at));
      const near = shown.filter((handle) => away(handle) < 0.1);
      return near.find((handle) => handle.kind === "point") ?? near.sort((a, b) => away(a) - away(b))[0];
    }

    function onGrip(event) {
      const handle = event.button ? undefined : gripped(event);
      if (!handle) return;
      const { group } = handle;
      const grip = explorerMath.minus(handle.at, toPlane(event)); // it does not jump to the pointer
      const follow = (moved) => move(handle, explorerMath.along(toPlane(moved), 1, grip));
      const letGo = () => {
        group.classList.remove("gsl-held");
        group.removeEventListener("pointermove", follow);
      };
      group.classList.add("gsl-held");
      group.setPointerCapture(event.pointerId);
      group.addEventListener("pointermove", follow);
      group.addEventListener("pointerup", letGo, { once: true });
      group.addEventListener("pointercancel", letGo, { once: true });
      group.focus?.({ preventScroll: true });
      event.preventDefault();
    }

    function move(handle, [x, y]) {
      const within = (value) => Math.round(1e4 * Math.min(REACH, Math.max(-REACH, value))) / 1e4;
      handle.at = [within(x), within(y)]; // a second key may come before the next frame
      onMove(handle.kind, handle.index, handle.at);
    }

    function toPlane(event) {
      const box = svg.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width - 0.5) * 2 * LIMIT, (0.5 - (event.clientY - box.top) / box.height) * 2 * LIMIT];
    }

    return { svg, half, below, above, drawWorld };
  }

  // An arrow that can be set again and again; hidden where it has no length.
  function arrow(parent, name) {
    const group = element("g", { class: `gsl-arrow gsl-line-${name}`, "data-arrow": name }, parent);
    const shaft = element("path", { class: "gsl-shaft" }, group);
    const head = element("path", { class: "gsl-head" }, group);
    const thick = name === "snap" ? 1.5 : 1;
    return (start, vector) => {
      const size = explorerMath.length(vector);
      group.toggleAttribute("hidden", size < 1e-9);
      group.style.display = size < 1e-9 ? "none" : "";
      group.dataset.x = vector[0];
      group.dataset.y = vector[1];
      if (size < 1e-9) return;
      const shown = explorerMath.along([0, 0], Math.min(1, LONGEST / size), vector);
      const tip = [across(start[0] + shown[0]), up(start[1] + shown[1])];
      const angle = (Math.atan2(-shown[1], shown[0]) * 180) / Math.PI;
      const long = 200 * explorerMath.length(shown);
      const headSize = Math.min(13 * thick, long);
      shaft.setAttribute("d", `M${-long} 0H${-headSize * 0.8}`);
      head.setAttribute("d", `M0 0L${-headSize} ${-headSize * 0.42}V${headSize * 0.42}Z`);
      group.setAttribute("transform", `translate(${tip[0].toFixed(2)} ${tip[1].toFixed(2)}) rotate(${angle.toFixed(2)})`);
    };
  }

  return { LIMIT, MARKS, across, arrow, create, element, place, polygon, up };
})();
