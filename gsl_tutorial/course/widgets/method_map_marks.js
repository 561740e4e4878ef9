// Marks of the methods, a scale that all rows of a cell share, and the bets as text.
const mapMarks = (() => {
  const polygon = (n, r, turn, inner = r) =>
    Array.from({ length: inner === r ? n : 2 * n }, (_, i) => {
      const size = inner !== r && i % 2 ? inner : r;
      const angle = turn + (2 * Math.PI * i) / (inner === r ? n : 2 * n);
      return `${(size * Math.cos(angle)).toFixed(2)} ${(size * Math.sin(angle)).toFixed(2)}`;
    }).join("L");
  const closed = (points) => `M${points}Z`;
  const UP = -Math.PI / 2;
  const circle = (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
  const plus = (r, w) => `M${-w} ${-r}H${w}V${-w}H${r}V${w}H${w}V${r}H${-w}V${w}H${-r}V${-w}H${-w}Z`;
  const SHAPES = {
    o: circle(5), s: "M-4.6 -4.6H4.6V4.6H-4.6Z", D: closed(polygon(4, 6.2, UP)), d: closed("0 -6.5L4 0L0 6.5L-4 0"),
    v: closed(polygon(3, 6.4, -UP)), "^": closed(polygon(3, 6.4, UP)), p: closed(polygon(5, 6, UP)), h: closed(polygon(6, 6, UP)),
    "*": closed(polygon(5, 7.6, UP, 3.2)), P: plus(6, 2.3), X: plus(6, 2.3),
  };
  // The path of a mark around (0, 0); X is a plus that is turned.
  function mark(kind) {
    const path = element("path", { d: SHAPES[kind] ?? SHAPES.o, class: "gsl-map-mark" });
    if (kind === "X") path.setAttribute("transform", "rotate(45)");
    return path;
  }

  const readBets = (text) => Object.fromEntries(text.split(" ").filter(Boolean).map((one) => one.split("=")));
  const writeBets = (bets) => Object.entries(bets).map(([cell, guess]) => `${cell}=${guess}`).join(" ");
  const SIGNS = { wins: "▲", ties: "≈", loses: "▼", open: "…" };
  return { mark, readBets, writeBets, SIGNS };
})();
