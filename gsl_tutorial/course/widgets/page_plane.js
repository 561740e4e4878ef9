// One plane as SVG: cells, level lines, handles that can be moved, and layers for what a widget adds.
//
// A handle is moved with mouse, pen or finger (pointer events) and, where `keyboard` is set, with the
// arrow keys. Coordinates of the plane are -1.25 to 1.25. A widget says what there is to move, as
// handles {kind, index, at: [x, y], look, mark, name}: `mark` is the path that is drawn, `look` names
// its class in the style sheet, `name` is what a screen reader says.
const MOST_ROWS = 2000;
const MOST_STEPS = 1000;
const LARGEST = 1e6; // squares and their sums stay finite numbers
const amountComplaint = (name, x, todo) =>
  Number.isFinite(x) && x >= 0 && x <= LARGEST ? "" : complain(fill(WORDS.page.amount, name, LARGEST), x, todo);

// What is wrong with rows of points; "" where nothing is.
function rowsComplaint(name, rows) {
  const words = WORDS.plane;
  const isList = Array.isArray(rows) && rows.every((row) => Array.isArray(row) && row.length === 2);
  if (!isList) return complain(fill(words.rows, name), WORDS.page.something_else, words.one_pair);
  if (rows.length > MOST_ROWS) return complain(fill(words.at_most, MOST_ROWS.toLocaleString("en"), name), rows.length.toLocaleString("en"), words.draw_part);
  const bad = rows.findIndex((row) => !row.every((x) => Number.isFinite(x)));
  if (bad >= 0) return complain(fill(words.finite, name), fill(words.not_finite, bad), words.find_out);
  const far = rows.findIndex((row) => !row.every((x) => Math.abs(x) <= LARGEST));
  return far < 0 ? "" : complain(fill(words.up_to, LARGEST.toLocaleString("en"), name), fill(words.more, far), words.bring_in);
}

const planes = (() => {
  const { along, length, minus } = vectors;
  const LIMIT = 1.25;
  const REACH = 1.2; // handles stay inside the frame
  // A run may leave the plane; where numbers end, it stands at the edge of what can be drawn.
  const drawn = (x) => Math.max(-LARGEST, Math.min(LARGEST, x)) || 0;
  const across = (x) => 250 + 200 * drawn(x);
  const up = (y) => 250 - 200 * drawn(y);
  const place = ([x, y]) => `${across(x).toFixed(2)} ${up(y).toFixed(2)}`;
  const polygon = (points) => (points.length ? `M${points.map(place).join("L")}Z` : "");

  const HEIGHTS = [0.02, 0.1, 0.25, 0.45, 0.7, 1, 1.4, 1.9, 2.5, 3.2];

  // The last answer to the same question: panels side by side share their world, and while a codeword
  // is dragged the level lines, which take longest, stay what they are.
  function remembered(compute) {
    let asked;
    let answer;
    return (key, ...given) => {
      if (key !== asked) [asked, answer] = [key, compute(...given)];
      return answer;
    };
  }
  const cellPaths = remembered((codewords) => codewords.map((_, i) => polygon(geometry.cell(codewords, i, LIMIT))).join(""));
  const cellsOf = (codewords) => (codewords.length > 1 ? cellPaths(JSON.stringify(codewords), codewords) : "");
  const levelPaths = remembered((f) => geometry.contours(f, HEIGHTS, LIMIT, 60).map(([a, b]) => `M${place(a)}L${place(b)}`).join(""));
  const levelsOf = ({ key, f }) => levelPaths(key, f);

  // onMove(kind, index, [x, y]) and onHome(kind, index) tell where a handle is wanted.
  function create({ label, keyboard, reach = REACH, onMove, onHome }) {
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
    // A finger on a handle drags it and does not scroll; on shapes of SVG, style sheets alone do not do.
    const holds = (event) => shown.some(({ group }) => group.classList.contains("gsl-held")) && event.preventDefault();
    for (const type of ["touchstart", "touchmove"]) svg.addEventListener(type, holds, { passive: false });
    let shown = []; // handles with their elements
    let drawnCells = "";
    let drawnLevels = "";

    // levels: null, or {key, f}; equal keys stand for equal functions.
    function draw({ codewords, levels: lines, handles }) {
      const borders = cellsOf(codewords);
      if (borders !== drawnCells) cells.setAttribute("d", (drawnCells = borders));
      const wantedLevels = lines ? levelsOf(lines) : "";
      if (wantedLevels !== drawnLevels) levels.setAttribute("d", (drawnLevels = wantedLevels));
      const same = handles.length === shown.length && handles.every((h, i) => ["kind", "index", "mark"].every((part) => h[part] === shown[i][part]));
      if (!same) rebuild(handles);
      handles.forEach((handle, i) => {
        Object.assign(shown[i], handle);
        const { group } = shown[i];
        if (shown[i].worn !== handle.look) {
          group.classList.remove(`gsl-${shown[i].worn}`);
          group.classList.add(`gsl-${(shown[i].worn = handle.look)}`);
        }
        const where = `translate(${place(handle.at)})`;
        if (shown[i].where === where) return; // most stand still while one is moved
        shown[i].where = where;
        group.setAttribute("transform", where);
        if (keyboard) group.setAttribute("aria-label", fill(WORDS.plane.at, handle.name, ...handle.at.map((x) => x.toFixed(2))));
      });
    }

    function rebuild(wanted) {
      marks.replaceChildren();
      shown = wanted.map((handle) => {
        const group = element("g", { class: "gsl-handle", "data-handle": `${handle.kind}-${handle.index}` }, marks);
        element("circle", { r: 17, class: "gsl-grip" }, group); // large enough for a finger
        element("path", { d: handle.mark, class: "gsl-mark" }, group);
        const made = { ...handle, group }; // `draw` brings it to its place and gives it its look
        if (keyboard) {
          group.setAttribute("tabindex", 0);
          group.dataset.lmSuppressShortcuts = "true"; // or JupyterLab moves between cells
          group.setAttribute("role", "application");
          group.setAttribute("aria-roledescription", WORDS.plane.movable);
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
      else if (ways[event.key]) move(handle, along(handle.at, 1, ways[event.key]));
      else return;
      event.preventDefault();
      event.stopPropagation();
    }

    // The handle under the pointer; where several lie on one another, the point and then the closest.
    function gripped(event) {
      const at = toPlane(event);
      const away = (handle) => length(minus(handle.at, at));
      const near = shown.filter((handle) => away(handle) < 0.1);
      return near.find((handle) => handle.kind === "point") ?? near.sort((a, b) => away(a) - away(b))[0];
    }

    function onGrip(event) {
      const handle = event.button ? undefined : gripped(event);
      if (!handle) return;
      const { group } = handle;
      const grip = minus(handle.at, toPlane(event)); // it does not jump to the pointer
      const follow = (moved) => move(handle, along(toPlane(moved), 1, grip));
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
      const within = (value) => Math.round(1e4 * Math.min(reach, Math.max(-reach, value))) / 1e4;
      handle.at = [within(x), within(y)]; // a second key may come before the next frame
      onMove(handle.kind, handle.index, handle.at);
    }

    function toPlane(event) {
      const box = svg.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width - 0.5) * 2 * LIMIT, (0.5 - (event.clientY - box.top) / box.height) * 2 * LIMIT];
    }

    return { svg, half, below, above, draw };
  }

  return { LIMIT, create, place, polygon };
})();
