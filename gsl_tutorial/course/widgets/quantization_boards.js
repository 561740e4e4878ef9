// Boards of numbers as pixels: images, codewords, rows of a lookup table; with outlines over some cells.
const SVG_OUTLINES = ["own", "best", "cuts"];

// A board of n cells, w x h numbers each, in so many columns. `at(cell, j)` is the ink from 0 to 1.
function board({ name = "", heat = false, onPick } = {}) {
  const canvas = make("canvas", { class: heat ? "gsl-heat" : "gsl-ink" });
  const over = element("svg", { preserveAspectRatio: "none", "aria-hidden": "true" });
  const paths = Object.fromEntries(SVG_OUTLINES.map((kind) => [kind, element("path", { class: `gsl-outline-${kind}`}, over)]));
  const node = make("div.gsl-board", { ...(name ? { role: "img", "aria-label": name } : {}) }, canvas, over);
  const colour = [0, 114, 178]; // ink is black, as every image begins
  let grid = { n: 0 };
  let drawn; // of what

  // `of` stands for the numbers: a board that shows them already stays as it is.
  function draw({ n, cols, w, h, gap = 1 }, at, of = {}) {
    if (of === drawn) return;
    drawn = of;
    const rows = Math.ceil(n / cols);
    const [width, height] = [cols * (w + gap) - gap, rows * (h + gap) - gap];
    grid = { n, cols, w, h, gap, width, height };
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
      over.setAttribute("viewBox", `0 0 ${width} ${height}`);
    }
    const image = new ImageData(width, height);
    for (let cell = 0; cell < n; cell++) {
      const [left, top] = corner(cell);
      for (let j = 0; j < w * h; j++) {
        const pixel = 4 * ((top + Math.floor(j / w)) * width + left + (j % w));
        if (heat) image.data.set(colour, pixel);
        image.data[pixel + 3] = 255 * at(cell, j); // the array keeps it between 0 and 255
      }
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  const corner = (cell) => [(cell % grid.cols) * (grid.w + grid.gap), Math.floor(cell / grid.cols) * (grid.h + grid.gap)];
  const outline = (kind, cell) => renew(paths[kind], { d: `M${corner(cell)}h${grid.w}v${grid.h}h${-grid.w}Z` });
  const cuts = (d) => renew(paths.cuts, { d: cutLines(d, grid.width, grid.height) });

  if (onPick) {
    node.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      const column = Math.floor(((event.clientX - box.left) / box.width) * grid.cols);
      const row = Math.floor(((event.clientY - box.top) / box.height) * Math.ceil(grid.n / grid.cols));
      const cell = row * grid.cols + column;
      if (column >= 0 && row >= 0 && cell < grid.n) onPick(cell);
    });
  }
  return { node, draw, outline, cuts };
}

// Lines between the subvectors of a picture that is read row by row.
function cutLines(d, width, height) {
  const lines = [];
  if (d % width === 0) for (let y = d / width; y < height; y += d / width) lines.push(`M0 ${y}H${width}`);
  else for (let x = d; x < width; x += d) lines.push(`M${x} 0V${height}`);
  if (d % width) for (let y = 1; y < height; y++) lines.push(`M0 ${y}H${width}`);
  return lines.join("");
}

// How a vector of so many numbers is drawn: as a square image where it is one and the cuts fall into its
// rows; else one row for each subvector.
function shapeOf(dim, d) {
  const side = Math.sqrt(dim);
  const square = Number.isInteger(side) && (d % side === 0 || side % d === 0);
  const width = square ? side : d;
  return { width, height: dim / width, w: Math.min(d, width), h: Math.max(1, d / width) };
}

// Columns for K codewords of w x h numbers, so that many subspaces stay low and few stay large.
const columnsFor = (K, M, { w, h }) => Math.min(K, 2 ** Math.ceil(Math.log2(Math.sqrt((K * Math.max(4, M) * h) / w))));
