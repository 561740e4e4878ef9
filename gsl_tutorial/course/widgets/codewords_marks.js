// A mark for each codeword, different in shape as well as in colour, as plots.style.CLASS_MARKERS has
// them: disc, square, diamond, four triangles, plus, pentagon, star.
const cellMarks = (() => {
  const round = (n, turn, radii = [1]) =>
    Array.from({ length: n }, (_, i) => {
      const angle = turn + (2 * Math.PI * i) / n;
      const radius = radii[i % radii.length];
      return [radius * Math.sin(angle), -radius * Math.cos(angle)];
    });
  const s = 0.86;
  const t = 0.36;
  const SHAPES = [
    round(20, 0), [[-s, -s], [s, -s], [s, s], [-s, s]], round(4, 0, [1.15]),
    round(3, 0, [1.15]), round(3, Math.PI, [1.15]), round(3, -Math.PI / 2, [1.15]), round(3, Math.PI / 2, [1.15]),
    [[-t, -1], [t, -1], [t, -t], [1, -t], [1, t], [t, t], [t, 1], [-t, 1], [-t, t], [-1, t], [-1, -t], [-t, -t]],
    round(5, 0, [1.05]), round(10, 0, [1.2, 0.5]),
  ];
  const N = SHAPES.length;

  // The path of mark k, so large, around a place in the coordinates of the picture.
  const mark = (k, size, [x, y] = [0, 0]) =>
    `M${SHAPES[k % N].map(([a, b]) => `${(x + size * a).toFixed(1)} ${(y + size * b).toFixed(1)}`).join("L")}Z`;

  return { N, mark };
})();
