// Geometry of the pictures: cells of codewords, and level lines of a function.
const geometry = (() => {
  const { along, dot, minus, times } = vectors;

  // The cell of codeword i within the square of half-width `limit`, as corners in order.
  function cell(codewords, i, limit) {
    let corners = [[-limit, -limit], [limit, -limit], [limit, limit], [-limit, limit]];
    codewords.forEach((other, j) => {
      if (j === i) return;
      const across = minus(other, codewords[i]);
      const middle = times(0.5, along(other, 1, codewords[i]));
      corners = clip(corners, across, dot(across, middle));
    });
    return corners;
  }

  // Keep the part of a convex polygon where <normal, x> <= offset.
  function clip(corners, normal, offset) {
    const kept = [];
    corners.forEach((corner, i) => {
      const next = corners[(i + 1) % corners.length];
      const a = dot(normal, corner) - offset;
      const b = dot(normal, next) - offset;
      if (a <= 0) kept.push(corner);
      if ((a < 0 && b > 0) || (a > 0 && b < 0)) kept.push(along(corner, a / (a - b), minus(next, corner)));
    });
    return kept;
  }

  // Segments [[x, y], [x, y]] of the level lines of f, by marching squares.
  function contours(f, levels, limit, steps) {
    const at = (i) => -limit + (2 * limit * i) / steps;
    const values = [];
    for (let j = 0; j <= steps; j++) {
      for (let i = 0; i <= steps; i++) values.push(f([at(i), at(j)]));
    }
    const segments = [];
    const side = steps + 1;
    for (let j = 0; j < steps; j++) {
      for (let i = 0; i < steps; i++) {
        const places = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
        const heights = places.map(([a, b]) => values[b * side + a]);
        const low = Math.min(...heights);
        const high = Math.max(...heights);
        for (const level of levels) {
          if (level < low || level >= high) continue;
          const crossings = [];
          for (let k = 0; k < 4; k++) {
            const [a, b] = [heights[k], heights[(k + 1) % 4]];
            if (a < level === b < level) continue;
            const t = (level - a) / (b - a);
            const [p, q] = [places[k], places[(k + 1) % 4]];
            crossings.push([at(p[0] + t * (q[0] - p[0])), at(p[1] + t * (q[1] - p[1]))]);
          }
          for (let k = 0; k + 1 < crossings.length; k += 2) segments.push([crossings[k], crossings[k + 1]]);
        }
      }
    }
    return segments;
  }

  return { cell, clip, contours };
})();
