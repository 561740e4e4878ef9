// Arithmetic of points [x, y] in the plane. Used by every widget that computes in the page.
const vectors = (() => {
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
  const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
  const along = (a, t, b) => [a[0] + t * b[0], a[1] + t * b[1]]; // a + t b
  const times = (t, a) => [t * a[0], t * a[1]];
  const length = (a) => Math.sqrt(a[0] * a[0] + a[1] * a[1]);
  const unit = (a) => {
    const size = length(a);
    return size > 0 ? [a[0] / size, a[1] / size] : [0, 0];
  };
  const squaredDistance = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2;

  // Row of the nearest codeword, the first of equally near ones, as numpy's argmin.
  function nearest(codewords, z) {
    let best = 0;
    let least = Infinity;
    for (let i = 0; i < codewords.length; i++) {
      const squared = squaredDistance(z, codewords[i]);
      if (squared < least) {
        least = squared;
        best = i;
      }
    }
    return best;
  }

  return { along, dot, length, minus, nearest, squaredDistance, times, unit };
})();
